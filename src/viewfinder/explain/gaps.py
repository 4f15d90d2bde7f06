"""What tensors without numbers let pass although real ones would be refused."""

from collections.abc import Callable

import torch
from torch import Tensor

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.rehearsal import Unrehearsed, rehearse

_PRODUCTS = {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"}
_PRODUCTS |= {"conv_transpose3d", "linear", "matmul", "mm", "bmm", "mv"}
# Calls whose tensors must all be of one type, where numbers of 16 bits are not concerned.
_ALIKE = {
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "linear",
    "addmm",
    "baddbmm",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "instance_norm",
    "grid_sample",
    "cross",
    "cdist",
    "binary_cross_entropy",
    "gru_cell",
    "lstm_cell",
    "rnn_tanh_cell",
    "gru",
    "lstm",
}
# Calls that no kernel does for whole numbers.
_FRACTIONS = {
    "softmax",
    "log_softmax",
    "softmin",
    "std",
    "var",
    "logcumsumexp",
    "gelu",
    "silu",
    "mish",
    "hardswish",
    "glu",
    "grid_sample",
    "fold",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "max_pool1d",
    "huber_loss",
    "multi_margin_loss",
    "soft_margin_loss",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "interpolate",
    "upsample",
}
# Functions whose shape function takes any dimension, and where it stands among the arguments.
_DIMENSIONS = {"softmax": 1, "log_softmax": 1, "softmin": 1, "sort": 1, "argsort": 1}


def unsafe(call: Call) -> Exception | None:
    """What must not be tried for real, as no kernel looks at it before it reads."""
    message = _attention(call)
    return RuntimeError(message) if message else None


def refusal(call: Call, function: Callable[..., object], result: object) -> Exception | None:
    """What torch would say to this call on real tensors, where fake tensors do not mind."""
    tensors = call.tensors
    device = tensors[0].device.type if tensors else "meta"
    # Autocast chooses types of its own accord.
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return None
    if not any(True for _ in tensors_in(result)):
        return None
    try:
        return rehearse(function, call.args, call.kwargs, result)
    except Unrehearsed:
        pass
    if call.base in _DIMENSIONS and (error := _dimension(call)):
        return error
    message = _types(call) or _classes(call)
    return RuntimeError(message) if message else None


def _dimension(call: Call) -> Exception | None:
    rank = max(call.tensors[0].dim(), 1) if call.tensors else 1
    place = _DIMENSIONS[call.base]
    dim = call.kwargs.get("dim", call.args[place] if len(call.args) > place else None)
    if type(dim) is int and not -rank <= dim < rank:
        return IndexError(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got "
            f"{dim})"
        )
    return None


def _types(call: Call) -> str | None:
    tensors = call.tensors
    if not tensors:
        return None
    first = tensors[0].dtype
    whole = not first.is_floating_point and not first.is_complex
    if call.base in _FRACTIONS and whole and first != torch.uint8 and "dtype" not in call.kwargs:
        return f"{call.base} is not implemented for {_names(tensors[:1])}"
    mixed = len({tensor.dtype for tensor in tensors[:2]}) > 1
    if call.operation in _PRODUCTS and mixed:
        return f"expected both operands to have one dtype, got {_names(tensors[:2])}"
    kinds = {tensor.dtype for tensor in tensors if tensor.dtype != torch.bool}
    narrow = kinds & {torch.float16, torch.bfloat16}
    if call.base in _ALIKE and len(kinds) > 1 and not narrow:
        return f"expected tensors of one dtype, got {_names(tensors)}"
    if call.operation == "batch_norm":
        weight = call.argument("weight")
        differs = isinstance(weight, Tensor) and weight.dtype != first and not narrow
        if not first.is_floating_point or differs:
            return f"batch_norm is not implemented for {_names(tensors[:1])} with these weights"
    return None


def _classes(call: Call) -> str | None:
    """A target of class numbers, for each place of a map."""
    if call.base not in ("cross_entropy", "nll_loss") or len(call.tensors) < 2:
        return None
    answer, target = call.tensors[:2]
    if target.dtype in (torch.int32, torch.int16, torch.int8):
        return f"expected a target of int64, got {_names((target,))}"
    if target.dim() == answer.dim() - 1 and answer.dim() > 2:
        sizes, wanted = tuple(target.shape[1:]), tuple(answer.shape[2:])
        if sizes != wanted and not target.is_floating_point():
            return f"the target's places {sizes} are not the answer's {wanted}"
    return None


def _attention(call: Call) -> str | None:
    if call.operation != "scaled_dot_product_attention":
        return None
    key, value = call.argument("key"), call.argument("value")
    if key.shape[-2] != value.shape[-2]:
        return f"keys and values differ in length: {key.shape[-2]} and {value.shape[-2]}"
    return None


def _names(tensors: tuple[Tensor, ...]) -> str:
    return " and ".join(str(t.dtype).removeprefix("torch.") for t in tensors)
