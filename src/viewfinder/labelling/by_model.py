"""Proposals by networks: a detector's boxes, and the subjects of a saliency map."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Predictor
from viewfinder.labelling.asked_names import refuse_unknown_names
from viewfinder.labelling.certainty import SALIENCY, expected_iou
from viewfinder.labelling.proposing import ProposalRows, Proposed, class_of
from viewfinder.pictures.geometry import BoxArray, iou
from viewfinder.pictures.masks import box_around
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.task import Detect
from viewfinder.tasks.model import Model, Threshold
from viewfinder.tasks.saliency.maps import Subject
from viewfinder.tasks.saliency.task import Saliency
from viewfinder.wording import counted, some

# Of a threshold at which nothing is found, and the least that is worth a try.
_LOWER, _LEAST = 0.4, 0.05
# A part of a map is a subject of its own if it has this share of the largest part's pixels.
_LEAST_PART = 0.05
# Gaps as wide as this share of the picture's longer side are closed.
_GAP = 0.01
# Shares of a map's greatest value at which it is cut off as well, to see how steady a box is.
_LOW, _HIGH = 0.25, 0.75

# Boxes of a detector that overlap more than this are one object's, whatever their classes.
_ONE_OBJECT = 0.7

Map = NDArray[np.float32]
Named = tuple[str, NDArray[np.uint8]]
Mapper = Callable[[Iterator[Named]], Iterator[tuple[str, Map]]]
"""From pictures with their paths to H×W maps in [0, 1] with the same paths, in the same order."""


def propose_by_detector(
    data: Path,
    paths: Sequence[str],
    *,
    model: Model,
    names: Mapping[str, str],
    threshold: Threshold,
    device: torch.device,
) -> Proposed:
    """What a detector finds in each picture; of boxes in one place, the surest class alone.

    Args:
        names: what to call a class of the model's; with any given, other classes are left away.
        threshold: the least score that is proposed, of each class if several.

    Raises:
        InputError: the model is no detector, a name is none of its classes, or no picture can be
            read.
    """
    config = model.config
    if config.task != Detect.name:
        raise InputError(f"{model.source} is a run of {config.task}: --by wants a detector's")
    refuse_unknown_names(names, config.classes)
    rows, failed = ProposalRows(), list[str]()
    weights = model.weights.file
    source = f"detector: {weights.parent.name}/{weights.name}"
    readable = _readable(data, paths, rows, failed, bits=config.bits)
    predictor = Predictor(model, device=device, threshold=threshold)
    prepared = (predictor.prepare(picture, rows.sizes[path], path) for path, picture in readable)
    for answer in predictor.answers(prepared, len(paths)):
        found = answer.value
        assert isinstance(found, Detections), "the model is a detector"
        asked = [not names or config.classes[label] in names for label in found.labels]
        kept = one_class_each(found.take(np.array(asked, np.bool_)))
        for box, score, label in zip(kept.boxes, kept.scores, kept.labels, strict=True):
            theirs = config.classes[label]
            rows.add(answer.source, names.get(theirs, theirs), box, float(score), source)
    return _proposed(rows, failed)


def found_nothing(model: Model, names: Mapping[str, str], threshold: Threshold) -> str:
    """What to do in a terminal where a detector finds nothing at all."""
    least = threshold if isinstance(threshold, float) else min(threshold)
    of = f" of {', '.join(names)}" if names else ""
    tries = [f"a lower --threshold, such as {max(_LOWER * least, _LEAST):.2g}"] * (least > _LEAST)
    tries += ["all its classes, without --names"] * bool(names)
    known = f"it knows {counted(len(model.config.classes), 'class')} ({some(model.config.classes)})"
    lead = f"try {' or '.join(tries)}; " if tries else ""
    return (
        f"{model.source} finds nothing{of}: {lead}{known}, and where yours is none of them, mark "
        "some pictures yourself (viewfinder label) and train a detector on these"
    )


def one_class_each(found: Detections) -> Detections:
    """Those that are the surest in their place: an object is of one class."""
    found = found.take(np.argsort(-found.scores, kind="stable"))
    over = iou(found.boxes, found.boxes) > _ONE_OBJECT
    kept: list[int] = []
    for row in range(len(found)):
        if not over[row, kept].any():
            kept.append(row)
    return found.take(np.array(kept, np.int64))


def propose_by_saliency(
    data: Path,
    paths: Sequence[str],
    *,
    model: Mapper,
    source: str,
    name: str | None = None,
    bits: int = 16,
) -> Proposed:
    """The subjects of each picture: the parts of its saliency map, a box and a mask each.

    A part is where the map reaches half of its greatest value; its score is the IoU to be expected.

    Args:
        name: the class of all; if not given, each picture's class is the name of its folder.
        bits: how many the values of 16-bit pictures fill, as the model's run has them.

    Raises:
        InputError: no picture can be read.
    """
    rows, failed = ProposalRows(), list[str]()
    readable = _readable(data, paths, rows, failed, bits=bits)
    for path, values in model(readable):
        for box, mask, score in subjects(values):
            rows.add(path, name or class_of(data, path), box, score, source, mask)
    return _proposed(rows, failed)


def subjects(values: Map) -> Iterator[tuple[BoxArray, NDArray[np.bool_], float]]:
    """The box, mask and score of each subject of an H×W map in [0, 1], the largest first."""
    height, width = values.shape
    if not values.max() > 0:
        return
    inside = (values >= 0.5 * values.max()).astype(np.uint8)
    side = 2 * round(_GAP * max(height, width) / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, kernel)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(closed)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1
    for part in order.tolist():
        x, y, w, h, area = (int(value) for value in stats[part])
        if area < _LEAST_PART * stats[order[0], cv2.CC_STAT_AREA]:
            break
        mask = numbers == part
        score = expected_iou(_sureness(values, mask, np.asarray(numbers, np.int32)), SALIENCY)
        edges = (max(0, x - 1), max(0, y - 1), min(width, x + w + 1), min(height, y + h + 1))
        yield np.array(edges, np.float32), mask, score


def _sureness(values: Map, mask: NDArray[np.bool_], parts: NDArray[np.int32]) -> float:
    """The map's mean within a part, less the more its box depends on where a map is cut off.

    Args:
        parts: H×W, the number of each pixel's part; 0 in none.
    """
    high = mask & (values >= _HIGH * values.max())
    # Where the map is lower, what it reaches next to this part and no other.
    own = ((values >= _LOW * values.max()) & (parts == 0)) | mask
    _, numbers = cv2.connectedComponents(own.astype(np.uint8))
    low = numbers == np.bincount(numbers[mask]).argmax()
    middle = _edges(mask)
    steady = [float(iou(_edges(one), middle)[0, 0]) for one in (high, low)]
    return float(values[mask].mean()) * steady[0] * steady[1]


def _edges(mask: NDArray[np.bool_]) -> BoxArray:
    """1×4, the box around a mask; nothing around an empty one."""
    return np.array([box_around(mask)], np.float32)


def maps_of_model(model: Model, device: torch.device) -> Mapper:
    """Saliency maps by a model.

    Raises:
        InputError: the model is of another task.
    """
    if model.config.task != Saliency.name:
        raise InputError(
            f"{model.source} is a run of {model.config.task}: --by saliency wants one of saliency, "
            "or an ONNX file"
        )

    predictor = Predictor(model, device=device)

    def find(pictures: Iterator[Named]) -> Iterator[tuple[str, Map]]:
        prepared = (
            predictor.prepare(picture, (picture.shape[1], picture.shape[0]), path)
            for path, picture in pictures
        )
        for answer in predictor.answers(prepared, None):
            assert isinstance(answer.value, Subject), "the model is one of saliency"
            yield answer.source, answer.value.map.at_own_size()

    return find


def _readable(
    data: Path, paths: Sequence[str], rows: ProposalRows, failed: list[str], *, bits: int = 16
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The pictures that can be read, whose sizes go into `rows`; the others into `failed`."""
    for path in paths:
        try:
            picture = read_picture(data / path, bits=bits)
        except InputError as error:
            failed.append(f"passed over: {path}: {error}")
            continue
        rows.sizes[path] = picture.shape[1], picture.shape[0]
        yield path, picture


def _proposed(rows: ProposalRows, failed: Sequence[str]) -> Proposed:
    if not rows.sizes:
        raise InputError(failed[0].removeprefix("passed over: "))
    if not rows.rows:
        note("nothing was found in any picture")
    return Proposed(rows.proposals(), tuple(failed))
