"""Maps to measure, in processes of their own, and what is kept of each.

Such a process begins by reading this module and what it imports: no torch, which takes seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import PictureError
from viewfinder.memory import keep_freed
from viewfinder.pictures.reading import read_map_levels
from viewfinder.scoring.masks import read_scored
from viewfinder.scoring.measured import KnownMask, Measured, known_mask, measure_map
from viewfinder.scoring.size_invariance import SizeInvariant
from viewfinder.tasks.saliency.curves import LEVELS, PixelCounts
from viewfinder.tasks.saliency.scores import Measurement

# Figures of 64 bits, then counts of 32 at each threshold.
RECORD = np.dtype(
    [
        ("figures", "<f8", (10,)),
        ("taken", "<u4", LEVELS),
        ("hits", "<u4", LEVELS),
        ("alike", "<f8", LEVELS),
    ]
)


@dataclass(frozen=True)
class MapJob:
    """A map to measure; `about` is the digest of its mask's file."""

    key: bytes
    map: Path
    mask: Path
    about: bytes
    stretch: bool


def alone() -> None:
    """A process is one thread: there are as many of them as cores. One map is as large as the
    next, and its memory does for that too."""
    keep_freed()
    cv2.setNumThreads(1)


def records_of(jobs: Sequence[MapJob]) -> list[tuple[bytes, NDArray[np.float32] | str]]:
    """Of each map of one mask its record, or why there is none."""
    return [record_of(job) for job in jobs]


def record_of(job: MapJob) -> tuple[bytes, NDArray[np.float32] | str]:
    """A map's record, or why there is none."""
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
    record, counts = np.zeros(1, RECORD), found.of.counts
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


def unpacked(kept: NDArray[np.float32]) -> Measured:
    record = np.ascontiguousarray(kept).view(RECORD)[0]
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
