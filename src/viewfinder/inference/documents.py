"""What `predict` answers of a picture, as JSON has it and as programs get it."""

from typing import NotRequired, TypedDict

from viewfinder.tasks.classify.probabilities import PredictedClass
from viewfinder.tasks.detect.detections import PredictedBoxes
from viewfinder.tasks.saliency.maps import PredictedSubject


class _Picture(TypedDict):
    source: str
    width: int
    height: int
    frame: NotRequired[int]
    distance: NotRequired[float]
    unlike: NotRequired[bool]


class ClassPrediction(_Picture, PredictedClass):
    """A picture, or a frame of a video, and what a classifier says of it."""


class BoxesPrediction(_Picture, PredictedBoxes):
    """A picture, or a frame of a video, and what a detector finds in it."""


class SubjectPrediction(_Picture, PredictedSubject):
    """A picture, or a frame of a video, and its subject."""


Prediction = ClassPrediction | BoxesPrediction | SubjectPrediction
"""Which it is, `"label" in it`, `"boxes" in it` and `"mask" in it` tell.

What a task's answer holds is what its `as_json` gives; a task that is not named here answers too,
and only its keys are unknown to those who check types.
"""
