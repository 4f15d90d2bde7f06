"""How matplotlib's figures look on pages, and their bytes, which are the same every time."""

import io
import warnings
from typing import Literal

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    """The figure's `<svg>` element, to stand inside a page.

    Args:
        label: what it shows, for those who do not see it.

    What stands in it is escaped by matplotlib, so that a page can take it as it is.
    """
    svg = shown_lines(saved(figure, "svg").decode("utf-8"))
    opening = Markup('<svg role="img" aria-label="{}"').format(shown_lines(label))
    return opening + Markup(svg[svg.index("<svg") + len("<svg") :])
