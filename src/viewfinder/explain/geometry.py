"""From a call's arguments to the arithmetic of each of its axes."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from viewfinder.explain.arithmetic import Adaptive, Axis, Padding, Resize, Transposed, Window
from viewfinder.explain.calls import Call

_TAPS = {"linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}


def axes(call: Call) -> tuple[Axis, ...]:
    """The axes that a call slides, pads or scales, the last dimension last; else none."""
    name = call.base
    if name.startswith("conv_transpose"):
        return _transposed(call)
    if name.startswith("conv") and name[-2:] in ("1d", "2d", "3d"):
        return _convolution(call)
    if name.startswith("adaptive"):
        return _adaptive(call)
    if "_pool" in name:
        return _pooling(call)
    if name == "pad":
        return _padding(call)
    if name in ("interpolate", "upsample"):
        return _resizing(call)
    return ()


def per_axis(value: int | Iterable[int], count: int) -> tuple[int, ...]:
    """A setting that torch takes as one number for all axes or as one for each."""
    if isinstance(value, int):
        return (value,) * count
    numbers = tuple(int(item) for item in value)
    return numbers * count if len(numbers) == 1 else numbers


def _rank(call: Call) -> int:
    digits = [letter for letter in call.base if letter in "123"]
    return int(digits[-1]) if digits else 2


def _sizes(call: Call, count: int) -> tuple[int, ...]:
    return call.input_shapes[0][-count:]


def _convolution(call: Call) -> tuple[Axis, ...]:
    rank = _rank(call)
    kernel = tuple(int(size) for size in call.argument("weight").shape[-rank:])
    stride = per_axis(call.argument("stride", 1), rank)
    dilation = per_axis(call.argument("dilation", 1), rank)
    padding = call.argument("padding", 0)
    if isinstance(padding, str):
        # "same" pads the odd one out behind, as torch does.
        total = [
            d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)
        ]
        sides = [(both // 2, both - both // 2) for both in total]
    else:
        sides = [(side, side) for side in per_axis(padding, rank)]
    settings = zip(_sizes(call, rank), kernel, stride, sides, dilation, strict=True)
    return tuple(Window(w, k, s, p[0], p[1], d) for w, k, s, p, d in settings)


def _transposed(call: Call) -> tuple[Axis, ...]:
    rank = _rank(call)
    kernel = tuple(int(size) for size in call.argument("weight").shape[-rank:])
    names = (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1))
    settings = [per_axis(call.argument(name, default), rank) for name, default in names]
    return tuple(
        Transposed(w, k, s, p, extra, d)
        for w, k, s, p, extra, d in zip(_sizes(call, rank), kernel, *settings, strict=True)
    )


def _pooling(call: Call) -> tuple[Axis, ...]:
    rank = _rank(call)
    kernel = per_axis(call.argument("kernel_size"), rank)
    given = call.argument("stride")
    stride = per_axis(given, rank) if given not in (None, (), []) else kernel
    padding = per_axis(call.argument("padding", 0), rank)
    dilation = per_axis(call.argument("dilation", 1), rank)
    ceil = bool(call.argument("ceil_mode", False))
    settings = zip(_sizes(call, rank), kernel, stride, padding, dilation, strict=True)
    return tuple(Window(w, k, s, p, p, d, ceil) for w, k, s, p, d in settings)


def _adaptive(call: Call) -> tuple[Axis, ...]:
    rank = _rank(call)
    wanted = call.argument("output_size")
    if isinstance(wanted, int) or wanted is None:
        wanted = (wanted,) * rank
    sizes = _sizes(call, rank)
    return tuple(
        Adaptive(size, size if out is None else int(out))
        for size, out in zip(sizes, wanted, strict=True)
    )


def _padding(call: Call) -> tuple[Axis, ...]:
    sides: Sequence[int] = call.argument("pad")
    pairs = [(int(sides[i]), int(sides[i + 1])) for i in range(0, len(sides), 2)]
    sizes = _sizes(call, len(pairs))
    # torch lists the last dimension first.
    ordered = zip(sizes, reversed(pairs), strict=True)
    return tuple(Padding(size, before, after) for size, (before, after) in ordered)


def _resizing(call: Call) -> tuple[Axis, ...]:
    shape, out = call.input_shapes[0], call.output_shapes[0]
    mode, rank = call.argument("mode", "nearest"), len(shape) - 2
    if mode == "area":
        return tuple(Adaptive(w, n) for w, n in zip(shape[2:], out[2:], strict=True))
    factors = call.argument("scale_factor")
    if factors is None or call.argument("recompute_scale_factor"):
        factors = [None] * rank
    elif not isinstance(factors, list | tuple):
        factors = [factors] * rank
    corners = bool(call.argument("align_corners", False))
    return tuple(
        _resized(w, n, mode, factor, corners)
        for w, n, factor in zip(shape[2:], out[2:], factors, strict=True)
    )


def _resized(size: int, output: int, mode: str, factor: float | None, corners: bool) -> Resize:
    ratio = Fraction(size, output)
    if factor is not None:
        ratio = 1 / Fraction(factor).limit_denominator(4096)
    wide = _TAPS.get(mode, 1)
    if wide == 1:
        shift = ratio / 2 if mode == "nearest-exact" else Fraction(0)
        return Resize(size, output, ratio, 1, shift)
    if corners:
        ratio = Fraction(size - 1, output - 1) if output > 1 else Fraction(0)
        return Resize(size, output, ratio, wide)
    return Resize(size, output, ratio, wide, (ratio - 1) / 2)
