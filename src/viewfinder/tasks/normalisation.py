"""The colours that a net expects: what is subtracted and divided before its first layer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from viewfinder.devices import send
from viewfinder.nets import facts

# Pictures that are enough to know the mean and deviation of a set's colours.
_SAMPLE = 2000


@dataclass(frozen=True)
class Normalisation:
    """The mean and deviation of red, green and blue in [0, 1] that a net was trained with."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, pictures: Tensor) -> Tensor:
        """N×3×H×W float32 in [0, 1] to what the net takes; `PLAIN` leaves depth as it is too."""
        if self == PLAIN:
            return pictures
        mean = send(torch.tensor(self.mean), pictures.device).view(1, 3, 1, 1)
        std = send(torch.tensor(self.std), pictures.device).view(1, 3, 1, 1)
        return (pictures - mean) / std


PLAIN = Normalisation(*facts.PLAIN)
"""Of nets that take red, green and blue in [0, 1] as they are."""
IMAGENET = Normalisation(*facts.IMAGENET)
"""What torchvision's ImageNet weights were trained with."""


def measure_colours(take: Callable[[Tensor], Tensor], pictures: int) -> Normalisation:
    """Mean and deviation of red, green and blue over (a sample of) a set's pictures.

    Args:
        take: from numbers of pictures to the pictures, N×3×H×W uint8.
        pictures: how many there are.
    """
    sample = torch.randperm(pictures, generator=torch.Generator().manual_seed(0))[:_SAMPLE]
    total, square, count = np.zeros(3), np.zeros(3), 0
    for part in torch.tensor_split(sample, -(-len(sample) // 100)):
        pixels = take(part).double() / 255
        total += pixels.sum((0, 2, 3)).numpy()
        square += (pixels**2).sum((0, 2, 3)).numpy()
        count += pixels[:, 0].numel()
    mean = total / count
    # A set of one colour has no deviation; dividing by a grey level's step keeps it finite.
    deviation = np.maximum(np.sqrt(np.maximum(square / count - mean**2, 0)), 1 / 255)
    return Normalisation(
        tuple(round(float(m), 4) for m in mean), tuple(round(float(d), 4) for d in deviation)
    )
