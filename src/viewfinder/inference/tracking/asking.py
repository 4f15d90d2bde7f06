"""What `predict --track` does: asks a detector of every frame, follows and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from viewfinder.inference.answers import Answer
from viewfinder.inference.asked_scores import refuse_followed
from viewfinder.inference.predict import predict
from viewfinder.inference.tracking.counting import read_places
from viewfinder.inference.tracking.following import VideoCounts, follow, looked_for
from viewfinder.tasks import find
from viewfinder.tasks.model import Model, Threshold


@dataclass(frozen=True, eq=False)
class Followed:
    """The answers of every frame, whose boxes have numbers, and what was counted in each video."""

    answers: list[Answer]
    counts: list[VideoCounts]


def track(
    model: Model,
    source: str | Path,
    *,
    device: torch.device,
    threshold: Threshold | None = None,
    lines: Sequence[str] = (),
    zones: Sequence[str] = (),
) -> Followed:
    """Follow the objects of a video, or of a folder of frames in the order of their names.

    Args:
        threshold: what an object must score to be followed anew; one that is known is followed
            down to two fifths of it. None is 0.25.
        lines: each `x1,y1,x2,y2` in pixels.
        zones: each two corners of a rectangle, or the corners of a polygon.

    Raises:
        InputError: no detector, no such place, or as `predict`.
    """
    refuse_followed(model.source, finds_boxes=find(model.config.task).finds_boxes)
    places = read_places(lines, zones)
    high, low = looked_for(threshold)
    answers = predict(model, source, device=device, threshold=low)
    found, counts = follow(answers, classes=model.config.classes, high=high, places=places)
    return Followed(found, counts)
