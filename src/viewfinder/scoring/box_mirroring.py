"""Boxes measured from the right or from the bottom of their pictures: refused."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.scoring.box_overlap import on_objects

# What is measured from where, and which edges are exchanged for it.
_READINGS = (
    ("x from the right edge", (True, False)),
    ("y from the bottom edge", (False, True)),
    ("x from the right edge and y from the bottom edge", (True, True)),
)


def refuse_mirrored(
    corners: NDArray[np.float64],
    pictures: NDArray[np.int64],
    sizes: NDArray[np.int64],
    truth: Dataset,
    *,
    found: int,
    least: int,
    where: str,
) -> None:
    """Refuse boxes of which far more lie on objects in mirrored pictures.

    Args:
        corners: M×4.
        pictures: of each detection its picture's number.
        sizes: M×2, width and height of these.
        found: so many lie on objects as they are.
        least: so many lie on objects where another reading is believed.

    Raises:
        InputError: they seem to be measured from another edge.
    """
    counts = {
        words: on_objects(_mirrored(corners, sizes, which), pictures, truth)
        for words, which in _READINGS
    }
    words = max(counts, key=lambda each: counts[each])
    if counts[words] >= least:
        raise InputError(
            f"{where}: its boxes seem to have {words}, as {counts[words]:,} of its "
            f"{len(corners):,} surest then lie on objects (IoU 0.5 or more), and {found:,} as they "
            "are written: measure x from the left and y from the top"
        )


def _mirrored(
    corners: NDArray[np.float64], sizes: NDArray[np.int64], which: tuple[bool, bool]
) -> NDArray[np.float64]:
    low, high = corners[:, :2], corners[:, 2:]
    return np.where(np.tile(which, 2), np.concatenate([sizes - high, sizes - low], axis=1), corners)
