"""Which pictures of a set are unlike all others, which show the same, and whose labels are doubted.

All three compare what a network that has seen ImageNet says of pictures (`features.describing`): a
picture is odd where its k-th neighbour is far (Ramaswamy, Rastogi, Shim, SIGMOD 2000). k is more
than the pictures of a group that strayed into a set together, or they would vouch for each other.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files
from viewfinder.errors import InputError
from viewfinder.features.alike import Pair, likenesses, pairs_of
from viewfinder.features.describing import Part, describe_readable
from viewfinder.labelling.doubting import doubts
from viewfinder.wording import counted

MOST_COMPARED = 20_000
"""Pictures, or boxes, that are compared, evenly chosen of more: the work goes with their square."""
# The neighbour by which a picture is known to be odd; of small sets a share of their pictures.
_NEIGHBOUR, _SHARE = 50, 0.125


@dataclass(frozen=True)
class Odd:
    """A picture, and how like it the neighbour is by which it is known to be odd."""

    picture: int
    likeness: float


@dataclass(frozen=True)
class Doubted:
    """A label that the others speak against.

    Attributes:
        picture: its number.
        box: in pixels, where the label is a box's.
        label, other: the class that it has, and the likeliest of the others.
        amount: how far that is ahead; above 0.
    """

    picture: int
    box: tuple[float, float, float, float] | None
    label: int
    other: int
    amount: float


@dataclass(frozen=True)
class Suspects:
    """What of a set a person is to look at, the worst first.

    Attributes:
        alike: pairs of pictures that show nearly or exactly the same; those in two splits first.
        compared: how many pictures were compared.
        asked: how many labels; 0 where nobody could be asked.
        why_not: why no label was doubted, where none could be.
        named: how many of `doubted` are worth a look before the others (`doubting.Doubts`).
        wrong: about how many of these are.
    """

    odd: tuple[Odd, ...]
    alike: tuple[Pair, ...]
    doubted: tuple[Doubted, ...]
    compared: int
    asked: int
    why_not: str = ""
    named: int = 0
    wrong: int = 0

    @property
    def mistakes(self) -> str:
        """How many labels may be wrong, in words."""
        if not self.named:
            return "no label that stands out as wrong"
        about = f", perhaps {self.wrong:,} of them or more" if self.wrong < self.named else ""
        return f"{counted(self.named, 'label')} that may be wrong{about}"


def suspects(dataset: Dataset) -> Suspects:
    """Look for them; what is described is kept, so that a second time takes seconds.

    Pictures that cannot be read are left out, and that is said.
    """
    chosen = _evenly(len(dataset))
    files = [dataset.file(number) for number in chosen.tolist()]
    vectors, kept = describe_readable([Part(file) for file in files], bits=dataset.bits)
    numbers = chosen[kept]
    digests = of_files([files[row] for row in kept])
    found = pairs_of(dataset, vectors, numbers.tolist(), digests)
    split = dataset.splits
    found.sort(key=lambda each: (split[each.one] == split[each.other], -each.likeness))
    seen = Suspects(odd_ones(vectors, numbers), tuple(found), (), len(numbers), 0)
    return _with_doubted(seen, dataset, vectors, numbers)


def _evenly(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_COMPARED)).astype(np.int64))


def odd_ones(vectors: NDArray[np.float32], numbers: NDArray[np.int64]) -> tuple[Odd, ...]:
    """All pictures, the oddest first; none of too few.

    Args:
        vectors: of length 1, of the pictures of these numbers.
    """
    near = min(_NEIGHBOUR, max(1, round(_SHARE * len(numbers))))
    if len(numbers) <= near + 1:
        return ()
    place = len(numbers) - near
    likeness = np.concatenate(
        [np.partition(rows, place, axis=1)[:, place] for rows in likenesses(vectors)]
    )
    order = np.argsort(likeness, kind="stable")
    return tuple(Odd(int(numbers[row]), float(likeness[row])) for row in order.tolist())


def _with_doubted(
    seen: Suspects, dataset: Dataset, vectors: NDArray[np.float32], numbers: NDArray[np.int64]
) -> Suspects:
    """The same with the labels whose other class is ahead, or why there are none."""
    if dataset.masks:
        return replace(seen, why_not="a mask has no class that could be another")
    if dataset.boxes is None:
        labels, pictures = dataset.labels[numbers], numbers
        places = np.tile(np.array([0.0, 0, 1, 1]), (len(numbers), 1))
    else:
        vectors, pictures, places, labels = _described_boxes(dataset)
    known = labels >= 0
    vectors, pictures, places = vectors[known], pictures[known], places[known]
    labels = labels[known].astype(np.int64)
    try:
        found = doubts(vectors, places, labels)
    except InputError:
        too_few = "there are too few labels, or of one class only, for one to tell of another"
        return replace(seen, why_not=too_few)
    order = np.argsort(-found.amounts, kind="stable")
    rows = [row for row in order.tolist() if found.amounts[row] > 0]
    whole = dataset.boxes is None
    doubted = tuple(
        Doubted(
            int(pictures[row]),
            None if whole else _box(places[row]),
            int(labels[row]),
            int(found.others[row]),
            float(found.amounts[row]),
        )
        for row in rows
    )
    return replace(seen, doubted=doubted, asked=len(labels), named=found.named, wrong=found.wrong)


def _described_boxes(
    dataset: Dataset,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Of the boxes that can be cut out: vectors, pictures, corners and classes."""
    boxes = dataset.boxes
    assert boxes is not None, "it is asked of sets of boxes"
    pictures = boxes.pictures()
    sides = boxes.corners[:, 2:] - boxes.corners[:, :2]
    known = np.flatnonzero((sides >= 1).all(axis=1) & ~boxes.crowd & (boxes.classes >= 0))
    rows = known[_evenly(len(known))] if len(known) else known
    parts = [Part(dataset.file(int(pictures[row])), _box(boxes.corners[row])) for row in rows]
    vectors, kept = describe_readable(parts, bits=dataset.bits)
    rows = rows[kept]
    return vectors, pictures[rows], boxes.corners[rows], boxes.classes[rows]


def _box(corners: NDArray[np.float64]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = corners.tolist()
    return x1, y1, x2, y2
