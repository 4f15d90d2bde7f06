"""What each call costs: multiply–accumulates, and bytes kept for the backward pass."""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from viewfinder.explain.calls import Call


class MacCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds to the current call the multiply–accumulates of each kernel that it launches.

    Convolutions, matrix products and attention count, by torch's own table of kernels; sums,
    activations and norms do not, as is the custom of published figures.
    """

    def __init__(self, current: Callable[[], Call | None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._current = current

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        call = self._current()
        if call is not None:
            packet = func._overloadpacket
            if packet in flop_registry:
                # A multiply–accumulate is two floating-point operations.
                call.macs += int(flop_registry[packet](*args, **kwargs, out_val=out)) // 2
            elif packet is torch.ops.aten.mkldnn_rnn_layer:
                # The CPU's LSTM: each step multiplies by both weight matrices.
                steps = args[0].shape[0] * args[0].shape[1]
                call.macs += int(steps) * (args[1].numel() + args[2].numel())
        return out


class KeptTensors:
    """Finds, at the call that first keeps it, each storage that autograd keeps for later."""

    def __init__(self, current: Callable[[], Call | None]) -> None:
        self._current = current
        self._packed: list[Tensor] = []
        self._versions: list[tuple[Tensor, int, Call]] = []
        # The tensors are held, so that no storage is freed and its address given to another.
        self._found: dict[int, tuple[Tensor, Call]] = {}

    def pack(self, tensor: Tensor) -> "ReferenceType[Tensor]":
        call = self._current()
        self._packed.append(tensor)
        if call is not None:
            self._versions.append((tensor, tensor._version, call))
            self._found.setdefault(storage_key(tensor), (tensor, call))
        return ref(tensor)

    @staticmethod
    def unpack(packed: "ReferenceType[Tensor]") -> Tensor:
        tensor = packed()
        assert tensor is not None, "a graph is followed within the pass that made it"
        return tensor

    def overwritten(self, calls: Sequence[Call]) -> list[tuple[Call, Call | None]]:
        """Calls whose kept tensors were changed in place later, and the calls that did so."""
        result = []
        for tensor, version, call in self._versions:
            if tensor._version == version or is_lazy(tensor):
                continue
            key = storage_key(tensor)
            writers = (
                one
                for one in calls
                if one.index > call.index
                and (one.operation.endswith("_") or one.operation == "setitem")
                and storage_key(one.tensors[0]) == key
            )
            result.append((call, next(writers, None)))
        return result

    def settle(self, module: nn.Module) -> None:
        """Count each storage once, and let go; parameters and buffers stay in memory anyway."""
        own = {
            storage_key(tensor)
            for tensor in (*module.parameters(), *module.buffers())
            if not is_lazy(tensor)
        }
        for key, (tensor, call) in self._found.items():
            if key not in own and key > 0:
                call.kept_bytes += int(tensor.untyped_storage().nbytes())
        # The graph holds this object out of Python's sight: nothing would ever free its tensors.
        self._current = lambda: None
        self._packed, self._versions, self._found = [], [], {}


def is_lazy(tensor: Tensor) -> bool:
    """A parameter or buffer of a lazy layer, which has no size before its first pass."""
    return isinstance(tensor, UninitializedParameter | UninitializedBuffer)


def storage_key(tensor: Tensor) -> int:
    """Equal for tensors that share memory, as views and in-place results do."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except NotImplementedError:
        # The tensors that vmap makes have no storage to show; each is taken to be its own.
        return -id(tensor)
