"""From which score on a detector's answers are shown: one number, or the best of each class."""

from typing import Any, Literal

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.onnx_files import LEAST_SCORE
from viewfinder.runs.run import Run
from viewfinder.runs.scores import read_scores
from viewfinder.tasks.task import Threshold

Wanted = float | Literal["best"] | None
"""A score for all classes, `best` for each class's own, or None for the task's usual one."""

THRESHOLD_SIDES = ("val", "test")
"""The sides whose scores `best` is read from, the first that there is."""


def threshold_of(run: Run, wanted: Wanted) -> Threshold | None:
    """What a run's answers must score to be shown.

    Raises:
        InputError: `wanted` is no score, or is `best` and the run does not know it.
    """
    if wanted == "best":
        return best_thresholds(run)
    if wanted is not None and not 0 <= wanted <= 1:
        raise InputError(f"--threshold {wanted}: give a score from 0 to 1")
    if wanted is not None:
        tell_least(run, wanted)
    return wanted


def tell_least(run: Run, wanted: float) -> None:
    """Say so where an ONNX file that chooses objects itself leaves out some that are wanted."""
    least = run.manifest.data.get(LEAST_SCORE, 0)
    if isinstance(least, int | float) and least > wanted:
        note(
            f"{run.folder} chooses objects itself, with scores above {least:g} alone, so those "
            "below are missing: export the run without --answers final, or with a lower --threshold"
        )


def best_thresholds(run: Run) -> tuple[float, ...]:
    """For each class the threshold of best F1 on the run's validation pictures.

    On test pictures where there was no validation; for a class that was never found rightly there,
    the best for all classes together.

    Raises:
        InputError: the run is no detector's, or its scores have no such thresholds.
    """
    if run.manifest.task != "detect":
        raise InputError(
            f"--threshold best is of detectors, and {run.folder} is a run of {run.manifest.task}: "
            "leave it out"
        )
    scores = {} if run.foreign else _scores(run)
    judged = next((scores[side] for side in THRESHOLD_SIDES if side in scores), None)
    if judged is None:
        what = run.foreign or run.folder
        lacks = "none" if run.foreign or not scores else "none of pictures that were held out"
        raise InputError(
            f"--threshold best needs the scores that a training writes, and {what} has {lacks}: "
            "give a number, such as --threshold 0.4"
        )
    try:
        return _read(judged, run.manifest.classes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{run.scores_file} says of no class from which score on it is best shown: give a "
            "number, such as --threshold 0.4"
        ) from error


def _scores(run: Run) -> dict[str, Any]:
    if not run.scores_file.exists():
        return {}
    try:
        return read_scores(run.scores_file)
    except InputError as error:
        raise InputError(
            f"{run.scores_file} cannot be read: give a number, such as --threshold 0.4"
        ) from error


def _read(judged: Any, classes: tuple[str, ...]) -> tuple[float, ...]:
    """Raises KeyError, TypeError or ValueError where what is needed is not there."""
    together = judged["best"]["threshold"]
    own = [judged["per_class"][name]["threshold"] for name in classes]
    found = tuple(float(together if each is None else each) for each in own)
    if not all(0 <= each <= 1 for each in found):
        raise ValueError("a threshold is a score")
    return found
