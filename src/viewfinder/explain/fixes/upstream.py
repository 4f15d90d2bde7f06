"""Fixes further up: the layer that an operand comes from gives what the other operand asks for."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.explanation import Shape, differing
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes import tables
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene

_TURNING = {"t", "transpose", "permute", "mT", "T", "normalize", "unsqueeze", "squeeze"}
# Of one tensor alone, number by number.
_ELEMENTWISE = {"exp", "log", "sqrt", "neg", "abs", "clamp", "mul", "div", "add", "sub", "pow"}
_BROADCAST = {"add", "sub", "mul", "div"}
_PARTING = {"chunk", "tensor_split"}
_PRODUCTS = {"matmul", "mm", "bmm", "rmatmul"}
_TURNS = {3: ((0, 2, 1),), 4: ((0, 3, 1, 2), (0, 2, 3, 1)), 5: ((0, 4, 1, 2, 3), (0, 2, 3, 4, 1))}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a call of the user's own code that takes two tensors which differ in one size."""
    yield from _into_attention(scene)
    call = scene.call
    if call is None or scene.case.in_layer or len(call.input_shapes) < 2:
        return
    one, two = call.input_shapes[:2]
    if call.base in _PRODUCTS and len(one) > 1 and len(two) > 1:
        # Columns on the left, rows on the right.
        yield from _fitted(scene, call, 0, two[-2], -2)
        yield from _fitted(scene, call, 1, one[-1], -1)
        yield from _as_rows(scene, call)
        return
    if call.base == "scaled_dot_product_attention":
        # A query meets a key feature by feature.
        if one[-1] != two[-1]:
            yield from _fitted(scene, call, 1, one[-1], -1)
            yield from _fitted(scene, call, 0, two[-1], -1)
        return
    if call.base in ("linear", "embedding"):
        return
    if len(one) != len(two):
        yield from _spread(scene, call, one, two)
        return
    wrong = differing(one, two)
    if call.base in _BROADCAST:
        wrong = [dim for dim in wrong if 1 not in (one[dim], two[dim])]
    if len(wrong) == 1 and wrong[0] in (1, len(one) - 1):
        yield from _fitted(scene, call, 0, two[wrong[0]], wrong[0])
        yield from _fitted(scene, call, 1, one[wrong[0]], wrong[0])
    for position in (1, 0):
        yield from _turned(scene, position, (one, two)[position], (two, one)[position])


def _fitted(scene: Scene, call: Call, position: int, wanted: int, dim: int) -> Iterator[Candidate]:
    """The layer of an operand with as many features as the other has in a dimension."""
    name = scene.called(1 - position)[dim]
    if call.base in _BROADCAST and tables.own(scene, 1 - position):
        # A table of the net's own is made for what it meets, and not the other way round.
        return
    if call.base == "einsum" or name in SPATIAL or "batch" in name:
        return
    producer: Call | int | None = call.producers[position]
    parts = 1
    while isinstance(producer, Call) and producer.producers and _hands_on(producer):
        if producer.base in _PARTING and dim in (1, -1):
            parts *= len(producer.outputs)
        producer = producer.producers[0]
    yield from _gives(scene, producer, wanted * parts)


def _hands_on(call: Call) -> bool:
    """Whether a call keeps the features of its tensor, or parts them evenly."""
    if call.base == "getitem":
        index = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
        return all(part is None or part == slice(None) for part in index)
    return (
        call.base in _PARTING
        or call.base in PASSING | _TURNING
        or (call.base in _ELEMENTWISE and len(call.tensors) == 1)
    )


def _into_attention(scene: Scene) -> Iterator[Candidate]:
    """What an attention layer is given has other features than it was made for."""
    layer = scene.case.module
    if not isinstance(layer, nn.MultiheadAttention):
        return
    for tensor in scene.given[:1]:
        if tensor.dim() and int(tensor.shape[-1]) != layer.embed_dim:
            calls = scene.case.failure.trace.calls
            made = next((c for c in calls if any(t is tensor for t in c.outputs)), None)
            yield from _gives(scene, made, layer.embed_dim)


def _gives(scene: Scene, producer: Call | int | None, wanted: int) -> Iterator[Candidate]:
    """The layer of a call with as many features as are wanted."""
    if not isinstance(producer, Call) or not producer.module:
        return
    layer = scene.net.get_submodule(producer.module)
    if isinstance(layer, nn.Linear) and layer.out_features != wanted:
        yield from scene.replace(producer.module, 0.65, out_features=wanted)
    elif isinstance(layer, nn.Embedding) and layer.embedding_dim != wanted:
        yield from scene.replace(producer.module, 0.65, embedding_dim=wanted)
    elif isinstance(layer, nn.modules.conv._ConvNd) and layer.out_channels != wanted:
        yield from scene.replace(producer.module, 0.7, out_channels=wanted)


def _spread(scene: Scene, call: Call, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Features of another number than a map has channels, such as a time's embedding."""
    short = 0 if len(one) < len(two) else 1
    small, large = (one, two) if short == 0 else (two, one)
    if len(small) != 2 or small[0] != large[0] or small[1] == large[1] or call.base == "cat":
        return
    for fitted in _fitted(scene, call, short, large[1], 1):
        for wide in scene.operate(short, ops.new_axes(2, len(large) - 2), 0.1):
            yield fitted.and_(wide)


def _as_rows(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Maps into a product: each as channels × positions, where they leave their layer."""
    paths = dict.fromkeys(path for p in (0, 1) if (path := _map_of(scene, call, p)))
    for path in paths:
        yield scene.after(ops.flatten(2), 0.6, path)


def _map_of(scene: Scene, call: Call, position: int) -> str:
    producer: Call | int | None = call.producers[position]
    while isinstance(producer, Call) and producer.base in PASSING | _TURNING and producer.producers:
        producer = producer.producers[0]
    if not isinstance(producer, Call) or not producer.module:
        return ""
    return producer.module if len(producer.output_shapes[0]) == 4 else ""


def _turned(scene: Scene, position: int, shape: Shape, other: Shape) -> Iterator[Candidate]:
    """An operand whose dimensions are those of the other in another order."""
    for order in _TURNS.get(len(shape), ()):
        if shape != other and tuple(shape[dim] for dim in order) == other:
            yield from scene.operate(position, ops.permute(*order), 0.05)
