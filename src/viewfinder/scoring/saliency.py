"""Each picture's saliency scores of each method, kept by the contents of its map and its mask.

Whoever adds a method waits for that method only. What is kept is what is counted and summed
(`tasks.saliency.scores.Measurement`), from which all scores and curves follow.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.cpu import cpu_features
from viewfinder.datasets.digests import of_files
from viewfinder.errors import PictureError
from viewfinder.events import track
from viewfinder.features.store import KEY, keep_vectors, kept_vectors
from viewfinder.memory import keep_freed
from viewfinder.pictures.reading import read_map_levels
from viewfinder.scoring.masks import read_scored
from viewfinder.scoring.measured import KnownMask, Measured, known_mask, measure_map
from viewfinder.scoring.sets import MapContest
from viewfinder.scoring.size_invariance import SizeInvariant
from viewfinder.tasks.saliency.curves import LEVELS, PixelCounts
from viewfinder.tasks.saliency.scores import Measurement

# Named anew where what is kept of a picture, or how it is measured, changes.
_KEPT = "saliency-scores-4"
# Figures of 64 bits, then counts of 32 at each threshold.
_RECORD = np.dtype(
    [
        ("figures", "<f8", (10,)),
        ("taken", "<u4", LEVELS),
        ("hits", "<u4", LEVELS),
        ("alike", "<f8", LEVELS),
    ]
)
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


@dataclass(frozen=True)
class _Job:
    """A map to measure; `about` is the digest of its mask's file."""

    key: bytes
    map: Path
    mask: Path
    about: bytes
    stretch: bool


def judge(contest: MapContest, *, stretch: bool, jobs: int | None = None) -> Judged:
    """Measure every map beside its mask; those that are known already are not read again.

    Args:
        stretch: spread each map's values over [0, 1] first.

    Raises:
        InputError: a mask cannot be read, or the cache's folder.
    """
    masks = contest.truth.masks
    mask_digests = dict(zip(masks, of_files([contest.truth.root / m for m in masks]), strict=True))
    asked: dict[tuple[str, str], _Job] = {}
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
                asked[answers.method, mask] = _Job(
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
    known = kept_vectors(_KEPT, _RECORD.itemsize // 4, [job.key for job in keyed.values()])
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
            measured[method][mask] = _unpacked(known[job.key])
    return Judged(contest, measured, tuple(unread))


def _key(map_digest: bytes, mask_digest: bytes, stretch: bool) -> bytes:
    return hashlib.sha256(map_digest + mask_digest + bytes([stretch])).digest()[:KEY]


def _all(
    jobs: Sequence[_Job], name: str, processes: int | None
) -> Iterator[tuple[bytes, NDArray[np.float32] | str]]:
    """Each job's record, or why there is none, with progress."""
    if not jobs:
        return
    shown = f"scoring {name}"
    workers = processes or cpu_features().threads
    if workers == 1 or len(jobs) < _FEW:
        yield from track((_one(job) for job in jobs), total=len(jobs), description=shown)
        return
    # All maps of a mask go to one process, so that what follows from the mask is worked out once.
    by_mask = [list(own) for _, own in groupby(jobs, lambda job: job.mask)]
    size = max(1, _CHUNK * len(by_mask) // len(jobs))
    with ProcessPoolExecutor(workers, get_context("spawn"), _alone) as pool:
        found = chain.from_iterable(pool.map(_of_mask, by_mask, chunksize=size))
        yield from track(found, total=len(jobs), description=shown)


def _alone() -> None:
    """A process is one thread: there are as many of them as cores. One map is as large as the
    next, and its memory does for that too."""
    keep_freed()
    cv2.setNumThreads(1)


def _of_mask(jobs: Sequence[_Job]) -> list[tuple[bytes, NDArray[np.float32] | str]]:
    """Of each map of one mask its record, or why there is none."""
    return [_one(job) for job in jobs]


def _one(job: _Job) -> tuple[bytes, NDArray[np.float32] | str]:
    known = _mask(job.mask, job.about)
    try:
        stored = read_map_levels(job.map)
    except PictureError as error:
        return job.key, str(error)
    return job.key, _packed(measure_map(stored, known, stretch=job.stretch))


# Of one picture and the next: all methods' maps of a picture come together.
@lru_cache(maxsize=2)
def _mask(file: Path, about: bytes) -> KnownMask:
    """`about` is the digest of the mask's file, so that it is read anew where that has changed."""
    return known_mask(read_scored(file))


def _packed(found: Measured) -> NDArray[np.float32]:
    """A record as the cache's kind of numbers, bit by bit."""
    record, counts = np.zeros(1, _RECORD), found.of.counts
    record["figures"][0] = (
        found.of.mae,
        found.of.s_measure,
        found.of.weighted_f,
        found.boundary_iou,
        counts.pixels,
        counts.wanted,
        counts.taken[LEVELS],
        counts.hits[LEVELS],
        found.resized,
        found.alike.mae,
    )
    record["alike"][0] = found.alike.f_curve
    record["taken"][0], record["hits"][0] = counts.taken[:LEVELS], counts.hits[:LEVELS]
    return record.view(np.float32)


def _unpacked(kept: NDArray[np.float32]) -> Measured:
    record = np.ascontiguousarray(kept).view(_RECORD)[0]
    figures = record["figures"].tolist()
    mae, s, weighted, contour, pixels, wanted, taken, hits, resized, alike = figures
    counts = PixelCounts(
        pixels=int(pixels),
        wanted=int(wanted),
        taken=np.append(record["taken"].astype(np.float64), taken),
        hits=np.append(record["hits"].astype(np.float64), hits),
    )
    own = SizeInvariant(alike, record["alike"].copy())
    return Measured(Measurement(counts, mae, s, weighted), contour, bool(resized), own)
