"""Pictures of a set that show nearly the same: cut, mirrored, saved again, or the next frame.

Vectors find what a difference hash cannot, pictures that were cut or mirrored; hashes find what
vectors lose, those that were saved coarsely or made brighter. Both are asked
(`benchmarks/near_duplicates.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import one_split, told_splits
from viewfinder.datasets.digests import of_files
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.similarity import scenes
from viewfinder.events import note
from viewfinder.features.describing import Part, describe_readable
from viewfinder.wording import shown, some

# Pictures are near-duplicates from this likeness on, in a set of blood cells, whose pictures are
# all alike, with one wrong pair in twenty.
_LEAST = 0.93
# Where everything is alike, they must be twice as near as the picture's tenth neighbour is.
_NEIGHBOUR, _NEARER = 10, 0.5
# From here on, where a pair is three times as near as that: small pictures lose more by a cut.
_LEAST_ALONE, _ALONE = 0.88, 1 / 3
_BLOCK, _TOLD = 512, 4
# Where half of all pairs of a set are as alike as this, copies that were changed in several ways
# lie no nearer than others do: the middle pair of blood cells is at 0.80, of CIFAR-10's classes, of
# one of them, of rendered tables and of photographs of subjects at 0.40 to 0.56. Rows that are
# asked, at most; and how few tell nothing.
_ALL_ALIKE, _ASKED, _FEWEST = 0.7, 500, 5


@dataclass(frozen=True)
class Pair:
    """Two pictures of a set, the lower number first, and how alike they look: 1 is equal.

    Attributes:
        same: whether they are equal byte by byte.
    """

    one: int
    other: int
    likeness: float
    same: bool


def near_duplicates(dataset: Dataset) -> list[Fault]:
    """Pictures that look alike and are not the same bytes, a fault for each that has likenesses.

    Those of one group, such as frames of one video, are expected to, and are named only where they
    lie in two splits.
    """
    files = [dataset.file(number) for number in range(len(dataset))]
    vectors, kept = describe_readable([Part(file) for file in files], bits=dataset.bits)
    digests = of_files([files[number] for number in kept])
    pairs = pairs_of(dataset, vectors, kept, digests)
    if told := all_alike(vectors):
        note(told)
    return _faults(dataset, [pair for pair in pairs if not pair.same])


def all_alike(vectors: NDArray[np.float32]) -> str:
    """That a set's pictures are too much alike to tell copies from others, in a sentence; empty
    where they are not, or too few to tell.

    Args:
        vectors: N×D, of length 1.
    """
    if len(vectors) < _FEWEST:
        return ""
    some = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), _ASKED)).astype(int)]
    pairs = (some @ some.T)[np.triu_indices(len(some), 1)]
    if (middle := float(np.median(pairs))) < _ALL_ALIKE:
        return ""
    return (
        f"the pictures of this set are much alike (half of all pairs by {middle:.2f} or more, of "
        "1): here a copy that was changed in several ways, such as cut and made brighter, may be "
        "no nearer than other pictures are, and not be told"
    )


def copies_told(paths: Sequence[str], digests: Sequence[bytes]) -> str:
    """Which files are copies of others, byte for byte, in a sentence; empty where none are.

    Args:
        digests: of the files, in the order of their `paths`.
    """
    first: dict[bytes, str] = {}
    for path, digest in zip(paths, digests, strict=True):
        first.setdefault(digest, path)
    copies = [
        f"{path} of {first[digest]}"
        for path, digest in zip(paths, digests, strict=True)
        if first[digest] != path
    ]
    if not copies:
        return ""
    named = some([shown(each) for each in copies])
    one = len(copies) == 1
    are = "is a copy" if one else "are copies"
    return (
        f"{len(copies):,} of these pictures {are} of another, byte for byte ({named}): keep one of "
        "each"
    )


def across_splits(dataset: Dataset, pairs: Sequence[Pair]) -> list[Fault]:
    """Of pairs that were found, those in two splits whose bytes differ, as `near_duplicates`."""
    split = dataset.splits
    apart = [pair for pair in pairs if split[pair.one] != split[pair.other]]
    return _faults(dataset, [pair for pair in apart if not pair.same])


def pairs_of(
    dataset: Dataset,
    vectors: NDArray[np.float32],
    kept: Sequence[int],
    digests: Sequence[bytes],
) -> list[Pair]:
    """Pictures that look alike, by vectors and by hashes.

    Those of one group are expected to, and are left out where they lie in one split.

    Args:
        vectors: as `describe` gives them, of the pictures of numbers `kept`.
        digests: of their files.
    """
    found = {(kept[one], kept[two]): like for (one, two), like in _near(vectors).items()}
    row_of = {number: row for row, number in enumerate(kept)}
    hashed = scenes(dataset)
    for scene in np.flatnonzero(np.bincount(hashed, minlength=1) > 1).tolist():
        first, *others = (n for n in np.flatnonzero(hashed == scene).tolist() if n in row_of)
        for other in others:
            likeness = float(vectors[row_of[first]] @ vectors[row_of[other]])
            found.setdefault((first, other), likeness)
    return [
        Pair(one, two, min(1.0, likeness), digests[row_of[one]] == digests[row_of[two]])
        for (one, two), likeness in found.items()
        if not _expected(dataset, one, two)
    ]


def groups_of(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Pairs that hang together by a picture they share, in the order of each one's first pair.

    Ten pictures that are all alike are 45 pairs, and one thing to look at.
    """
    leaders: dict[int, int] = {}

    def leader(number: int) -> int:
        while (above := leaders.setdefault(number, number)) != number:
            leaders[number] = number = leaders[above]
        return number

    for pair in pairs:
        leaders[leader(pair.other)] = leader(pair.one)
    groups: dict[int, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(leader(pair.one), []).append(pair)
    return list(groups.values())


def likenesses(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Of a block of rows after the other, how alike each is to every row; -1 to itself."""
    for start in range(0, len(vectors), _BLOCK):
        likeness = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -1
        yield likeness


def _near(vectors: NDArray[np.float32]) -> dict[tuple[int, int], float]:
    """Pairs of rows, the lower first, that are near-duplicates, and their likeness."""
    count = len(vectors)
    pairs: dict[tuple[int, int], float] = {}
    for block, likeness in enumerate(likenesses(vectors)):
        start = block * _BLOCK
        least = np.full(len(likeness), _LEAST, np.float32)
        if count > 2 * _NEIGHBOUR:
            usual = np.partition(likeness, count - _NEIGHBOUR, axis=1)[:, count - _NEIGHBOUR]
            alone = np.maximum(_LEAST_ALONE, 1 - _ALONE * (1 - usual))
            least = np.minimum(np.maximum(least, 1 - _NEARER * (1 - usual)), alone)
        for row, other in np.argwhere(likeness >= least[:, None]).tolist():
            pair = (min(start + row, other), max(start + row, other))
            pairs[pair] = float(likeness[row, other])
    return pairs


def _expected(dataset: Dataset, one: int, two: int) -> bool:
    """Whether two pictures are of one group, and in one split."""
    together = bool(dataset.groups) and dataset.groups[one] == dataset.groups[two] != ""
    return together and bool(dataset.splits[one] == dataset.splits[two])


def _faults(dataset: Dataset, pairs: Sequence[Pair]) -> list[Fault]:
    partners: dict[int, list[tuple[float, int]]] = {}
    for pair in pairs:
        partners.setdefault(pair.one, []).append((pair.likeness, pair.other))
    faults = []
    for one, others in sorted(partners.items()):
        others.sort(reverse=True)
        parts = [f"{dataset.paths[two]} ({likeness:.2f})" for likeness, two in others[:_TOLD]]
        if len(others) > _TOLD:
            parts.append(f"{len(others) - _TOLD} more")
        detail = f"looks nearly the same as {', '.join(parts)}"
        numbers = (one, *(two for _, two in others))
        splits = told_splits(dataset, numbers)
        if len(splits) > 1:
            detail += f", in the splits {', '.join(splits)}"
            fix = f"look at them; if they are one scene, {one_split(dataset, numbers)}"
            faults.append(Fault("alike-across-splits", dataset.paths[one], detail, fix))
        else:
            fix = "look at them; if they are one scene, keep one"
            faults.append(Fault("alike", dataset.paths[one], detail, fix))
    return faults
