"""How much each network here has to compute and to keep for a picture: a table that is checked.

`workload.json` is written from the networks themselves by `python -m viewfinder.doctor.weighing`,
so that nobody who asks has to import torch; `tests/doctor/test_workload.py` holds it to them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from viewfinder.tasks import recipe_of
from viewfinder.tasks.recipe import Recipe

FILE = Path(__file__).parent / "workload.json"
# Kernels from this side on are large; channels are told apart at these numbers of them.
_LARGE = 5
_FEW, _SOME = 16, 128


@dataclass(frozen=True)
class Convolution:
    """A square convolution of a square map: sides of both, channels in and out, stride, groups."""

    kernel: int
    channels: int
    filters: int
    stride: int
    side: int
    groups: int = 1

    @property
    def macs(self) -> int:
        """Multiply–accumulates of one picture, padded to keep its side but for the stride."""
        out = -(-self.side // self.stride)
        return self.kernel**2 * self.channels // self.groups * self.filters * out * out

    @property
    def kind(self) -> str:
        """Those that compute about as fast: `3×3, some channels`."""
        if self.groups > 1:
            return "channels by themselves"
        kernel = next(side for side in (1, 3, _LARGE) if self.kernel <= side or side == _LARGE)
        few = "few" if self.channels <= _FEW else "some" if self.channels <= _SOME else "many"
        size = f"{kernel}×{kernel}" + (" or more" if kernel == _LARGE else "")
        return f"{size}, {few} channels"


@dataclass(frozen=True)
class Workload:
    """What one picture costs a network in training, at the size that its paper uses.

    Attributes:
        side: of the picture, in pixels.
        parameters: numbers that are learnt.
        macs: of convolutions a kind, and of everything that is multiplied besides, `dense`.
        pointwise: bytes that all other layers write, in float32.
        kept: bytes that are kept for the backward pass.
    """

    net: str
    side: int
    parameters: int
    macs: dict[str, int]
    dense: int
    pointwise: int
    kept: int


@cache
def workloads() -> dict[str, Workload]:
    """Of every network here."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Workload(net=name, **row) for name, row in table["nets"].items()}


@cache
def samples() -> tuple[Convolution, ...]:
    """Of each kind of convolution, the one that the networks here spend most on."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Convolution(**row) for row in table["samples"])


def defaults_of(task: str) -> Recipe:
    """A task's recipe with nothing chosen."""
    recipe: Callable[[], Recipe] = recipe_of(task)
    return recipe()


def training_memory(work: Workload, batch: int) -> int:
    """About how many bytes a training takes, Python and torch included.

    Weights, their gradients and momenta; what is kept of a batch; and a process that has imported
    torch, with a copy of the weights for their mean and one for the choice of precision.
    """
    return _PROCESS + _COPIES * 4 * work.parameters + int(_SLACK * batch * work.kept)


# Bytes of a process with torch; copies of the weights; and what libraries take of their own for
# what is kept.
_PROCESS, _COPIES, _SLACK = 500 << 20, 5, 1.2
