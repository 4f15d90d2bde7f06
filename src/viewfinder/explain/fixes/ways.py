"""The ways by which operands came to where they meet: what each alone came through."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.arithmetic import Transposed
from viewfinder.explain.calls import Call
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.geometry import axes
from viewfinder.explain.traces import ancestors

CONVOLUTION = nn.modules.conv._ConvNd


def upsampled(call: Call, position: int) -> bool:
    """Whether an operand was enlarged after it last shared a call with the others."""
    own = exclusive(call, position)
    return any(_enlarges(one) for one in own)


def _enlarges(call: Call) -> bool:
    if call.base in ("interpolate", "upsample", "pixel_shuffle", "max_unpool2d"):
        return True
    return bool(call.outputs) and any(isinstance(axis, Transposed) for axis in axes(call))


def exclusive(call: Call, position: int) -> list[Call]:
    """The calls that only this operand came through, latest first."""
    mine, others = call.producers[position], set()
    for at, producer in enumerate(call.producers):
        if at != position and isinstance(producer, Call):
            others |= {one.index for one in ancestors(producer)}
    if not isinstance(mine, Call):
        return []
    return [one for one in ancestors(mine) if one.index not in others]


def side_by_side(scene: Scene, call: Call) -> bool:
    """Whether the parts are branches of one tensor, by convolutions that were to keep its size."""
    starts, widest = set(), 1
    for position, producer in enumerate(call.producers):
        own = exclusive(call, position)
        start = own[-1].producers[0] if own and own[-1].producers else producer
        starts.add(start.index if isinstance(start, Call) else start)
        if any(_enlarges(one) or "pool" in one.base for one in own):
            return False
        for one in own:
            layer = scene.net.get_submodule(one.module) if one.module else None
            if isinstance(layer, CONVOLUTION):
                widest = max(widest, *layer.stride)
    return len(starts) == 1 and widest == 1 and len(call.producers) > 1


def shortcut(call: Call) -> int:
    """Which of two operands took the shorter way: the shortcut."""
    return min((0, 1), key=lambda at: len(exclusive(call, at)))


def laterals(scene: Scene, call: Call) -> bool:
    """Levels of a pyramid, each from a bare 1×1 convolution: the coarser is to be made larger."""
    if call.input_shapes[0][2:] == call.input_shapes[1][2:]:
        return False
    return all(_lateral(scene, producer) for producer in call.producers[:2])


def _lateral(scene: Scene, producer: Call | int) -> bool:
    """A level: a bare 1×1 convolution, or the sum of such that the level above made."""
    if isinstance(producer, Call) and producer.base == "add" and len(producer.producers) == 2:
        return all(_lateral(scene, one) for one in producer.producers)
    if isinstance(producer, Call) and producer.base == "interpolate":
        return _lateral(scene, producer.producers[0])
    path = producer.module if isinstance(producer, Call) else ""
    layer = scene.net.get_submodule(path) if path else None
    return isinstance(layer, nn.Conv2d) and set(layer.kernel_size) == {1}


def together(changes: list[Candidate]) -> Iterator[Candidate]:
    if not changes:
        return
    whole = changes[0]
    for change in changes[1:]:
        whole = whole.and_(change)
    yield whole
