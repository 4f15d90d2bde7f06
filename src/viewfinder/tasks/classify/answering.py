"""Logits as probabilities: over a picture's views, and as sure as they turned out to be right."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.tasks.answering import Answering, as_shares, one_tensor, outputs
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.classify.temperature import Temperature
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.views import mean_of, nearer, several


def decode(outputs: Tensor) -> NDArray[np.float32]:
    """N×C logits to N×C probabilities that add up to 1."""
    return outputs.float().softmax(dim=1).cpu().numpy()


class Probabilities(Answering):
    """N×3×H×W to N×C probabilities, with `mirror` the mean over a picture and its mirror image.

    With a temperature they are as sure as they turned out to be right.
    """

    def __init__(
        self, net: nn.Module, *, mirror: bool, temperature: Temperature | None = None
    ) -> None:
        super().__init__()
        self.net, self.mirror, self.temperature = net, mirror, temperature

    def forward(self, pictures: Tensor) -> Tensor:  # N×3×H×W
        answer: Tensor = self.net(pictures).softmax(dim=1)
        if self.mirror:
            mirrored: Tensor = self.net(pictures.flip(3)).softmax(dim=1)
            answer = (answer + mirrored) / 2
        return answer if self.temperature is None else self.temperature.of(answer)


def answering_net(net: nn.Module, config: ModelConfig) -> Probabilities:
    """A net that gives logits as one that gives the probabilities of a run."""
    mirror = bool(config.habits.get("mirror"))
    return Probabilities(net, mirror=mirror, temperature=temperature_of(config))


def temperature_of(config: ModelConfig) -> Temperature | None:
    """How its probabilities become as sure as they are right, where the run knows it."""
    kept = config.habits.get(CALIBRATION)
    return kept if isinstance(kept, Temperature) else None


def probabilities_of(
    net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
) -> NDArray[np.float32]:
    """N×C of N×3×H×W prepared pictures: of each, or the mean over its views."""
    answering = net if isinstance(net, Answering) else answering_net(net, config)
    views = [pictures]
    if several(config):
        views += [pictures.flip(3), near := nearer(as_shares(pictures)), near.flip(3)]
    found = [one_tensor(outputs(answering, v, config.normalisation, device)) for v in views]
    return mean_of(found).cpu().numpy()
