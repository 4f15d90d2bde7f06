"""A long table made short: blocks that repeat are said once, or stages stand for their layers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from viewfinder.explain.explanation import Dropped, ExplainedLayer
from viewfinder.wording import counted

# A table of no more rows is shown whole.
_SHORT = 60
_MOST_STAGES = 40


@dataclass(frozen=True)
class Repeat:
    """Layers that are left out, since those above are like them."""

    words: str


def folded(layers: Sequence[ExplainedLayer]) -> list[ExplainedLayer | Repeat]:
    """The rows of a table in which a block like the one before it is only counted."""
    if len(layers) <= _SHORT:
        return list(layers)
    blocks = [list(block) for _, block in groupby(layers, key=_block)]
    result: list[ExplainedLayer | Repeat] = []
    before: tuple[object, ...] | None = None
    alike: list[list[ExplainedLayer]] = []
    for block in blocks:
        kind = tuple(_like(layer) for layer in block)
        if len(block) > 1 and kind == before:
            alike.append(block)
            continue
        result += _told(alike)
        alike, before = [], kind
        result += block
    return result + _told(alike)


def _told(alike: list[list[ExplainedLayer]]) -> list[ExplainedLayer | Repeat]:
    if not alike:
        return []
    count = sum(map(len, alike))
    params = sum(layer.params for block in alike for layer in block)
    macs = sum(layer.macs for block in alike for layer in block)
    first, last = _block(alike[0][0]), _block(alike[-1][0])
    names = first if first == last else f"{first} to {last}"
    words = f"… {counted(count, 'layer')} like this, {names}: {params:,} params, {macs:,} MACs"
    return [Repeat(words)]


def _block(layer: ExplainedLayer) -> str:
    """The numbered module that a layer lies in: `layer3.2` of `layer3.2.conv1`."""
    found = re.match(r"(.*?\.\d+)\.", layer.name.partition("#")[0])
    return found.group(1) if found else layer.name


def _like(layer: ExplainedLayer) -> tuple[object, ...]:
    rest = layer.name.partition("#")[0].removeprefix(_block(layer))
    return (rest, layer.kind, layer.inputs, layer.outputs, layer.formula, layer.params)


def staged(layers: Sequence[ExplainedLayer]) -> list[ExplainedLayer | Repeat]:
    """A row for each stage: the outermost modules, or what lies in them where they are few."""
    depth = 1
    stages = _grouped(layers, depth)
    while len(stages) < 4 and depth < 6:
        depth += 1
        deeper = _grouped(layers, depth)
        if len(deeper) > _MOST_STAGES:
            break
        stages = deeper
    return list(stages)


def _grouped(layers: Sequence[ExplainedLayer], depth: int) -> list[ExplainedLayer]:
    def stage(layer: ExplainedLayer) -> str:
        return ".".join(layer.name.partition("#")[0].split(".")[:depth])

    return [_joined(name, list(block)) for name, block in groupby(layers, key=stage)]


def _joined(name: str, block: list[ExplainedLayer]) -> ExplainedLayer:
    first, last = block[0], block[-1]
    if len(block) == 1:
        return first
    return replace(
        last,
        name=name,
        kind=counted(len(block), "layer"),
        inputs=first.inputs,
        formula=(),
        dropped=Dropped(),
        params=sum(layer.params for layer in block),
        macs=sum(layer.macs for layer in block),
        activation_bytes=sum(layer.activation_bytes for layer in block),
        notes=(),
    )
