"""Which sets a classifier can learn from."""

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError


def require(dataset: Dataset) -> None:
    """Refuse a set whose pictures have no class of their own, or all the same.

    Raises:
        InputError: it is one.
    """
    dataset.require_labels()
    present = [name for name, count in dataset.split("train").counts().items() if count]
    if len(present) < 2:
        raise InputError(
            f"{dataset.root} has training pictures of one class only, {present[0]!r}: add "
            "pictures of at least one other class"
        )
