"""A step of a detector's training: pictures, and what is in them, from the plan to the loss."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.devices import send
from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.pictures.geometry import box_areas, stretch, transform_boxes
from viewfinder.pictures.resampling import at_side
from viewfinder.tasks.parts import as_pictures
from viewfinder.wording import counted, some

# Drawn pictures have at least so many pixels at their longer side; where there are more objects
# than this, names at each would hide them.
_LEAST_SIDE, _MOST_NAMED = 280, 8


@dataclass(frozen=True, eq=False)
class BoxTruth:
    """T objects in a batch of pictures; those of a picture need not stand together.

    Attributes:
        boxes: T×4 float32, x1, y1, x2, y2 in pixels of the net's input; sides above 0.
        labels: T int64, class indices.
        pictures: T int64, the picture of the batch that each lies in.
        count: the pictures in the batch, those without an object too.
    """

    boxes: Tensor
    labels: Tensor
    pictures: Tensor
    count: int

    def __len__(self) -> int:
        return len(self.boxes)

    def to(self, device: torch.device | str) -> "BoxTruth":
        """The same on a device."""
        boxes, labels, pictures = (
            send(column, device) for column in (self.boxes, self.labels, self.pictures)
        )
        return BoxTruth(boxes, labels, pictures, self.count)

    def select(self, rows: Tensor) -> "BoxTruth":
        """Some of the objects, by a bool for each or by their numbers."""
        return BoxTruth(self.boxes[rows], self.labels[rows], self.pictures[rows], self.count)

    def joined(self, others: Sequence["BoxTruth"]) -> "BoxTruth":
        """These objects and those of others in the same batch, picture by picture."""
        every = [self, *others]
        all_of_them = BoxTruth(
            torch.cat([each.boxes for each in every]),
            torch.cat([each.labels for each in every]),
            torch.cat([each.pictures for each in every]),
            self.count,
        )
        return all_of_them.select(all_of_them.pictures.argsort(stable=True))


@dataclass(frozen=True, eq=False)
class BoxBatch:
    """The pictures of a step, or one process's part of them, changed already.

    Attributes:
        pictures: N×3×H×W uint8.
        truth: what is to be found in them.
        ignored: crowds (COCO: many objects in one box) and difficult objects (VOC: those that
            scores pass over), whose labels mean nothing: what is predicted there is neither right
            nor wrong.
    """

    pictures: Tensor
    truth: BoxTruth
    ignored: BoxTruth

    def __len__(self) -> int:
        return len(self.pictures)

    def to(self, device: torch.device) -> "BoxBatch":
        """The same on another device."""
        pictures = send(self.pictures, device)
        return BoxBatch(pictures, self.truth.to(device), self.ignored.to(device))

    def drawn(self, classes: Sequence[str], most: int) -> list[tuple[NDArray[np.uint8], str]]:
        """The first `most` pictures with their objects' boxes, and how many are of which class.

        Small ones are enlarged, so that names can be read; of many objects, the largest of each
        class is named, and the others have its colour.
        """
        shown, colours = [], distinct_colours(len(classes))
        for row, picture in enumerate(as_pictures(self.pictures[:most].float() / 255)):
            here = self.truth.pictures == row
            boxes, labels = self.truth.boxes[here].cpu().numpy(), self.truth.labels[here].tolist()
            named = np.argsort(-box_areas(boxes), kind="stable").tolist()
            if len(labels) > _MOST_NAMED:
                largest = {labels[number]: number for number in reversed(named)}
                named = [number for number in named if largest[labels[number]] == number]
            names = [classes[label] if at in named else "" for at, label in enumerate(labels)]
            height, width = picture.shape[:2]
            larger = at_side(picture, max(_LEAST_SIDE, height, width))
            matrix = stretch((width, height), (larger.shape[1], larger.shape[0]))
            drawn = draw_boxes(
                larger,
                transform_boxes(matrix, boxes),
                names,
                [colours[label] for label in labels],
            )
            shown.append((drawn, _counted(labels, classes)))
        return shown


def _counted(labels: Sequence[int], classes: Sequence[str]) -> str:
    """How many objects, and of which classes, the commonest first."""
    ordered = Counter(classes[label] for label in labels).most_common()
    of = some([f"{count:,} {name}" for name, count in ordered])
    return counted(len(labels), "object") + (f": {of}" if labels else "")
