"""From which score on a detector's answers are shown: one number, or the best of each class."""

from collections.abc import Mapping
from typing import Literal

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import HELD_OUT, read_scores
from viewfinder.tasks import find
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.answers.platt import Platt
from viewfinder.tasks.model import Model, Threshold
from viewfinder.wording import likest, some

Wanted = float | Literal["best"] | Mapping[str, float] | None
"""A score for all classes, `best` for each class's own, scores by class (the others have the task's
usual one), or None for the task's usual one."""

THRESHOLD_SPLITS = ("val", HELD_OUT, "test")
"""The splits whose scores `best` is read from, the first that there is."""


def threshold_of(model: Model, wanted: Wanted, run: RunFolder | None) -> Threshold | None:
    """What a model's answers must score to be shown.

    Args:
        run: of which the model is, if it is of one.

    Raises:
        InputError: `wanted` is no score, is of a class that there is not, or is `best` and there is
            no run that knows it.
    """
    if wanted is None:
        return None
    if wanted == "best":
        return best_thresholds(model, run)
    if isinstance(wanted, Mapping):
        return _by_class(model, wanted)
    _refuse_no_score(wanted)
    task = find(model.config.task)
    if not task.has_threshold:
        instead = "; to answer unknown below a score, give --refuse-below {:g}" * task.can_doubt
        note(
            f"--threshold {wanted:g} changes nothing: {model.source} is a run of "
            f"{model.config.task}, which answers every picture whatever its score"
            f"{instead.format(wanted)}"
        )
    note_least(model, wanted)
    return wanted


def _by_class(model: Model, wanted: Mapping[str, float]) -> tuple[float, ...]:
    _refuse_other_tasks(model, "of classes")
    classes = model.config.classes
    for name, score in wanted.items():
        if name not in classes:
            known = likest(name, classes) or f": it has {some(classes)}"
            raise InputError(f"--threshold: {model.source} has no class {name!r}{known}")
        _refuse_no_score(score, name)
    note_least(model, min(wanted.values()))
    return tuple(wanted.get(name, THRESHOLD) for name in classes)


def _refuse_no_score(wanted: float, name: str = "") -> None:
    if not 0 <= wanted <= 1:
        given = f"{name}={wanted:g}" if name else f"{wanted:g}"
        raise InputError(f"--threshold {given}: give a score from 0 to 1")


def _refuse_other_tasks(model: Model, what: str) -> None:
    if not find(model.config.task).finds_boxes:
        raise InputError(
            f"--threshold {what} is of detectors, and {model.source} is a run of "
            f"{model.config.task}: leave it out"
        )


def note_least(model: Model, wanted: float) -> None:
    """Say so where an ONNX file that chooses objects itself leaves out some that are wanted."""
    least = model.config.least_score
    if least > wanted:
        note(
            f"{model.source} chooses objects itself, with scores above {least:g} alone, so those "
            "below are missing: export the run without --answers final, or with a lower --threshold"
        )


def best_thresholds(model: Model, run: RunFolder | None) -> tuple[float, ...]:
    """For each class the threshold of best F1 on a run's validation pictures.

    Where there was no validation, on what folds held out, or on test pictures; for a class that was
    never found rightly there, the best for all classes together.

    Raises:
        InputError: the run is no detector's, or its scores have no such thresholds.
    """
    _refuse_other_tasks(model, "best")
    scores = {} if run is None else _scores(run)
    judged = next((scores[split] for split in THRESHOLD_SPLITS if split in scores), None)
    if run is None or judged is None:
        lacks = "none of pictures that were held out" if scores else "none"
        raise InputError(
            f"--threshold best needs the scores that a training writes, and {model.source} has "
            f"{lacks}: give a number, such as --threshold 0.4"
        )
    try:
        found = _read(judged, model.config.classes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{run.scores_file} says of no class from which score on it is best shown: give a "
            "number, such as --threshold 0.4"
        ) from error
    kept = run.model.config.habits.get(CALIBRATION)
    if isinstance(kept, Platt) and CALIBRATION not in model.config.habits:
        return kept.own(found)  # they were measured on calibrated scores
    return found


def has_best(scores: Mapping[str, object], classes: tuple[str, ...]) -> bool:
    """Whether a run's scores tell from which score on each class is best shown."""
    judged = next((scores[split] for split in THRESHOLD_SPLITS if split in scores), None)
    try:
        return bool(_read(judged, classes))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def _scores(run: RunFolder) -> dict[str, object]:
    if not run.scores_file.exists():
        return {}
    try:
        return read_scores(run.scores_file)
    except InputError as error:
        raise InputError(
            f"{run.scores_file} cannot be read: give a number, such as --threshold 0.4"
        ) from error


def _read(judged: object, classes: tuple[str, ...]) -> tuple[float, ...]:
    """Raises KeyError, TypeError or ValueError where what is needed is not there."""
    if not isinstance(judged, dict):
        raise TypeError("scores are a table")
    together = judged["best"]["threshold"]
    own = [judged["per_class"][name]["threshold"] for name in classes]
    found = tuple(float(together if each is None else each) for each in own)
    if not all(0 <= each <= 1 for each in found):
        raise ValueError("a threshold is a score")
    return found
