"""What makes no sense right after what came before: activations, losses, biases."""

from collections.abc import Iterator

from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.modes import DROPOUTS
from viewfinder.explain.cautions.naming import before, ends, first_few, homes, users
from viewfinder.explain.cautions.orders import softmax_dimension
from viewfinder.explain.explanation import shape_text
from viewfinder.explain.pointwise import ACTIVATIONS
from viewfinder.explain.traces import Trace
from viewfinder.wording import counted

_ONCE = ACTIVATIONS - {*DROPOUTS, "feature_dropout"}
_SOFT = ("softmax", "log_softmax")
# A second time they change nothing.
_IDLE = ("relu", "relu6", "log_softmax", "hardtanh", "threshold")
_BY_NUMBER = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_SQUEEZED = (("softmax", "sigmoid"), ("softmax", "log_softmax"))


def biases(seen: Trace) -> Iterator[str]:
    """Biases that a batch norm takes away."""
    names, following = homes(seen), users(seen.calls)
    vain: dict[str, int] = {}
    for call in seen.calls:
        maker = before(call)
        if call.base != "batch_norm" or maker is None:
            continue
        bias = maker.argument("bias") if maker.base.startswith(("conv", "linear")) else None
        if not isinstance(bias, Tensor) or not bias.requires_grad:
            continue
        if len(following.get(maker.index, ())) == 1:
            vain[names.get(maker.index, maker.operation)] = bias.numel()
    if vain:
        yield (
            "batch norm takes away what a bias before it adds: bias=False in "
            f"{first_few(vain)} saves {counted(sum(vain.values()), 'weight')}"
        )


def doubled(seen: Trace) -> Iterator[str]:
    """An activation of what an activation gave, where one of both is too many."""
    names, last = homes(seen), {call.index for call in ends(seen)}
    for call in seen.calls:
        maker = before(call)
        if maker is None or call.base not in (*_ONCE, *_SOFT):
            continue
        name, earlier = names.get(call.index), names.get(maker.index)
        if call.base == maker.base and _same_dimension(call, maker):
            # A clipped number is clipped already; others are squeezed twice.
            vain = "does nothing more" if call.base in _IDLE else "squeezes them again"
            yield (
                f"{name}: {call.base} of what {call.base} gave ({earlier}) {vain}: leave one out"
            )
        elif (maker.base, call.base) in _SQUEEZED and _same_dimension(call, maker):
            yield (
                f"{name}: {call.base} of what {maker.base} gave ({earlier}), numbers from 0 to 1 "
                "already, squeezes them again: leave one out"
            )
        elif call.base == "sigmoid" and maker.base in ("relu", "relu6") and call.index in last:
            yield (
                f"{name}: sigmoid of what {maker.base} gave ({earlier}) is never below a half: "
                "leave the first one out"
            )


def _same_dimension(call: Call, maker: Call) -> bool:
    if call.base not in _SOFT or maker.base not in _SOFT:
        return True
    rank = len(call.input_shapes[0])
    one, two = call.argument("dim"), maker.argument("dim")
    return type(one) is not int or type(two) is not int or one % rank == two % rank


def alone(seen: Trace, twice: Trace) -> Iterator[str]:
    """Shares of one number, which are always the whole of it."""
    names = homes(seen)
    for call in seen.calls:
        shape = call.input_shapes[0] if call.input_shapes else ()
        if call.base == "cross_entropy" and _is_one(call, min(1, len(shape) - 1), twice):
            yield (
                f"{names.get(call.index)}: cross_entropy of {shape_text(shape)} is always 0, since "
                "there is one class alone: an output for each class, or "
                "binary_cross_entropy_with_logits for one output"
            )
        if call.base not in _SOFT or not shape:
            continue
        maker = before(call)
        while maker is not None and maker.base in ACTIVATIONS:
            maker = before(maker)
        dim = softmax_dimension(call)
        if maker is None or dim is None or not _is_layer(maker):
            continue
        own = -1 if maker.base in ("linear", "bilinear") else 1
        if dim % len(shape) == own % len(shape) and _is_one(call, dim, twice):
            always = 1 if call.base == "softmax" else 0
            yield (
                f"{names.get(call.index)}: {call.base} over a dimension of length 1, that of "
                f"{shape_text(shape)}, is always {always}: another dimension is meant, or sigmoid "
                "for one output"
            )


def _is_one(call: Call, dim: int, twice: Trace) -> bool:
    """Whether a dimension has length 1 and is not the batch."""
    other = twice.by_index.get(call.index)
    shapes = (call.input_shapes[0], other.input_shapes[0] if other and other.input_shapes else ())
    return all(len(shape) > 1 and shape[dim] == 1 for shape in shapes)


def losses(seen: Trace) -> Iterator[str]:
    """Losses that want logits, or logarithms, or shares, and are given something else."""
    names = homes(seen)
    for call in seen.calls:
        maker = before(call, over_moves=True)
        answer, target = (*call.input_shapes[:2], (), ())[:2]
        if call.base in _BY_NUMBER and len(call.tensors) > 1 and answer != target:
            yield (
                f"{call.base} compares number by number, and repeats what there is less of: "
                f"{shape_text(answer)} ≠ {shape_text(target)}"
            )
        if maker is None:
            continue
        earlier = names.get(maker.index)
        pair = (call.base, maker.base)
        if pair in (("cross_entropy", "softmax"), ("binary_cross_entropy_with_logits", "sigmoid")):
            yield (
                f"{call.base} has its own {maker.base}: without "
                f"{earlier} before it, gradients are as they should be"
            )
        elif pair == ("cross_entropy", "log_softmax"):
            yield f"cross_entropy has its own log_softmax: {earlier} before it does nothing more"
        elif pair in (("nll_loss", "softmax"), ("kl_div", "softmax")):
            yield f"{call.base} wants logarithms: log_softmax instead of {earlier}"
        elif call.base == "nll_loss" and _is_layer(maker):
            yield (
                f"nll_loss wants logarithms of shares, and {earlier} gives any numbers: "
                "log_softmax before it, or cross_entropy instead of it"
            )
        elif call.base == "binary_cross_entropy" and _is_layer(maker):
            yield (
                f"binary_cross_entropy wants numbers from 0 to 1, and {earlier} gives any: sigmoid "
                "before it, or binary_cross_entropy_with_logits instead of it"
            )


def _is_layer(call: Call) -> bool:
    return call.base.startswith("conv") or call.base in ("linear", "batch_norm", "bilinear")
