"""Pictures that show nearly the same, such as two frames of a video or one photograph saved twice.

A picture becomes 64 bits: whether each cell of an 8×8 grid is brighter than its neighbour to the
right (a difference hash). Compression, scale and brightness hardly change them; two pictures that
differ in at most three bits, one of them mirrored or not, are taken for one scene.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.pictures.reading import read_picture

_ROWS, _COLUMNS = 8, 9
_MOST_BITS = 3
# Four bands: of two pictures that differ in three bits at most, one band is the same in both.
_BANDS = 4


def difference_hash(picture: NDArray[np.uint8]) -> int:
    """64 bits of an H×W×3 picture that change little when it is compressed or scaled."""
    return difference_hashes(picture)[0]


def difference_hashes(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """The picture's `difference_hash`, and that of its mirror image, left to right."""
    grey = picture.mean(axis=2, dtype=np.float32)
    rows, columns = (
        np.linspace(0, n, m + 1) for n, m in zip(grey.shape, (_ROWS, _COLUMNS), strict=True)
    )
    sums = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1))
    sums[1:, 1:] = grey.cumsum(0, dtype=np.float64).cumsum(1)
    # The integral of the picture at the grid's corners, between pixels too, gives each cell's mean.
    corners = _between(_between(sums, rows).T, columns).T
    cells = np.diff(np.diff(corners, axis=0), axis=1)
    # A thousandth of a grey level, so that a plain surface's rounding decides nothing.
    step = 1e-3 * grey.size / (_ROWS * _COLUMNS)
    return _bits(cells, step), _bits(cells[:, ::-1], step)


def _bits(cells: NDArray[np.float64], step: float) -> int:
    brighter = cells[:, 1:] > cells[:, :-1] + step
    return int.from_bytes(np.packbits(brighter).tobytes(), "big")


def scenes(dataset: Dataset) -> NDArray[np.int64]:
    """N int64, the same number for pictures that show nearly the same.

    Every picture is read, once; one that cannot be read, or has no edges at all, is like no other.
    """
    with ThreadPoolExecutor() as pool:
        hashes = pool.map(lambda index: _hashes(dataset, index), range(len(dataset)))
        pairs = list(track(hashes, total=len(dataset), description="comparing pictures"))
    parents = list(range(len(pairs)))
    # A picture comes twice, as it is and mirrored; two that look alike do so either way.
    parts = [bits for pair in pairs for bits in pair]
    for band in range(_BANDS):
        alike: dict[int, list[int]] = defaultdict(list)
        for place, bits in enumerate(parts):
            if bits:
                alike[bits >> (16 * band) & 0xFFFF].append(place)
        for members in alike.values():
            _join(members, parts, parents)
    return np.array([_root(parents, index) for index in range(len(pairs))], np.int64)


def together(dataset: Dataset) -> list[str]:
    """Of each picture the name of what must stay in one split: its group joined with its scenes."""
    parents = scenes(dataset).tolist()
    first: dict[str, int] = {}
    for index, group in enumerate(dataset.groups):
        if group:
            one, other = _root(parents, first.setdefault(group, index)), _root(parents, index)
            parents[max(one, other)] = min(one, other)
    return [dataset.paths[_root(parents, index)] for index in range(len(dataset))]


def _join(members: list[int], hashes: list[int], parents: list[int]) -> None:
    """Unite those pictures of a band whose other bits agree too.

    Args:
        members: places in `hashes`, in which each picture has two.
    """
    bits = np.array([hashes[place] for place in members], np.uint64)
    for number, place in enumerate(members):
        near = np.bitwise_count(bits[number + 1 :] ^ bits[number]) <= _MOST_BITS
        for other in np.flatnonzero(near).tolist():
            one, two = place // 2, members[number + 1 + other] // 2
            first, second = _root(parents, one), _root(parents, two)
            parents[max(first, second)] = min(first, second)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _hashes(dataset: Dataset, index: int) -> tuple[int, int]:
    try:
        return difference_hashes(read_picture(dataset.file(index), at_least=(64, 64)))
    except (InputError, OSError):
        return 0, 0


def _between(sums: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of `sums` at fractional places, linearly."""
    low = np.minimum(places.astype(np.int64), len(sums) - 2)
    share = (places - low)[:, None]
    return np.asarray(sums[low] * (1 - share) + sums[low + 1] * share)
