"""Boxes and scores before suppression, from what an ONNX file of a detector answered."""

import numpy as np
import torch
from torch import Tensor

from viewfinder.tasks.portable import Arrays, Outputs, as_floats, as_numbers, require_count


def read_portable(
    found: Arrays, classes: int, pictures: int, outputs: Outputs
) -> tuple[Tensor, Tensor]:
    """Boxes, N×P×4, and scores, N×P×classes, of a file that gives these, or chosen objects.

    Raises:
        ValueError: it does not.
    """
    if outputs == "final":
        return _of_objects(found, pictures, classes)
    boxes, scores = require_count(found, 2)
    places = boxes.shape[1] if boxes.ndim == 3 else 0
    return as_floats(boxes, (pictures, places, 4)), as_floats(scores, (pictures, places, classes))


def _of_objects(found: Arrays, pictures: int, classes: int) -> tuple[Tensor, Tensor]:
    """Objects that were chosen already, a row each, as boxes and scores of each picture."""
    owners, labels, scores, boxes = require_count(found, 4)
    count = len(scores)
    corners, sure = as_floats(boxes, (count, 4)), as_floats(scores, (count,))
    of_picture = as_numbers(owners, count, pictures)
    of_class = as_numbers(labels, count, classes)
    if of_picture is None or of_class is None:
        raise ValueError("answers with objects of pictures or classes that there are none of")
    most = int(np.bincount(of_picture, minlength=1).max())
    all_boxes = torch.zeros(pictures, most, 4)
    all_scores = torch.zeros(pictures, most, classes)
    for picture in range(pictures):
        rows = torch.from_numpy(np.flatnonzero(of_picture == picture))
        places = torch.arange(len(rows))
        all_boxes[picture, places] = corners[rows]
        all_scores[picture, places, torch.from_numpy(of_class)[rows]] = sure[rows]
    return all_boxes, all_scores
