"""A line chart as one SVG element, coloured by the page it stands in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 560.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 14.0, 40.0


Place = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class ChartLine:
    """Values in % by shift, from 0 on; None where there is none.

    Attributes:
        tone: the number of its colour, as the page's class `tone-0`, `tone-1` and so on.
        dots: drawn as rings alone, not joined.
        dashed: drawn broken, to tell two lines of one colour apart.
        band: the ends of each value's interval, (low, high); empty where there are none.
    """

    name: str
    values: tuple[float | None, ...]
    tone: int
    dots: bool = False
    dashed: bool = False
    band: tuple[tuple[float, float], ...] = ()


def chart(lines: Sequence[ChartLine], *, label: str, reach: float | None = None) -> str:
    """The chart of these lines over the shift in pixels; each point tells its value on hover.

    Args:
        reach: a shift to mark: as far as training moved its pictures.
    """
    known = [value for line in lines for value in line.values if value is not None]
    known += [high for line in lines for _, high in line.band]
    top = _ceiling(max([*known, 1.0]))
    count = max(len(line.values) for line in lines)

    def place(shift: float, value: float) -> tuple[float, float]:
        across = (_WIDTH - _LEFT - _RIGHT) * shift / max(1, count - 1)
        up = (_HEIGHT - _TOP - _BOTTOM) * value / top
        return _LEFT + across, _HEIGHT - _BOTTOM - up

    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(label)}">'
    ]
    for quarter in range(5):
        value = top * quarter / 4
        x, y = place(0, value)
        parts.append(f'<path class="grid" d="M{x:.1f} {y:.1f}H{_WIDTH - _RIGHT:.1f}"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" class="end">{value:.4g}</text>')
    for shift in range(0, count, max(1, -(-count // 17))):
        x, y = place(shift, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 17:.1f}" class="middle">{shift}</text>')
    x, y = place(0, 0)
    middle = (x + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.1f}" y="{y + 34:.1f}" class="middle">shift, pixels</text>')
    if reach is not None and reach <= count - 1:
        x, y = place(reach, 0)
        parts.append(f'<path class="reach" d="M{x:.1f} {_TOP:.1f}V{y:.1f}"/>')
    parts += [_band(line, place) for line in lines if line.band]
    for line in lines:
        parts += _drawn(line, place)
    return "\n".join([*parts, "</svg>"])


def _drawn(line: ChartLine, place: Place) -> list[str]:
    points = [(s, v, *place(s, v)) for s, v in enumerate(line.values) if v is not None]
    parts = []
    if not line.dots:
        path = "L".join(f"{x:.1f} {y:.1f}" for _, _, x, y in points)
        kind = "line dashed" if line.dashed else "line"
        parts.append(f'<path class="{kind} tone-{line.tone}" d="M{path}"/>')
    kind, radius = ("ring", 4.5) if line.dots else ("dot", 3)
    for shift, value, x, y in points:
        title = f"{line.name}: {value:.3g} % at {shift} px"
        if line.band:
            title += " ({:.3g} to {:.3g})".format(*line.band[shift])
        parts.append(
            f'<circle class="{kind} tone-{line.tone}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
            f"<title>{escape(title)}</title></circle>"
        )
    return parts


def _band(line: ChartLine, place: Place) -> str:
    ends = [place(shift, high) for shift, (_, high) in enumerate(line.band)]
    ends += reversed([place(shift, low) for shift, (low, _) in enumerate(line.band)])
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in ends)
    return f'<path class="band tone-{line.tone}" d="M{path}Z"/>'


def _ceiling(value: float) -> float:
    """The next round number whose quarters are round too."""
    size = 1.0
    while size * 10 < value:
        size *= 10
    return next(size * step for step in (1, 1.2, 1.6, 2, 4, 6, 8, 10) if size * step >= value)
