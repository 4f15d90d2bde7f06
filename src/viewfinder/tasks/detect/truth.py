"""The objects of a batch of pictures, as a detector's losses take them."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Truth:
    """T objects in a batch of pictures; those of a picture need not stand together.

    Attributes:
        boxes: T×4 float32, x1, y1, x2, y2 in pixels of the net's input; sides above 0.
        labels: T int64, class indices.
        pictures: T int64, the picture of the batch that each lies in.
        count: the pictures in the batch, those without an object too.
        apart: U×4 float32, crowds and difficult objects: what is predicted there is neither right
            nor wrong.
        apart_of: U int64, the picture of the batch that each of those lies in.
    """

    boxes: Tensor
    labels: Tensor
    pictures: Tensor
    count: int
    apart: Tensor = field(default_factory=lambda: torch.zeros(0, 4))
    apart_of: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def to(self, device: torch.device | str) -> "Truth":
        """The same on a device."""
        return replace(
            self,
            boxes=self.boxes.to(device, non_blocking=True),
            labels=self.labels.to(device, non_blocking=True),
            pictures=self.pictures.to(device, non_blocking=True),
            apart=self.apart.to(device, non_blocking=True),
            apart_of=self.apart_of.to(device, non_blocking=True),
        )
