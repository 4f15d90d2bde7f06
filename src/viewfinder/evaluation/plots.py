"""The report's figures, as SVG to stand inside the page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from viewfinder.evaluation.calibration import Calibration
from viewfinder.evaluation.figures import AUGMENTED, INK, TRAIN, VAL, inline, quiet, shade

_TERMS = (AUGMENTED, "#1f6f8b", "#c2571a", "#5b8c5a", "#8a5a9e")
# With more classes than this, numbers in the cells of a confusion matrix cannot be read.
_MOST_NUMBERS = 20
# Of a confusion matrix where all answers lie in one.
_CELLS = "#08306b"
# Curves of no more points than this show each of them.
_FEW_POINTS = 12
# Names of curves in a row of a legend, so that a phone shows them all.
_COLUMNS = 3


@dataclass(frozen=True)
class HistoryLine:
    """A column of the history, and how it is drawn."""

    column: str
    label: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """Columns of the history that share their axes.

    Attributes:
        factor: what values are multiplied by, such as 100 for shares given in per cent.
        logarithmic: whether equal steps are equal factors, for what begins a hundred times higher
            than it ends.
        share: whether values are shares of 1, shown beside what the whole would be.
    """

    title: str
    lines: tuple[HistoryLine, ...]
    factor: float = 1.0
    logarithmic: bool = False
    share: bool = False


RATE = Panel("Learning rate", (HistoryLine("learning_rate", "learning rate", INK),))
"""What the learning rate was at each epoch's end."""

LOSS = HistoryLine("loss", "while training", AUGMENTED)
"""The loss on augmented pictures, which every training has."""


def both_splits(figure: str) -> tuple[HistoryLine, HistoryLine]:
    """A figure that is measured on training and validation pictures."""
    return (
        HistoryLine(f"train_{figure}", "training", TRAIN),
        HistoryLine(f"val_{figure}", "validation", VAL),
    )


def terms(labels: Mapping[str, str]) -> tuple[HistoryLine, ...]:
    """The loss and what it is made of, by the names of their columns."""
    return tuple(
        HistoryLine(column, label, colour)
        for (column, label), colour in zip(labels.items(), _TERMS, strict=False)
    )


def curves(history: Sequence[Mapping[str, float]], *panels: Panel) -> list[Markup]:
    """A figure for each panel that has anything to show: its columns over the epochs.

    A line joins the epochs that have its column; not all of them need to.
    """
    return [_curve(history, panel) for panel in panels if _drawn(history, panel)]


def _drawn(
    history: Sequence[Mapping[str, float]], panel: Panel
) -> list[tuple[HistoryLine, list[float], list[float]]]:
    """The lines of a panel that have two points or more, with their epochs and values."""
    drawn = []
    for line in panel.lines:
        rows = [row for row in history if line.column in row]
        if len(rows) > 1:
            values = [panel.factor * row[line.column] for row in rows]
            drawn.append((line, [row["epoch"] for row in rows], values))
    return drawn


def _curve(history: Sequence[Mapping[str, float]], panel: Panel) -> Markup:
    drawn = _drawn(history, panel)
    rows = math.ceil(len(drawn) / _COLUMNS)
    figure = Figure(figsize=(4.6, 3.1 + 0.17 * rows), layout="constrained")
    axes = figure.subplots()
    for line, epochs, values in drawn:
        # Of few points each is seen, and of a single one there is no line to see.
        marker = "o" if len(epochs) <= _FEW_POINTS else ""
        axes.plot(
            epochs, values, color=line.colour, label=line.label, marker=marker, markersize=3.5
        )
    axes.set_title(panel.title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if panel.logarithmic and all(min(values) > 0 for _, _, values in drawn):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    if panel.share:
        axes.set_ylim(-0.02, 1.02)
    quiet(axes)
    # Below, where no curve can lie.
    figure.legend(frameon=False, fontsize=8, ncols=_COLUMNS, loc="outside lower center")
    lines = ", ".join(line.label for line, _, _ in drawn)
    return inline(figure, f"{panel.title} over the epochs: {lines}")


def reliability(found: Calibration) -> Markup:
    """Scores against the share that is right, a point a bin."""
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=AUGMENTED, linewidth=1)
    largest = max(each.count for each in found.bins)
    sizes = [18 + 160 * each.count / largest for each in found.bins]
    scores, right = [b.score for b in found.bins], [b.right for b in found.bins]
    axes.plot(scores, right, color=VAL, linewidth=1)
    axes.scatter(scores, right, s=sizes, color=VAL, alpha=0.7)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.05), xlabel="score", ylabel="share that is right")
    quiet(axes)
    text = "; ".join(f"{b.score:.0%}: {b.right:.0%} of {b.count}" for b in found.bins)
    return inline(figure, f"the share that is right by score: {text}")


def confusion(counts: NDArray[np.int64], classes: Sequence[str]) -> Markup:
    """Answers (columns) to each true class (rows), shaded by the share of the row."""
    side = min(9.0, 2.2 + 0.42 * len(classes))
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    shade(axes, shares, _CELLS)
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
            ink = "white" if shares[row, column] > 0.5 else INK
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
    return inline(figure, "Answers to each true class: a row a true class, a column an answer")
