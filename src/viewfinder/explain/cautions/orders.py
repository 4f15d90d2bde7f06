"""Numbers in another order than is meant: views for permutations, and batches taken for else."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import prod

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.naming import before, homes, named
from viewfinder.explain.explanation import Shape, shape_text
from viewfinder.explain.pointwise import ACTIVATIONS
from viewfinder.explain.traces import Trace

_VIEWS = ("view", "reshape")
_MAPS = ("conv1d", "conv2d", "conv3d", "batch_norm", "max_pool2d", "avg_pool2d")


def scrambled(seen: Trace, twice: Trace | None) -> Iterator[str]:
    """Views that turn dimensions, which only permute does."""
    names = homes(seen)
    for call in seen.calls:
        if call.base not in _VIEWS or not call.input_shapes or not call.output_shapes:
            continue
        one, two = call.input_shapes[0], call.output_shapes[0]
        other = twice.by_index.get(call.index) if twice is not None else None
        pair = (one, two)
        if other is not None and other.input_shapes and other.output_shapes:
            # With a batch of 1 its place is not to be seen.
            pair = (other.input_shapes[0], other.output_shapes[0])
        if _turned(*pair):
            yield (
                f"{names.get(call.index)} makes {shape_text(one)} into {shape_text(two)}: it reads "
                "the numbers in the order that they lie in and scrambles them; permute or "
                "transpose turns dimensions"
            )


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


def _turned(one: Shape, two: Shape) -> bool:
    """Whether a view gives the sizes of a permutation of dimensions, of which some are joined."""
    large, other = ([size for size in shape if size != 1] for shape in (one, two))
    while large and other and large[0] == other[0]:
        large, other = large[1:], other[1:]
    while large and other and large[-1] == other[-1]:
        large, other = large[:-1], other[:-1]
    if len(large) == len(other):
        return len(large) > 1 and large != other and sorted(large) == sorted(other)
    whole, parts = sorted((large, other), key=len)
    if len(whole) != 2 or len(parts) != 3:
        return False
    if parts[-1] % whole[1] == 0 or parts[0] % whole[0] == 0:
        # The last or the first dimension may be split in two, as anchors are from channels.
        return False
    orders = set(permutations(parts)) - {tuple(parts)}
    return not _joins(parts, whole) and any(_joins(order, whole) for order in orders)


def _joins(parts: Sequence[int], whole: Sequence[int]) -> bool:
    """Whether neighbours among the parts make up the whole."""
    return any(
        [prod(parts[:cut]), prod(parts[cut:])] == list(whole) for cut in range(1, len(parts))
    )


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
        if call.base not in _VIEWS or len(call.output_shapes[0]) != 2:
            continue
        one, (more, width) = call.input_shapes[0], call.output_shapes[0]
        whole = {prod(one[dim:]) for dim in range(len(one))}
        if more == count and one[0] == batch and width not in whole:
            yield (
                f"{count} answers come out for a batch of {batch}: {names.get(call.index)} makes "
                f"{shape_text(one)} into {shape_text((more, width))}, which cuts each item into "
                f"rows: leave the batch as it is, {prod(one[1:])} features for the layer after"
            )


def widths(seen: Trace) -> Iterator[str]:
    """Linear layers over the width of a map."""
    names = homes(seen)
    for call in seen.calls:
        maker = before(call)
        while maker is not None and maker.base in ACTIVATIONS and before(maker):
            maker = before(maker)
        if call.base != "linear" or maker is None:
            continue
        if maker.base in _MAPS and len(call.input_shapes[0]) == 4:
            yield (
                f"{names.get(call.index)} works on the last dimension alone, the width of a map "
                f"{shape_text(call.input_shapes[0])}: x.flatten(1) before it takes all of it"
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
        if call.base in ("softmax", "log_softmax") and _over_batch(call, twice):
            yield f"{names.get(call.index)}: softmax over the batch: dim=1 or dim=-1"


def _over_batch(call: Call, twice: Trace) -> bool:
    dim, other = call.argument("dim"), twice.by_index.get(call.index)
    shape = call.input_shapes[0]
    if len(shape) < 2 or type(dim) is not int or other is None or not other.input_shapes:
        return False
    return other.input_shapes[0][dim] == 2 * shape[dim] and dim % len(shape) == 0
