"""From the calls that were seen to the layers of an explanation."""

import linecache
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.costs import is_lazy
from viewfinder.explain.explanation import (
    Dropped,
    ExplainedLayer,
    Explanation,
    Mistake,
    ReceptiveField,
    Shape,
    Totals,
)
from viewfinder.explain.formulas import dropped, formula, words
from viewfinder.explain.receptive import fields, summary
from viewfinder.explain.traces import Row, Trace, is_input

_SIGNS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "matmul": "@"}


def assemble(trace: Trace, name: str, mistake: Mistake | None) -> Explanation:
    """The explanation of a traced pass."""
    rows = _visible(trace)
    names = row_names(rows)
    params, counted = _new_params(trace, rows)
    parents = _parents(rows, trace)
    calls = sorted((call for row in trace.rows for call in row.calls), key=lambda c: c.index)
    reaches = fields(calls, trace.inputs)
    shapes = tuple(shape_of(tensor) for tensor in trace.inputs)
    own = {id(t) for t in (*trace.module.parameters(), *trace.module.buffers())}
    layers = []
    for row, title, new, above in zip(rows, names, params, parents, strict=True):
        last = row.calls[-1]
        seen = summary(reaches[last.index][0], shapes, last.output_shapes[0])
        layers.append(_layer(row, title, _activation_shapes(row, own), new, above, seen))
    return Explanation(
        net=name,
        inputs=shapes,
        outputs=tuple(shape_of(tensor) for tensor in trace.outputs),
        layers=tuple(layers),
        totals=_totals(trace.module, calls, layers, counted),
        mistake=mistake and replace(mistake, parents=_met(trace, rows)),
        training=trace.module.training,
    )


def _layer(
    row: Row,
    name: str,
    inputs: tuple[Shape, ...],
    params: int,
    parents: tuple[int, ...],
    seen: ReceptiveField | None,
) -> ExplainedLayer:
    return ExplainedLayer(
        name=name,
        kind=row_kind(row),
        inputs=inputs,
        outputs=row.output_shapes,
        formula=formula(row),
        dropped=dropped(row) if row.inputs else Dropped(),
        params=params,
        macs=sum(call.macs for call in row.calls),
        activation_bytes=sum(call.kept_bytes for call in row.calls),
        receptive_field=seen,
        notes=words(row),
        source=source_text(row.source),
        code=source_code(row.source),
        parents=parents,
    )


def row_kind(row: Row) -> str:
    """A module's class, or the function as it is written: `+`, `cat()`."""
    if row.module is not None:
        return type(row.module).__name__
    return call_kind(row.calls[0])


def call_kind(call: Call) -> str:
    """A function as it is written: `+`, `cat()`."""
    return _SIGNS.get(call.base, f"{call.operation}()")


def row_names(rows: Sequence[Row]) -> list[str]:
    """A path each; the second call of the same layer is called `relu#2`."""
    seen: Counter[str] = Counter()
    names = []
    for row in rows:
        path = row.path or (type(row.module).__name__ if row.module else "")
        if row.module is None:
            path = f"{path}.{row.calls[0].base}" if path else row.calls[0].base
        seen[path] += 1
        names.append(path if seen[path] == 1 else f"{path}#{seen[path]}")
    return names


def source_text(source: tuple[str, int] | None) -> str:
    """File and line, `net.py:31`."""
    return f"{Path(source[0]).name}:{source[1]}" if source else ""


def source_code(source: tuple[str, int] | None) -> str:
    """The text of the user's line."""
    return linecache.getline(*source).strip() if source else ""


def _depends(trace: Trace) -> set[int]:
    """The calls, by index, that any input of the net flows into."""
    flowing: set[int] = set()
    calls = sorted((call for row in trace.rows for call in row.calls), key=lambda c: c.index)
    for call in calls:
        if any(p.index in flowing if isinstance(p, Call) else is_input(p) for p in call.producers):
            flowing.add(call.index)
    return flowing


def _visible(trace: Trace) -> list[Row]:
    """Rows without those that only prepare constants: a table of positions, a bias of indices."""
    flowing = _depends(trace)
    return [
        row
        for row in trace.rows
        if row.module is not None or any(call.index in flowing or call.macs for call in row.calls)
    ]


def _new_params(trace: Trace, rows: Sequence[Row]) -> tuple[list[int], set[int]]:
    """How many parameters take part for the first time in each row, by way of constants too.

    And the identities of all that take part.
    """
    own = {id(p): p for p in trace.module.parameters()}
    carried: dict[int, set[int]] = {}
    shown = {id(row) for row in rows}
    counted: set[int] = set()
    result = []
    for row in trace.rows:
        used: set[int] = set()
        if row.module is not None:
            used |= {id(p) for p in row.module.parameters()} & own.keys()
        for call in row.calls:
            taken = {id(t) for t in call.tensors} & own.keys()
            for producer in call.producers:
                if isinstance(producer, Call):
                    taken |= carried.get(producer.index, set())
            if id(row) not in shown:
                carried[call.index] = taken
            used |= taken
        if id(row) in shown:
            result.append(sum(own[key].numel() for key in used - counted))
            counted |= used
    return result, counted


def _met(trace: Trace, rows: Sequence[Row]) -> tuple[int, ...]:
    """The layers, or inputs as negative numbers, whose outputs the failed call took."""
    call = trace.failure.call if trace.failure else None
    home = {call.index: at for at, row in enumerate(rows) for call in row.calls}
    met: dict[int, None] = {}
    for producer in call.producers if call else ():
        if isinstance(producer, Call):
            met |= {home[producer.index]: None} if producer.index in home else {}
        elif is_input(producer):
            met[producer] = None
    return tuple(met)


def _parents(rows: Sequence[Row], trace: Trace) -> list[tuple[int, ...]]:
    home = {call.index: at for at, row in enumerate(rows) for call in row.calls}
    result = []
    for at, row in enumerate(rows):
        above: dict[int, None] = {}
        for call in row.calls:
            for producer in call.producers:
                if is_input(producer):
                    above[producer] = None
                elif isinstance(producer, Call) and home.get(producer.index, at) != at:
                    above[home[producer.index]] = None
        result.append(tuple(above))
    return result


def _activation_shapes(row: Row, own: set[int]) -> tuple[Shape, ...]:
    pairs = list(zip(row.inputs, row.input_shapes, strict=True))
    flowing = tuple(shape for tensor, shape in pairs if id(tensor) not in own)
    return flowing or tuple(shape for _, shape in pairs)


def _totals(
    module: nn.Module, calls: Sequence[Call], layers: Sequence[ExplainedLayer], counted: set[int]
) -> Totals:
    params = sum(_count(p) for p in module.parameters())
    unused = sorted(_unused(module, "", counted), key=lambda one: -one[1])
    return Totals(
        params=params,
        macs=sum(call.macs for call in calls),
        activation_bytes=sum(call.kept_bytes for call in calls),
        unused_params=params - sum(layer.params for layer in layers),
        unused=tuple(unused),
    )


def _unused(module: nn.Module, path: str, counted: set[int]) -> Iterator[tuple[str, int]]:
    """The outermost modules none of whose parameters took part, and parameters beside others."""
    own = list(module.parameters())
    if path and own and not any(id(p) in counted for p in own):
        if size := sum(map(_count, own)):
            yield path, size
        return
    lead = f"{path}." if path else ""
    for name, parameter in module.named_parameters(recurse=False):
        if id(parameter) not in counted and _count(parameter):
            yield lead + name, _count(parameter)
    for name, child in module.named_children():
        yield from _unused(child, lead + name, counted)


def _count(parameter: Tensor) -> int:
    # A lazy layer that the pass never reached has no size yet.
    return 0 if is_lazy(parameter) else parameter.numel()
