"""Fixes of a shortcut whose channels, features or stride are not those of its branch."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.fixes.ways import (
    CONVOLUTION,
    exclusive,
    laterals,
    shortcut,
    together,
    upsampled,
)


def projections(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A 1×1 convolution on the shortcut, with the stride of the branch."""
    short = shortcut(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    if small[0] != large[0] or upsampled(call, 1 - short) or laterals(scene, call):
        return
    stride = round(small[2] / large[2]) if large[2] else 0
    if stride < 1 or any(-(-small[d] // stride) != large[d] for d in (2, 3)):
        return
    if max(large[2:]) == 1 < max(small[2:]):
        # A number for each channel is no branch, and a map is not to be shrunk to it.
        return
    if _own_stride(scene, call, short):
        # The shortcut has its convolution, which lacks the stride alone.
        return
    yield from _each_block(scene, call, short)
    options = {"stride": stride} if stride > 1 else {}
    code, make = made("Conv2d", small[1], large[1], kernel_size=1, **options)
    yield from _new_layer(scene, short, code, make, 0.1 if len(exclusive(call, short)) < 3 else 1)


def _each_block(scene: Scene, call: Call, short: int) -> Iterator[Candidate]:
    """The same in a block of which the net has several, each with its own channels and stride."""
    owner = scene.net.get_submodule(call.module)
    if sum(type(one) is type(owner) for one in scene.net.modules()) < 2:
        return
    x, y = f"{{{short}}}", f"{{{1 - short}}}"
    layer = f"nn.Conv2d({x}.size(1), {y}.size(1), 1, stride={x}.size(2) // {y}.size(2))"

    def run(t: Sequence[Tensor]) -> Tensor:
        one, two = t[short], t[1 - short]
        if one.shape == two.shape:
            return one
        step = round(one.size(2) / two.size(2))
        projected: Tensor = nn.Conv2d(one.size(1), two.size(1), 1, stride=max(step, 1))(one)
        return projected

    same = f"({x} if {x}.shape == {y}.shape else {layer}({x}))"
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    step = max(round(small[2] / large[2]), 1)
    written, _ = made(
        "Conv2d", small[1], large[1], kernel_size=1, **({"stride": step} if step > 1 else {})
    )
    for one in scene.on_operand(short, same, run, 0.02):
        old = one.says.partition(" instead of ")[2]
        operand = old.partition(" in ")[0]
        words = (
            f"self.project({operand}) instead of {old}, with self.project = {written} here, in "
            f"every {type(owner).__name__} a convolution of 1 for its own channels and stride, "
            "and nn.Identity() where nothing changes"
        )
        yield replace(one, says=words)


def strided(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A convolution that the shortcut has already, with the stride of the branch."""
    short = shortcut(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    stride = round(small[2] / large[2]) if large[2] else 0
    if stride < 2 or laterals(scene, call):
        return
    path = _unstrided(scene, call, short)
    if path:
        yield from scene.replace(path, 0.05, stride=stride)


def _own_stride(scene: Scene, call: Call, short: int) -> bool:
    same = call.input_shapes[short][1] == call.input_shapes[1 - short][1]
    return same and bool(_unstrided(scene, call, short))


def _unstrided(scene: Scene, call: Call, short: int) -> str:
    """The convolution of the shortcut that takes every place; empty where there is none."""
    for one in exclusive(call, short):
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, nn.Conv2d) and set(layer.stride) == {1}:
            return one.module
    return ""


def _new_layer(
    scene: Scene, position: int, code: str, make: object, cost: float
) -> list[Candidate]:
    def run(t: Sequence[Tensor]) -> Tensor:
        layer = make()  # type: ignore[operator]
        tensor = t[position]
        kept = tensor.dtype == torch.get_default_dtype()
        return (layer if kept else layer.to(tensor.dtype))(tensor)  # type: ignore[no-any-return]

    found = scene.on_operand(position, f"{code}({{{position}}})", run, cost)
    said = []
    for one in found:
        old = one.says.partition(" instead of ")[2]
        operand = old.partition(" in ")[0]
        words = f"self.project = {code}, and self.project({operand}) instead of {old}"
        said.append(Candidate(one.edits, words, one.cost))
    return said


def linear_projection(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The same for features: a linear layer on the shortcut."""
    short = shortcut(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    names = scene.called(short)
    if small[:-1] != large[:-1] or small[-1] == large[-1] or names[-1] in SPATIAL:
        return
    own = scene.case.back(call.producers[short])
    direct = scene.net.get_submodule(own.module) if isinstance(own, Call) and own.module else None
    bare = isinstance(direct, nn.Linear) and own is call.producers[short]
    if bare and isinstance(own, Call):
        # No linear layer is put right behind another.
        yield from scene.replace(own.module, 0.15, out_features=large[-1])
    code, make = made("Linear", small[-1], large[-1])
    yield from _new_layer(scene, short, code, make, 0.8 if bare else 0.2)
    main = scene.case.back(call.producers[1 - short])
    if isinstance(main, Call) and main.module:
        layer = scene.net.get_submodule(main.module)
        if isinstance(layer, nn.Linear) and layer.out_features == large[-1]:
            yield from scene.replace(main.module, 0.6, out_features=small[-1])


def same_channels(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The branch gives as many channels as the shortcut has."""
    short = shortcut(call)
    wanted = call.input_shapes[short][1]
    changes: list[Candidate] = []
    for one in exclusive(call, 1 - short):
        if not one.module:
            continue
        layer = scene.net.get_submodule(one.module)
        if isinstance(layer, nn.modules.batchnorm._NormBase):
            changes += scene.replace(one.module, 0.3, num_features=wanted)
        elif isinstance(layer, CONVOLUTION):
            changes += scene.replace(one.module, 0.3, out_channels=wanted)
            break
    yield from together(changes)


def shuffled(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The convolution before a PixelShuffle by r gives r² times the channels that are wanted."""
    for position in (0, 1):
        wanted, factor = call.input_shapes[1 - position][1], 1
        for one in exclusive(call, position):
            layer = scene.net.get_submodule(one.module) if one.module else None
            if one.base == "pixel_shuffle":
                factor *= int(one.argument("upscale_factor")) ** 2
            elif isinstance(layer, CONVOLUTION) and factor > 1:
                yield from scene.replace(one.module, 0.2, out_channels=wanted * factor)
                break
