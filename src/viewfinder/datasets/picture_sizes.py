"""How large pictures are and how EXIF turns them, by the headers of their files."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.events import counting
from viewfinder.pictures.quick_headers import quick_measures
from viewfinder.pictures.reading import read_header

# So many pictures are one task of a thread.
_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Measures:
    """What the files say of N pictures.

    Attributes:
        sizes: N×2 int64, width and height, upright; 0 where a file cannot be read.
        orientations: N int8, EXIF's, 1 to 8.
    """

    sizes: NDArray[np.int64]
    orientations: NDArray[np.int8]

    @property
    def stored(self) -> NDArray[np.int64]:
        """N×2, width and height before EXIF turns the picture."""
        return np.where(self.orientations[:, None] >= 5, self.sizes[:, ::-1], self.sizes)


def measure(root: Path, paths: Sequence[str]) -> Measures:
    """Read the headers of pictures."""
    if not paths:
        return Measures(np.zeros((0, 2), np.int64), np.zeros(0, np.int8))
    parts = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    looks = [np.zeros((0, 3), np.int64)]
    with (
        ThreadPoolExecutor() as pool,
        counting(total=len(paths), description="measuring pictures") as one_more,
    ):
        for looked in pool.map(lambda part: _looked_at(root, part), parts):
            looks.append(looked)
            for _ in range(len(looked)):
                one_more()
    found = np.concatenate(looks)
    return Measures(found[:, :2], found[:, 2].astype(np.int8))


def _looked_at(root: Path, paths: Sequence[str]) -> NDArray[np.int64]:
    """N×3, width, height and orientation of pictures; without sides where one cannot be read."""
    files = [os.path.join(root, path) for path in paths]  # noqa: PTH118
    found = quick_measures(files)
    for row in np.flatnonzero(found[:, 0] == 0).tolist():
        found[row] = _by_header(Path(files[row]))
    return found


def _by_header(file: Path) -> tuple[int, int, int]:
    try:
        header = read_header(file)
    except (InputError, OSError):
        return 0, 0, 1
    return header.width, header.height, header.orientation


def measured_sizes(root: Path, paths: Sequence[str]) -> NDArray[np.int64]:
    """N×2, width and height of each picture, upright; 0 where it cannot be read."""
    return measure(root, paths).sizes
