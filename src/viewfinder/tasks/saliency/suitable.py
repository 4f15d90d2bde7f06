"""Which sets a saliency net can learn from."""

from viewfinder.datasets.dataset import Dataset


def require(dataset: Dataset) -> None:
    """Refuse a set without masks; one without depth is refused where depth is read.

    Raises:
        InputError: it is one.
    """
    dataset.require_masks()
