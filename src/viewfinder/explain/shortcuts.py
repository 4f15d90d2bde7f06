"""Results of calls that were seen before: another pass of the same net makes most of them again.

A trial of a fix asks for shapes alone. What a pure function of torch gives for tensors of the same
shapes, types and strides, and the same other arguments, is what it gave before; making that anew
takes a tenth of the time of asking torch for it.
"""

from collections.abc import Callable, Hashable
from typing import cast

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._mode_utils import no_dispatch

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.costs import is_lazy, storage_key
from viewfinder.explain.passed import Args
from viewfinder.explain.recurrences import RECURRENT

# Functions that give one new tensor, or the very one they were given, by shapes alone.
_PURE = frozenset({
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "linear", "batch_norm", "layer_norm", "group_norm", "instance_norm", "relu", "relu_",
    "relu6", "silu", "silu_", "gelu", "elu", "leaky_relu", "leaky_relu_", "sigmoid", "sigmoid_",
    "tanh", "hardswish", "hardswish_", "hardsigmoid", "hardtanh", "hardtanh_", "dropout",
    "dropout_", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "add",
    "add_", "sub", "mul", "mul_", "div", "cat", "softmax", "matmul", "interpolate", "mean",
    "embedding", "stochastic_depth", "gru_cell", "lstm_cell", "rnn_tanh_cell", "rnn_relu_cell",
}) | RECURRENT  # fmt: skip
_PLAIN = (int, float, bool, str, type(None), torch.dtype, torch.device)


class Shortcuts:
    """What calls gave in earlier passes."""

    def __init__(self) -> None:
        self._known: dict[Hashable, object] = {}
        self.work = 0
        """How many calls torch itself was asked for."""

    def carry_out(
        self,
        call: Call,
        function: Callable[..., object],
        ask: Callable[[], object],
        fake: FakeTensorMode,
        *,
        learn: bool,
    ) -> object:
        """The result of a call, made from what an equal one gave where there was one.

        Args:
            ask: has torch carry the call out.
            learn: ask in any case, and remember what it gave.
        """
        key = self._key(call, function)
        known = _NOTHING if key is None else None if learn else self._known.get(key)
        if known is None or known is _NOTHING:
            self.work += 1
            result = ask()
            if key is not None:
                self._known[key] = _remembered(call, result)
            return result
        if isinstance(known, int):
            return call.tensors[known]
        if isinstance(known, list):
            return tuple(_again(one, fake) for one in known)
        return _again(known, fake)

    def _key(self, call: Call, function: Callable[..., object]) -> Hashable | None:
        if call.operation not in _PURE:
            return None
        try:
            return function, _frozen(call.args), _frozen(dict(call.kwargs))
        except _Unknown:
            return None


_NOTHING = object()


class _Unknown(Exception):
    """An argument that cannot be compared."""


def _frozen(value: object) -> Hashable:
    if isinstance(value, Tensor):
        if is_lazy(value) or value.layout is not torch.strided:
            raise _Unknown
        return (value.shape, value.stride(), value.dtype, value.device)
    if isinstance(value, tuple | list) and type(value) in (tuple, list, torch.Size):
        return tuple(map(_frozen, value))
    if type(value) is dict:
        return tuple((name, _frozen(one)) for name, one in value.items())
    if type(value) in _PLAIN:
        return (type(value), value)
    raise _Unknown


def _again(known: object, fake: FakeTensorMode) -> FakeTensor:
    shape, stride, dtype, device = cast(Args, known)
    with no_dispatch():
        blank = torch.empty_strided(shape, stride, dtype=dtype, device="meta")
    return FakeTensor(fake, blank, device)


def _remembered(call: Call, result: object) -> object:
    """What there is to know of a result; of several a list, all of which must be new."""
    if isinstance(result, tuple | list):
        parts = [_remembered(call, one) for one in result]
        return parts if all(isinstance(one, tuple) for one in parts) else _NOTHING
    if not isinstance(result, FakeTensor) or result.layout is not torch.strided:
        return _NOTHING
    tensors = list(tensors_in((call.args, dict(call.kwargs))))
    for at, tensor in enumerate(tensors):
        if tensor is result:
            return at
    if storage_key(result) in {storage_key(tensor) for tensor in tensors}:
        return _NOTHING
    return result.shape, result.stride(), result.dtype, result.fake_device
