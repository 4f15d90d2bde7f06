"""How a layer's numbers arise, written out as one does beside it on paper."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod

from torch import Tensor

from viewfinder.explain.arithmetic import Adaptive, Axis, Padding, Transposed, Window, unread
from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.explanation import Dropped, Shape, shape_text
from viewfinder.explain.geometry import axes
from viewfinder.explain.traces import Row

_LETTERS = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


def row_axes(row: Row) -> list[tuple[Call, tuple[Axis, ...]]]:
    """The axes of each call of a row; padding that a convolution does itself is made its own."""
    result: list[tuple[Call, tuple[Axis, ...]]] = []
    for call in row.calls:
        found = axes(call)
        last = result[-1][1] if result else ()
        if found and len(last) == len(found):
            joined = [_joined(pad, window) for pad, window in zip(last, found, strict=True)]
            if all(axis is not None for axis in joined):
                result[-1] = (call, tuple(axis for axis in joined if axis is not None))
                continue
        if found:
            result.append((call, found))
    return result


def _joined(pad: Axis, window: Axis) -> Axis | None:
    if not isinstance(pad, Padding) or not isinstance(window, Window):
        return None
    before, after = window.before + pad.before, window.after + pad.after
    return replace(window, size=pad.size, before=before, after=after)


def formula(row: Row) -> tuple[str, ...]:
    """The row's lines: the size of each axis, then its parameters or its joining of shapes."""
    lines = [line for _, found in row_axes(row) for line in size_lines(found)]
    for call in row.calls:
        lines += _counts(call)
    return tuple(dict.fromkeys(lines))


def size_lines(found: Sequence[Axis]) -> list[str]:
    """One line where all axes come out by the same numbers, else one for each."""
    texts = [axis.formula() for axis in found]
    if len(set(texts)) == 1:
        return [f"N = {texts[0]}"]
    letters = _LETTERS.get(len(texts), tuple(map(str, range(len(texts)))))
    return [f"{letter} = {text}" for letter, text in zip(letters, texts, strict=True)]


def dropped(row: Row) -> Dropped:
    """The rows and columns of the row's input that its windows never read."""
    found = row_axes(row)
    # Behind a first call that moves positions, they would be those of a map in between.
    if not found or (found[0][0] is not row.calls[0] and len(row.calls) > 2):
        return Dropped()
    sliding = found[0][1]
    rows = unread(sliding[-2]) if len(sliding) > 1 else ()
    return Dropped(rows, unread(sliding[-1]), tuple(_dropped_words(sliding)))


def _dropped_words(found: Sequence[Axis]) -> Iterator[str]:
    """What the remainder of each axis means, in words; said once where the axes agree."""
    names = ("row", "column") if len(found) == 2 else ("position",) * len(found)
    if len(found) == 2 and found[0] == found[1]:
        found, names = found[:1], ("row and column",)
    for axis, name in zip(found, names, strict=True):
        missing = unread(axis)
        if isinstance(axis, Window) and axis.remainder and not axis.ceil:
            begin = f"remainder {axis.remainder}: "
            if missing:
                yield f"{begin}{_never_read(missing, name)}"
            else:
                many = f"{axis.remainder} padded {name.replace(' ', 's ', 1)}s"
                last = f"padded {name}" if axis.remainder == 1 else many
                verb = "are" if axis.remainder > 1 or " " in name else "is"
                yield f"{begin}the last {last} {verb} never read, the input itself is read whole"
        elif missing:
            yield _never_read(missing, name)


def _never_read(missing: Shape, name: str) -> str:
    if len(missing) == 1:
        return f"{name} {missing[0]} of the input {'are' if ' ' in name else 'is'} never read"
    steps = {b - a for a, b in pairwise(missing)}
    shown = ", ".join(map(str, missing[:4])) + (", …" if len(missing) > 4 else "")
    if steps == {1}:
        shown = f"{missing[0]}–{missing[-1]}"
    elif len(missing) > 3 and len(steps) == 1:
        shown = f"{missing[0]}, {missing[1]}, … {missing[-1]}"
    return f"{name.replace(' ', 's ', 1)}s {shown} of the input are never read"


def _counts(call: Call) -> Iterator[str]:
    name, shapes = call.base, call.input_shapes
    weight, bias = call.argument("weight"), call.argument("bias")
    if isinstance(weight, Tensor) and (name.startswith("conv") or name in ("linear", "embedding")):
        yield _weights(name, shape_of(weight), bias)
    elif isinstance(weight, Tensor) and name.endswith("_norm"):
        many = 2 if isinstance(bias, Tensor) else 1
        size = weight.numel()
        yield f"{many}·{size} = {many * size:,} params"
    elif name == "cat" and call.output_shapes:
        yield _joining(call)
    elif name in ("flatten", "view", "reshape", "unflatten") and call.output_shapes:
        yield from regrouping(shapes[0], call.output_shapes[0])
    elif name in ("matmul", "bmm", "mm") and len(shapes) == 2:
        yield f"({shape_text(shapes[0][-2:])})·({shape_text(shapes[1][-2:])})"
    elif name in ("add", "mul", "sub", "div") and len(set(shapes)) > 1:
        yield f"{shape_text(shapes[1])} is repeated over {shape_text(shapes[0])}"


def _weights(name: str, shape: Shape, bias: object) -> str:
    if name == "embedding":
        return f"{shape[0]:,}·{shape[1]} = {prod(shape):,} params"
    out, rest = shape[0], shape[1:]
    if name.startswith("conv"):
        rest = (*shape[2:], shape[1])
    if name.startswith("conv_transpose"):
        rest = (*shape[2:], shape[1], shape[0])
        extra = f" + {bias.numel()}" if isinstance(bias, Tensor) else ""
        total = prod(shape) + (bias.numel() if isinstance(bias, Tensor) else 0)
        return f"{'·'.join(map(str, rest))}{extra} = {total:,} params"
    inner = "·".join(map(str, rest))
    if isinstance(bias, Tensor):
        return f"({inner} + 1)·{out} = {prod(shape) + out:,} params"
    return f"{inner}·{out} = {prod(shape):,} params"


def _joining(call: Call) -> str:
    along = call.argument("dim", 0)
    shapes, out = call.input_shapes, call.output_shapes[0]
    parts = [shape[along] for shape in shapes if len(shape) == len(out)]
    what = "channels" if len(out) == 4 and along % 4 == 1 else f"along dimension {along}"
    return f"{' + '.join(map(str, parts))} = {out[along]} {what}"


def regrouping(before: Shape, after: Shape) -> Iterator[str]:
    """Which dimensions a view or flatten multiplies together or splits apart."""
    left, right = list(before), list(after)
    while left and right:
        ins, outs = [left.pop(0)], [right.pop(0)]
        while prod(ins) != prod(outs) and (left or right):
            if left and (prod(ins) < prod(outs) or not right):
                ins.append(left.pop(0))
            else:
                outs.append(right.pop(0))
        if not right:
            ins += left
            left = []
        big_ins, big_outs = [n for n in ins if n != 1], [n for n in outs if n != 1]
        if prod(ins) == prod(outs) and (len(big_ins) > 1 or len(big_outs) > 1):
            one, two = "·".join(map(str, ins)), "·".join(map(str, outs))
            yield f"{one} = {two}"


def words(row: Row) -> tuple[str, ...]:
    """What is worth knowing about the choices this row makes."""
    notes: list[str] = []
    for call in row.calls:
        notes += _call_words(call)
    return tuple(dict.fromkeys(notes))


def _call_words(call: Call) -> Iterator[str]:
    name, found = call.base, axes(call)
    windows = [axis for axis in found if isinstance(axis, Window)]
    if windows and "max_pool" in name and all(a.stride == a.window for a in windows):
        yield "the stride equals the window, which is max pooling's default when none is given"
    if windows and name.startswith("conv"):
        yield from _convolution_words(call, windows)
    if any(isinstance(axis, Adaptive) for axis in found):
        yield "adaptive pooling gives this size whatever comes in"
    if any(isinstance(axis, Transposed) for axis in found):
        yield "transposed: the sizes a convolution with these settings would undo"
    if name == "view":
        yield "view never copies, so it needs the memory in order; reshape copies where it must"
    if name == "flatten":
        start = call.argument("start_dim", 0)
        if start == 1:
            yield "start_dim=1 leaves the batch dimension alone"
        elif start == 0 and len(call.input_shapes[0]) > 1:
            yield "start_dim=0 flattens the batch into the features"


def _convolution_words(call: Call, windows: list[Window]) -> Iterator[str]:
    groups, channels = call.argument("groups", 1), call.input_shapes[0][-len(windows) - 1]
    if groups > 1 and groups == channels:
        yield "depthwise: each channel has a window of its own"
    elif groups > 1:
        yield f"{groups} groups: each sees {channels // groups} of the {channels} channels"
    if all(axis.window == 1 for axis in windows):
        yield "a 1×1 window mixes channels and sees no neighbours"
    elif all(axis.dilation == 1 for axis in windows):
        yield "dilation 1: the taps are neighbours, there is no hole"
    else:
        axis = windows[-1]
        yield f"dilation {axis.dilation}: {axis.window} taps reach over {axis.span} positions"
    if all(a.stride == 1 and a.window > 1 and a.output == a.size for a in windows):
        yield "the padding keeps the size"
