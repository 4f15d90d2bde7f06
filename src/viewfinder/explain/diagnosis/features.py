"""Mistakes at linear layers, norms and views: features that do not add up."""

from math import prod

from torch import Tensor

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.diagnosis.case import PASSING, Case, times
from viewfinder.explain.explanation import Mistake, Shape, shape_text

_FLATTENING = {"flatten", "view", "reshape"}
_RANKS = {"BatchNorm1d": (2, 3), "BatchNorm2d": (4,), "BatchNorm3d": (5,)}


def linear_features(case: Case) -> Mistake | None:
    """A linear layer after a map of another size: the most common mistake of all."""
    weight = case.weight()
    if case.operation != "linear" or weight is None:
        return None
    wanted = int(weight.shape[1])
    shape = case.shapes[0]
    got = shape[-1] if shape else 1
    if got == wanted:
        return None
    flat = _flattening(case)
    source = _map_before(flat, got) if flat else None
    described = f"the flattened map has {times(source)}" if source else f"it is given {got}"
    if source and flat and source == flat.input_shapes[0] and case.batch:
        described += ", for the batch was multiplied in"
    if flat is None and len(shape) > 2 and prod(shape[1:]) == wanted:
        described += f"; flattened, the map would have {times(shape[1:])}"
    return case.mistake(
        f"{case.name} expects {wanted} features and {described}",
        case.operand(0),
        f"a last dimension of {wanted}",
    )


def _flattening(case: Case) -> Call | None:
    """The flatten or view that made the vector, behind activations and dropout."""
    producer = case.producer()
    while isinstance(producer, Call) and producer.base in PASSING and producer.producers:
        producer = producer.producers[0]
    return producer if isinstance(producer, Call) and producer.base in _FLATTENING else None


def _map_before(flat: Call, got: int) -> Shape | None:
    """The dimensions that were multiplied into one."""
    before = flat.input_shapes[0]
    # A batch of 1 would multiply in unnoticed, so the dimension in front is tried last.
    for start in (*range(1, len(before)), 0):
        if len(before) - start > 1 and prod(before[start:]) == got:
            return before[start:]
    return None


def batch_norm(case: Case) -> Mistake | None:
    """Batch norm for other channels, other dimensions, or over a single number."""
    name = type(case.module).__name__
    given = case.failure.frame.args[0] if case.failure.frame.args else None
    if name in _RANKS and case.call is None and isinstance(given, Tensor):
        return _batch_norm_rank(case, name, shape_of(given))
    if case.operation != "batch_norm":
        return None
    shape, weight = case.shapes[0], case.weight()
    running = case.argument("running_mean")
    known = weight if weight is not None else running
    count = known.numel() if isinstance(known, Tensor) else None
    if count is not None and len(shape) > 1 and shape[1] != count:
        return case.mistake(
            f"{case.name} keeps one scale for each of {count} channels and is given {shape[1]}",
            case.operand(0),
            f"{count} channels, dimension 1",
        )
    if case.argument("training") and prod(shape) == shape[1]:
        return case.mistake(
            "in training, batch norm measures mean and variance over the batch and the map, and "
            f"here that is {times((shape[0], *shape[2:]))} number a channel: its variance is 0",
            case.operand(0),
            "at least 2 numbers a channel",
        )
    return None


def _batch_norm_rank(case: Case, name: str, shape: Shape) -> Mistake | None:
    ranks = _RANKS[name]
    if len(shape) in ranks:
        return None
    wanted = " or ".join(map(str, ranks))
    return case.mistake(
        f"{name} takes {wanted} dimensions and is given {len(shape)}",
        shape_text(shape),
        f"{wanted} dimensions",
    )


def layer_norm(case: Case) -> Mistake | None:
    """Layer norm over dimensions that the input does not end in."""
    if case.operation not in ("layer_norm", "rms_norm"):
        return None
    wanted = tuple(int(size) for size in case.argument("normalized_shape"))
    shape = case.shapes[0]
    got = shape[-len(wanted) :]
    if got == wanted:
        return None
    return case.mistake(
        f"{case.name} normalises over the last {_dims(len(wanted))}, which must be "
        f"{shape_text(wanted)}: {shape_text(got)} ≠ {shape_text(wanted)}",
        case.operand(0),
        f"a shape that ends in {shape_text(wanted)}",
    )


def group_norm(case: Case) -> Mistake | None:
    """Groups that do not divide the channels, or scales for other channels."""
    if case.operation != "group_norm":
        return None
    groups, channels, weight = case.argument("num_groups"), case.shapes[0][1], case.weight()
    if weight is not None and weight.numel() != channels:
        return case.mistake(
            f"{case.name} keeps one scale for each of {weight.numel()} channels and is given "
            f"{channels}",
            case.operand(0),
            f"{weight.numel()} channels, dimension 1",
        )
    if channels % groups == 0:
        return None
    return case.mistake(
        f"the groups must share out the channels evenly: {channels}/{groups} = "
        f"{channels / groups:.4g}",
        case.operand(0),
        f"a number of groups that divides {channels}",
    )


def contiguity(case: Case) -> Mistake | None:
    """`view` of memory that is out of order, or into a shape of another size."""
    if case.operation != "view" or case.call is None or len(case.shapes) != 1:
        return None
    target = _target(case.call)
    shape, total = case.shapes[0], prod(case.shapes[0])
    if target is None:
        return None
    fixed = prod(size for size in target if size != -1)
    fits = fixed and (total % fixed == 0 if -1 in target else total == fixed)
    if not fits:
        return None
    producer = case.producer()
    turned = f" by {case.title(producer)}" if isinstance(producer, Call) else ""
    return case.mistake(
        f"view only re-reads memory in its order, and the order of these {total} numbers was "
        f"changed{turned}: strides {shape_text(case.call.tensors[0].stride())} instead of "
        f"{shape_text(_strides(shape))}",
        f"{case.operand(0)}, not contiguous",
        "contiguous memory",
    )


def regrouping(case: Case) -> Mistake | None:
    """A view or reshape into a shape that holds another number of elements."""
    if case.operation not in ("view", "reshape", "unflatten") or case.call is None:
        return None
    target, shape = _target(case.call), case.shapes[0]
    if target is None:
        return None
    total, fixed = prod(shape), prod(size for size in target if size != -1)
    shown = f"({', '.join(map(str, target))})"
    if -1 in target:
        rule = f"−1 must come out whole: {total}/{fixed} = {total / max(fixed, 1):.4g}"
        if len(shape) > 2 and shape[0] == case.batch:
            rule += f"; one item has {times(shape[1:])} numbers"
    else:
        rule = f"{case.operation} keeps every number: {times(shape)}, but {times(target)}"
    return case.mistake(rule, case.operand(0), f"{shown} of {total} numbers")


def _target(call: Call) -> Shape | None:
    sizes = call.args[1:] or tuple(call.kwargs.values())
    if call.base == "unflatten":
        dim = call.argument("dim", 0)
        inner = tuple(call.argument("sizes"))
        before = call.input_shapes[0]
        dim %= len(before)
        return (*before[:dim], *inner, *before[dim + 1 :])
    flat = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    if all(isinstance(size, int) for size in flat):
        return tuple(flat)
    return None


def _strides(shape: Shape) -> Shape:
    return tuple(prod(shape[at + 1 :]) for at in range(len(shape)))


def _dims(count: int) -> str:
    return "dimension" if count == 1 else f"{count} dimensions"
