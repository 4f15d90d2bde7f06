"""Boxes in pixels of the pictures that a net was given, which were resized for it: told."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.scoring.box_overlap import matches

# The sides that detectors are given.
_SIDES = (224, 256, 300, 320, 384, 416, 448, 480, 512, 544, 576, 608, 640, 736, 768, 800, 832, 896,
          960, 1024, 1152, 1280, 1333, 1536, 1920)  # fmt: skip


def resizing_told(
    corners: NDArray[np.float64],
    pictures: NDArray[np.int64],
    sizes: NDArray[np.int64],
    truth: Dataset,
    *,
    least: int,
) -> list[str]:
    """In words, of which size the pictures were whose pixels boxes are in; nothing where none fits.

    Args:
        corners: M×4.
        pictures: of each detection its picture's number.
        sizes: M×2, width and height of these.
        least: so many lie on objects where a size is believed.
    """
    best, told = 0.0, []
    for words, read in _readings(corners, sizes):
        fits = [fit for _, _, fit in matches(read, pictures, truth)]
        # As many lie on objects where the next size is read: the best one fits them closest.
        if len(fits) >= least and sum(fits) > best:
            best = sum(fits)
            told = [
                f"its boxes seem to be in pixels of {words}, as {len(fits):,} of its "
                f"{len(corners):,} surest then lie on objects (IoU 0.5 or more): give them in "
                "pixels of the pictures themselves"
            ]
    return told


def _readings(
    corners: NDArray[np.float64], sizes: NDArray[np.int64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Corners in pixels of the pictures, where these had been resized, and in words how."""
    longer = sizes.max(axis=1, keepdims=True)
    for side in _SIDES:
        yield f"pictures stretched to {side}×{side}", corners * np.tile(sizes / side, 2)
        scale = longer / side
        yield f"pictures whose longer side is {side}", corners * scale
        border = np.tile((side - sizes / scale) / 2, 2)
        yield f"pictures in the middle of {side}×{side}", (corners - border) * scale
