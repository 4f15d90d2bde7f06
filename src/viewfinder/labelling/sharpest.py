"""The sharpest frame of each stretch of a video, and of these the ones that differ."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.frame_list import FrameOrigin
from viewfinder.labelling.sharpness import Look, are_blurred, sharpness
from viewfinder.pictures.video import Frame

ABOUT = 0.5
"""Seconds by which what a file says of its length may be wrong."""

_SHORTEST = 0.001  # seconds; a shorter stretch is every frame anyway
_AT_THE_END = 0.1  # share of its sharpness that a frame at a stretch's end must make up for
_CELLS = 32  # on each side, of the grid in which frames are compared
_MIDDLE, _DARK = 128, 32  # grey levels: a picture's mean is made the first, if above the second
_NEAR = 5  # cells across, of what lies around one
_MOST_CHANGED = 0.05  # share of the cells that decides whether two frames differ
_ALIKE = 5.0  # grey levels of 255, by which these cells differ at least


def difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """How much two frames' cells (`cells`) differ where they differ most: grey levels of 255."""
    apart = np.sort(np.abs(first - second).mean(axis=2), axis=None)
    return float(apart[-max(1, round(_MOST_CHANGED * len(apart))) :].mean())


def cells(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How each cell of a 32×32 grid over an H×W×3 picture differs in colour from those around.

    So a change of exposure, or a soft shadow that passes, is not taken for another view.
    """
    small = cv2.resize(picture, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= _MIDDLE / max(float(small.mean()), _DARK)
    return np.asarray(small - cv2.blur(small, (_NEAR, _NEAR)), np.float32)


@dataclass
class FrameCandidate:
    """The sharpest frame of a stretch, without most of its pixels."""

    origin: FrameOrigin
    file: Path
    look: Look
    cells: NDArray[np.float32]


def sharpest_of_stretches(frames: Iterable[Frame], since: float, length: float) -> Iterator[Frame]:
    """The sharpest frame of each stretch of so many seconds.

    Of frames that are nearly as sharp, the one nearest to the middle: two chosen ones are then
    about a stretch apart.
    """
    best: Frame | None = None
    stretch, most = 0, 0.0
    length = max(length, _SHORTEST)
    for frame in frames:
        # A millionth, so that the rounding of times decides nothing.
        place = (frame.seconds - since) / length + 1e-6
        if best is not None and math.floor(place) != stretch:
            yield best
            best = None
        stretch = math.floor(place)
        worth = sharpness(frame.picture) * (1 - _AT_THE_END * abs(2 * (place - stretch) - 1))
        if best is None or worth > most:
            best, most = frame, worth
    if best is not None:
        yield best


def unblurred(candidates: list[FrameCandidate]) -> list[FrameCandidate]:
    blurred = are_blurred([candidate.look for candidate in candidates])
    return [one for one, bad in zip(candidates, blurred, strict=True) if not bad]


def different(candidates: list[FrameCandidate]) -> list[FrameCandidate]:
    """Those that differ from each one kept before."""
    kept: list[FrameCandidate] = []
    for candidate in candidates:
        # The last ones first, since they are the likeliest to be alike.
        if all(difference(other.cells, candidate.cells) >= _ALIKE for other in reversed(kept)):
            kept.append(candidate)
    return kept
