"""From which score on a detector's answers are shown: one number, or the best of each class."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from viewfinder.events import note
from viewfinder.inference.asked_scores import (
    BestScores,
    best_scores,
    refuse_no_score,
    refuse_other_tasks,
    refuse_unknown_classes,
)
from viewfinder.runs.run import RunFolder
from viewfinder.tasks import find
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.answers.platt import Platt
from viewfinder.tasks.model import Model, Threshold

Wanted = float | Literal["best"] | Mapping[str, float] | None
"""A score for all classes, `best` for each class's own, scores by class (the others have the task's
usual one), or None for the task's usual one."""


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
        found = best_thresholds(model, run)
        note(found.told(model.config.classes))
        return found.each
    if isinstance(wanted, Mapping):
        return _by_class(model, wanted)
    refuse_no_score("--threshold", wanted)
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
    refuse_unknown_classes(model.source, classes, wanted)
    note_least(model, min(wanted.values()))
    return tuple(wanted.get(name, THRESHOLD) for name in classes)


def _refuse_other_tasks(model: Model, what: str) -> None:
    task = model.config.task
    refuse_other_tasks(model.source, task, what, finds_boxes=find(task).finds_boxes)


def note_least(model: Model, wanted: float) -> None:
    """Say so where an ONNX file that chooses objects itself leaves out some that are wanted."""
    least = model.config.least_score
    if least > wanted:
        note(
            f"{model.source} chooses objects itself, with scores above {least:g} alone, so those "
            "below are missing: export the run without --answers final, or with a lower --threshold"
        )


def best_thresholds(model: Model, run: RunFolder | None) -> BestScores:
    """For each class the threshold of best F1 on a run's validation pictures.

    Where there was no validation, on what folds held out, or on test pictures; for a class that was
    never found rightly there, the best for all classes together.

    Raises:
        InputError: the run is no detector's, or its scores have no such thresholds.
    """
    _refuse_other_tasks(model, "best")
    file = None if run is None else run.scores_file
    found = best_scores(model.source, file, model.config.classes)
    assert run is not None, "without one there are no scores"
    kept = run.model.config.habits.get(CALIBRATION)
    if isinstance(kept, Platt) and CALIBRATION not in model.config.habits:
        return replace(found, each=kept.own(found.each))  # they were measured on calibrated scores
    return found
