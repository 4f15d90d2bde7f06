"""Fixes where two branches of maps meet in different sizes or channels."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import gcd

import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.arithmetic import Window
from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.layers import resized
from viewfinder.explain.fixes.padding import padded
from viewfinder.explain.fixes.projections import projections, same_channels, shuffled, strided
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.fixes.ways import (
    CONVOLUTION,
    exclusive,
    laterals,
    together,
    upsampled,
)
from viewfinder.explain.geometry import axes
from viewfinder.explain.sources import module_call
from viewfinder.explain.traces import ancestors


def candidates(
    scene: Scene, call: Call, wrong: Sequence[int], *, parts: bool = False
) -> Iterator[Candidate]:
    """For a sum, or with `parts` a concatenation, of maps that differ in the dimensions `wrong`."""
    spatial = [dim for dim in wrong if dim > 1]
    if not parts and wrong:
        yield from strided(scene, call)
        yield from projections(scene, call)
    if not spatial:
        if wrong:
            yield from same_channels(scene, call)
            yield from shuffled(scene, call)
        return
    yield from _transposed(scene, call)
    for producer in call.producers:
        yield from all_transposed(scene, producer)
    if not parts:
        yield from _interpolated(scene, call)
    yield from padded(scene, call)
    yield from _unstrided(scene, call)
    yield from _multiples(scene)


def _transposed(scene: Scene, call: Call) -> Iterator[Candidate]:
    """output_padding of the transposed convolution that came short."""
    for position in range(len(call.producers)):
        for one in exclusive(call, position):
            if not one.module or not one.base.startswith("conv_transpose"):
                continue
            layer = scene.net.get_submodule(one.module)
            target = call.input_shapes[1 if position == 0 else 0][2:]
            gaps = tuple(
                a - b for a, b in zip(target, call.input_shapes[position][2:], strict=True)
            )
            if min(gaps) < 0 or not any(gaps) or not isinstance(layer, CONVOLUTION):
                continue
            extra = tuple(a + b for a, b in zip(layer.output_padding, gaps, strict=True))
            yield from scene.replace(one.module, 0.1, output_padding=extra)
            break


def all_transposed(scene: Scene, producer: Call | int | None) -> Iterator[Candidate]:
    """output_padding of every transposed convolution on the way: each undoes a halving."""
    changes: list[Candidate] = []
    for one in ancestors(producer) if isinstance(producer, Call) else ():
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, CONVOLUTION) and one.base.startswith("conv_transpose"):
            extra = tuple(step - 1 for step in layer.stride)
            if any(extra) and tuple(layer.output_padding) != extra:
                changes += scene.replace(one.module, 0.05, output_padding=extra)
    for count in range(1, min(len(changes), 4) + 1):
        yield from together(changes[:count])


def _interpolated(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The enlarged map brought to the size of the other; never the other way round."""
    raised = [upsampled(call, at) for at in (0, 1)]
    pyramid = laterals(scene, call)
    if any(scene.called(at)[2:] != ("height", "width") for at in (0, 1)):
        return
    for position in (0, 1):
        mine, other = call.input_shapes[position], call.input_shapes[1 - position]
        smaller = mine[2] * mine[3] < other[2] * other[3]
        if raised[position] and mine[2] >= 2 * other[2]:
            # Super-resolution: what was made larger stays so.
            continue
        if raised[1 - position] and other[2] >= 2 * mine[2]:
            raised[position] = True
        if raised[position] or (not any(raised) and smaller):
            code = f"F.interpolate({{{position}}}, size={{{1 - position}}}.shape[2:])"

            def run(t: Sequence[Tensor], p: int = position) -> Tensor:
                return F.interpolate(t[p], size=t[1 - p].shape[2:])

            cost = 0.2 if raised[position] or pyramid else 1.0
            if placed := _unpooled(call.producers[position]):
                # The places that were kept may lie beyond what the smaller map holds.
                size = tuple(map(int, other[2:]))
                given = {**placed.kwargs, "output_size": size}
                for one in again(scene, placed, placed.args, given, 0.2):
                    yield _said(one, placed, f"output_size={size}")
                continue
            yield from scene.on_operand(position, code, run, cost)
        elif any(raised) and not smaller and mine[2:] != other[2:]:
            if _unpooled(call.producers[1 - position]):
                # Its places may lie beyond its map, whatever the skip is cut to.
                continue
            # A skip that is larger, since nothing was padded, is cropped.
            crop = f"{{{position}}}[..., :{{{1 - position}}}.size(2), :{{{1 - position}}}.size(3)]"

            def cut(t: Sequence[Tensor], p: int = position) -> Tensor:
                return t[p][..., : t[1 - p].size(2), : t[1 - p].size(3)]

            yield from scene.on_operand(position, crop, cut, 0.8)


def _said(candidate: Candidate, call: Call, more: str) -> Candidate:
    """The call of a module as it is written, with one argument more."""
    written = module_call(call.place)
    if written is None:
        return candidate
    text = ast.unparse(written)
    return replace(candidate, says=f"{text[:-1]}, {more}) instead of {text}")


def _unpooled(producer: Call | int | None) -> Call | None:
    """The unpooling that an operand comes out of."""
    while isinstance(producer, Call) and producer.base in PASSING and producer.producers:
        producer = producer.producers[0]
    found = isinstance(producer, Call) and producer.base.startswith("max_unpool")
    return producer if isinstance(producer, Call) and found else None


def _unstrided(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Stride 1 in the branch, so that it stays as large as the shortcut."""
    changes: list[Candidate] = []
    for position in range(len(call.producers)):
        for one in exclusive(call, position):
            if not one.module:
                continue
            layer = scene.net.get_submodule(one.module)
            if (
                isinstance(layer, CONVOLUTION)
                and max(layer.stride) > 1
                and "transpose" not in one.base
            ):
                changes += scene.replace(one.module, 0.7, stride=1)
    yield from together(changes[:2])


def _multiples(scene: Scene) -> Iterator[Candidate]:
    """Pictures whose sides every halving on the way divides."""
    inputs = scene.case.failure.trace.inputs
    if not inputs or inputs[0].dim() != 4:
        return
    sides = tuple(map(int, inputs[0].shape[-2:]))
    step = 1
    for call in scene.case.failure.trace.calls:
        if any(isinstance(axis, Window) and axis.stride > 1 for axis in axes(call)):
            step = min(step * 2, 64)
    for multiple in (step // 2, step, step * 2):
        if multiple < 2:
            continue
        sizes = [-(-side // multiple) * multiple for side in sides]
        if tuple(sizes) != sides:
            found = resized(sizes[0], sizes[1], 0.9)
            common = gcd(multiple, *sizes)
            words = f"pictures whose sides are multiples of {common}: {sizes[0]}×{sizes[1]}"
            yield Candidate(found.edits, words, 0.9, only_here=True)
