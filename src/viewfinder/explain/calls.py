"""One call of a torch function, as the tracing saw it, and its arguments by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from viewfinder.explain.explanation import Shape
from viewfinder.explain.passed import Args, Kwargs

# torch's built-in functions carry no signature, so the names of their arguments stand here.
_CONVOLUTION = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_MAX_POOL = "input kernel_size stride padding dilation ceil_mode return_indices"
_AVG_POOL = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
_BINARY = "input other"
_INTERPOLATE = "input size scale_factor mode align_corners recompute_scale_factor antialias"

_SIGNATURES: dict[str, tuple[str, ...]] = {
    name: tuple(names.split())
    for many, names in {
        "conv1d conv2d conv3d": _CONVOLUTION,
        "conv_transpose1d conv_transpose2d conv_transpose3d": _TRANSPOSED,
        "max_pool1d max_pool2d max_pool3d": _MAX_POOL,
        "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices": _MAX_POOL,
        "avg_pool1d avg_pool2d avg_pool3d": _AVG_POOL,
        "lp_pool1d lp_pool2d lp_pool3d": "input norm_type kernel_size stride ceil_mode",
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d": "input output_size",
        "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d": "input output_size",
        "linear": "input weight bias",
        "pad": "input pad mode value",
        "interpolate": _INTERPOLATE,
        "upsample": "input size scale_factor mode align_corners",
        "flatten": "input start_dim end_dim",
        "unflatten": "input dim sizes",
        "cat stack": "tensors dim",
        "batch_norm": "input running_mean running_var weight bias training momentum eps",
        "layer_norm rms_norm": "input normalized_shape weight bias eps",
        "group_norm": "input num_groups weight bias eps",
        "instance_norm": "input running_mean running_var weight bias use_input_stats",
        "embedding": "input weight padding_idx",
        "matmul mm bmm mv add sub mul div true_divide maximum minimum pow": _BINARY,
        "softmax log_softmax normalize cumsum": "input dim",
        "mean sum amax amin argmax argmin prod any all std var logsumexp": "input dim keepdim",
        "pixel_shuffle": "input upscale_factor",
        "pixel_unshuffle": "input downscale_factor",
        "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal",
    }.items()
    for name in many.split()
}

_SPOKEN = {
    "__getitem__": "getitem",
    "__setitem__": "setitem",
    "__add__": "add",
    "__radd__": "add",
    "__iadd__": "add_",
    "__sub__": "sub",
    "__rsub__": "rsub",
    "__isub__": "sub_",
    "__mul__": "mul",
    "__rmul__": "mul",
    "__imul__": "mul_",
    "__truediv__": "div",
    "__rtruediv__": "reciprocal_mul",
    "__itruediv__": "div_",
    "__matmul__": "matmul",
    "__rmatmul__": "rmatmul",
    "__pow__": "pow",
    "concat": "cat",
    "concatenate": "cat",
    "multiply": "mul",
    "divide": "div",
    "subtract": "sub",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "_max_pool2d": "max_pool2d",
}


class CallPlace(NamedTuple):
    """An expression in the user's own code: its code object, and the instruction that called."""

    code: CodeType
    instruction: int
    line: int


@dataclass(eq=False)
class Call:
    """A call with what went in and came out; `index` counts all calls of the pass."""

    index: int
    operation: str
    """The function's plain name: `conv2d`, `add`, `cat`; in-place forms keep their `_`."""
    args: Args
    kwargs: Kwargs
    module: str
    """The path of the module whose forward made the call; empty for the net itself."""
    source: tuple[str, int] | None
    """File and line in the user's own code."""
    place: CallPlace | None = None
    """The very expression on that line."""
    function: Callable[..., object] | None = None
    """torch's own function."""
    outputs: tuple[Tensor, ...] = ()
    input_shapes: tuple[Shape, ...] = ()
    output_shapes: tuple[Shape, ...] = ()
    producers: tuple["Call | int", ...] = ()
    """For each tensor that went in: the call it came from, or −1, −2, … for the net's inputs."""
    graph: bool = True
    """Whether gradients were wanted: not under `no_grad`."""
    macs: int = 0
    kept_bytes: int = 0
    params: list[Tensor] = field(default_factory=list)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor that went in, in order, as they were then: lists may grow later."""
        return tuple(tensors_in((self.args, dict(self.kwargs))))

    @property
    def base(self) -> str:
        """The operation without the `_` of its in-place form."""
        return self.operation.rstrip("_") or self.operation

    def argument(self, name: str, default: object = None) -> Any:
        """The argument called `name` in torch's documentation, however it was passed."""
        if name in self.kwargs:
            return self.kwargs[name]
        names = _SIGNATURES.get(self.base, ("input",))
        position = names.index(name) if name in names else len(self.args)
        return self.args[position] if position < len(self.args) else default


def operation_name(function: Callable[..., object]) -> str:
    """The plain name of a torch function, method or property."""
    name = getattr(function, "__name__", type(function).__name__)
    if name in ("__get__", "__set__"):
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return _SPOKEN.get(name, name)


_NO_TENSORS = frozenset((int, float, bool, str, type(None), torch.Size, torch.dtype, slice))


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors of nested lists, tuples, mappings and data classes, in order."""
    if type(value) in _NO_TENSORS:
        return
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, torch.nn.utils.rnn.PackedSequence):
        yield value.data
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from tensors_in(getattr(value, name, None))


def shape_of(tensor: Tensor) -> Shape:
    """A tensor's shape as plain integers."""
    return tuple(map(int, tensor.shape))
