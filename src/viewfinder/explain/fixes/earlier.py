"""Fixes of calls before the failure, where what was meant can be read off them.

A squeeze that removes nothing, a mean over the wrong dimension or without keepdim, halves of the
wrong dimension, keys turned among the heads, a step taken out of the batch, patches not put
together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import expression

_REDUCING = {"mean", "sum", "amax", "amin", "max", "min", "std", "var"}
_CONV = nn.modules.conv._ConvNd
_NEAR = 12


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At each call of the user's own code on the way to the failure, the latest first."""
    near = list(islice(origins.written_calls(scene), _NEAR))
    for call in near:
        if not call.input_shapes:
            continue
        if call.base == "squeeze":
            yield from _nothing_squeezed(scene, call)
        elif call.base in _REDUCING:
            yield from _over_another(scene, call)
        elif call.base in ("chunk", "split"):
            yield from _halves(scene, call)
        elif call.base in ("transpose", "permute"):
            yield from _turned_among_heads(scene, call)
            yield from _not_turned(scene, call)
        elif call.base == "getitem":
            yield from _step_of_the_batch(scene, call)
        elif call.base in ("reshape", "flatten", "view"):
            yield from _patches(scene, call)
            yield from _one_token(scene, call)
    yield from _kept(scene, near)
    yield from _before_all(scene)


def _before_all(scene: Scene) -> Iterator[Candidate]:
    """A dimension that each layer of a list lacks is put where all of them take their map from."""
    layer = scene.layer
    if not isinstance(layer, _CONV) or not isinstance(scene.parent(scene.path), nn.ModuleList):
        return
    met = _met(scene)
    made = met[0] if met else None
    if made is not None and made.module and len(made.output_shapes[0]) == layer.weight.dim() - 1:
        yield scene.after(ops.unsqueeze(1), -0.05, made.module)
    if made is not None and made.module and isinstance(layer, nn.Conv1d):
        shape = made.output_shapes[0]
        if len(shape) == 3 and shape[2] == layer.in_channels != shape[1]:
            yield scene.after(ops.transpose(1, 2), -0.05, made.module)


def _dim(call: Call) -> int | None:
    """The one dimension that a call works over, from the front."""
    dim, rank = call.argument("dim"), len(call.input_shapes[0])
    if dim is None and len(call.args) > 1:
        dim = call.args[1]
    if isinstance(dim, tuple | list) and len(dim) == 1:
        dim = dim[0]
    return dim % rank if type(dim) is int and -rank <= dim < rank else None


def _nothing_squeezed(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A dimension that was to be 1: the window before it reaches over all of it, or its mean."""
    dim, shape = _dim(call), call.input_shapes[0]
    if dim is None or shape[dim] == 1 or "batch" in scene.names.operand(call, 0)[dim]:
        return
    producer: Call | int = call.producers[0]
    while isinstance(producer, Call) and producer.base in PASSING and producer.producers:
        producer = producer.producers[0]
    if isinstance(producer, Call) and producer.module and dim > 1:
        yield from _wider(scene, producer.module, dim - 2, shape[dim] - 1)
    said = f"{shape[dim]} values there, and not 1"
    for one in scene.instead(call, f"{{0}}.mean({dim})", lambda t: t[0].mean(dim), 0.15):
        yield replace(one, says=f"{one.says}: there are {said}")


def _wider(scene: Scene, path: str, axis: int, more: int) -> Iterator[Candidate]:
    """Convolutions beside each other whose kernels reach over all that is there."""
    layer = scene.net.get_submodule(path)
    if not isinstance(layer, _CONV) or layer.stride[axis] != 1 or layer.padding[axis] != 0:
        return
    home, whole = path.rpartition(".")[0], None
    for name, other in scene.parent(path).named_children():
        alike = type(other) is type(layer) and other.in_channels == layer.in_channels
        if not alike or other.kernel_size[axis] != layer.kernel_size[axis]:  # type: ignore[index]
            continue
        kernel = list(other.kernel_size)  # type: ignore[arg-type]
        kernel[axis] += more
        where = f"{home}.{name}" if home else name
        for one in scene.replace(where, 0.02, kernel_size=tuple(kernel)):
            whole = one if whole is None else whole.and_(one)
    if whole is not None:
        yield whole


def _with(call: Call, dim: int) -> tuple[tuple[object, ...], Mapping[str, object]]:
    if "dim" in call.kwargs:
        return call.args, {**call.kwargs, "dim": dim}
    return (call.args[0], dim, *call.args[2:]), call.kwargs


def _wanted(scene: Scene) -> int:
    """The features, or channels, that the layer which failed was made for."""
    layer = scene.layer
    names = ("in_features", "in_channels", "input_size", "num_features", "embed_dim")
    return next((int(getattr(layer, name)) for name in names if hasattr(layer, name)), 0)


def _over_another(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A mean over the channels where one over the places was meant."""
    dim, shape, wanted = _dim(call), call.input_shapes[0], _wanted(scene)
    if dim is None or dim == 0 or shape[dim] != wanted or len(shape) < 3:
        return
    names = scene.names.operand(call, 0)
    for other in range(1, len(shape)):
        if other != dim and names[other] in SPATIAL:
            yield from again(scene, call, *_with(call, other), 0.0)


def _kept(scene: Scene, near: Sequence[Call]) -> Iterator[Candidate]:
    """keepdim=True, in all that were reduced alike: a map of one channel has that channel."""
    layer = scene.layer
    reduced = [
        call
        for call in near
        if call.base in _REDUCING and _dim(call) is not None and not _keeps(call)
    ]
    if isinstance(layer, _CONV):
        given = scene.given[0].dim() if scene.given else 0
        if given != layer.weight.dim() - 1:
            return
    elif scene.call is None or scene.case.in_layer:
        return
    whole = None
    for call in reduced:
        if _dim(call) != _dim(reduced[0]) or call.producers[:1] != reduced[0].producers[:1]:
            continue
        for one in again(scene, call, call.args, {**call.kwargs, "keepdim": True}, 0.04):
            whole = one if whole is None else whole.and_(one)
    if whole is not None:
        yield whole


def _keeps(call: Call) -> bool:
    return bool(call.kwargs.get("keepdim")) or True in call.args[2:]


def _halves(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Gates are halves of the channels, and of no places."""
    names = scene.names.operand(call, 0)
    dim = call.kwargs.get("dim", call.args[2] if len(call.args) > 2 else 0)
    if type(dim) is not int or not -len(names) <= dim < len(names):
        return
    if names[dim] not in SPATIAL and "batch" not in names[dim]:
        return
    for other, name in enumerate(names):
        if name in ("channels", "features"):
            kwargs = {**call.kwargs, "dim": -1 if other == len(names) - 1 else other}
            yield from again(scene, call, call.args[:2], kwargs, 0.0)


def _turned_among_heads(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The last two dimensions are turned for a product, however many stand before them."""
    failed = scene.call
    if failed is None or failed.base not in ("matmul", "rmatmul", "bmm"):
        return
    if not any(made is call for made in failed.producers) or len(call.input_shapes[0]) < 4:
        return
    if call.base == "transpose":
        yield from again(scene, call, (call.args[0], -2, -1), {}, -0.02)


def _not_turned(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A weight of the net's own that was turned, and fits as it is."""
    weight = isinstance(call.tensors[0], nn.Parameter)
    if weight and scene.call is not None and any(one is call for one in scene.call.producers):
        yield from scene.instead(call, "{0}", lambda t: t[0], 0.0)


def _step_of_the_batch(scene: Scene, call: Call) -> Iterator[Candidate]:
    """`x[t]` of a tensor whose batch comes first: `x[:, t]`."""
    index = call.args[1] if len(call.args) > 1 else None
    names = scene.names.operand(call, 0)
    if type(index) is not int or names[:1] != ("batch",) or len(names) < 3:
        return
    if not any(made is call for made in _met(scene)) or names[1] not in SPATIAL:
        return
    text = expression(call.place, call.args, call.tensors).text
    head, bracket, tail = text.partition("[")
    for one in scene.instead(call, "{0}[:, args[1]]", lambda t: t[0][:, index], 0.0):
        edit = one.edits[0]
        stepping = replace(edit, run=_second)  # type: ignore[call-arg]
        words = f"{head}[:, {tail} instead of {text}" if bracket else one.says
        yield replace(one, edits=(stepping,), says=words)


def _second(function: object, args: Sequence[object], kwargs: object) -> object:
    value = args[0]
    assert isinstance(value, Tensor)
    return value[:, args[1]]  # type: ignore[index]


def _met(scene: Scene) -> list[Call]:
    """The calls that the operands of the failure come out of."""
    return [one.producer for one in origins.operands(scene) if one.producer is not None]


def _patches(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Patches cut out by unfold: the colours of each belong behind its place."""
    shape, wanted = call.input_shapes[0], _wanted(scene)
    if len(shape) != 6 or wanted != shape[1] * shape[4] * shape[5]:
        return
    code = f"{{0}}.permute(0, 2, 3, 1, 4, 5).reshape({{0}}.size(0), -1, {wanted})"

    def run(t: Sequence[Tensor]) -> Tensor:
        return t[0].permute(0, 2, 3, 1, 4, 5).reshape(t[0].size(0), -1, wanted)

    yield from scene.instead(call, code, run, 0.0)


def _one_token(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A head made for one token, or step, and given all of them flattened."""
    shape, wanted = call.input_shapes[0], _wanted(scene)
    flat = len(shape) == 3 and call.output_shapes[0] == (shape[0], shape[1] * shape[2])
    if not flat or shape[2] != wanted or not isinstance(scene.layer, nn.Linear):
        return
    seen = list(origins.before(scene))
    token = any(
        one.base == "cat" and one.argument("dim", 0) in (1, -2) and one.input_shapes[0][1:2] == (1,)
        for one in seen
    )
    yield from scene.instead(call, "{0}.mean(1)", lambda t: t[0].mean(1), 0.2)
    if token:
        yield from scene.instead(call, "{0}[:, 0]", lambda t: t[0][:, 0], 0.1)
    elif any(one.base in ("gru", "lstm", "rnn_tanh") for one in seen):
        yield from scene.instead(call, "{0}[:, -1]", lambda t: t[0][:, -1], 0.1)
