"""How matplotlib's figures look on pages, and their bytes, which are the same every time."""

import io
import warnings
from typing import Literal

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from viewfinder.evaluation.theming import themed
from viewfinder.wording import shown_lines

TRAIN, VAL, AUGMENTED = "#c2571a", "#1f6f8b", "#c9b8a8"
INK = "#4a4a4a"

_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def quiet(axes: Axes) -> None:
    """Nothing that carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8e4de", linewidth=0.8)
    axes.set_axisbelow(True)


def saved(figure: Figure, form: Literal["svg", "pdf"]) -> bytes:
    """A file of the figure, with text as text."""
    out = io.BytesIO()
    with (
        # Fonts of a PDF must be of a kind that publishers take.
        matplotlib.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "viewfinder", "pdf.fonttype": 42}
        ),
        warnings.catch_warnings(),
    ):
        # Who shows it has fonts of their own for 图; the one here only measures.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # A class's name may be longer than the figure is wide.
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        figure.savefig(out, format=form, metadata=_DATES[form], transparent=True)
    return out.getvalue()


def inline(figure: Figure, label: str) -> Markup:
    """The figure's `<svg>` element, to stand inside a page, in the colours of its theme.

    Args:
        label: what it shows, for those who do not see it.
    """
    return within_page(saved(figure, "svg"), label)


def within_page(file: bytes, label: str) -> Markup:
    """`inline`, of what `saved` gave as SVG.

    What stands in it is escaped by matplotlib, so that a page can take it as it is.
    """
    text = shown_lines(file.decode("utf-8"))
    svg = themed(text[text.index("<svg") :])
    opening = Markup('<svg role="img" aria-label="{}"').format(shown_lines(label))
    return opening + Markup(svg.removeprefix("<svg"))


def shade(
    axes: Axes, shares: NDArray[np.float64], colour: str, across: float | None = None
) -> None:
    """A cell for each of H×W shares in [0, 1]: no colour at 0, all of it at 1.

    Args:
        across: how long the sides of all cells together are on the axes, which then begin at 0;
            without it a cell is 1 long, and the first one's middle is at 0.
    """
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    cells = np.empty((*shares.shape, 4))
    cells[...] = (red, green, blue, 0)
    cells[..., 3] = shares
    if across is None:
        axes.imshow(cells, interpolation="nearest")
    else:
        axes.imshow(cells, extent=(0, across, across, 0), aspect="auto", interpolation="nearest")
