"""Each picture's saliency scores of each method, kept by the contents of its map and its mask.

Whoever adds a method waits for that method only. What is kept is what is counted and summed
(`tasks.saliency.scores.Measurement`), from which all scores and curves follow.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, groupby
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from viewfinder.cpu import cpu_features
from viewfinder.datasets.digests import of_files
from viewfinder.events import track
from viewfinder.features.store import KEY, keep_vectors, kept_vectors
from viewfinder.scoring.map_jobs import RECORD, MapJob, alone, record_of, records_of, unpacked
from viewfinder.scoring.measured import Measured
from viewfinder.scoring.sets import MapContest

# Named anew where what is kept of a picture, or how it is measured, changes.
_KEPT = "saliency-scores-4"
# Fewer pictures than this are scored sooner than processes start.
_FEW = 200
_CHUNK = 16


@dataclass(frozen=True)
class Unread:
    """A map that could not be scored, and why."""

    method: str
    file: str
    why: str


@dataclass(frozen=True, eq=False)
class Judged:
    """All measurements of one set, by method and mask."""

    contest: MapContest
    measured: dict[str, dict[str, Measured]]
    unread: tuple[Unread, ...]


def judge(contest: MapContest, *, stretch: bool, jobs: int | None = None) -> Judged:
    """Measure every map beside its mask; those that are known already are not read again.

    Args:
        stretch: spread each map's values over [0, 1] first.

    Raises:
        InputError: a mask cannot be read, or the cache's folder.
    """
    masks = contest.truth.masks
    mask_digests = dict(zip(masks, of_files([contest.truth.root / m for m in masks]), strict=True))
    asked: dict[tuple[str, str], MapJob] = {}
    # By the picture, so that a mask is still in the system's memory for the next method.
    unread = []
    for mask in masks:
        for answers in contest.answers:
            if mask not in answers.paired.answers:
                continue
            if not answers.file(mask).is_file():
                place = str(answers.file(mask))
                unread.append(
                    Unread(answers.method, place, f"{place} is no file, or a link to none")
                )
            else:
                asked[answers.method, mask] = MapJob(
                    b"",
                    answers.file(mask),
                    contest.truth.root / mask,
                    mask_digests[mask],
                    stretch,
                )
    digests = of_files([job.map for job in asked.values()])
    keyed = {
        who: replace(job, key=_key(digest, job.about, stretch))
        for (who, job), digest in zip(asked.items(), digests, strict=True)
    }
    known = kept_vectors(_KEPT, RECORD.itemsize // 4, [job.key for job in keyed.values()])
    left = {job.key: job for job in keyed.values() if job.key not in known}
    failed: dict[bytes, str] = {}
    fresh: dict[bytes, NDArray[np.float32]] = {}
    for key, found in _all(list(left.values()), contest.truth.name, jobs):
        if isinstance(found, str):
            failed[key] = found
        else:
            fresh[key] = found
    keep_vectors(_KEPT, fresh)
    known |= fresh
    measured: dict[str, dict[str, Measured]] = {each.method: {} for each in contest.answers}
    for (method, mask), job in keyed.items():
        if job.key in failed:
            # The same contents may lie under another name, too.
            why = failed[job.key].replace(str(left[job.key].map), str(job.map))
            unread.append(Unread(method, str(job.map), why))
        else:
            measured[method][mask] = unpacked(known[job.key])
    return Judged(contest, measured, tuple(unread))


def _key(map_digest: bytes, mask_digest: bytes, stretch: bool) -> bytes:
    return hashlib.sha256(map_digest + mask_digest + bytes([stretch])).digest()[:KEY]


def _all(
    jobs: Sequence[MapJob], name: str, processes: int | None
) -> Iterator[tuple[bytes, NDArray[np.float32] | str]]:
    """Each job's record, or why there is none, with progress."""
    if not jobs:
        return
    shown = f"scoring {name}"
    workers = processes or cpu_features().threads
    if workers == 1 or len(jobs) < _FEW:
        yield from track((record_of(job) for job in jobs), total=len(jobs), description=shown)
        return
    # All maps of a mask go to one process, so that what follows from the mask is worked out once.
    by_mask = [list(own) for _, own in groupby(jobs, lambda job: job.mask)]
    size = max(1, _CHUNK * len(by_mask) // len(jobs))
    with ProcessPoolExecutor(workers, get_context("spawn"), alone) as pool:
        found = chain.from_iterable(pool.map(records_of, by_mask, chunksize=size))
        yield from track(found, total=len(jobs), description=shown)
