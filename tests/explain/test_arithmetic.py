"""Sizes, formulas and unread positions against torch itself, over random settings."""

import re
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from viewfinder.explain.arithmetic import (
    Adaptive,
    Axis,
    Padding,
    Resize,
    Transposed,
    Window,
    unread,
)

sizes = st.integers(1, 40)
small = st.integers(1, 7)


@st.composite
def convolutions(draw: st.DrawFn) -> Window:
    axis = Window(
        draw(sizes),
        draw(small),
        draw(st.integers(1, 8)),
        draw(st.integers(0, 6)),
        draw(st.integers(0, 6)),
        draw(st.integers(1, 4)),
    )
    assume(axis.slack >= 0)
    return axis


@st.composite
def poolings(draw: st.DrawFn) -> Window:
    window = draw(small)
    padding = draw(st.integers(0, window // 2))
    stride, ceil = draw(st.integers(1, 8)), draw(st.booleans())
    axis = Window(draw(sizes), window, stride, padding, padding, draw(st.integers(1, 3)), ceil)
    assume(axis.slack >= 0)
    return axis


@st.composite
def transposed(draw: st.DrawFn) -> Transposed:
    stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    extra = draw(st.integers(0, max(stride, dilation) - 1))
    axis = Transposed(
        draw(st.integers(1, 12)), draw(small), stride, draw(st.integers(0, 4)), extra, dilation
    )
    assume(axis.output > 0)
    return axis


def convolved(axis: Window, x: torch.Tensor) -> torch.Tensor:
    x = F.pad(x, (axis.before, axis.after))
    return F.conv1d(x, torch.ones(1, 1, axis.window), stride=axis.stride, dilation=axis.dilation)


def pooled(axis: Window, x: torch.Tensor) -> torch.Tensor:
    return F.max_pool1d(
        x, axis.window, axis.stride, axis.before, axis.dilation, ceil_mode=axis.ceil
    )


def deconvolved(axis: Transposed, x: torch.Tensor) -> torch.Tensor:
    return F.conv_transpose1d(
        x,
        torch.ones(1, 1, axis.window),
        stride=axis.stride,
        padding=axis.padding,
        output_padding=axis.extra,
        dilation=axis.dilation,
    )


def reads(output: torch.Tensor, x: torch.Tensor) -> list[list[int]]:
    """Which positions of x each output position has a gradient to."""
    taps = []
    for i in range(output.shape[-1]):
        (gradient,) = torch.autograd.grad(output[..., i].sum(), x, retain_graph=True)
        taps.append(gradient.flatten().nonzero().flatten().tolist())
    return taps


def check(axis: Axis, output: torch.Tensor, x: torch.Tensor) -> None:
    """Size, taps, reach and unread positions of an axis whose every tap has a weight."""
    assert output.shape[-1] == axis.output
    taps = reads(output, x)
    assert [list(axis.taps(i)) for i in range(axis.output)] == taps
    read = {position for positions in taps for position in positions}
    assert set(unread(axis)) == set(range(axis.size)) - read
    check_reach(axis, taps)


def check_reach(axis: Axis, taps: list[list[int]]) -> None:
    gain, low, high = axis.reach()
    for i, positions in enumerate(taps):
        assert all(gain * i + low <= position <= gain * i + high for position in positions)


def ones(size: int) -> torch.Tensor:
    return torch.ones(1, 1, size, requires_grad=True)


@given(convolutions())
@settings(max_examples=150)
def test_convolution(axis: Window) -> None:
    x = ones(axis.size)
    check(axis, convolved(axis, x), x)


@given(poolings())
@settings(max_examples=150)
def test_pooling_comes_out_as_torch_says(axis: Window) -> None:
    assert pooled(axis, torch.zeros(1, 1, axis.size)).shape[-1] == axis.output


@given(poolings())
@settings(max_examples=60)
def test_pooling_reads_what_it_says(axis: Window) -> None:
    # Max pooling has a gradient to its largest tap only: raise one position at a time. A window
    # that lies in the padding alone gives -∞, whatever is raised.
    moved = [set() for _ in range(axis.output)]
    for position in range(axis.size):
        x = torch.zeros(1, 1, axis.size)
        x[..., position] = 1
        for i in (pooled(axis, x) > 0).flatten().nonzero().flatten().tolist():
            moved[i].add(position)
    assert moved == [set(axis.taps(i)) for i in range(axis.output)]
    assert set(unread(axis)) == set(range(axis.size)) - set().union(*moved)


@given(transposed())
@settings(max_examples=120)
def test_transposed_convolution(axis: Transposed) -> None:
    x = ones(axis.size)
    check(axis, deconvolved(axis, x), x)


@given(sizes, st.integers(1, 40))
@settings(max_examples=100)
def test_adaptive_pooling(size: int, output: int) -> None:
    x = ones(size)
    check(Adaptive(size, output), F.adaptive_avg_pool1d(x, output), x)


@given(sizes, st.integers(-5, 9), st.integers(-5, 9))
@settings(max_examples=60)
def test_padding(size: int, before: int, after: int) -> None:
    assume(size + before + after > 0)
    assume(min(before, 0) + min(after, 0) > -size)
    x = ones(size)
    check(Padding(size, before, after), F.pad(x, (before, after)), x)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear", "corners"])
@given(size=st.integers(1, 20), output=st.integers(1, 40))
@settings(max_examples=60)
def test_interpolation_stays_within_its_reach(mode: str, size: int, output: int) -> None:
    ratio, x = Fraction(size, output), ones(size)
    if mode == "linear":
        axis = Resize(size, output, ratio, 2, (ratio - 1) / 2)
        y = F.interpolate(x, size=output, mode="linear")
    elif mode == "corners":
        ratio = Fraction(size - 1, output - 1) if output > 1 else Fraction(0)
        axis = Resize(size, output, ratio, 2)
        y = F.interpolate(x, size=output, mode="linear", align_corners=True)
    else:
        axis = Resize(size, output, ratio, 1, ratio / 2 if mode == "nearest-exact" else Fraction(0))
        y = F.interpolate(x, size=output, mode=mode)
    assert y.shape[-1] == axis.output
    check_reach(axis, reads(y, x))


@given(st.one_of(convolutions(), poolings(), transposed()))
@settings(max_examples=150)
def test_the_formula_is_true_arithmetic(axis: Axis) -> None:
    text = axis.formula().split(", less")[0]
    first = text.split(" = ")[0]
    number = first.replace("·", "*").replace("−", "-")
    number = re.sub(r"⌊(.*)⌋", r"floor(\1)", number)
    number = re.sub(r"⌈(.*)⌉", r"ceil(\1)", number)
    assert re.fullmatch(r"[\d\s+\-*/().floreci]+", number)
    value = eval(number, {"floor": lambda v: v // 1, "ceil": lambda v: -(-v // 1)})
    stated = axis.output + (1 if "less 1" in axis.formula() else 0)
    assert value == stated
    assert axis.formula().endswith(str(axis.output)) or "less 1" in axis.formula()


def test_the_formula_as_one_writes_it() -> None:
    assert Window(224, 11, 4, 1, 2).formula() == "(224 − 11 + 1 + 2)/4 + 1 = 55"
    assert Window(224, 11, 4, 2, 2).formula() == "⌊(224 − 11 + 2·2)/4⌋ + 1 = ⌊54.25⌋ + 1 = 55"
    assert Window(32, 3, 1, 2, 2, 2).formula() == "(32 − (2·(3 − 1) + 1) + 2·2)/1 + 1 = 32"
    assert Window(112, 3, 2, ceil=True).formula() == "⌈(112 − 3 + 2·0)/2⌉ + 1 = ⌈54.5⌉ + 1 = 56"
    assert Transposed(7, 4, 2, 1).formula() == "(7 − 1)·2 + 4 − 2·1 = 14"
    assert Adaptive(13, 6).formula().startswith("window i: ⌊13·i/6⌋ to ⌈13·(i + 1)/6⌉")
    assert Padding(224, 1, 2).formula() == "224 + 1 + 2 = 227"
