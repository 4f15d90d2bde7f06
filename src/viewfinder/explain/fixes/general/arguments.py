"""Every number that the user's own calls are given, at the failure and before it, with others."""

from collections.abc import Iterator

from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.general.again import Given, Named, again
from viewfinder.explain.fixes.layouts import LAST
from viewfinder.explain.fixes.regrouping import as_asked
from viewfinder.explain.fixes.scene import Scene

# Where the arguments of a function stand that are dimensions; all others are sizes.
_DIMS: dict[str, tuple[int | str, ...]] = {
    name: places
    for names, places in {
        "mean sum amax amin argmax argmin prod any all std var logsumexp softmax log_softmax max "
        "min median cumsum squeeze unsqueeze unbind sort argsort flip norm cat stack": (1, "dim"),
        "chunk split tensor_split topk kthvalue normalize cosine_similarity glu": (2, "dim"),
        "flatten": (1, 2, "start_dim", "end_dim"),
        "transpose movedim": (1, 2, "dim0", "dim1", "source", "destination"),
        "select narrow index_select gather unfold": (1, "dim"),
        "unflatten": (1, "dim"),
    }.items()
    for name in names.split()
}  # fmt: skip
_DIMS["glu"] = (1, "dim")
_REDUCING = {"mean", "sum", "amax", "amin", "max", "min", "median", "prod", "std", "var", "norm"}
_NEAR = 10
# Here a number is no size: what an operator adds, or where a limit lies.
_NUMBERS = {"add", "sub", "rsub", "mul", "div", "pow", "clamp", "setitem", "masked_fill", "where"}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At the call that failed first, then at those before it, the nearest first."""
    failed = scene.call
    if failed is not None and not scene.case.in_layer:
        yield from _variations(scene, failed, LAST)
    for at, call in enumerate(origins.written_calls(scene)):
        if at >= _NEAR:
            break
        yield from _variations(scene, call, LAST + 0.05 + at / 20)
        yield from _behind(scene, call, LAST + 0.3 + at / 20)


def _variations(scene: Scene, call: Call, cost: float) -> Iterator[Candidate]:
    if call.base in _NUMBERS or not call.input_shapes:
        return
    for place in (*range(len(call.args)), *call.kwargs):
        value = call.args[place] if isinstance(place, int) else call.kwargs[place]
        for new, far in _others(scene, call, place, value):
            if said := _viewed(scene, call, place, new, cost + far):
                yield from said
                continue
            args, kwargs = _with(call, place, new)
            yield from again(scene, call, args, kwargs, cost + far)
    reduced = call.base in _REDUCING and len(call.args) + len(call.kwargs) > 1
    if reduced and not isinstance(call.args[-1], Tensor):
        yield from again(scene, call, call.args, {**call.kwargs, "keepdim": True}, cost)
    if call.base in ("cat", "stack", "softmax", "squeeze", "chunk", "split", "cosine_similarity"):
        yield from _unsaid(scene, call, cost)


def _viewed(
    scene: Scene, call: Call, place: int | str, new: object, cost: float
) -> list[Candidate]:
    """A size of a view behind the first, with the others as they are written."""
    within = call.base in ("view", "reshape") and isinstance(place, int) and place > 1
    if not within or type(new) is not int or new <= 0:
        return []
    return as_asked(scene, call, {int(place) - 1: new}, cost)


def _with(call: Call, place: int | str, new: object) -> tuple[Given, Named]:
    if isinstance(place, int):
        return (*call.args[:place], new, *call.args[place + 1 :]), call.kwargs
    return call.args, {**call.kwargs, place: new}


def _unsaid(scene: Scene, call: Call, cost: float) -> Iterator[Candidate]:
    """A dimension that was left to its default."""
    places = _DIMS[call.base]
    if "dim" in call.kwargs or len(call.args) > int(places[0]):
        return
    for dim in _dimensions(scene, call):
        yield from again(scene, call, call.args, {**call.kwargs, "dim": dim}, cost + 0.1)


def _dimensions(scene: Scene, call: Call) -> tuple[int, ...]:
    """The dimensions of what a call takes, last and second first; never the batch."""
    rank = max(map(len, call.input_shapes))
    lead = 1 if scene.lab.inputs.batch else 0
    inner = range(lead, rank)
    return tuple(dict.fromkeys((-1, *inner, *(dim - rank for dim in inner))))


def _others(
    scene: Scene, call: Call, place: int | str, value: object
) -> Iterator[tuple[object, float]]:
    """Other values of one argument."""
    if type(value) is int:
        if place in _DIMS.get(call.base, ()):
            for at, dim in enumerate(_dimensions(scene, call)):
                if dim != value:
                    yield dim, 0.05 + at / 100
            return
        yield from _numbers(scene, call, value)
    elif isinstance(value, float) and call.base in ("interpolate", "upsample"):
        yield from origins.values(int(value), (), origins.pairs(scene))
    elif isinstance(value, tuple | list) and call.base not in ("permute", "expand", "pad"):
        for at, part in enumerate(value):
            if type(part) is int:
                for new, far in _numbers(scene, call, part):
                    yield type(value)((*value[:at], new, *value[at + 1 :])), far


def _numbers(scene: Scene, call: Call, value: int) -> Iterator[tuple[int, float]]:
    """Sizes that are in play; in a view also whatever is left over."""
    if value <= 0 and call.base != "getitem":
        return
    sizes = origins.every_size(scene) if call.base != "topk" else _lengths(call)
    yield from origins.values(value, sizes, origins.pairs(scene))
    if call.base in ("view", "reshape", "unflatten"):
        yield -1, 0.2


def _lengths(call: Call) -> list[int]:
    return [size for size in reversed(call.input_shapes[0]) if size > 0]


def _behind(scene: Scene, call: Call, cost: float) -> Iterator[Candidate]:
    """A usual operation on what an earlier call gives, and another in the place of a flatten."""
    shape = call.output_shapes[0] if call.output_shapes else ()
    lead = 1 if scene.lab.inputs.batch else 0
    if call.base == "flatten" and len(call.input_shapes[0]) > 2:
        tokens = ops.transpose(1, 2)
        yield from again(scene, call, (call.args[0], 2), {}, cost - 0.25, tokens)
        yield from again(scene, call, (call.args[0], 2), {}, cost - 0.2)
    if len(call.outputs) > 1 and scene.call is None:
        yield from again(scene, call, call.args, call.kwargs, cost - 0.3, ops.item(0))
    if len(call.outputs) != 1:
        return
    for dim in range(lead, len(shape) + 1):
        yield from again(scene, call, call.args, call.kwargs, cost + 0.1, ops.unsqueeze(dim))
    for one in range(lead, len(shape)):
        if shape[one] == 1:
            yield from again(scene, call, call.args, call.kwargs, cost, ops.squeeze(one))
        for two in range(one + 1, len(shape)):
            turned = ops.transpose(one, two)
            yield from again(scene, call, call.args, call.kwargs, cost + 0.05, turned)
