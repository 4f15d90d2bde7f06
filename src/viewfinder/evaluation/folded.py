"""What folds leave in `scores.json`, and the two splits that they are: learnt, and held out."""

import math
import statistics
from collections.abc import Mapping
from typing import TypedDict

from viewfinder.evaluation.always import BALANCED, always, no_better
from viewfinder.evaluation.split_scores import SplitScore
from viewfinder.tasks.chance import share_error, worth
from viewfinder.values import as_number_or_none, as_whole
from viewfinder.wording import figure_name

# A half-width of a 95 % interval, in standard errors.
_HALF = 1.96
# The error of a score that nothing is known of.
_UNKNOWN = 0.5
# A score that is lower by less than this is no worse, unless it is less than this part.
_HARMLESS, _PART = 0.05, 0.5
# What all answers together score is, of these, the mean over pictures or classes too.
_OF_PICTURES = ("accuracy", BALANCED, "s_measure")


def averaged(figure: str) -> bool:
    """Whether folds tell the mean of what each came to, and all their answers together score
    otherwise: AP ranks by score, and each fold's net has scores of its own."""
    return figure not in _OF_PICTURES


class Together(TypedDict):
    """A classifier's scores of all folds' test pictures, each answered by the net that had not
    learnt from it; as `evaluate` gives them."""

    accuracy: float
    balanced_accuracy: float
    chance: float
    largest_class: float
    per_class: Mapping[str, Mapping[str, float | int | None]]
    confusion: list[list[int]]


class FoldRow(TypedDict):
    """A finished fold: its pictures by split, its figure, and the epoch whose weights it kept."""

    test: int
    val: int
    train: int
    figure: float | None
    learnt: float | None
    kept_epoch: int


class FoldScores(TypedDict, total=False):
    """The `folds` of `scores.json`; `epochs` are those of the run on everything, `together`, of a
    classifier, what the folds' test pictures come to as one split, and `objects`, of a detector, as
    many as these have."""

    folds: int
    figure: str
    mean: float | None
    low: float | None
    high: float | None
    method: str | None
    each: list[FoldRow]
    epochs: int
    together: Together
    objects: float


def learnt_and_held(
    folds: FoldScores, *, objects: int | None = None
) -> tuple[SplitScore, SplitScore] | None:
    """What the folds' nets have learnt, and what they answered of pictures that they had not seen.

    None where no fold has a figure.

    Args:
        objects: how many boxes there are to find in all, where they are what is judged.
    """
    known = [
        (row["learnt"], row["figure"], row["test"])
        for row in folds["each"]
        if row["learnt"] is not None and row["figure"] is not None
    ]
    if not known or folds["mean"] is None:
        return None
    images, learnt = sum(row[2] for row in known), [row[0] for row in known]
    train_error = statistics.stdev(learnt) / math.sqrt(len(learnt)) if len(learnt) > 1 else _UNKNOWN
    low, high = folds["low"], folds["high"]
    error = _UNKNOWN if low is None or high is None else (high - low) / (2 * _HALF)
    return (
        SplitScore(statistics.fmean(learnt), images, train_error, objects),
        SplitScore(folds["mean"], images, error, objects),
    )


def falls_short(folds: FoldScores, own: Mapping[str, Mapping[str, object]], form: str) -> str:
    """That the run on everything does clearly worse than the folds' nets, by what can be compared:
    what each knows of the pictures that it learnt from, and a test side of the set's own; empty
    where it does not, or nobody can tell.

    Args:
        own: that run's scores, by split.
        form: how the figure is written.
    """
    figure = folds["figure"]

    def found(split: str) -> tuple[float, float] | None:
        scores = own.get(split, {})
        if (value := as_number_or_none(scores.get(figure))) is None:
            return None
        return value, max(_HARMLESS, 2 * share_error(value, as_whole(scores["images"])))

    said = []
    learnt = [row["learnt"] for row in folds["each"] if row["learnt"] is not None]
    known, mean = found("train"), folds["mean"]
    if learnt and known:
        theirs = statistics.fmean(learnt)
        # Of low figures chance leaves nothing to subtract.
        part = known[0] < min(_PART * theirs, *learnt)
        if part or known[0] + known[1] < theirs:
            said.append(
                f"of the pictures that it learnt from it knows {known[0]:{form}}, and the folds' "
                f"nets {theirs:{form}} of theirs"
            )
    if not said and known and mean is not None and known[0] + _HARMLESS < mean:
        said.append(
            f"of the pictures that it learnt from it knows {known[0]:{form}}, less than the folds' "
            f"nets of those that they had not seen ({mean:{form}})"
        )
    if (low := folds["low"]) is not None and (test := found("test")) and test[0] + test[1] < low:
        said.append(
            f"on the set's own test pictures it comes to {test[0]:{form}}, below what the folds "
            f"let expect ({low:{form}} or more)"
        )
    if not said:
        return ""
    return (
        f"The last training, on everything, fell short of the folds': by {figure_name(figure)}, "
        f"{'; and '.join(said)}. The folds' figures promise too much of it."
    )


def beside_always(folds: FoldScores) -> tuple[str, str]:
    """That the folds' figure is no better than always answering the largest class, empty where it
    clearly is; and what that comes to. Both are empty where nothing is said of classes."""
    together, mean = folds.get("together"), folds["mean"]
    if together is None or mean is None:
        return "", ""
    counts = [sum(row) for row in together["confusion"]]
    name, share = always(counts, list(together["per_class"]), folds["figure"])
    said = no_better(mean, folds["low"], name, share)
    return said, f"always answering {name} comes to {share:.1%}"


def pictures_worth(figure: str, together: Together | None, tested: int) -> float | None:
    """As many pictures as give an accuracy of that error; None of a figure that is no share."""
    if figure == "accuracy":
        return tested
    if figure == BALANCED and together is not None:
        return worth([sum(row) for row in together["confusion"]])
    return None
