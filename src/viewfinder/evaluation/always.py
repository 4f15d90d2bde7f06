"""Beside a classifier's figure, what always answering its largest class would come to: in words
where the figure is no better, or no better than chance makes it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.sampling import wilson
from viewfinder.tasks.chance import worth
from viewfinder.tasks.classify.scores import ClassifyScores
from viewfinder.values import as_list, as_table, as_whole

BALANCED = "balanced_accuracy"
"""The figure of who is after every class alike: always answering one is no better than chance."""


def always(counts: Sequence[int], classes: Sequence[str], figure: str) -> tuple[str, float]:
    """The class that has most pictures, and what always answering it comes to.

    Args:
        counts: pictures of each class.
        figure: `accuracy` or `balanced_accuracy`.
    """
    name = classes[int(np.argmax(counts))]
    if figure == BALANCED:
        return name, 1 / max(1, sum(1 for count in counts if count))
    return name, max(counts) / max(1, sum(counts))


def no_better(value: float, low: float | None, name: str, share: float) -> str:
    """That a figure is no better than always answering `name`; empty where it is clearly so.

    Args:
        low: the lower end of the figure's interval; None where it has none.
        share: what always answering `name` comes to.
    """
    if low is not None and low > share:
        return ""
    how = "no better" if value <= share else "not clearly better"
    return f"{how} than always answering {name} ({share:.1%})"


def of_confusion(
    confusion: NDArray[np.int64], classes: Sequence[str], figure: str = "accuracy"
) -> str:
    """`no_better` of answers, by Wilson's interval.

    Args:
        confusion: C×C counts, a row a true class, a column an answer.
    """
    counts = confusion.sum(axis=1).tolist()
    if figure == BALANCED:
        value, pictures = ClassifyScores(0.0, 0.0, confusion).balanced_accuracy, worth(counts)
    else:
        pictures = float(sum(counts))
        value = float(np.trace(confusion)) / max(1.0, pictures)
    low = wilson(value, pictures)[0] if pictures else None
    return no_better(value, low, *always(counts, classes, figure))


def of_figures(figures: Mapping[str, object], figure: str) -> str:
    """The same of scores as JSON has them; empty of a task that has no such class.

    Raises:
        ValueError: they are of another form.
    """
    if "largest_class" not in figures:
        return ""
    rows = [[as_whole(n) for n in as_list(row)] for row in as_list(figures["confusion"])]
    return of_confusion(np.array(rows, np.int64), list(as_table(figures["per_class"])), figure)
