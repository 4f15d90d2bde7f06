"""Scenes small enough to know every count by hand."""

from typing import Any

import numpy as np
import pytest

from viewfinder.datasets.boxes import Boxes, gather_boxes
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.breakdown import confusion
from viewfinder.tasks.detect.measures.matching import MOST, Kind, beyond_counted, match
from viewfinder.tasks.detect.measures.scores import score

CAT, DOG = 0, 1
BOX = (100.0, 100.0, 200.0, 200.0)
HALF = (100.0, 100.0, 200.0, 150.0)  # IoU ½ with BOX
THIRD = (100.0, 100.0, 200.0, 130.0)  # IoU 0.3
TENTH = (100.0, 100.0, 200.0, 110.0)  # IoU 0.1
TOUCH = (100.0, 100.0, 200.0, 105.0)  # IoU 0.05
FAR = (300.0, 300.0, 400.0, 400.0)

Truth = tuple[int, tuple[float, ...]]
Answer = tuple[int, float, tuple[float, ...]]


def scene(truths: list[Truth], answers: list[Answer], **columns: Any) -> tuple[list[Any], Boxes]:
    """One picture."""
    truth = gather_boxes(
        np.zeros(len(truths), np.int64),
        1,
        corners=np.array([row[1] for row in truths], np.float64),
        classes=np.array([row[0] for row in truths], np.int64),
        **{name: np.array(column) for name, column in columns.items()},
    )
    detections = Detections(
        np.array([row[2] for row in answers], np.float32).reshape(-1, 4),
        np.array([row[1] for row in answers], np.float32),
        np.array([row[0] for row in answers], np.int64),
    )
    return [detections], truth


def kinds(truths: list[Truth], answers: list[Answer], **columns: Any) -> list[Kind]:
    """In the order of the answers' scores."""
    return [Kind(kind) for kind in match(*scene(truths, answers, **columns)).kinds]


@pytest.mark.parametrize(
    ("label", "box", "kind"),
    [
        (CAT, BOX, Kind.RIGHT),
        (CAT, HALF, Kind.RIGHT),
        (CAT, THIRD, Kind.LOCALISATION),
        (CAT, TENTH, Kind.LOCALISATION),
        (CAT, TOUCH, Kind.BACKGROUND),
        (CAT, FAR, Kind.BACKGROUND),
        (DOG, BOX, Kind.CLASS),
        (DOG, HALF, Kind.CLASS),
        (DOG, THIRD, Kind.BOTH),
        (DOG, TENTH, Kind.BACKGROUND),
        (DOG, TOUCH, Kind.BACKGROUND),
    ],
)
def test_one_detection_of_one_cat(label: int, box: tuple[float, ...], kind: Kind) -> None:
    matching = match(*scene([(CAT, BOX)], [(label, 0.9, box)]))
    assert matching.kinds.tolist() == [kind]
    assert matching.finders.tolist() == [0 if kind == Kind.RIGHT else -1]
    explained = kind in (Kind.RIGHT, Kind.LOCALISATION, Kind.CLASS)
    assert matching.missed(0.5).tolist() == [not explained]
    assert matching.missed(0.9).tolist() == [True], "what is not shown explains nothing"


def test_the_higher_score_finds_and_the_lower_is_a_duplicate() -> None:
    answers = [(CAT, 0.5, BOX), (CAT, 0.8, HALF)]
    assert kinds([(CAT, BOX)], answers) == [Kind.RIGHT, Kind.DUPLICATE]
    matching = match(*scene([(CAT, BOX)], answers))
    assert matching.found.scores.tolist() == pytest.approx([0.8, 0.5])
    assert matching.causes.tolist() == [0, 0]


def test_a_taken_truth_sends_a_detection_to_the_next_best() -> None:
    near = (100.0, 120.0, 200.0, 220.0)
    matching = match(*scene([(CAT, BOX), (CAT, near)], [(CAT, 0.9, BOX), (CAT, 0.8, BOX)]))
    assert matching.kinds.tolist() == [Kind.RIGHT, Kind.RIGHT]
    assert matching.finders.tolist() == [0, 1]


def test_which_kind_comes_first() -> None:
    both = [(CAT, THIRD), (DOG, BOX)]
    assert kinds(both, [(CAT, 0.9, BOX)]) == [Kind.LOCALISATION]
    double = [(CAT, BOX), (DOG, BOX)]
    assert kinds(double, [(CAT, 0.9, BOX), (CAT, 0.8, BOX)]) == [Kind.RIGHT, Kind.CLASS]


@pytest.mark.parametrize("column", ["crowd", "difficult"])
def test_crowds_and_difficult_objects_neither_count_nor_cost(column: str) -> None:
    answers = [
        (CAT, 0.9, TOUCH),  # lies within it, as small as it is
        (CAT, 0.8, BOX),  # and so does any number of them
        (CAT, 0.7, (100.0, 160.0, 200.0, 260.0)),  # less than half of it does
        (DOG, 0.6, BOX),  # not a crowd of dogs
    ]
    flag = {column: [True]}
    assert kinds([(CAT, BOX)], answers, **flag) == [
        Kind.IGNORED,
        Kind.IGNORED,
        Kind.BACKGROUND,
        Kind.BACKGROUND,
    ]
    matching = match(*scene([(CAT, BOX)], answers, **flag))
    assert matching.missed(0).tolist() == [False]
    assert confusion(matching, threshold=0, classes=2).tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 0]]
    # An object of its own goes before a crowd, whatever their overlap.
    pair = [(CAT, BOX), (CAT, HALF)]
    assert kinds(pair, [(CAT, 0.9, BOX)], **{column: [True, False]}) == [Kind.RIGHT]


def test_truths_that_hold_nothing_or_have_no_name_are_left_out() -> None:
    broken = [(CAT, (50.0, 50.0, 50.0, 90.0)), (-1, BOX), (CAT, (0.0, 0.0, np.nan, 9.0))]
    detections, truth = scene([*broken, (DOG, BOX)], [(DOG, 0.9, BOX)])
    assert score(detections, truth, classes=("cat", "dog")).boxes.tolist() == [0, 1]
    assert match(detections, truth).kinds.tolist() == [Kind.RIGHT]


def test_a_detection_without_size_finds_nothing() -> None:
    assert kinds([(CAT, BOX)], [(CAT, 0.9, (120.0, 120.0, 110.0, 120.0))]) == [Kind.BACKGROUND]


def test_confusion_by_hand() -> None:
    """A cat found, a cat called dog, a dog missed; a duplicate, and a dog where none is."""
    second, third = FAR, (500.0, 0.0, 600.0, 100.0)
    truths = [(CAT, BOX), (CAT, second), (DOG, third)]
    answers = [
        (CAT, 0.9, BOX),
        (CAT, 0.8, HALF),
        (DOG, 0.7, second),
        (DOG, 0.6, (0.0, 0.0, 50.0, 50.0)),
        (DOG, 0.2, third),
    ]
    matching = match(*scene(truths, answers))
    shown = confusion(matching, threshold=0.5, classes=2)
    assert shown.tolist() == [[1, 1, 0], [0, 0, 1], [1, 1, 0]]
    assert confusion(matching, threshold=0.1, classes=2).tolist() == [
        [1, 1, 0],
        [0, 1, 0],
        [1, 1, 0],
    ]
    assert confusion(matching, threshold=0.95, classes=2).tolist() == [
        [0, 0, 2],
        [0, 0, 1],
        [0, 0, 0],
    ]


def test_of_two_wrong_answers_for_a_truth_one_takes_it() -> None:
    detections, truth = scene([(CAT, BOX)], [(DOG, 0.6, BOX), (DOG, 0.9, HALF)])
    counts = confusion(match(detections, truth), threshold=0, classes=2)
    assert counts.tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]


def test_what_errors_cost_by_hand() -> None:
    """Two cats: one found at 0.5, after a cat at 0.9 where none is; one missed."""
    detections, truth = scene([(CAT, BOX), (CAT, FAR)], [(CAT, 0.5, BOX), (CAT, 0.9, (0, 0, 9, 9))])
    scores = score(detections, truth, classes=("cat", "dog"))
    # Precision ½ up to a recall of ½, which is 51 of the 101 points.
    assert scores.ap50 == pytest.approx(51 / 101 / 2)
    assert scores.errors["background"].ap50 == pytest.approx(51 / 101 / 2)
    assert scores.errors["missed"].ap50 == pytest.approx(0.5 - 51 / 101 / 2)
    assert scores.errors["localisation"].ap50 == 0
    assert {name: each.count for name, each in scores.errors.items() if each.count} == {
        "background": 1,
        "missed": 1,
    }


def test_pictures_of_more_objects_than_are_counted_are_said():
    _, truth = scene([(CAT, BOX)] * MOST + [(DOG, FAR)], [])
    assert beyond_counted(truth) == ""
    _, truth = scene([(CAT, BOX)] * (MOST + 1), [])
    assert beyond_counted(truth).startswith("1 picture has more than 100 objects of one class")
    pictures = np.repeat([0, 2], MOST + 1)
    many = gather_boxes(
        pictures, 3, corners=np.tile(BOX, (len(pictures), 1)), classes=np.zeros_like(pictures)
    )
    assert beyond_counted(many).startswith("2 pictures have more than 100")
