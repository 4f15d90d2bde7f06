"""What few bits do to a training, seen on the step just taken: computed again in float32.

Mixed precision is fast, and mostly harmless; where it is not, nothing tells. So at the ends of
epochs 1, 2, 4, 8, … the last step's forward and backward pass are made twice on copies of the net,
in the training's arithmetic and in float32, and what differs by more than is usual is said.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viewfinder.events import note
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.loss import AnyLoss, total
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.parts import TaskBatch
from viewfinder.training.arrangement import Arrangement

# The gradients of bfloat16 are 1 to 8 hundredths off float32's, in LeNet, ResNet-18 and yolov3-tiny
# from their first epoch to their last (`docs/precision.md`).
_USUAL = 0.3
# Below this share of its norm in float32, the gradient of a parameter has vanished; but where it is
# less than the other share of all, it is what rounding left of none, as of a bias before a norm.
_VANISHED, _NONE = 0.5, 1e-4
_NAMED = 3
_REMEDY = "train with --precision 32 to be sure"
# While the scale of float16 is found, some steps overflow; a larger share is a loss.
_SKIPPED = 0.05


@dataclass(frozen=True)
class Rounding:
    """A step in a training's arithmetic beside the same in float32.

    Attributes:
        arithmetic: the training's.
        loss, exact: in it, and in float32.
        error: norm of the difference between the gradients, as a share of float32's norm; no number
            where either is none.
        vanished: parameters of which less than half the gradient was left, those that matter most
            first.
    """

    arithmetic: str
    loss: float
    exact: float
    error: float
    vanished: tuple[str, ...]

    def as_row(self) -> dict[str, float]:
        """The figure of the epoch's row in the history."""
        return {"gradient_error": self.error} if math.isfinite(self.error) else {}

    def told(self, skipped: int, steps: int) -> dict[str, float]:
        """`as_row`, after a note of all that is unusual, also of how many steps were skipped."""
        for said in self.says(), says_of_skipped(skipped, steps):
            if said:
                note(said)
        return self.as_row()

    def says(self) -> str | None:
        """What is unusual, in a sentence; None if nothing is."""
        if not math.isfinite(self.loss) and math.isfinite(self.exact):
            return (
                f"{self.arithmetic} overflows: the last step's loss is no number in it, and "
                f"{self.exact:.3g} in float32; {_REMEDY}"
            )
        if self.vanished:
            shown = ", ".join(self.vanished[:_NAMED])
            more = len(self.vanished) - _NAMED
            beside = f" and {more} more" if more > 0 else ""
            return f"in {self.arithmetic} the gradients of {shown}{beside} vanish; {_REMEDY}"
        if math.isfinite(self.error) and self.error > _USUAL:
            return (
                f"{self.arithmetic} drifts from float32: the last step's gradients are "
                f"{100 * self.error:.0f} % off, its loss is {self.loss:.4g} and {self.exact:.4g} "
                f"in float32; {_REMEDY}"
            )
        return None


def is_due(arrangement: Arrangement, epoch: int) -> bool:
    """Whether to look after an epoch, the first is 1: so seldom that it costs little."""
    return arrangement.arithmetic != "32" and epoch & (epoch - 1) == 0


def says_of_skipped(skipped: int, steps: int) -> str | None:
    """Whether too many of the steps so far overflowed in float16, in a sentence."""
    if skipped <= _SKIPPED * steps:
        return None
    return f"{skipped} of {steps} steps overflowed in float16 and were skipped; {_REMEDY}"


def measure(
    net: nn.Module,
    batch: TaskBatch,
    arrangement: Arrangement,
    *,
    loss: AnyLoss,
    colours: Normalisation,
    scale: float,
) -> Rounding:
    """Make a step there and back in an arrangement and in float32; `net` is left as it was.

    Args:
        net: in training mode, as the step has it.
        batch: on the net's device.
        scale: by which the loss is multiplied before the backward pass in float16.
    """
    device = next(net.parameters()).device
    plain = Arrangement("32", arrangement.layout)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.enable_grad():
        found = [
            _gradients(net, batch, each, loss, colours, by)
            for each, by in ((arrangement, scale), (plain, 1.0))
        ]
    (own_loss, own), (exact_loss, exact) = found
    return Rounding(
        arrangement.arithmetic, own_loss, exact_loss, _error(own, exact), _vanished(own, exact)
    )


def _gradients(
    net: nn.Module,
    batch: TaskBatch,
    arrangement: Arrangement,
    loss: AnyLoss,
    colours: Normalisation,
    scale: float,
) -> tuple[float, dict[str, Tensor]]:
    """The loss and the true gradient of each parameter that has one, of a copy of the net."""
    torch.manual_seed(0)
    copied = copy.deepcopy(net)
    copied.zero_grad()

    def forward(pictures: Tensor) -> NetOutput:
        return arrangement.forward(copied, pictures, colours)

    value = total(loss(forward, batch))
    torch.autograd.backward(value * scale)
    named = copied.named_parameters()
    found = {name: each.grad.float() / scale for name, each in named if each.grad is not None}
    return float(value.detach()), found


def _error(own: Mapping[str, Tensor], exact: Mapping[str, Tensor]) -> float:
    apart = sum(float((own[name] - each).square().sum()) for name, each in exact.items())
    norm = sum(float(each.square().sum()) for each in exact.values())
    return math.sqrt(apart / norm) if norm > 0 else 0.0


def _vanished(own: Mapping[str, Tensor], exact: Mapping[str, Tensor]) -> tuple[str, ...]:
    norms = {name: float(each.norm()) for name, each in exact.items()}
    least = _NONE * math.hypot(*norms.values())
    gone = [
        name
        for name, norm in norms.items()
        if norm > least and float(own[name].norm()) < _VANISHED * norm
    ]
    return tuple(sorted(gone, key=lambda name: -norms[name]))
