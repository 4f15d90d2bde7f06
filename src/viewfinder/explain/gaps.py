"""What tensors without numbers let pass although real ones would be refused."""

import torch
from torch import Tensor

from viewfinder.explain.calls import Call

_PRODUCTS = {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"}
_PRODUCTS |= {"conv_transpose3d", "linear", "matmul", "mm", "bmm", "mv"}
_STRICT = _PRODUCTS | {"batch_norm", "scaled_dot_product_attention"}
# Functions whose shape function takes any dimension, and where it stands among the arguments.
_DIMENSIONS = {"softmax": 1, "log_softmax": 1, "softmin": 1, "sort": 1, "argsort": 1, "msort": 99}


def refusal(call: Call) -> Exception | None:
    """What torch would say to this call on real tensors, where fake tensors do not mind."""
    if call.base in _DIMENSIONS:
        return _dimension(call)
    if call.operation not in _STRICT:
        return None
    tensors = call.tensors
    device = tensors[0].device.type if tensors else "meta"
    # Autocast chooses types of its own accord.
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return None
    message = _types(call) or _attention(call)
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
    mixed = len({tensor.dtype for tensor in tensors[:2]}) > 1
    if call.operation in _PRODUCTS and mixed:
        return f"expected both operands to have one dtype, got {_names(tensors[:2])}"
    if call.operation == "batch_norm":
        kind, weight = tensors[0].dtype, call.argument("weight")
        narrow = kind in (torch.float16, torch.bfloat16)
        differs = isinstance(weight, Tensor) and weight.dtype != kind and not narrow
        if not kind.is_floating_point or differs:
            return f"batch_norm is not implemented for {_names(tensors[:1])} with these weights"
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
