"""The report's figures, as SVG to stand inside the page."""

import io
import warnings
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

_TRAIN, _VAL, _AUGMENTED = "#c2571a", "#1f6f8b", "#c9b8a8"
_INK = "#4a4a4a"
# With more classes than this, numbers in the cells of a confusion matrix cannot be read.
_MOST_NUMBERS = 20


def curves(history: Sequence[dict[str, float]]) -> str:
    """Loss and accuracy over the epochs, on pictures that are not augmented."""
    figure = Figure(figsize=(9.2, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], color=_AUGMENTED, label="while training")
    for name, label, colour in (("train", "training", _TRAIN), ("val", "validation", _VAL)):
        for axes, kind, factor in ((left, "loss", 1), (right, "accuracy", 100)):
            values = [factor * row.get(f"{name}_{kind}", np.nan) for row in history]
            if not np.isnan(values).all():
                axes.plot(epochs, values, color=colour, label=label)
    left.set_title("Loss")
    right.set_title("Accuracy, %")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        _quiet(axes)
        axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Answers (columns) to each true class (rows), shaded by the share of the row."""
    side = min(9.0, 2.2 + 0.42 * len(classes))
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    size = 9 if len(classes) <= _MOST_NUMBERS else max(3, 180 // len(classes))
    # A class may be called "$5" without meaning TeX, or come from a name that is not UTF-8.
    names = [name.encode("utf-8", "backslashreplace").decode() for name in classes]
    axes.set_xticks(ticks, names, rotation=45, ha="right", fontsize=size, parse_math=False)
    axes.set_yticks(ticks, names, fontsize=size, parse_math=False)
    axes.set_xlabel("answered")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(classes) <= _MOST_NUMBERS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            ink = "white" if shares[row, column] > 0.5 else _INK
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    return _svg(figure)


def _quiet(axes: Axes) -> None:
    """Nothing that carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8e4de", linewidth=0.8)
    axes.set_axisbelow(True)


def _svg(figure: Figure) -> str:
    """The figure's `<svg>` element, with text as text, the same bytes every time."""
    text = io.StringIO()
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "viewfinder"}),
        warnings.catch_warnings(),
    ):
        # The browser has its own fonts for 图; the one here only measures.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
