"""Fixes where two branches of maps meet in different sizes or channels."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import gcd

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain.arithmetic import Transposed, Window
from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.layers import resized
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Candidate, Scene
from viewfinder.explain.geometry import axes
from viewfinder.explain.sources import module_call
from viewfinder.explain.traces import ancestors

_CONV = nn.modules.conv._ConvNd


def candidates(
    scene: Scene, call: Call, wrong: Sequence[int], *, parts: bool = False
) -> Iterator[Candidate]:
    """For a sum, or with `parts` a concatenation, of maps that differ in the dimensions `wrong`."""
    spatial = [dim for dim in wrong if dim > 1]
    if not parts and wrong:
        yield from _strided(scene, call)
        yield from _projections(scene, call)
    if not spatial:
        if wrong:
            yield from _same_channels(scene, call)
            yield from _shuffled(scene, call)
        return
    yield from _transposed(scene, call)
    for producer in call.producers:
        yield from all_transposed(scene, producer)
    if not parts:
        yield from _interpolated(scene, call)
    yield from padded(scene, call)
    yield from _unstrided(scene, call)
    yield from _multiples(scene)


def upsampled(call: Call, position: int) -> bool:
    """Whether an operand was enlarged after it last shared a call with the others."""
    own = _exclusive(call, position)
    return any(_enlarges(one) for one in own)


def _enlarges(call: Call) -> bool:
    if call.base in ("interpolate", "upsample", "pixel_shuffle", "max_unpool2d"):
        return True
    return bool(call.outputs) and any(isinstance(axis, Transposed) for axis in axes(call))


def _exclusive(call: Call, position: int) -> list[Call]:
    """The calls that only this operand came through, latest first."""
    mine, others = call.producers[position], set()
    for at, producer in enumerate(call.producers):
        if at != position and isinstance(producer, Call):
            others |= {one.index for one in ancestors(producer)}
    if not isinstance(mine, Call):
        return []
    return [one for one in ancestors(mine) if one.index not in others]


def _short(call: Call) -> int:
    """Which of two operands took the shorter way: the shortcut."""
    return min((0, 1), key=lambda at: len(_exclusive(call, at)))


def _projections(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A 1×1 convolution on the shortcut, with the stride of the branch."""
    short = _short(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    if small[0] != large[0] or upsampled(call, 1 - short) or _laterals(scene, call):
        return
    stride = round(small[2] / large[2]) if large[2] else 0
    if stride < 1 or any(-(-small[d] // stride) != large[d] for d in (2, 3)):
        return
    if max(large[2:]) == 1 < max(small[2:]):
        # A number for each channel is no branch, and a map is not to be shrunk to it.
        return
    yield from _each_block(scene, call, short)
    options = {"stride": stride} if stride > 1 else {}
    code, make = made("Conv2d", small[1], large[1], kernel_size=1, **options)
    yield from _new_layer(scene, short, code, make, 0.1 if len(_exclusive(call, short)) < 3 else 1)


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


def is_padded(scene: Scene, call: Call, position: int) -> bool:
    """Whether a convolution that only this operand came through pads its sequence."""
    for one in _exclusive(call, position):
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, _CONV) and layer.padding not in ("valid", (0,)):
            return True
    return False


def _laterals(scene: Scene, call: Call) -> bool:
    """Levels of a pyramid, each from a bare 1×1 convolution: the coarser is to be made larger."""
    if call.input_shapes[0][2:] == call.input_shapes[1][2:]:
        return False
    for producer in call.producers[:2]:
        path = producer.module if isinstance(producer, Call) else ""
        layer = scene.net.get_submodule(path) if path else None
        if not isinstance(layer, nn.Conv2d) or set(layer.kernel_size) != {1}:
            return False
    return True


def _strided(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A convolution that the shortcut has already, with the stride of the branch."""
    short = _short(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    stride = round(small[2] / large[2]) if large[2] else 0
    if stride < 2 or _laterals(scene, call):
        return
    for one in _exclusive(call, short):
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, nn.Conv2d) and set(layer.stride) == {1}:
            yield from scene.replace(one.module, 0.05, stride=stride)
            return


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
    short = _short(call)
    small, large = call.input_shapes[short], call.input_shapes[1 - short]
    names = scene.called(short)
    if small[:-1] != large[:-1] or small[-1] == large[-1] or names[-1] in SPATIAL:
        return
    code, make = made("Linear", small[-1], large[-1])
    yield from _new_layer(scene, short, code, make, 0.2)
    main = scene.case.back(call.producers[1 - short])
    if isinstance(main, Call) and main.module:
        layer = scene.net.get_submodule(main.module)
        if isinstance(layer, nn.Linear) and layer.out_features == large[-1]:
            yield from scene.replace(main.module, 0.6, out_features=small[-1])


def _same_channels(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The branch gives as many channels as the shortcut has."""
    short = _short(call)
    wanted = call.input_shapes[short][1]
    changes: list[Candidate] = []
    for one in _exclusive(call, 1 - short):
        if not one.module:
            continue
        layer = scene.net.get_submodule(one.module)
        if isinstance(layer, nn.modules.batchnorm._NormBase):
            changes += scene.replace(one.module, 0.3, num_features=wanted)
        elif isinstance(layer, _CONV):
            changes += scene.replace(one.module, 0.3, out_channels=wanted)
            break
    yield from _together(changes)


def _shuffled(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The convolution before a PixelShuffle by r gives r² times the channels that are wanted."""
    for position in (0, 1):
        wanted, factor = call.input_shapes[1 - position][1], 1
        for one in _exclusive(call, position):
            layer = scene.net.get_submodule(one.module) if one.module else None
            if one.base == "pixel_shuffle":
                factor *= int(one.argument("upscale_factor")) ** 2
            elif isinstance(layer, _CONV) and factor > 1:
                yield from scene.replace(one.module, 0.2, out_channels=wanted * factor)
                break


def _together(changes: list[Candidate]) -> Iterator[Candidate]:
    if not changes:
        return
    whole = changes[0]
    for change in changes[1:]:
        whole = whole.and_(change)
    yield whole


def _transposed(scene: Scene, call: Call) -> Iterator[Candidate]:
    """output_padding of the transposed convolution that came short."""
    for position in range(len(call.producers)):
        for one in _exclusive(call, position):
            if not one.module or not one.base.startswith("conv_transpose"):
                continue
            layer = scene.net.get_submodule(one.module)
            target = call.input_shapes[1 if position == 0 else 0][2:]
            gaps = tuple(
                a - b for a, b in zip(target, call.input_shapes[position][2:], strict=True)
            )
            if min(gaps) < 0 or not any(gaps) or not isinstance(layer, _CONV):
                continue
            extra = tuple(a + b for a, b in zip(layer.output_padding, gaps, strict=True))
            yield from scene.replace(one.module, 0.1, output_padding=extra)
            break


def all_transposed(scene: Scene, producer: Call | int | None) -> Iterator[Candidate]:
    """output_padding of every transposed convolution on the way: each undoes a halving."""
    changes: list[Candidate] = []
    for one in ancestors(producer) if isinstance(producer, Call) else ():
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, _CONV) and one.base.startswith("conv_transpose"):
            extra = tuple(step - 1 for step in layer.stride)
            if any(extra) and tuple(layer.output_padding) != extra:
                changes += scene.replace(one.module, 0.05, output_padding=extra)
    for count in range(1, min(len(changes), 4) + 1):
        yield from _together(changes[:count])


def _interpolated(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The enlarged map brought to the size of the other; never the other way round."""
    raised = [upsampled(call, at) for at in (0, 1)]
    pyramid = _laterals(scene, call)
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


def padded(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Windows in the branches padded so that they keep their map's size."""
    changes: list[Candidate] = []
    seen: set[str] = set()
    for position in range(len(call.producers)):
        for one in _exclusive(call, position):
            if not one.module or one.module in seen or not one.base.startswith("conv"):
                continue
            seen.add(one.module)
            layer = scene.net.get_submodule(one.module)
            if isinstance(layer, _CONV) and "transpose" not in one.base:
                changes += _keeping(scene, one.module, layer)
    yield from _together(changes)
    if len(call.input_shapes[0]) == 3:
        yield from _causal(scene, sorted(seen))


def _causal(scene: Scene, paths: Sequence[str]) -> Iterator[Candidate]:
    """Padding by all that a window reaches back, where the end is cut off afterwards."""
    changes: list[Candidate] = []
    for path in paths:
        layer = scene.net.get_submodule(path)
        if isinstance(layer, _CONV) and not isinstance(layer.padding, str):
            span = tuple(
                d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)
            )
            if any(span) and tuple(layer.padding) != span:
                changes += scene.replace(path, 0.05, padding=span)
    yield from _together(changes)


def _keeping(scene: Scene, path: str, layer: nn.modules.conv._ConvNd) -> list[Candidate]:
    spans = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    if isinstance(layer.padding, str):
        return []
    if any(span % 2 for span in spans):
        if set(layer.stride) == {1}:
            return scene.replace(path, 0.2, padding="same")
        odd = tuple(k + (k % 2 == 0) for k in layer.kernel_size)
        return scene.replace(path, 0.3, kernel_size=odd, padding=tuple(k // 2 for k in odd))
    halves = tuple(span // 2 for span in spans)
    if tuple(layer.padding) == halves:
        return []
    return scene.replace(path, 0.2, padding=halves)


def _unstrided(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Stride 1 in the branch, so that it stays as large as the shortcut."""
    changes: list[Candidate] = []
    for position in range(len(call.producers)):
        for one in _exclusive(call, position):
            if not one.module:
                continue
            layer = scene.net.get_submodule(one.module)
            if isinstance(layer, _CONV) and max(layer.stride) > 1 and "transpose" not in one.base:
                changes += scene.replace(one.module, 0.7, stride=1)
    yield from _together(changes[:2])


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
