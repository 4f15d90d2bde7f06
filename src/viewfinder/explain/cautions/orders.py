"""Dimensions taken for others: patches, widths, batches and heads."""

from collections.abc import Callable, Iterator
from math import prod

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.naming import before, homes, named
from viewfinder.explain.explanation import Shape, differing, shape_text
from viewfinder.explain.heads import attends_over_heads
from viewfinder.explain.pointwise import ACTIVATIONS
from viewfinder.explain.traces import Trace, is_input

_VIEWS = ("view", "reshape")
_BY_NUMBER = ("sub", "rsub", "eq", "__eq")
_OVER_A_SIDE = ("linear", "layer_norm", "softmax", "log_softmax")
_MAPS = ("conv1d", "conv2d", "conv3d", "batch_norm", "max_pool2d", "avg_pool2d")


def patches(seen: Trace) -> Iterator[str]:
    """Patches of unfold made into rows while the channels still stand before their places."""
    names = homes(seen)
    for call in seen.calls:
        cut = before(call)
        if call.base not in (*_VIEWS, "flatten") or cut is None or cut.base != "unfold":
            continue
        maker = before(cut)
        one, two = call.input_shapes[0], call.output_shapes[0]
        if maker is None or maker.base != "unfold" or len(one) != 6 or one[1] == 1:
            continue
        places = one[2] * one[3]
        rows = two[1:2] == (places,) or (two[0] == one[0] * places and len(two) < 6)
        if rows and places != one[1]:
            yield (
                f"{names.get(call.index)} makes {shape_text(one)} into {shape_text(two)}: the "
                f"{one[1]} channels stand before the places of the patches, so that each row "
                "holds parts of several patches; .permute(0, 2, 3, 1, 4, 5) belongs before it"
            )


def parted(seen: Trace, twice: Trace) -> Iterator[str]:
    """Views that part the batch from steps which it was joined with in another order."""
    names = homes(seen)
    for call in seen.calls:
        other = twice.by_index.get(call.index)
        if call.base not in _VIEWS or other is None or not other.output_shapes:
            continue
        one, two = other.input_shapes[0], other.output_shapes[0]
        parts = _leading(two, one[0]) if one and two and len(two) > len(one) else ()
        made = _joined(other)
        twin = seen.by_index.get(made.index) if made is not None else None
        if not parts or made is None or twin is None:
            continue
        theirs = _leading(made.input_shapes[0], one[0])
        places = [
            differing(small, large)
            for small, large in (
                (twin.input_shapes[0], theirs),
                (call.output_shapes[0], parts),
            )
        ]
        if len(places[0]) == len(places[1]) == 1 and (places[0] == [0]) != (places[1] == [0]):
            yield (
                f"{names.get(call.index)} parts {shape_text(call.input_shapes[0])} into "
                f"{shape_text(call.output_shapes[0])}, and {names.get(made.index)} had joined "
                f"{shape_text(twin.input_shapes[0])}: parted in another order, the items of the "
                "batch are mixed"
            )


def _leading(shape: Shape, count: int) -> Shape:
    """The first dimensions, several, that hold as many as one."""
    for cut in range(2, len(shape) + 1):
        if prod(shape[:cut]) == count and min(shape[:cut]) > 1:
            return shape[:cut]
    return ()


def _joined(call: Call) -> Call | None:
    """The call that made a tensor's first dimension of several, if one on its way did."""
    count, maker = call.input_shapes[0][:1], before(call)
    while maker is not None and maker.output_shapes and maker.output_shapes[0][:1] == count:
        given = maker.input_shapes[0] if maker.input_shapes else ()
        if maker.base in (*_VIEWS, "flatten") and _leading(given, count[0]):
            return maker
        maker = before(maker)
    return None


def many_answers(seen: Trace, twice: Trace) -> Iterator[str]:
    """Rows that come out for each item of a batch, made by a view that cuts across dimensions."""
    if not seen.outputs or not seen.inputs or not twice.outputs or not seen.inputs[0].dim():
        return
    batch, rows = int(seen.inputs[0].shape[0]), seen.outputs[0]
    other = twice.outputs[0]
    if not rows.dim() or rows.dim() != other.dim() or rows.shape[1:] != other.shape[1:]:
        return
    count = int(rows.shape[0])
    if not batch or count <= batch or count % batch or int(other.shape[0]) != 2 * count:
        return
    names = homes(seen)
    for call in seen.calls:
        if call.base not in (*_VIEWS, "flatten") or len(call.output_shapes[0]) != 2:
            continue
        one, (more, width) = call.input_shapes[0], call.output_shapes[0]
        whole = {prod(one[dim:]) for dim in range(len(one))}
        if more == count and one[0] == batch and width in whole and len(one) == 4:
            yield (
                f"{count} answers come out for a batch of {batch}, {count // batch} for each item: "
                f"{names.get(call.index)} puts all places of {shape_text(one)} into one dimension "
                "with the batch; for one answer an item, leave the batch as it is"
            )
        elif more == count and one[0] == batch and width not in whole:
            yield (
                f"{count} answers come out for a batch of {batch}: {names.get(call.index)} makes "
                f"{shape_text(one)} into {shape_text((more, width))}, which cuts each item into "
                f"rows: leave the batch as it is, {prod(one[1:])} features for the layer after"
            )


def widths(seen: Trace) -> Iterator[str]:
    """Linear layers, norms and softmax over the width of a map."""
    names = homes(seen)
    for call in seen.calls:
        maker = before(call)
        while maker is not None and maker.base in ACTIVATIONS and before(maker):
            maker = before(maker)
        if call.base not in _OVER_A_SIDE or maker is None:
            continue
        if maker.base not in _MAPS or len(call.input_shapes[0]) != 4:
            continue
        shape = shape_text(call.input_shapes[0])
        if call.base == "layer_norm" and len(call.argument("normalized_shape", ())) == 1:
            yield (
                f"{names.get(call.index)} norms each row of a map {shape} by itself, over its "
                "width: nn.GroupNorm(1, channels) norms over all of a picture's map"
            )
        elif call.base in ("softmax", "log_softmax") and softmax_dimension(call) in (2, 3, -1, -2):
            yield (
                f"{names.get(call.index)}: shares over one side of a map {shape}, so that the "
                "places of a row or column add up to 1: dim=1 is over the channels, as of classes"
            )
        elif call.base == "linear":
            yield (
                f"{names.get(call.index)} works on the last dimension alone, the width of a map "
                f"{shape_text(call.input_shapes[0])}: x.flatten(1) before it takes all of it"
            )


def heads(seen: Trace, stretched: Callable[[str], Trace | None]) -> Iterator[str]:
    """Attention from the heads of a step to its other heads.

    Args:
        stretched: gives the pass with twice the time.
    """
    names = homes(seen)
    for call in seen.calls:
        if call.base not in ("scaled_dot_product_attention", "matmul"):
            continue
        view = attends_over_heads(call)
        if view is None:
            continue
        longer = stretched("time")
        twin = longer.by_index.get(view.index) if longer is not None else None
        if twin is not None and twin.input_shapes[0][2:] != view.input_shapes[0][2:]:
            # Parts of a row of time, and no heads.
            continue
        batch, steps, many, width = call.input_shapes[0]
        yield (
            f"{names.get(call.index)} reads {shape_text((batch, steps, many, width))} as if its "
            f"{many} heads were the steps: the heads of a step attend to each other, and no step "
            f"to another: .transpose(1, 2) of query, key and value, and of what comes out"
        )


def across(seen: Trace, twice: Trace) -> Iterator[str]:
    """Layers that read the batch as their steps, and softmax over the batch."""
    for row, other in zip(seen.rows, twice.rows, strict=False):
        layer = row.module
        if not isinstance(layer, nn.RNNBase | nn.MultiheadAttention) or layer.batch_first:
            continue
        if row.path != other.path or not row.input_shapes or len(row.input_shapes[0]) != 3:
            continue
        mine, theirs = row.input_shapes[0], other.input_shapes[0]
        if theirs[0] == 2 * mine[0] and theirs[1:] == mine[1:]:
            yield (
                f"{named(row)} reads {shape_text(mine)} as steps × batch × features, and the "
                "batch comes first: it mixes the items of a batch: batch_first=True"
            )
    names = homes(seen)
    for call in seen.calls:
        if call.base in ("softmax", "log_softmax") and over_batch(call, twice):
            yield f"{names.get(call.index)}: softmax over the batch: {_better_dimension(call)}"
        if call.base in _BY_NUMBER and _each_with_each(call, twice):
            one, two = map(shape_text, call.input_shapes[:2])
            column = shape_text(max(call.input_shapes[:2], key=len))
            yield (
                f"{names.get(call.index)} of {one} and {two} takes each item of the batch with "
                f"each: squeeze(1) of what is {column}"
            )


def _each_with_each(call: Call, twice: Trace) -> bool:
    """Whether N numbers meet N×1, of which one side came in with the net's inputs."""
    other, shapes = twice.by_index.get(call.index), call.input_shapes
    if len(shapes) != 2 or other is None or not any(map(is_input, call.producers)):
        return False
    row, column = sorted(shapes, key=len)
    grown = [sorted(one.input_shapes, key=len) for one in (call, other)]
    return len(row) == 1 and column == (*row, 1) and grown[0][0][0] * 2 == grown[1][0][0]


def over_batch(call: Call, twice: Trace | None) -> bool:
    """Whether the shares of a softmax are over the items of a batch.

    Args:
        twice: the pass with twice the batch.
    """
    other = twice.by_index.get(call.index) if twice is not None else None
    dim, shape = softmax_dimension(call), call.input_shapes[0]
    if len(shape) < 2 or type(dim) is not int or not -len(shape) <= dim < len(shape):
        return False
    if other is None or not other.input_shapes or len(other.input_shapes[0]) != len(shape):
        return False
    return other.input_shapes[0][dim] == 2 * shape[dim] and dim % len(shape) == 0


def softmax_dimension(call: Call) -> int | None:
    """The dimension of a softmax; without one, torch takes the first or the second by the rank."""
    dim = call.argument("dim")
    if dim is None:
        return 0 if len(call.input_shapes[0]) in (0, 1, 3) else 1
    return dim if type(dim) is int else None


def _better_dimension(call: Call) -> str:
    if call.argument("dim") is not None:
        return "dim=1 or dim=-1"
    return f"without dim it takes dimension 0 of {shape_text(call.input_shapes[0])}: dim=-1"
