"""What the runs of k folds say together: a mean, its interval, and both in words."""

from collections.abc import Sequence

from viewfinder.evaluation import folded
from viewfinder.evaluation.always import BALANCED, always
from viewfinder.evaluation.folded import FoldRow, FoldScores, Together
from viewfinder.evaluation.over_seeds import estimate
from viewfinder.evaluation.sampling import wilson
from viewfinder.values import (
    as_list,
    as_number,
    as_number_or_none,
    as_table,
    as_tables,
    as_text,
    as_whole,
)
from viewfinder.wording import counted, figure_name


def judged(
    figure: str,
    each: Sequence[FoldRow],
    together: Together | None = None,
    *,
    objects: float | None = None,
) -> FoldScores:
    """The `folds` of `scores.json`.

    The interval is Student's, corrected for folds that learnt from the same pictures
    (`comparison.estimate`). What is a mean over pictures is given of all of them; of a balanced
    accuracy the mean over classes is; and the interval of either, and of AP50 as of a share of the
    objects, is Wilson's where that is wider, or where folds are all alike.

    Args:
        figure: in [0, 1], by its public name.
        each: of every fold `test`, `val` and `train`, the pictures of each split, and `figure`,
            which is None where it is undefined.
        together: what a task says of all folds' test pictures as of one split, if it can.
        objects: as many as all test pictures have, and fewer where some classes have few; None of a
            figure that is not about objects.
    """
    known = [(row, value) for row in each if (value := row["figure"]) is not None]
    mean = low = high = method = None
    if known:
        values = [value for _, value in known]
        tested = sum(row["test"] for row, _ in known)
        found = estimate(values, overlap=tested / sum(row["train"] for row, _ in known))
        mean = found.mean
        worth = objects or folded.pictures_worth(figure, together, tested)
        if figure in ("accuracy", "s_measure"):
            mean = sum(value * row["test"] for row, value in known) / tested
        elif figure == BALANCED and together is not None:
            mean = together["balanced_accuracy"]
        if found.low is not None and found.high is not None:
            half, method = (found.high - found.low) / 2, "corrected t"
            low, high = max(0.0, mean - half), min(1.0, mean + half)
        if worth:
            wide = wilson(mean, worth)
            if low is None or high is None or wide[1] - wide[0] > high - low:
                (low, high), method = wide, "Wilson"
    found_together: FoldScores = {"together": together} if together else {}
    of_objects: FoldScores = {"objects": objects} if objects else {}
    return {
        **found_together,
        **of_objects,
        "folds": len(each),
        "figure": figure,
        "mean": mean,
        "low": low,
        "high": high,
        "method": method,
        "each": list(each),
    }


def folds_of(scores: object) -> FoldScores:
    """The `folds` of a `scores.json` that was read.

    Raises:
        KeyError, ValueError: they are none.
    """
    table = as_table(scores)
    rows: list[FoldRow] = [
        {
            "test": as_whole(row["test"]),
            "val": as_whole(row["val"]),
            "train": as_whole(row["train"]),
            "figure": as_number_or_none(row["figure"]),
            "learnt": as_number_or_none(row["learnt"]),
            "kept_epoch": as_whole(row["kept_epoch"]),
        }
        for row in as_tables(table["each"])
    ]
    together = table.get("together")
    return judged(
        as_text(table["figure"]),
        rows,
        _together(together) if together else None,
        objects=as_number_or_none(table.get("objects")),
    )


def _together(found: object) -> Together:
    """What a classifier says of all folds, with counts that are whole numbers, a row a class."""
    table = as_table(found)
    confusion = [[as_whole(count) for count in as_list(row)] for row in as_list(table["confusion"])]
    per_class = {
        name: {key: as_number_or_none(value) for key, value in as_table(row).items()}
        for name, row in as_table(table["per_class"]).items()
    }
    if not any(map(any, confusion)) or len(per_class) != len(confusion):
        raise ValueError("the folds' confusion is that of other classes")
    return {
        "accuracy": as_number(table["accuracy"]),
        "balanced_accuracy": as_number(table["balanced_accuracy"]),
        "chance": as_number(table["chance"]),
        "largest_class": as_number(table["largest_class"]),
        "per_class": per_class,
        "confusion": confusion,
    }


def in_words(folds: FoldScores, form: str) -> str:
    """One line: the figure, its interval, how many folds and pictures it is of, and what always
    answering one class would have come to.

    Args:
        form: how the figure is written, as in the task's `headline`.
    """
    figure, of = parts_in_words(folds, form)
    said, beside = folded.beside_always(folds)
    if said:
        return f"{figure}, {of}, {said}"
    return f"{figure}, {of}" + (f"; {beside}" if beside else "")


def parts_in_words(folds: FoldScores, form: str) -> tuple[str, str]:
    """The figure with its interval, and what they are of; `form` as of `in_words`."""
    of = counted(sum(row["test"] for row in folds["each"]), "picture")
    text = headline_of(folds["figure"], folds["mean"], form)
    text = f"mean {text}" if folded.averaged(folds["figure"]) else text
    if _tells(folds):
        text += f", 95 % interval {_interval(folds, form)}"
    return text, f"of {of} in {folds['folds']} folds"


def headline_of(figure: str, value: float | None, form: str) -> str:
    """A figure's name and value; `form` as of `in_words`."""
    return f"{figure_name(figure)} {_written(value, form)}"


def section(folds: FoldScores, form: str, short: str = "") -> dict[str, object]:
    """What the report shows of folds; `form` as of `in_words`, `short` of `folded.falls_short`."""
    line = in_words(folds, form)
    rows = [
        dict(row)
        | {"figure": _written(row["figure"], form), "learnt": _written(row["learnt"], form)}
        for row in folds["each"]
    ]
    return {
        "says": line[0].upper() + line[1:],
        "figure": figure_name(folds["figure"]),
        "averaged": folded.averaged(folds["figure"]),
        "chosen": any(row["val"] for row in folds["each"]),
        "mean": _written(folds["mean"], form),
        "pictures": sum(row["test"] for row in folds["each"]),
        "rows": rows,
        "means": _sentence(folds, form, short),
        "hides": _hides(folds),
    }


def _sentence(folds: FoldScores, form: str, short: str) -> str:
    name = figure_name(folds["figure"])
    for_long = f"for {counted(folds['epochs'], 'epoch')}" if folds["epochs"] else "solved at once"
    as_well = "and is expected to do as well or a little better."
    last = (
        f"The net of this run learnt from all of them, {for_long}, "
        f"{'but fell short of theirs, as said below.' if short else as_well}"
    )
    if not _tells(folds):
        return (
            f"Each picture was judged by a net that had not learnt from it; how far the {name} may "
            f"be off, {counted(folds['folds'], 'fold')} cannot tell. {last}"
        )
    likely = _interval(folds, form, " and ")
    return (
        f"Each picture was judged by a net that had not learnt from it, and on new pictures like "
        f"these the {name} of such a net is likely between {likely}. {last}"
    )


def _tells(folds: FoldScores) -> bool:
    """Whether the interval says anything: that of two folds may hold all that there is."""
    low, high = folds["low"], folds["high"]
    return low is not None and high is not None and (low > 0 or high < 1)


def _hides(folds: FoldScores) -> str:
    """What stands beside an accuracy, so that it does not flatter; empty of other figures."""
    if (together := folds.get("together")) is None:
        return ""
    counts = [sum(row) for row in together["confusion"]]
    name, share = always(counts, list(together["per_class"]), "accuracy")
    other = (
        f"Of all pictures {together['accuracy']:.1%} are right"
        if folds["figure"] == BALANCED
        else "The mean recall of the classes (balanced accuracy) is "
        f"{together['balanced_accuracy']:.1%}"
    )
    return (
        f"{other}; chance is {together['chance']:.1%}, and always "
        f"answering {name} is right for {share:.1%}."
    )


def _interval(folds: FoldScores, form: str, between: str = " to ") -> str:
    return f"{_written(folds['low'], form)}{between}{_written(folds['high'], form)}"


def _written(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"
