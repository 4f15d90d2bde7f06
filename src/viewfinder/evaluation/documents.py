"""What `evaluate` answers of a set, as JSON has it and as programs get it."""

from typing import NotRequired, TypedDict

from viewfinder.evaluation.calibration import CalibrationFigures
from viewfinder.evaluation.classify.sets import SetFigures
from viewfinder.evaluation.subsets import SubsetFigures
from viewfinder.tasks.classify.scores import ClassifyFigures
from viewfinder.tasks.detect.measures.scores import DetectFigures
from viewfinder.tasks.saliency.scores import SaliencyFigures


class SpeedFigures(TypedDict):
    """How fast it was here: milliseconds from one picture in memory to its answer, None where that
    was not timed; and pictures a second of the whole set, decoded, answered and scored.
    """

    milliseconds: float | None
    pictures_per_s: float


class EvaluatedOn(TypedDict):
    """What was judged.

    `learnt` are those of its pictures that the run was trained on or chosen by, byte for byte;
    `subsets` thirds of the pictures, or of the objects in them, by what they are like, with the
    figure of each; `calibration` how far scores can be believed, None where they are few or none.
    """

    split: str
    learnt: list[str]
    subsets: list[SubsetFigures]
    calibration: CalibrationFigures | None
    images: int
    seconds: float
    speed: SpeedFigures


class ClassifyEvaluation(EvaluatedOn, ClassifyFigures):
    """A classifier's scores, on what, and how often sets of classes hold the true one: None of too
    few pictures and of those that the run's own sets are made by, nothing where a run makes none.
    """

    coverage: NotRequired[SetFigures | None]


class DetectEvaluation(EvaluatedOn, DetectFigures):
    """A detector's scores, on what, and whether a second opinion on classes is in its answers."""

    second_opinion: bool


class SaliencyEvaluation(EvaluatedOn, SaliencyFigures):
    """A saliency network's scores, and on what."""


Evaluation = ClassifyEvaluation | DetectEvaluation | SaliencyEvaluation
"""Which it is, `"accuracy" in it`, `"ap" in it` and `"mae" in it` tell.

What a task's scores hold is what their `as_json` gives; a task that is not named here is evaluated
too, and only its keys are unknown to those who check types.
"""
