"""The figures of a detector's report, as SVG to stand inside the page."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from viewfinder.evaluation import plots
from viewfinder.evaluation.figures import INK, TRAIN, inline, quiet
from viewfinder.tasks.detect.measures.breakdown import RECALLS
from viewfinder.tasks.detect.measures.scores import DetectScores

# With more classes than this, curves in colours of their own cannot be told apart.
_MOST_COLOURS = 10
_LOWEST = 5
# A letter beside a bar, as a share of the axis.
_LETTER = 0.027

_ERRORS = {
    "localisation": "misplaced",
    "class": "another class",
    "both": "misplaced, and another class",
    "duplicate": "found twice",
    "background": "nothing there",
    "missed": "missed",
}


def precision_recall(scores: DetectScores, classes: Sequence[str]) -> str:
    """Precision over recall at IoU 0.5, a curve a class, with a dot at its best threshold.

    Of many classes, the mean of all and those of lowest AP50 are named; the others are grey.
    """
    known = np.flatnonzero(scores.boxes)
    order = known[np.argsort(-scores.class_ap50[known], kind="stable")]
    few = len(order) <= _MOST_COLOURS
    named = order if few else order[-_LOWEST:]
    # The legend below, in two columns, so that a phone shows both.
    rows = math.ceil((len(named) + 1) / 2)
    figure = Figure(figsize=(4.6, 3.2 + 0.17 * rows), layout="constrained")
    axes = figure.subplots()
    for index in order[: len(order) - len(named)]:
        axes.plot(RECALLS, _within_reach(scores.precision[index]), color="#d8d2c9", linewidth=0.7)
    for place, index in enumerate(named):
        colour = colormaps["tab10"](place)
        label = f"{scores.class_ap50[index]:.1%} {_name(classes[index])}"
        axes.plot(RECALLS, _within_reach(scores.precision[index]), color=colour, label=label)
        best = scores.class_best[index]
        if best is not None:
            axes.plot(best.recall, best.precision, "o", color=colour, markersize=5)
    title = f"AP50, mean {scores.ap50:.1%}" if scores.ap50 is not None else ""
    if not few:
        # Of few classes each cliff of the mean is one curve's end, and tells nothing.
        mean = scores.precision[known].mean(axis=0)
        axes.plot(RECALLS, mean, color=INK, linewidth=1.6, linestyle="--", label="mean")
        title += ", the lowest"
    axes.set_xlabel("recall: share of objects found")
    axes.set_ylabel("precision: share that is right")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    quiet(axes)
    if len(order):
        _legend(axes, title)
    return inline(figure, "Precision over recall, class by class, at an overlap of 0.5")


def confusion(scores: DetectScores, classes: Sequence[str]) -> str:
    """Answers (columns) to each true class (rows), at the best threshold and IoU 0.5.

    The last column are objects missed, the last row answers where nothing is.
    """
    return plots.confusion(scores.confusion, [*map(_name, classes), "background"])


def errors(scores: DetectScores) -> str:
    """What AP50 would gain without each kind of error, and how many there are."""
    figure = Figure(figsize=(4.6, 2.7), layout="constrained")
    axes = figure.subplots()
    costs = [100 * scores.errors[kind].ap50 for kind in _ERRORS]
    axes.barh(range(len(costs)), costs, color=TRAIN, height=0.62)
    axes.set_yticks(range(len(costs)), list(_ERRORS.values()), fontsize=9)
    axes.invert_yaxis()
    gap = max(*costs, 1.0) / 80
    ends = [1.0]
    for place, (kind, cost) in enumerate(zip(_ERRORS, costs, strict=True)):
        text = f"{cost:.1f} ({_number(scores.errors[kind].count)} counted)"
        axes.text(cost + gap, place, text, va="center", color=INK, fontsize=8)
        ends.append((cost + gap) / (1 - _LETTER * len(text)))
    # Every bar leaves room for its text.
    axes.set_xlim(0, max(ends))
    axes.set_xlabel("points of AP50 to gain", fontsize=9)
    quiet(axes)
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    return inline(figure, "What each kind of error costs in AP50, and how many there are")


def _number(count: int) -> str:
    return f"{count:,}" if count else "none"


def _legend(axes: Axes, title: str) -> None:
    legend = axes.legend(
        title=title,
        frameon=False,
        fontsize=8,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
    )
    legend.get_title().set_fontsize(8)
    legend.set_alignment("left")
    for text in legend.get_texts():
        # A class may be called "$5" without meaning TeX.
        text.set_parse_math(False)


def _name(name: str) -> str:
    """As a figure can hold it: some names come from bytes that are not UTF-8, some fill pages."""
    name = name.encode("utf-8", "backslashreplace").decode()
    return name if len(name) <= 30 else name[:29] + "…"


def _within_reach(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve as far as it goes: precision 0 says that no threshold reaches the recall."""
    return np.where(precision > 0, precision, np.nan)
