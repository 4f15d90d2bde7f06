"""The figures of a detector's report, and its answers drawn on a picture."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from viewfinder.datasets.boxes import Boxes, gather_boxes
from viewfinder.evaluation.detect import plots as detect_plots
from viewfinder.evaluation.detect.drawing import (
    MISSED,
    MOST_WRONG,
    RIGHT,
    WRONG,
    draw_detections,
)
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.scores import score

HOSTILE = ("<script>", "$\\frac$ $5", '图 & "q"', "\udcff", "long " * 90)


def boxes(corners: list[tuple[float, ...]], labels: list[int]) -> Boxes:
    return gather_boxes(
        np.zeros(len(labels), np.int64),
        1,
        corners=np.array(corners, np.float64).reshape(-1, 4),
        classes=np.array(labels, np.int64),
    )


def answers(corners: list[tuple[float, ...]], labels: list[int], scores: list[float]) -> Detections:
    return Detections(
        np.array(corners, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(labels, np.int64),
    )


def many(classes: int) -> tuple[Boxes, Detections]:
    """A box of each class; those of odd classes are found, after a false one."""
    places = [(10.0 * c, 0.0, 10.0 * c + 9, 9.0) for c in range(classes)]
    found = [c for c in range(classes) if c % 2]
    false = [(0.0, 500.0, 9.0, 509.0)] * len(found)
    corners = [places[c] for c in found] + false
    detections = answers(corners, found + found, [0.6] * len(found) + [0.9] * len(found))
    return boxes(places, list(range(classes))), detections


def words(svg: str) -> list[str]:
    """Every text of a figure, which must be XML and run nothing."""
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    tags = {element.tag.split("}")[-1] for element in root.iter()}
    assert "script" not in tags
    return ["".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("text")]


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_every_figure_takes_any_classes(count: int) -> None:
    classes = (*HOSTILE, *map(str, range(count)))[:count]
    truth, detections = many(count)
    scores = score([detections], truth, classes=classes)
    for draw in (detect_plots.precision_recall, detect_plots.confusion):
        assert words(draw(scores, classes))
        assert draw(scores, classes) == draw(scores, classes), "the same bytes every time"
    assert "missed" in words(detect_plots.errors(scores))


def test_the_curves_name_their_classes_with_ap50() -> None:
    truth, detections = many(4)
    scores = score([detections], truth, classes=("a", "b", "c", "d"))
    found = words(detect_plots.precision_recall(scores, ("a", "b", "c", "d")))
    assert {"50.0% b", "50.0% d", "0.0% a", "0.0% c", "AP50, mean 25.0%"} <= set(found)
    truth, detections = many(30)
    names = tuple(f"class {c}" for c in range(30))
    shown = words(detect_plots.precision_recall(score([detections], truth, classes=names), names))
    assert sum("% class" in word for word in shown) == 5
    assert "mean" in shown


def test_the_errors_tell_cost_and_count() -> None:
    truth, detections = many(4)
    scores = score([detections], truth, classes=("a", "b", "c", "d"))
    shown = words(detect_plots.errors(scores))
    assert "25.0 (2 counted)" in shown, "the false ones halve what two of four classes have"
    assert "50.0 (2 counted)" in shown, "the missed ones are the other two"


def drawn_in(canvas: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((canvas == colour).all(axis=2))


@pytest.mark.parametrize("size", [(40, 30), (300, 900), (2000, 1500)])
def test_found_missed_and_wrong_have_colours_of_their_own(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.full((height, width, 3), 128, np.uint8)
    unit = np.array([width, height, width, height]) / 10
    truth = boxes([tuple(unit * (1, 1, 4, 4)), tuple(unit * (6, 6, 9, 9))], [0, 1])
    detections = answers(
        [tuple(unit * (1, 1, 4, 3.5)), tuple(unit * (6, 1, 9, 4)), tuple(unit * (1, 6, 4, 9))],
        [0, 1, 1],
        [0.9, 0.8, 0.2],
    )
    canvas = draw_detections(picture, detections, truth, classes=("a", "b"), threshold=0.5)
    assert max(canvas.shape[:2]) == 800
    assert (picture == 128).all(), "the picture itself is left alone"
    scale = np.array(canvas.shape[:2]) / 10
    for colour, low, high in (
        (RIGHT, (1, 1), (3.5, 4)),
        (MISSED, (6, 6), (9, 9)),
        (WRONG, (1, 6), (4, 9)),
    ):
        rows = drawn_in(canvas, colour)
        # A caption may stand above its box, and be wider than a narrow one.
        assert rows[:, 0].max() + 1 == pytest.approx(high[0] * scale[0], abs=2)
        assert rows[:, 1].min() == pytest.approx(low[1] * scale[1], abs=2)
        assert len(rows) > 2 * (high[0] - low[0]) * scale[0]
    below = canvas[int(5.5 * scale[0]) :, : int(4.5 * scale[1])]
    assert (below == 128).all(), "what lies below the threshold is not drawn"


def test_nothing_to_draw_leaves_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8)
    empty = draw_detections(
        picture, answers([], [], []), boxes([], []), classes=(), threshold=0.5, side=80
    )
    assert (empty == picture).all()


def test_of_many_wrong_boxes_the_surest_are_drawn() -> None:
    picture = np.full((300, 600, 3), 128, np.uint8)
    # Boxes apart from one another, each less sure than the one to its left.
    lefts = np.arange(3 * MOST_WRONG) * 16.0
    corners = [(left, 100.0, left + 8, 108.0) for left in lefts]
    found = answers(corners, [0] * len(lefts), np.linspace(0.9, 0.6, len(lefts)).tolist())
    none = boxes([], [])
    drawn = draw_detections(picture, found, none, classes=("",), threshold=0.5, side=600)
    last = drawn_in(drawn, WRONG)[:, 1].max()
    assert lefts[MOST_WRONG - 1] < last < lefts[MOST_WRONG] + 8 * 3
