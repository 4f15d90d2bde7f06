"""Answers that are not one for each item of the batch, and the call that lost the batch."""

from collections.abc import Iterator

from torch import Tensor, nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.cautions.naming import named
from viewfinder.explain.explanation import differing, shape_text
from viewfinder.explain.scoring import Scored
from viewfinder.explain.traces import Trace

_REDUCED = ("mean", "sum", "amax", "amin", "max", "min", "prod", "std", "var", "median")
_SAID = "the answer is not one for each item of the batch"


def lost_items(seen: Trace, twice: Trace) -> Iterator[str]:
    """An answer of which the batch is not the first dimension, where a call is to blame.

    Lists, dictionaries and single numbers may be anything; of several answers the first is read.
    """
    answer, other = _answer(seen), _answer(twice)
    if answer is None or other is None or not seen.inputs or not seen.inputs[0].dim():
        return
    batch, one, two = int(seen.inputs[0].shape[0]), shape_of(answer), shape_of(other)
    same = len(one) == len(two) and bool(one)
    if not same or int(twice.inputs[0].shape[0]) != 2 * batch or _reads_as_steps(seen, batch):
        return
    moved = differing(one, two)
    for call, twin in _way(answer, seen, twice):
        words = ""
        if not moved:
            words = _dropped(call, twin)
        elif moved == [0] and one[0] > batch:
            words = _joined(call, twin, batch)
        elif moved != [0] and not isinstance(seen.result, tuple):
            words = _layers(call, answer, batch, seen)
        if words:
            row = next((row for row in seen.rows if row.module and call in row.calls), None)
            name = named(row) if row is not None else call.operation
            yield f"{_SAID}: {shape_text(one)} for a batch of {batch}: {name} {words}"
            return


def _answer(seen: Trace) -> Tensor | None:
    """The net's answer, or the first of several; with a loss behind the net, what that is given."""
    result = seen.result
    if isinstance(seen.module, Scored):
        calls = [*seen.calls, *([seen.failure.call] if seen.failure and seen.failure.call else [])]
        made = next((c for c in reversed(calls) if c.module.split(".")[0] == "loss"), None)
        return made.tensors[0] if made is not None and made.tensors else None
    first = result[0] if isinstance(result, tuple) and result else result
    return first if isinstance(first, Tensor) else None


def _reads_as_steps(seen: Trace, batch: int) -> bool:
    """Whether a layer reads the batch as steps, which is told of it itself."""
    return any(
        isinstance(row.module, nn.RNNBase | nn.MultiheadAttention)
        and not row.module.batch_first
        and bool(row.input_shapes)
        and len(row.input_shapes[0]) == 3
        and row.input_shapes[0][0] == batch != row.input_shapes[0][1]
        for row in seen.rows
    )


def _way(answer: Tensor, seen: Trace, twice: Trace) -> Iterator[tuple[Call, Call]]:
    """The calls that an answer came through, latest first, each with its twin."""
    call = next((c for c in seen.calls if any(out is answer for out in c.outputs)), None)
    while call is not None:
        twin = twice.by_index.get(call.index)
        if twin is None or twin.operation != call.operation:
            return
        yield call, twin
        # Of several the batch may be in any.
        makers = [
            producer
            for producer, small, large in zip(
                call.producers, call.input_shapes, twin.input_shapes, strict=False
            )
            if isinstance(producer, Call) and small != large
        ]
        first = call.producers[0] if call.producers else None
        call = makers[0] if makers else first if isinstance(first, Call) else None


def _dropped(call: Call, twin: Call) -> str:
    """That a call took one item of the batch, or all of them together."""
    if not call.input_shapes or not call.output_shapes:
        return ""
    one, two = call.input_shapes[0], twin.input_shapes[0]
    moved = differing(one, two)
    if len(one) != len(two) or len(moved) != 1 or call.output_shapes[0] != twin.output_shapes[0]:
        return ""
    at, given = moved[0], shape_text(one)
    if call.base in ("getitem", "select") and _takes_one(call, at):
        better = f"[:, {call.args[1]}]" if call.base == "getitem" and not at else "another place"
        return f"takes one item of the batch out of {given}: {better} is most likely meant"
    dim = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else None)
    if call.base in _REDUCED and type(dim) is int and dim % len(one) == at:
        return (
            f"puts all items of the batch of {given} into one, over dimension {at}: "
            "another dimension is most likely meant"
        )
    return ""


def _takes_one(call: Call, at: int) -> bool:
    """Whether a number says which place of dimension `at` is taken."""
    places = call.args[1:]
    if call.base == "select":
        return len(places) > 1 and places[0] == at
    index = places[0] if places else None
    index = index if isinstance(index, tuple) else (index,)
    return (
        at < len(index)
        and all(type(one) in (int, slice) for one in index[: at + 1])
        and (type(index[at]) is int)
    )


def _joined(call: Call, twin: Call, batch: int) -> str:
    """That a call put tensors of the whole batch behind each other, not side by side."""
    if call.base != "cat" or len(call.input_shapes) < 2 or call.output_shapes[0][0] % batch:
        return ""
    dim = call.argument("dim", 0)
    whole = all(
        len(one) > 1 and one[0] == batch and two[0] == 2 * batch
        for one, two in zip(call.input_shapes, twin.input_shapes, strict=False)
    )
    if type(dim) is not int or dim % len(call.output_shapes[0]) or not whole:
        return ""
    parts = ", ".join(map(shape_text, call.input_shapes[:3]))
    return f"puts {parts} behind each other, along the batch: dim=1 puts them side by side"


def _layers(call: Call, answer: Tensor, batch: int, seen: Trace) -> str:
    """That an answer was made of the states of all layers of a recurrent layer."""
    layer = seen.module.get_submodule(call.module) if call.module else None
    if not isinstance(layer, nn.RNNBase) or any(out is answer for out in call.outputs):
        return ""
    shape = shape_of(answer)
    states = layer.num_layers * (2 if layer.bidirectional else 1)
    if len(shape) != 3 or shape[:2] != (states, batch) or call.output_shapes[0][:2] == shape[:2]:
        return ""
    pair = ", and [-1] of the pair (h, c) is c" if isinstance(layer, nn.LSTM) else ""
    return (
        f"has a state of {states} × batch × features, a part for each layer and direction{pair}: "
        "h[-1] of h alone is that of the last layer"
    )
