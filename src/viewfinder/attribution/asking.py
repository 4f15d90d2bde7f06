"""A model that can be asked for reasons: its answers as tensors, in float32 as everywhere."""

import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.inference.answers import Predictor
from viewfinder.inference.quickening import quick_net
from viewfinder.tasks.answering import Answering, in_batches, outputs
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.question import Question

_BATCH = 16


@dataclass(frozen=True, eq=False)
class ExplainedNet:
    """A net that gives answers.

    Attributes:
        net: from normalised pictures to what the task's `portable` net gives.
        whole: whether its layers can be looked into; an ONNX file's cannot.
        quick: the same in a form that answers sooner, of which no gradients or maps can be had.
    """

    net: nn.Module
    config: ModelConfig
    device: torch.device
    whole: bool
    quick: nn.Module | None = None

    def scores(self, pictures: Tensor, question: Question) -> NDArray[np.float64]:
        """N scores of N×3×H×W float32 pictures in [0, 1]."""
        net = self.quick or self.net
        found = [
            question.scores(
                outputs(net, pictures[list(part)], self.config.normalisation, self.device)
            )
            for part in in_batches(len(pictures), _BATCH)
        ]
        return torch.cat(found).double().cpu().numpy()

    def ready(self, picture: Tensor) -> Tensor:
        """One picture, 1×3×H×W float32 in [0, 1], as the net takes it."""
        return self.config.normalisation.apply(picture.to(self.device))

    @cached_property
    def in_double(self) -> nn.Module:
        """A copy of the net in float64, made once for all questions.

        A probability of 0.99999999 has a slope that float32 takes for 0.
        """
        return copy.deepcopy(self.net).double()

    def scrambled(self) -> "ExplainedNet":
        """The same net with the values of each weight in another order: it knows nothing."""
        net = copy.deepcopy(self.net)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in net.parameters():
                order = torch.randperm(parameter.numel(), generator=generator)
                parameter.copy_(parameter.flatten()[order.to(parameter.device)].view_as(parameter))
        return replace(self, net=net, quick=None)


def ask_of(predictor: Predictor) -> ExplainedNet:
    """The net of a predictor, to be asked for reasons."""
    net, config = predictor.net, predictor.model.config
    if isinstance(net, Answering):
        return ExplainedNet(net, config, predictor.device, whole=False)

    def answering(net: nn.Module) -> nn.Module:
        made, _ = predictor.task.portable(net, replace(config, habits=_own(config)), raw=False)
        # What makes its answers may hold numbers of its own, which were made on the CPU.
        return made.eval().to(predictor.device)

    quick = answering(quick_net(predictor.model, predictor.device))
    return ExplainedNet(answering(net), config, predictor.device, whole=True, quick=quick)


def _own(config: ModelConfig) -> dict[str, object]:
    """What the net itself answers with: without what judges the classes of its boxes again."""
    # A map of scores that was fitted on both is not true of the net alone.
    laid_over = {OPINION, CALIBRATION} if OPINION in config.habits else set()
    return {name: value for name, value in config.habits.items() if name not in laid_over}
