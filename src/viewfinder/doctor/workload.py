"""How much each network here has to compute and to keep for a picture.

`weighing.py` counts it from the networks themselves, where torch is asked; it is kept in the cache
for as long as the networks are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from viewfinder.tasks import recipe_of
from viewfinder.tasks.recipe import Recipe
from viewfinder.values import as_table, as_text, as_whole

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
        if self.groups == self.channels > 1:
            return "depthwise"
        channels = self.channels // self.groups
        kernel = next(side for side in (1, 3, _LARGE) if self.kernel <= side or side == _LARGE)
        few = "few" if channels <= _FEW else "some" if channels <= _SOME else "many"
        size = f"{kernel}×{kernel}" + (" or more" if kernel == _LARGE else "")
        return f"{size}, {few} channels"


@dataclass(frozen=True)
class Workload:
    """What one picture costs a network in training, at the size that its paper uses.

    Attributes:
        side: of the picture, in pixels.
        parameters: numbers that are learnt.
        macs: of convolutions a kind, and of everything that is multiplied besides, `dense`.
        pointwise: bytes that all other operations write, in float32.
        kept: bytes that are kept for the backward pass.
    """

    net: str
    side: int
    parameters: int
    macs: dict[str, int]
    dense: int
    pointwise: int
    kept: int

    @classmethod
    def from_json(cls, row: Mapping[str, object]) -> "Workload":
        """What `dataclasses.asdict` made of one.

        Raises:
            KeyError, ValueError: it is of none.
        """
        macs = {kind: as_whole(count) for kind, count in as_table(row["macs"]).items()}
        names = ("side", "parameters", "dense", "pointwise", "kept")
        side, parameters, dense, pointwise, kept = (as_whole(row[name]) for name in names)
        work = cls(as_text(row["net"]), side, parameters, macs, dense, pointwise, kept)
        if min(side, parameters, dense, pointwise, kept, *macs.values()) < 0:
            raise ValueError("what a network costs is no number")
        return work


SAMPLES = (
    Convolution(1, 16, 96, 1, 130),
    Convolution(1, 128, 512, 1, 28),
    Convolution(1, 256, 1024, 1, 14),
    Convolution(3, 3, 32, 1, 416),
    Convolution(3, 128, 256, 1, 52),
    Convolution(3, 256, 512, 1, 26),
    Convolution(7, 3, 64, 2, 224),
    Convolution(5, 96, 256, 1, 27),
    Convolution(5, 192, 192, 1, 28),
    Convolution(5, 288, 288, 1, 33, groups=288),
)
"""One of each kind, which is timed: of the kinds that networks here have, those that they spend
most on. They stay as they are when a network is added, so that what was measured stays true."""


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
