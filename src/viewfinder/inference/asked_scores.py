"""Scores that are asked for: what cannot be meant is refused without importing torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.runs.scores import HELD_OUT, read_scores
from viewfinder.wording import likest, shown, some

THRESHOLD_SPLITS = ("val", HELD_OUT, "test")
"""The splits whose scores `best` is read from, the first that there is."""
USABLE = 0.1
"""Where precision and recall are no better together (F1) at any threshold, none is of use."""
# Held-out boxes of a class from which on its threshold means something; classes that are named.
_ENOUGH, _NAMED = 20, 8


@dataclass(frozen=True)
class BestScores:
    """From which score on each class of a run is best shown.

    Attributes:
        each: of the classes, in their order.
        few: those of which few boxes were held out, and which take that of all classes.
        useless: those that no threshold makes of use, and which take that of all classes too.
    """

    each: tuple[float, ...]
    few: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()

    def told(self, classes: Sequence[str]) -> str:
        """The same in a sentence."""
        each = [f"{name} {score:.2g}" for name, score in zip(classes, self.each, strict=True)]
        told = [f"--threshold best shows {some(each, _NAMED)}"]
        if self.few:
            told.append(f"of {some(self.few)} fewer than {_ENOUGH} boxes were held out")
        if self.useless:
            told.append(
                f"no threshold makes {some(self.useless)} of use yet (F1 below {USABLE:g} at the "
                "best): of what is shown of it, expect most to be wrong"
            )
        if self.few or self.useless:
            told.append("of these what is best of all classes together is taken")
        return "; ".join(told)


def refuse_no_score(flag: str, wanted: float, name: str = "") -> None:
    """See that a score lies where scores do.

    Args:
        name: of the class that it is for.

    Raises:
        InputError: it does not.
    """
    if not 0 <= wanted <= 1:
        given = f"{name}={wanted:g}" if name else f"{wanted:g}"
        raise InputError(f"{flag} {given}: give a score from 0 to 1")


def nothing_found(does: str, *, best: bool = False) -> str:
    """What to say where no object of any picture scores what is usually asked for.

    Args:
        does: what a lower threshold does with what is less sure, such as `shows`.
        best: whether the thresholds of held-out pictures can be asked for.
    """
    also = ", and --threshold best goes by what held-out pictures say" if best else ""
    return (
        f"nothing is found from the usual score on: --threshold 0.05 {does} what is less sure{also}"
    )


def refuse_no_share(flag: str, wanted: float, example: str) -> None:
    """See that a share is neither nothing nor all.

    Raises:
        InputError: it is.
    """
    if not 0 < wanted < 1:
        raise InputError(f"{flag} {wanted:g}: give a share between 0 and 1, such as {example}")


def refuse_unknown_classes(
    source: Path, classes: Sequence[str], wanted: Mapping[str, float]
) -> None:
    """See that scores are scores, and are of classes that a model has.

    Raises:
        InputError: one is not.
    """
    for name, score in wanted.items():
        if name not in classes:
            known = likest(name, classes) or f": it has {some(classes)}"
            raise InputError(f"--threshold: {source} has no class {name!r}{known}")
        refuse_no_score("--threshold", score, name)


def require_classes(asked_for: Sequence[str], classes: Sequence[str]) -> None:
    """Raises InputError where a class is asked for that there is not."""
    for name in asked_for:
        if name not in classes:
            meant = likest(name, classes) or f": it knows {some(classes, _NAMED)}"
            raise InputError(f"--class {shown(name)}: the model knows no such class{meant}")


def refuse_other_tasks(source: Path, task: str, what: str, *, finds_boxes: bool) -> None:
    """See that what is asked for by class is asked of a detector.

    Raises:
        InputError: it is not.
    """
    if not finds_boxes:
        raise InputError(
            f"--threshold {what} is of detectors, and {source} is a run of {task}: leave it out"
        )


def refuse_followed(source: Path, *, finds_boxes: bool) -> None:
    """See that it is a detector whose objects are to be followed.

    Raises:
        InputError: it is none.
    """
    if not finds_boxes:
        raise InputError(f"--track follows what a detector finds: {source} has another task")


def refuse_unsure(source: Path, task: str, *, can_doubt: bool, sets: bool | None) -> None:
    """See that answers have scores to be unsure of.

    Args:
        sets: whether they can be sets of classes; None where none are asked for.

    Raises:
        InputError: they have not, or can be no sets.
    """
    if not can_doubt:
        raise InputError(
            f"{source} is a run of {task}, whose answers have no score to be unsure of: "
            "leave out --refuse-below and --coverage"
        )
    if sets is False:
        raise InputError(
            f"--coverage is of one class for each picture, and {source} is a run of {task}: "
            "leave it out"
        )


def best_scores(source: Path, file: Path | None, classes: Sequence[str]) -> BestScores:
    """From which score on each class is best shown, as a run's scores say.

    Args:
        file: the run's `scores.json`; None of what is no run.

    Raises:
        InputError: they do not.
    """
    scores = {} if file is None or not file.exists() else _scores(file)
    judged = next((scores[split] for split in THRESHOLD_SPLITS if split in scores), None)
    if file is None or judged is None:
        lacks = "none of pictures that were held out" if scores else "none"
        raise InputError(
            f"--threshold best needs the scores that a training writes, and {source} has "
            f"{lacks}: give a number, such as --threshold 0.4"
        )
    try:
        return best_of(judged, classes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{file} says of no class from which score on it is best shown: give a number, such as "
            "--threshold 0.4"
        ) from error


def has_best(scores: Mapping[str, object], classes: Sequence[str]) -> bool:
    """Whether a run's scores tell from which score on classes are best shown, and it is of use."""
    judged = next((scores[split] for split in THRESHOLD_SPLITS if split in scores), None)
    try:
        return len(best_of(judged, classes).useless) < len(classes)
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def _scores(file: Path) -> dict[str, object]:
    try:
        return read_scores(file)
    except InputError as error:
        raise InputError(
            f"{file} cannot be read: give a number, such as --threshold 0.4"
        ) from error


def best_of(judged: object, classes: Sequence[str]) -> BestScores:
    """The same, of the scores of a split.

    Raises:
        KeyError, TypeError, ValueError: what is needed is not there.
    """
    if not isinstance(judged, dict):
        raise TypeError("scores are a table")
    together, rows = judged["best"]["threshold"], judged["per_class"]
    few = tuple(name for name in classes if rows[name].get("boxes", _ENOUGH) < _ENOUGH)
    useless = tuple(name for name in classes if name not in few and _is_useless(rows[name]))
    own = [None if name in few + useless else rows[name]["threshold"] for name in classes]
    found = tuple(float(together if each is None else each) for each in own)
    if not all(0 <= each <= 1 for each in found):
        raise ValueError("a threshold is a score")
    return BestScores(found, few, useless)


def _is_useless(row: Mapping[str, float | None]) -> bool:
    """Whether no threshold makes a class of use: it is never found rightly, or hardly ever."""
    if row["threshold"] is None:
        return True
    f1 = row.get("f1")  # scores of earlier versions have none
    return f1 is not None and f1 < USABLE
