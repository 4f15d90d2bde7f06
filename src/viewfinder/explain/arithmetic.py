"""The arithmetic of one axis of a layer: sizes, formulas with their numbers, and what is read.

Pure integers, so that each rule can be held against torch over random settings. Every kind of
axis answers the same four questions:

    output     how long the axis comes out
    formula()  how that number arises, as one writes it on paper
    taps(i)    which positions of the input output position i reads, padding left out
    reach()    (gain, low, high): output i reads nothing outside gain·i + low … gain·i + high

The notation is that of Dumoulin and Visin, "A guide to convolution arithmetic for deep learning"
(arXiv 1603.07285): W is the size, F the window, P the padding, S the stride, N the output.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

Reach = tuple[Fraction, Fraction, Fraction]


class Axis(Hashable, Protocol):
    """What every kind of axis in this file answers."""

    @property
    def size(self) -> int: ...
    @property
    def output(self) -> int: ...
    def formula(self) -> str: ...
    def taps(self, i: int) -> Sequence[int]: ...
    def reach(self) -> Reach: ...


@dataclass(frozen=True)
class Window:
    """A window that slides: convolution and pooling. `ceil` rounds up, as pooling may."""

    size: int
    window: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def span(self) -> int:
        """The positions from the window's first tap to its last, holes included."""
        return self.dilation * (self.window - 1) + 1

    @property
    def slack(self) -> int:
        """How far the window can travel; negative where it does not fit at all."""
        return self.size + self.before + self.after - self.span

    @property
    def remainder(self) -> int:
        """Padded positions at the end that a whole step no longer reaches."""
        return self.slack % self.stride

    @property
    def output(self) -> int:
        if not self.ceil:
            return self.slack // self.stride + 1
        steps = -(-self.slack // self.stride)
        # A window that starts in the padding behind the input is left out, as torch does.
        return steps + (steps * self.stride < self.size + self.before)

    def formula(self) -> str:
        span = str(self.window)
        if self.dilation > 1:
            span = f"({self.dilation}·({self.window} − 1) + 1)"
        padding = (
            f"2·{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        )
        fraction = f"({self.size} − {span} + {padding})/{self.stride}"
        exact = self.remainder == 0
        left, right = ("⌈", "⌉") if self.ceil else ("⌊", "⌋")
        text = f"{fraction} + 1" if exact else f"{left}{fraction}{right} + 1"
        if not exact:
            quotient = f"{self.slack / self.stride:.4g}"
            text += f" = {left}{quotient}{right} + 1"
        rounded = -(-self.slack // self.stride) + 1
        if self.ceil and rounded != self.output:
            text += f" = {rounded}, less 1 that would start in the padding"
        return f"{text} = {self.output}"

    def taps(self, i: int) -> Sequence[int]:
        start = i * self.stride - self.before
        positions = range(start, start + self.span, self.dilation)
        return [position for position in positions if 0 <= position < self.size]

    def reach(self) -> Reach:
        low = Fraction(-self.before)
        return Fraction(self.stride), low, low + self.span - 1


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution: each input position is spread over a window of the output."""

    size: int
    window: int
    stride: int = 1
    padding: int = 0
    extra: int = 0
    dilation: int = 1

    @property
    def output(self) -> int:
        span = self.dilation * (self.window - 1) + 1
        return (self.size - 1) * self.stride + span - 2 * self.padding + self.extra

    def formula(self) -> str:
        span = str(self.window)
        if self.dilation > 1:
            span = f"({self.dilation}·({self.window} − 1) + 1)"
        extra = f" + {self.extra}" if self.extra else ""
        return f"({self.size} − 1)·{self.stride} + {span} − 2·{self.padding}{extra} = {self.output}"

    def taps(self, i: int) -> Sequence[int]:
        offsets = range(0, self.dilation * self.window, self.dilation)
        spread = [i + self.padding - offset for offset in offsets]
        positions = {s // self.stride for s in spread if s % self.stride == 0}
        return sorted(position for position in positions if 0 <= position < self.size)

    def reach(self) -> Reach:
        span = self.dilation * (self.window - 1)
        low = Fraction(self.padding - span, self.stride)
        return Fraction(1, self.stride), low, Fraction(self.padding, self.stride)


@dataclass(frozen=True)
class Adaptive:
    """Adaptive pooling: the output's size is given, and the windows follow from it."""

    size: int
    output: int

    def formula(self) -> str:
        if self.output == 1:
            return f"all {self.size} → 1"
        if self.size % self.output == 0:
            step = self.size // self.output
            return f"{self.size}/{self.output} = windows of {step}, stride {step} → {self.output}"
        widths = [len(self.taps(i)) for i in range(self.output)]
        window = f"{min(widths)} or {max(widths)}" if min(widths) < max(widths) else str(widths[0])
        return (
            f"window i: ⌊{self.size}·i/{self.output}⌋ to ⌈{self.size}·(i + 1)/{self.output}⌉, "
            f"{window} wide → {self.output}"
        )

    def taps(self, i: int) -> Sequence[int]:
        return range(i * self.size // self.output, -(-(i + 1) * self.size // self.output))

    def reach(self) -> Reach:
        gain = Fraction(self.size, self.output)
        # Rounding moves an edge by at most this, in units of 1/output.
        round_off = 1 - Fraction(1, gain.denominator)
        return gain, -round_off, gain + round_off - 1


@dataclass(frozen=True)
class Padding:
    """Explicit padding with a constant; negative padding crops."""

    size: int
    before: int
    after: int

    @property
    def output(self) -> int:
        return self.size + self.before + self.after

    def formula(self) -> str:
        sides = "".join(
            f" {'−' if side < 0 else '+'} {abs(side)}" for side in (self.before, self.after)
        )
        return f"{self.size}{sides} = {self.output}"

    def taps(self, i: int) -> Sequence[int]:
        position = i - self.before
        return [position] if 0 <= position < self.size else []

    def reach(self) -> Reach:
        return Fraction(1), Fraction(-self.before), Fraction(-self.before)


@dataclass(frozen=True)
class Resize:
    """Interpolation: `taps_wide` is 1 for nearest, 2 for linear, 4 for cubic.

    `ratio` is input positions an output position; `shift` says where output 0 falls.
    """

    size: int
    output: int
    ratio: Fraction
    taps_wide: int
    shift: Fraction = Fraction(0)

    def formula(self) -> str:
        factor = Fraction(self.output, self.size)
        if factor.denominator == 1:
            return f"{self.size}·{factor.numerator} = {self.output}"
        if factor.numerator == 1:
            return f"{self.size}/{factor.denominator} = {self.output}"
        return f"{self.size} → {self.output}"

    def taps(self, i: int) -> Sequence[int]:
        start = (i * self.ratio + self.shift).__floor__() - (self.taps_wide // 2 - 1) * (
            self.taps_wide > 1
        )
        near = range(start, start + self.taps_wide)
        return sorted({min(max(position, 0), self.size - 1) for position in near})

    def reach(self) -> Reach:
        behind = self.taps_wide // 2 - 1 if self.taps_wide > 1 else 0
        low = self.shift - behind - 1
        high = self.shift - behind + self.taps_wide - 1
        if self.ratio.denominator == 1 and self.shift == 0:
            low += 1
        return self.ratio, low, high


@lru_cache(maxsize=4096)
def unread(axis: Axis) -> tuple[int, ...]:
    """The positions of the input that no output position reads."""
    if isinstance(axis, Window) and axis.dilation == 1 and axis.stride <= axis.window:
        # The common case needs no sets: whatever lies behind the last window's last tap.
        end = (axis.output - 1) * axis.stride - axis.before + axis.window
        return tuple(range(min(max(end, 0), axis.size), axis.size))
    read = {position for i in range(axis.output) for position in axis.taps(i)}
    return tuple(position for position in range(axis.size) if position not in read)
