"""The curves of all methods on one plot for each set: as SVG for a page, and PDF for a paper."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.figure import Figure

from viewfinder.evaluation.figures import saved
from viewfinder.scoring.comparing import SetScores
from viewfinder.scoring.contest import Plot

_SIZE = (4.6, 3.6)
# Told apart in grey and by most who are colour-blind: Okabe and Ito's colours, then by dashes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5c5c5c")
# Before a name, so that matplotlib does not hide one that begins with _; taken off again.
_SHOWN = "\u200b"
_DASHES = ("solid", "dashed", "dotted", "dashdot")
# Axes begin where the worst curve's interesting part does.
_MARGIN = 0.03


def draw(plot: Plot, each: SetScores, order: Sequence[str], form: Literal["svg", "pdf"]) -> bytes:
    """A plot as `svg` or `pdf`, the same bytes every time.

    Args:
        order: of all methods, so that a method has its colour in every set.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    for own in each.methods:
        k = order.index(own.method)
        x, y = own.curves.get(plot.key, ((), ()))
        if len(x) == 0:
            continue
        dashes = _DASHES[k // len(_COLOURS) % len(_DASHES)]
        colour = _COLOURS[k % len(_COLOURS)]
        # A method may be called "$5" without meaning TeX; a leading _ would hide it.
        label = _SHOWN + own.method
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1.4, label=label)
    axes.set_title(f"{plot.title}, {each.name}", fontsize=10, parse_math=False)
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    axes.set_xlim(0, 1.005)
    _, top = axes.get_ylim()
    axes.set_ylim(top=min(max(top, 0.5), 1 + _MARGIN))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#8884", linewidth=0.6)
    if axes.lines:
        legend = axes.legend(frameon=False, fontsize=7, ncols=1 + (len(axes.lines) > 10))
        for text in legend.get_texts():
            text.set_parse_math(False)
            text.set_text(text.get_text().removeprefix(_SHOWN))
    return saved(figure, form)
