"""Fixes at convolutions and resizing that the user calls as functions."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.scene import Scene


def convolutions(scene: Scene, call: Call) -> Iterator[Candidate]:
    """F.conv2d and its like: only what goes in can be changed."""
    if not call.base.startswith("conv") or not call.input_shapes:
        return
    weight, shape = call.argument("weight"), call.input_shapes[0]
    if not isinstance(weight, Tensor):
        return
    rank = int(call.base[-2]) if call.base[-1] == "d" else weight.dim() - 2
    if weight.dim() < rank + 2 == len(shape):
        yield from _kernels(scene, call, weight, shape, rank)
        return
    if len(shape) == weight.dim() - 1 and int(call.argument("groups", 1)) == shape[1] // max(
        int(weight.shape[2]), 1
    ):
        # Each item's own kernels, its channels being a group.
        yield from scene.operate(1, ops.flatten(0, 1), 0.0)
    yield from _groups(scene, call, weight, shape)
    spatial, groups = weight.dim() - 2, call.argument("groups", 1)
    wanted = int(weight.shape[1]) * groups
    if len(shape) == spatial + 2 and shape[-1] == wanted and shape[1] != wanted:
        yield from scene.operate(0, ops.channels_first(len(shape)), 0.2)
    if len(shape) == spatial + 1 and scene.lab.inputs.batch:
        yield from scene.operate(0, ops.unsqueeze(1), 0.2)
    if len(shape) == spatial + 2 and groups == 1 and "transpose" not in call.base:
        if int(weight.shape[0]) == shape[1] != wanted:
            yield from scene.operate(1, ops.transpose(0, 1), 0.1)
        if wanted == 1 and shape[1] > 1:
            yield from _each_channel(scene, call, spatial)


def _kernels(
    scene: Scene, call: Call, weight: Tensor, shape: Shape, rank: int
) -> Iterator[Candidate]:
    """Kernels with fewer dimensions than a convolution takes: one alone, or all as a row."""
    missing = rank + 2 - weight.dim()
    if weight.dim() >= rank:
        yield from scene.on_operand(
            1, f"{{1}}[{', '.join(['None'] * missing)}]", lambda t: t[1][(None,) * missing], 0.0
        )
        return
    channels, padding = shape[1] // int(call.argument("groups", 1)), call.argument("padding", 0)
    # Padding that keeps the size tells the side of a kernel.
    sides = [2 * padding + 1] if type(padding) is int and padding else []
    for at, side in enumerate(dict.fromkeys((*sides, 3, 5, 7, 1))):
        each = channels * side**rank
        if weight.numel() % each == 0:
            sizes = (weight.numel() // each, channels, *[side] * rank)
            view = ops.method("view", *sizes)
            yield from scene.operate(1, view, 0.05 + 0.05 * at)


def _groups(scene: Scene, call: Call, weight: Tensor, shape: Shape) -> Iterator[Candidate]:
    """One kernel for as many groups as channels; kernels of each item, where items are groups."""
    groups, kernels, ones = int(call.argument("groups", 1)), int(weight.shape[0]), weight.dim() - 1
    if len(shape) != weight.dim() or groups < 2:
        return
    if groups == shape[1] and kernels == 1:
        repeated = f"{{1}}.repeat({{0}}.size(1){', 1' * ones})"

        def repeat(t: Sequence[Tensor]) -> Tensor:
            return t[1].repeat(t[0].size(1), *[1] * ones)

        yield from scene.on_operand(1, repeated, repeat, -0.05)
    if groups == shape[0] == scene.lab.inputs.batch and int(weight.shape[1]) == shape[1]:
        code = "{0}.reshape(1, -1, *{0}.shape[2:])"

        def side_by_side(t: Sequence[Tensor]) -> Tensor:
            return t[0].reshape(1, -1, *t[0].shape[2:])

        yield from scene.on_operand(0, code, side_by_side, 0.0)


def _each_channel(scene: Scene, call: Call, spatial: int) -> Iterator[Candidate]:
    """One filter, such as a blur or an edge, over every channel by itself."""
    kept = {
        name: call.argument(name)
        for name in ("stride", "padding", "dilation")
        if call.argument(name) is not None
    }
    ones = (1,) * (spatial + 1)
    words = "".join(f", {name}={value!r}" for name, value in kept.items())
    repeated = f"{{1}}.repeat({{0}}.size(1), {', '.join(map(str, ones))})"
    code = f"F.{call.base}({{0}}, {repeated}{words}, groups={{0}}.size(1))"
    function: Callable[..., Tensor] = getattr(torch.nn.functional, call.base)

    def run(t: Sequence[Tensor]) -> Tensor:
        count = t[0].size(1)
        made: Tensor = function(t[0], t[1].repeat(count, *ones), **kept, groups=count)
        return made

    yield from scene.instead(call, code, run, 0.15)


def folded(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Patches put together by the windows that cut them apart."""
    names = ("kernel_size", "dilation", "padding", "stride")
    given = {name: call.argument(name, 0 if name == "padding" else 1) for name in names}
    for cut in reversed(scene.case.failure.trace.calls):
        if cut.base != "unfold" or len(cut.input_shapes[0]) != 4:
            continue
        theirs = {name: cut.argument(name, 0 if name == "padding" else 1) for name in names}
        changed = {name: value for name, value in theirs.items() if value != given[name]}
        if changed:
            yield from again(scene, call, call.args, {**call.kwargs, **changed}, 0.0)


def resizing(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A mode that belongs to maps of another rank."""
    rank = len(call.input_shapes[0]) - 2 if call.input_shapes else 0
    size, mode = call.argument("size"), call.argument("mode", "nearest")
    fitting = {1: "linear", 2: "bilinear", 3: "trilinear"}
    if rank not in fitting or (call.args[:1] == () and "input" not in call.kwargs):
        return
    linear = mode in fitting.values() and mode != fitting[rank]
    long = isinstance(size, list | tuple) and len(size) != rank
    if not linear and not long:
        return
    new_mode = fitting[rank] if linear else mode
    sized = size[-1] if rank == 1 and isinstance(size, list | tuple) else size
    if long and rank > 1:
        sized = tuple(list(size) * rank)[:rank]
    scale = call.argument("scale_factor")
    what = f"size={sized}" if size is not None else f"scale_factor={scale}"

    def run(t: Sequence[Tensor]) -> Tensor:
        return torch.nn.functional.interpolate(
            t[0], size=sized, scale_factor=None if size is not None else scale, mode=new_mode
        )

    if scene.case.in_layer:
        layer = scene.layer
        assert layer is not None
        yield from scene.replace(scene.path, 0.1, mode=new_mode, size=sized)
    else:
        code = f"F.interpolate({{0}}, {what}, mode={new_mode!r})"
        yield from scene.instead(call, code, run, 0.1)
