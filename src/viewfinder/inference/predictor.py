"""A run made ready to answer: the one path of validation, `evaluate` and `predict`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.loading import Pixels
from viewfinder.tasks import classify

_BATCH = 250


@dataclass(frozen=True)
class Normalisation:
    """The mean and deviation of red, green and blue in [0, 1] that a net was trained with."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, pictures: Tensor) -> Tensor:
        """N×3×H×W float32 in [0, 1] to what the net takes."""
        mean = torch.tensor(self.mean, device=pictures.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=pictures.device).view(1, 3, 1, 1)
        return (pictures - mean) / std


@torch.no_grad()
def outputs(
    net: nn.Module, batches: Iterator[Tensor], normalisation: Normalisation, device: torch.device
) -> Iterator[Tensor]:
    """What a net in evaluation mode answers to batches of N×3×H×W uint8 pictures.

    Always in float32, whatever precision the net was trained in, so that the same picture gets
    the same answer in validation and afterwards, on every machine.
    """
    for batch in batches:
        pictures = normalisation.apply(batch.to(device).float() / 255)
        yield net(pictures.contiguous(memory_format=torch.channels_last))


def probabilities(
    net: nn.Module, pixels: Pixels, normalisation: Normalisation, device: torch.device
) -> NDArray[np.float32]:
    """N×C class probabilities of every picture of a set, in its order."""
    was_training = net.training
    net.eval()
    batches = (
        pixels.take(range(start, min(start + _BATCH, len(pixels))))
        for start in range(0, len(pixels), _BATCH)
    )
    rows = [classify.decode(out) for out in outputs(net, batches, normalisation, device)]
    net.train(was_training)
    return np.concatenate(rows)
