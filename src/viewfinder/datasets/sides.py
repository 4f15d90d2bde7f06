"""How large a set's pictures are."""

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.reading import read_header

# Pictures whose sizes stand for all.
_SAMPLE = 200


def usual_side(dataset: Dataset) -> int:
    """The median of the pictures' longer sides in pixels, of 200 spread over all of them.

    Raises:
        PictureError: one cannot be read.
    """
    step = max(1, len(dataset) // _SAMPLE)
    sides = [max(read_header(dataset.file(i)).size) for i in range(0, len(dataset), step)]
    return int(np.median(sides))
