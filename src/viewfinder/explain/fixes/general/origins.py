"""What met at a failure: its operands, the calls that they come from, and the sizes in play."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from torch import nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.modules import settings
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.traces import Sample, ancestors

_UNPACKED = re.compile(r"unpack \(expected (\d+), got (\d+)\)")
# The calls before a failure that may be the cause of it, the latest first.
_MOST = 60


@dataclass(frozen=True)
class Operand:
    """A tensor that the failed call, or the failed layer, was given."""

    position: int
    """Among the tensors of the call; of a layer that failed before any call, of what it takes."""
    shape: Shape
    names: tuple[str, ...]
    producer: Call | None

    @property
    def constant(self) -> bool:
        return self.names[:1] == ("constant",)


def operands(scene: Scene) -> list[Operand]:
    """The tensors that met: in a call of the user's, or what the layer that failed was given."""
    if scene.call is not None and not scene.case.in_layer:
        return [
            Operand(at, shape, scene.called(at), one if isinstance(one, Call) else None)
            for at, (shape, one) in enumerate(
                zip(scene.call.input_shapes, scene.call.producers, strict=True)
            )
        ]
    return [_given(scene, at) for at in range(len(scene.given))] if in_module(scene) else []


def in_module(scene: Scene) -> bool:
    """Whether a module of torch's failed, by a call of its own or before any."""
    home = type(scene.case.module).__module__
    refused = scene.call is None and home.startswith("torch.nn") and scene.path != ""
    return scene.case.in_layer or refused


def _given(scene: Scene, position: int) -> Operand:
    tensor, seen = scene.given[position], scene.case.failure.trace
    shape = shape_of(tensor)
    made = next((c for c in reversed(seen.calls) if any(t is tensor for t in c.outputs)), None)
    if made is not None:
        number = next(at for at, one in enumerate(made.outputs) if one is tensor)
        return Operand(position, shape, scene.names.output(made, number, shape), made)
    if any(one is tensor for one in seen.inputs):
        names = scene.lab.inputs.dimensions(Sample(shape, tensor.dtype))
        return Operand(position, shape, names, None)
    return Operand(position, shape, ("constant",) * len(shape), None)


def before(scene: Scene) -> list[Call]:
    """The calls that the operands come from, the latest first; at a loss, the latest of all."""
    found: dict[int, Call] = {}
    for operand in operands(scene):
        for call in ancestors(operand.producer) if operand.producer else ():
            found[call.index] = call
            if len(found) >= _MOST:
                break
    if not found and scene.call is None:
        found = {call.index: call for call in scene.case.failure.trace.calls[-8:]}
    return [found[index] for index in sorted(found, reverse=True)][:_MOST]


def layers_before(scene: Scene) -> Iterator[tuple[str, nn.Module, Call]]:
    """The layers of torch.nn among those calls, the latest first, each once."""
    seen = {scene.path} if scene.case.in_layer else set()
    for call in before(scene):
        if call.module and call.module not in seen:
            seen.add(call.module)
            module = scene.net.get_submodule(call.module)
            if settings(module) is not None:
                yield call.module, module, call


def written_calls(scene: Scene) -> Iterator[Call]:
    """The calls that the user's own code makes among them."""
    for call in before(scene):
        home = type(scene.net.get_submodule(call.module)).__module__ if call.module else ""
        if call.place is not None and not home.startswith("torch.nn"):
            yield call


def widths(scene: Scene) -> list[int]:
    """Sizes of channels and features that are in play: none of a place, of time, of the batch."""
    found = []
    for one in operands(scene):
        found += [
            size
            for size, name in zip(one.shape, one.names, strict=False)
            if name not in SPATIAL and "batch" not in name and size > 0
        ]
    return list(dict.fromkeys(found))


def every_size(scene: Scene) -> list[int]:
    """All sizes that are in play."""
    return list(dict.fromkeys(size for one in operands(scene) for size in one.shape if size > 0))


def pairs(scene: Scene) -> list[tuple[int, int]]:
    """Sizes that met and are not alike: what there is, and what it met."""
    unpacked = _UNPACKED.search(str(scene.case.failure.error))
    if scene.call is None and unpacked:
        return [(int(unpacked[2]), int(unpacked[1]))]
    found: dict[tuple[int, int], None] = {}
    met = operands(scene)
    for one in met:
        for other in met:
            if one is not other:
                found |= _aligned(one.shape, other.shape)
    layer = scene.case.module if in_module(scene) else None
    for value in (settings(layer) or {}).values() if layer is not None else ():
        for one in met if type(value) is int else ():
            found |= {(size, value): None for size in one.shape[1:] if size != value}  # type: ignore[misc]
    return list(found)


def _aligned(one: Shape, other: Shape) -> dict[tuple[int, int], None]:
    """Unequal sizes of two tensors: those in one dimension first, then those of products."""
    same = list(zip(one, other, strict=False)) + list(zip(one[::-1], other[::-1], strict=False))
    crossed = [(a, b) for a in one[-2:] for b in other[-2:]]
    return {(a, b): None for a, b in (*same, *crossed) if a != b and min(a, b) > 0}


def values(
    current: int, sizes: Sequence[int], met: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, float]]:
    """Numbers to try for one of now `current`, each with how far-fetched it is."""
    tried = {current}
    ways: list[tuple[Fraction | int, float]] = []
    ways += [(wanted, 0.0) for got, wanted in met if got == current]
    ways += [(Fraction(current * wanted, got), 0.1) for got, wanted in met]
    ways += [(current + wanted - got, 0.15) for got, wanted in met]
    ways += [(size, 0.3) for size in sizes]
    for value, cost in ways:
        if value > 0 and value == int(value) and value not in tried:
            tried.add(int(value))
            yield int(value), cost
