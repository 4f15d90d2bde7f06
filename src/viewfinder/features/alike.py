"""Pictures of a set that show nearly the same: cut, mirrored, saved again, or the next frame.

Vectors find what a difference hash cannot, pictures that were cut or mirrored; hashes find what
vectors lose, those that were saved coarsely or made brighter. Both are asked
(`benchmarks/near_duplicates.py`).
"""

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.box_files import split_name
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.similarity import scenes
from viewfinder.features.describing import Part, describe_readable

# Pictures are near-duplicates from this likeness on, in a set of blood cells, whose pictures are
# all alike, with one wrong pair in twenty.
_LEAST = 0.93
# Where everything is alike, they must be twice as near as the picture's tenth neighbour is.
_NEIGHBOUR, _NEARER = 10, 0.5
_BLOCK, _TOLD = 512, 4


def near_duplicates(dataset: Dataset) -> list[Fault]:
    """Pictures that look alike and are not the same bytes, a fault for each that has likenesses.

    Those of one group, such as frames of one video, are expected to, and are told only where they
    lie in two splits.
    """
    files = [dataset.file(number) for number in range(len(dataset))]
    vectors, kept = describe_readable([Part(file) for file in files], bits=dataset.bits)
    found = {(kept[one], kept[two]): like for (one, two), like in _near(vectors).items()}
    row_of = {number: row for row, number in enumerate(kept)}
    hashed = scenes(dataset)
    for scene in np.flatnonzero(np.bincount(hashed, minlength=1) > 1).tolist():
        first, *others = (n for n in np.flatnonzero(hashed == scene).tolist() if n in row_of)
        for other in others:
            likeness = float(vectors[row_of[first]] @ vectors[row_of[other]])
            found.setdefault((first, other), likeness)
    bytes_of = dict(zip(kept, of_files([files[number] for number in kept]), strict=True))
    fresh = {pair: like for pair, like in found.items() if bytes_of[pair[0]] != bytes_of[pair[1]]}
    return _faults(dataset, fresh)


def _near(vectors: NDArray[np.float32]) -> dict[tuple[int, int], float]:
    """Pairs of rows, the lower first, that are near-duplicates, and their likeness."""
    count = len(vectors)
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, count, _BLOCK):
        likeness = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -1
        least = np.full(len(likeness), _LEAST, np.float32)
        if count > 2 * _NEIGHBOUR:
            usual = np.partition(likeness, count - _NEIGHBOUR, axis=1)[:, count - _NEIGHBOUR]
            least = np.maximum(least, 1 - _NEARER * (1 - usual))
        for row, other in np.argwhere(likeness >= least[:, None]).tolist():
            pair = (min(start + row, other), max(start + row, other))
            pairs[pair] = float(likeness[row, other])
    return pairs


def _faults(dataset: Dataset, pairs: dict[tuple[int, int], float]) -> list[Fault]:
    partners: dict[int, list[tuple[float, int]]] = {}
    for (one, two), likeness in pairs.items():
        apart = dataset.splits[one] != dataset.splits[two]
        together = bool(dataset.groups) and dataset.groups[one] == dataset.groups[two] != ""
        if apart or not together:
            partners.setdefault(one, []).append((likeness, two))
    faults = []
    for one, others in sorted(partners.items()):
        others.sort(reverse=True)
        told = [f"{dataset.paths[two]} ({likeness:.2f})" for likeness, two in others[:_TOLD]]
        if len(others) > _TOLD:
            told.append(f"{len(others) - _TOLD} more")
        detail = f"looks nearly the same as {', '.join(told)}"
        splits = {split_name(int(dataset.splits[n])) for n in (one, *(two for _, two in others))}
        if len(splits) > 1:
            detail += f", in the splits {', '.join(sorted(splits))}"
            mend = "look at them; if they are one scene, keep them in one split"
            faults.append(Fault("alike-across-splits", dataset.paths[one], detail, mend))
        else:
            faults.append(Fault("alike", dataset.paths[one], detail, "look at them; keep one"))
    return faults
