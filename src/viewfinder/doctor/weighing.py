"""Counts what the networks here cost, of shapes alone.

Runs in the process that was started to ask torch (`probe.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch._ops import OpOverload

from viewfinder import nets
from viewfinder.doctor.workload import Convolution, Workload
from viewfinder.explain.calls import Call
from viewfinder.explain.costs import KeptTensors, MacCounter
from viewfinder.tasks.saliency.recipe import DEPTH_NET
from viewfinder.values import as_list, as_whole

_CONVOLUTION = torch.ops.aten.convolution
# What makes room, and writes nothing into it.
_EMPTY = {torch.ops.aten.empty, torch.ops.aten.empty_like, torch.ops.aten.new_empty}


def weigh(name: str) -> Workload:
    """What a picture of its paper's size costs a network in training.

    The network and the picture have no numbers in them: nothing is computed or allocated.

    Raises:
        InputError: there is no such network.
        Exception: whatever a network does that looks at numbers, or takes other pictures.
    """
    side = nets.input_size(name)[0]
    scale = _Scale()
    with torch.device("meta"):
        net = nets.create(name)
        picture = torch.empty(1, 1 if name == DEPTH_NET else 3, side, side)
    kept = KeptTensors(lambda: scale.call)
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, kept.unpack), scale:
        net(picture)
    kept.settle(net)
    parameters = sum(each.numel() for each in net.parameters())
    macs, dense, written = dict(scale.macs), scale.dense, scale.written
    return Workload(name, side, parameters, macs, dense, written, scale.call.kept_bytes)


class _Scale(MacCounter):  # type: ignore[no-untyped-call]
    """Adds up what each kernel multiplies, by kind of convolution, and what all others write."""

    def __init__(self) -> None:
        self.call = Call(0, "forward", (), {}, "", None)
        super().__init__(lambda: self.call)
        self.macs: Counter[str] = Counter()
        self.dense = 0
        self.written = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        before = self.call.macs
        out: object = super().__torch_dispatch__(func, types, args, kwargs)
        macs = self.call.macs - before
        packet = func._overloadpacket
        if packet is _CONVOLUTION and (one := _convolution(args)):
            self.macs[one.kind] += macs
        elif macs:
            self.dense += macs
        elif packet not in _EMPTY and not func.is_view:
            # Of several, the first is what goes on: the others are for the backward pass.
            first = out[0] if isinstance(out, tuple | list) and out else out
            self.written += first.nbytes if isinstance(first, Tensor) else 0
        return out


def _convolution(args: Sequence[object]) -> Convolution | None:
    """One as `aten::convolution` is given it, as if its kernel and map were square.

    None of one that is transposed, or not of pictures.
    """
    if len(args) < 9 or args[6]:
        return None
    maps, kernel, strides, groups = args[0], args[1], args[3], args[8]
    if not (isinstance(maps, Tensor) and isinstance(kernel, Tensor) and kernel.ndim == 4):
        return None
    (_, channels, rows, _), (filters, _, height, width) = maps.shape, kernel.shape
    side, stride = round((height * width) ** 0.5), as_whole(as_list(strides)[0])
    return Convolution(side, channels, filters, stride, rows, as_whole(groups))
