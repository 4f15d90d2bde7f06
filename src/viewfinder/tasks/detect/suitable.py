"""Which sets a detector can learn from."""

from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError


def require(dataset: Dataset) -> None:
    """Refuse a set without boxes to learn from.

    Raises:
        InputError: it is one.
    """
    dataset.require_boxes()
    boxes = dataset.split("train").boxes
    if boxes is None or not to_find(boxes).any():
        raise InputError(
            f"{dataset.root} has no boxes among its training pictures: mark some objects first"
        )
