"""The same picture under several names."""

from collections.abc import Iterable, Iterator, Sequence

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import one_split, told_splits
from viewfinder.datasets.faults import Fault


def duplicates(dataset: Dataset, same: Iterable[Sequence[int]]) -> Iterator[Fault]:
    """The same bytes under several names: worst of two classes, bad in two splits, wasteful else.

    Args:
        same: the numbers of pictures that are equal byte by byte.
    """
    for copies in same:
        if len(copies) == 1:
            continue
        first, *others = (dataset.paths[index] for index in copies)
        detail = f"the same picture as {', '.join(others)}"
        splits = told_splits(dataset, copies)
        labels = {int(dataset.labels[index]) for index in copies} - {-1}
        classes = sorted(dataset.classes[label] for label in labels)
        if len(classes) > 1:
            detail += f", under the classes {', '.join(classes)}"
            yield Fault("two-classes", first, detail, "keep it in the class it belongs to")
        elif len(splits) > 1:
            detail += f", in the splits {', '.join(splits)}"
            fix = one_split(dataset, copies)
            fix += ": a net that has seen a test picture cannot be judged by it"
            yield Fault("duplicate-across-splits", first, detail, fix)
        else:
            what = "one of them" if dataset.boxes is None else "one, with the labels of both"
            yield Fault("duplicate", first, detail, f"keep {what}")
