"""Fixes where the batch got lost: swallowed by a flatten, squeezed away, or written as a number."""

import sys
from collections.abc import Callable, Iterator, Sequence
from math import prod
from types import FrameType

from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.rows import LostBatch
from viewfinder.explain.edits import Rewrite
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene, Tensors
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import expression, module_call, with_argument

_VIEWS = ("view", "reshape")
MAKERS = {"zeros", "ones", "randn", "rand", "empty"}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """The first call after which the batch is no dimension of its own, written so that it is."""
    yield from _made_for_one(scene)
    call = scene.names.lost_batch()
    if isinstance(scene.case.failure.error, LostBatch):
        call = scene.call
    if call is None and scene.call is not None and scene.call.base in _VIEWS:
        call = scene.call
    if call is None:
        return
    yield from _kept(scene, call)


def _made_for_one(scene: Scene) -> Iterator[Candidate]:
    """A state, say, that is made for a batch of a fixed size: `torch.zeros(16, 24)`."""
    met = (*scene.given, *(scene.call.tensors if scene.call else ()))
    for made in scene.case.failure.trace.calls:
        sizes = made.args[0] if made.args and isinstance(made.args[0], tuple) else made.args
        own = made.base in MAKERS and any(one is out for one in met for out in made.outputs)
        if not own or made.place is None or not all(type(size) is int for size in sizes):
            continue
        code = made.place.code
        name = code.co_varnames[min(1, code.co_argcount - 1)] if code.co_argcount else ""
        for at, size in enumerate(sizes[:2]) if name else ():
            if size in (1, scene.lab.inputs.batch):
                continue
            words = [f"{name}.size(0)" if n == at else str(one) for n, one in enumerate(sizes)]
            text = f"torch.{made.base}({', '.join(words)})"
            node = module_call(made.place)
            if node is not None and len(node.args) == len(sizes):
                text = with_argument(node, at, f"{name}.size(0)")
            edit = Rewrite(made.place[:2], made.operation, text, for_batch(name, at, sizes))
            found = expression(made.place, made.args, made.tensors)
            old = " ".join(found.text.split()) or f"torch.{made.base}(…)"
            yield Candidate((edit,), f"{text} instead of {old}", 0.0)


def for_batch(
    name: str, at: int, sizes: Sequence[object], *, replaced: int = 1, dim: int = 0
) -> Callable[..., object]:
    """The same maker with the batch that the running forward was given in one place.

    Args:
        name: what that forward calls it.
        at: the place among the sizes.
        replaced: 0 where the batch comes in before the size there, 1 where it takes its place.
        dim: where it has its batch.
    """

    def carry_out(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not isinstance(frame.f_locals.get(name), Tensor):
            frame = frame.f_back
        batch = frame.f_locals[name].size(dim) if frame is not None else sizes[at]
        return function(*sizes[:at], batch, *sizes[at + replaced :], **kwargs)

    return carry_out


def _kept(scene: Scene, call: Call) -> Iterator[Candidate]:
    shape = call.input_shapes[0]
    if len(shape) < 2:
        return
    if call.module and _is_flatten(scene, call):
        yield from scene.replace(call.module, 0, start_dim=1)
        return
    if call.base == "flatten":
        yield from scene.instead(call, "torch.flatten({0}, 1)", lambda t: t[0].flatten(1), 0)
    elif call.base in _VIEWS:
        yield from _views(scene, call, shape)
    elif call.base == "squeeze":
        yield from scene.instead(call, "{0}.flatten(1)", lambda t: t[0].flatten(1), 0.2)
        ones = [dim for dim in range(1, len(shape)) if shape[dim] == 1]
        if ones:
            code = "{0}" + "".join(f".squeeze({dim - len(shape)})" for dim in ones)
            back = tuple(dim - len(shape) for dim in ones)
            yield from scene.instead(call, code, lambda t: t[0].squeeze(back), 0.1)
    elif call.base in ("mean", "sum", "amax", "amin", "max") and len(shape) > 2:
        dims = tuple(range(2, len(shape)))
        name = "amax" if call.base == "max" else call.base
        yield from scene.instead(
            call, f"{{0}}.{name}({dims})", lambda t: getattr(t[0], name)(dims), 0.3
        )


def _is_flatten(scene: Scene, call: Call) -> bool:
    try:
        return isinstance(scene.net.get_submodule(call.module), nn.Flatten)
    except AttributeError:
        return False


def _views(scene: Scene, call: Call, shape: Shape) -> Iterator[Candidate]:
    target = view_sizes(call)
    if target is None or "batch" not in scene.names.operand(call, 0)[:1]:
        return
    way = call.base
    own = prod(shape[1:])
    tails: list[tuple[float, tuple[int, ...]]] = []
    if target and target[0] != -1:
        # The batch was written as a number, or worked out from one.
        tails.append((0.0, target[1:]))
    if len(target) >= 2 and -1 in target[1:]:
        tails.append((0.1, target[1:]))
    if len(target) <= 2:
        tails.append((0.2, (-1,)))
    for cost, tail in tails:
        fixed = prod(size for size in tail if size != -1)
        if not tail or tail.count(-1) > 1 or fixed < 1 or own % fixed:
            continue
        if -1 not in tail and fixed != own:
            continue

        def run(t: Tensors, tail: tuple[int, ...] = tail) -> object:
            return getattr(t[0], way)(t[0].size(0), *tail)

        sizes = ", ".join(map(str, tail))
        yield from scene.instead(call, f"{{0}}.{way}({{0}}.size(0), {sizes})", run, cost)
        if way == "view" and not call.tensors[0].is_contiguous() and call is not scene.call:

            def copied(t: Tensors, tail: tuple[int, ...] = tail) -> object:
                return t[0].reshape(t[0].size(0), *tail)

            code = f"{{0}}.reshape({{0}}.size(0), {sizes})"
            yield from scene.instead(call, code, copied, cost + 0.3)


def view_sizes(call: Call) -> Shape | None:
    """The sizes that a view or reshape was asked for, as plain numbers."""
    sizes = call.args[1:] or tuple(call.kwargs.values())
    flat = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    if flat and all(isinstance(size, int) for size in flat):
        return tuple(flat)
    return None
