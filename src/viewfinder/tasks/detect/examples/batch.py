"""A step of a detector's training: pictures, and what is in them, from the plan to the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.devices import send
from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.tasks.parts import as_pictures
from viewfinder.wording import counted


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
        """The first `most` pictures with their objects' boxes, and how many these are."""
        shown, colours = [], distinct_colours(len(classes))
        for row, picture in enumerate(as_pictures(self.pictures[:most].float() / 255)):
            here = self.truth.pictures == row
            labels = self.truth.labels[here].tolist()
            names, tints = [classes[c] for c in labels], [colours[c] for c in labels]
            drawn = draw_boxes(picture, self.truth.boxes[here].cpu().numpy(), names, tints)
            shown.append((drawn, counted(len(labels), "object")))
        return shown
