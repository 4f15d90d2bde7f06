"""Each method's detections of a set, by the set's own classes, with what was odd about them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.nets.published import COCO, COCO_FILE
from viewfinder.scoring.box_files import read_box_rows
from viewfinder.scoring.box_meaning import meaning_notes, order_notes
from viewfinder.scoring.box_rows import BoxRows
from viewfinder.scoring.class_names import class_numbers, meant
from viewfinder.scoring.models import detections_by, is_model, model_to, read_each
from viewfinder.tasks.detect.detections import Detections
from viewfinder.wording import counted, some


@dataclass(frozen=True, eq=False)
class BoxAnswers:
    """A method's detections: a picture each, classes numbered as the set's."""

    found: tuple[Detections, ...]
    notes: tuple[str, ...] = ()


def all_box_answers(answers: Mapping[str, Path], truth: Dataset) -> dict[str, BoxAnswers]:
    """Each method's detections; what can be refused at once is, before a model is asked.

    Raises:
        InputError: as `box_answers`.
    """
    for path in answers.values():
        if is_model(path):
            _numbers_of(model_to(path, "detect").config.classes, truth, [], model=_called(path))
    return read_each(answers, lambda path: box_answers(path, truth))


def box_answers(path: Path, truth: Dataset) -> BoxAnswers:
    """What a model or a file of detections says of a set's pictures.

    Raises:
        InputError: it cannot be read, or says nothing of these pictures.
    """
    if is_model(path):
        classes, found = detections_by(path, truth)
        return _renumbered(classes, found, truth, model=_called(path))
    return answers_of(read_box_rows(path, truth), truth, where=str(path))


def answers_of(rows: BoxRows, truth: Dataset, *, where: str) -> BoxAnswers:
    """Rows as detections; what is of no class of the set is left out, and said.

    Raises:
        InputError: a score is none, or a corner no number.
    """
    scores, corners = rows.sureness(where), rows.corners()
    _check(rows, scores, corners, where)
    notes = list(rows.notes)
    numbers = class_numbers(rows.classes, truth.classes, notes)
    labels = np.array([numbers.get(name, -1) for name in rows.classes], np.int64)
    if len(labels) and not (labels >= 0).any():
        there = some(meant(list(dict.fromkeys(rows.classes)), truth.classes, ()))
        raise InputError(
            f"{where} has no detection of a class of the set: it has {there}, and the set "
            f"{some(list(truth.classes))}"
        )
    if not len(labels) and rows.strange:
        raise InputError(
            f"{where}: none of the {counted(rows.strange, 'detection')} is in a picture of the "
            f"set ({rows.notes[0]}): are these answers to another set?"
        )
    if not len(labels):
        notes.append("it has no detection at all")
    unknown = Counter(n for n in rows.classes if n not in numbers)
    notes += _unknown(unknown, truth.classes, set(numbers.values()))
    places = {path: row for row, path in enumerate(truth.paths)}
    pictures = np.array([places[path] for path in rows.pictures], np.int64)
    notes += meaning_notes(corners, scores, pictures, truth, own=rows.meaning, where=where)
    if again := _repeated(pictures, labels, scores, corners):
        notes.append(
            f"{counted(again, 'detection')} repeated to the last digit: the second of two counts "
            "as wrong"
        )
    silent = [path for path in truth.paths if path not in rows.answered]
    if silent:
        count = counted(len(silent), "picture")
        notes.append(f"it says nothing of {count}, where nothing counts as found: {some(silent)}")
    found = _by_picture(pictures, labels, scores, corners, len(truth))
    return BoxAnswers(found, (*notes, *order_notes(found, truth)))


def _check(
    rows: BoxRows, scores: NDArray[np.float64], corners: NDArray[np.float64], where: str
) -> None:
    good = (scores >= 0) & (scores <= 1)
    if not good.all():
        bad = int(np.argmin(good))
        raise InputError(
            f"{where}: a detection in {rows.pictures[bad]} has the score {scores[bad]:g}: scores "
            f"lie in [0, 1]; {_mending(scores)}"
        )
    whole = np.isfinite(corners).all(axis=1)
    if not whole.all():
        name = rows.pictures[int(np.argmin(whole))]
        raise InputError(f"{where}: a detection in {name} has a box that is not four numbers")


def _mending(scores: NDArray[np.float64]) -> str:
    """What to do with scores that do not all lie in [0, 1]."""
    if not np.isfinite(scores).all():
        return "leave out detections whose score is no finite number"
    if (scores < 0).any():
        return "give the sigmoid of logits, 1 / (1 + exp(-score))"
    if scores.max() <= 100:
        return "divide those in percent by 100"
    return "divide them by the largest that there can be"


def _unknown(unknown: Counter[str], classes: Sequence[str], numbers: Collection[int]) -> list[str]:
    if not unknown:
        return []
    names = [name for name, _ in unknown.most_common()]
    each = zip(names, meant(names, classes, numbers), strict=True)
    told = [f"{name} ({unknown[plain]:,})" for plain, name in each]
    return [
        f"{counted(unknown.total(), 'detection')} of classes that the set does not have, left "
        f"out: {some(told)}"
    ]


def _repeated(
    pictures: NDArray[np.int64],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    corners: NDArray[np.float64],
) -> int:
    rows = np.column_stack([pictures, labels, scores, corners])
    return len(rows) - len(np.unique(rows, axis=0))


def _by_picture(
    pictures: NDArray[np.int64],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    corners: NDArray[np.float64],
    count: int,
) -> tuple[Detections, ...]:
    known = np.flatnonzero(labels >= 0)
    order = known[np.argsort(pictures[known], kind="stable")]
    ends = np.searchsorted(pictures[order], np.arange(count + 1))
    found = []
    for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        own = order[low:high]
        own = own[np.argsort(-scores[own], kind="stable")]
        # In 64 bits, so that what is equal in the file, and only that, is equal here.
        found.append(Detections(corners[own], scores[own], labels[own]))
    return tuple(found)


def _numbers_of(
    classes: Sequence[str], truth: Dataset, notes: list[str], *, model: str
) -> dict[str, int]:
    """The set's number of each class that a model knows.

    Raises:
        InputError: it knows none of them.
    """
    numbers = class_numbers(classes, truth.classes, notes)
    if not numbers:
        raise InputError(
            f"{model} knows {some(meant(classes, truth.classes, ()))}, and none of the set's "
            f"classes, {some(list(truth.classes))}: give a set, or a model, of the same classes"
        )
    return numbers


def _called(path: Path) -> str:
    return COCO if path == COCO_FILE else str(path)


def _renumbered(
    classes: Sequence[str], found: Sequence[Detections], truth: Dataset, *, model: str
) -> BoxAnswers:
    """A model's detections by the set's classes."""
    notes: list[str] = []
    numbers = _numbers_of(classes, truth, notes, model=model)
    lacking = [name for k, name in enumerate(truth.classes) if k not in numbers.values()]
    if lacking:
        notes.append(f"the model does not know {some(lacking)}: it finds none of them")
    of = np.array([numbers.get(name, -1) for name in classes], np.int64)
    unknown: Counter[str] = Counter()
    kept = []
    for each in found:
        labels = of[each.labels]
        unknown.update(classes[k] for k in each.labels[labels < 0].tolist())
        there = labels >= 0
        kept.append(Detections(each.boxes[there], each.scores[there], labels[there]))
    return BoxAnswers(
        tuple(kept), (*notes, *_unknown(unknown, truth.classes, set(numbers.values())))
    )
