"""MOTA, IDF1 and HOTA of what was followed, by TrackEval (Luiten et al., 2021).

Boxes are matched whatever their classes, as MOT Challenge does; MOTA and IDF1 at an IoU of 0.5 or
more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from moving_clips import Frame
from numpy.typing import NDArray
from trackeval.metrics import CLEAR, HOTA, Identity

from viewfinder.inference.answers import Answer
from viewfinder.inference.tracking.following import TrackedDetections, follow, looked_for
from viewfinder.pictures.geometry import iou
from viewfinder.tabletop.shapes import CLASSES
from viewfinder.tasks.detect.answers.suppression import best_of
from viewfinder.tasks.detect.detections import Detections

_QUIET = {"PRINT_CONFIG": False}


@dataclass(frozen=True)
class TrackingScores:
    """Of one clip.

    Attributes:
        switches: how often a thing gets another number.
    """

    mota: float
    idf1: float
    hota: float
    switches: int


def followed(frames: Sequence[Detections], size: int) -> list[TrackedDetections]:
    """What `predict --track` makes of a detector's answers to a clip's frames."""
    answers = [Answer("clip", (size, size), each, n) for n, each in enumerate(frames)]
    high, _ = looked_for(None)
    done, _ = follow(answers, classes=CLASSES, high=high)
    return [each.value for each in done if isinstance(each.value, TrackedDetections)]


def score(truth: Sequence[Frame], found: Sequence[TrackedDetections]) -> TrackingScores:
    """What was followed against the truth, frame by frame."""
    assert len(truth) == len(found)
    things, things_count = _numbered([frame.things for frame in truth])
    tracks, tracks_count = _numbered([each.tracks for each in found])
    data = {
        "num_gt_dets": sum(map(len, things)),
        "num_tracker_dets": sum(map(len, tracks)),
        "num_gt_ids": things_count,
        "num_tracker_ids": tracks_count,
        "num_timesteps": len(truth),
        "gt_ids": things,
        "tracker_ids": tracks,
        "similarity_scores": [
            iou(frame.boxes, each.boxes.astype(np.float32)).astype(np.float64)
            for frame, each in zip(truth, found, strict=True)
        ],
    }
    clear, identity, hota = (
        kind.eval_sequence(data) for kind in (CLEAR(dict(_QUIET)), Identity(dict(_QUIET)), HOTA())
    )
    return TrackingScores(
        float(clear["MOTA"]),
        float(identity["IDF1"]),
        float(np.mean(hota["HOTA"])),
        int(clear["IDSW"]),
    )


def _numbered(rows: Sequence[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    """The same numbers from 0 without gaps, and how many there are."""
    known = np.unique(np.concatenate(rows))
    return [np.searchsorted(known, row) for row in rows], len(known)


def perfect(frame: Frame) -> Detections:
    """What a detector would find that makes no mistake."""
    return Detections(frame.boxes, np.full(len(frame.boxes), 0.9), frame.labels)


def spoilt(
    frames: Sequence[Frame], *, seed: int, dropped: float, jitter: float
) -> list[Detections]:
    """Perfect detections of which a share is missing, and whose edges tremble.

    Args:
        jitter: standard deviation of an edge's place, as a share of the box's sides.
    """
    random = np.random.default_rng(seed)
    found = []
    for frame in frames:
        kept = perfect(frame).take(np.flatnonzero(random.random(len(frame.boxes)) >= dropped))
        sides = np.tile(kept.boxes[:, 2:] - kept.boxes[:, :2], 2)
        shaken = kept.boxes + jitter * sides * random.standard_normal(kept.boxes.shape)
        scores = random.uniform(0.3, 0.99, len(kept))
        found.append(Detections(shaken, scores, kept.labels))
    return found


def passing(
    *, seed: int, frames: int = 120, count: int = 6
) -> tuple[list[Frame], list[Detections]]:
    """Equal things that pass each other in opposite directions, and what is found of them.

    Of two that overlap by 0.45 only one is found, one in ten is missing, and edges tremble by 3 %.
    """
    random = np.random.default_rng(seed)
    things = [
        [
            float(random.integers(0, 50)),
            float(number % 2 * 2 - 1),
            *(random.uniform(*ends) for ends in ((2, 6), (150, 190), (35, 50), (80, 120))),
        ]
        for number in range(count)
    ]
    film, found = [], []
    for time in range(frames):
        boxes, numbers = [], []
        for number, (start, way, speed, y, width, height) in enumerate(things):
            x = (-30 if way > 0 else 430) + way * speed * (time - start)
            if time >= start and 0 < x < 400:
                boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
                numbers.append(number)
        there = np.array(boxes, np.float32).reshape(-1, 4)
        labels = np.zeros(len(there), np.int64)
        nothing = np.zeros((1, 1, 3), np.uint8)
        film.append(Frame(nothing, there, np.array(numbers, np.int64), labels))
        kept = there[random.random(len(there)) >= 0.1]
        sides = np.tile(kept[:, 2:] - kept[:, :2], 2)
        shaken = (kept + 0.03 * sides * random.standard_normal(kept.shape)).astype(np.float32)
        scores = random.uniform(0.3, 0.95, len(kept))
        seen = Detections(shaken, scores, np.zeros(len(kept), np.int64))
        seen = seen.take(np.argsort(-scores))
        found.append(seen.take(best_of(seen, overlap=0.45)))
    return film, found
