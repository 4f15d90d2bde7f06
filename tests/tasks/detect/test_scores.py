"""COCO's scores: pycocotools' own figures, hotcoco's TIDE, scenes by hand, and what must hold."""

import contextlib
import io
import json
from typing import Any

import numpy as np
import pytest
from hotcoco import COCO as HotCoco
from hotcoco import COCOeval as HotEval
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from viewfinder.datasets.boxes import Boxes, gather_boxes
from viewfinder.errors import InputError
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.matching import WRONG, Kind, Matching, match
from viewfinder.tasks.detect.measures.scores import DetectScores, score, worst

CLASSES = ("cat", "dog", "bird", "fish")
NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")

Row = tuple[int, int, tuple[float, ...]]  # picture, class, corners
Found = tuple[int, int, float, tuple[float, ...]]  # picture, class, score, corners


def truths(rows: list[Row], pictures: int, **columns: Any) -> Boxes:
    return gather_boxes(
        np.array([row[0] for row in rows], np.int64),
        pictures,
        corners=np.array([row[2] for row in rows], np.float64).reshape(-1, 4),
        classes=np.array([row[1] for row in rows], np.int64),
        **{name: np.array(column) for name, column in columns.items()},
    )


def found(rows: list[Found], pictures: int) -> list[Detections]:
    sets = []
    for picture in range(pictures):
        own = sorted((row for row in rows if row[0] == picture), key=lambda row: -row[2])
        sets.append(
            Detections(
                np.array([row[3] for row in own], np.float32).reshape(-1, 4),
                np.array([row[2] for row in own], np.float32),
                np.array([row[1] for row in own], np.int64),
            )
        )
    return sets


def random_set(seed: int, *, pictures: int = 30, each: int = 20) -> tuple[list[Detections], Boxes]:
    """Integer boxes of every size and scores of two digits, so that both often tie.

    Some pictures have no truth, some no detections; the last class has no truth.
    """
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    detections: list[Found] = []
    for picture in range(pictures):
        count = 0 if picture % 7 == 3 else random.integers(1, 9)
        low = random.integers(0, 300, (count, 2))
        boxes = np.hstack([low, low + random.integers(3, [[150, 120]], (count, 2))])
        labels = random.choice([0, 1, 2], count, p=[0.6, 0.3, 0.1])
        rows += [(picture, int(c), tuple(box)) for c, box in zip(labels, boxes, strict=True)]
        for _ in range(0 if picture % 7 == 5 else each):
            label, box = int(random.integers(4)), random.integers(0, 300, 4)
            if count and random.random() < 0.8:
                source = random.integers(count)
                box = boxes[source] + random.integers(-9, 10, 4) * (random.random() < 0.8)
                label = int(labels[source]) if random.random() < 0.8 else label
            box[2:] = np.maximum(box[2:], box[:2] + 1)
            detections.append((picture, label, round(float(random.random()), 2), tuple(box)))
    many = len(rows)
    areas = np.where(random.random(many) < 0.5, random.uniform(9, 20_000, many), np.nan)
    crowd, difficult = random.random((2, many)) < 0.08
    truth = truths(rows, pictures, areas=areas, crowd=crowd, difficult=difficult)
    return found(detections, pictures), truth


def as_coco(detections: list[Detections], truth: Boxes) -> tuple[dict[str, Any], np.ndarray]:
    size = truth.corners[:, 2:] - truth.corners[:, :2]
    areas = np.where(np.isnan(truth.areas), size.prod(axis=1), truth.areas)
    annotations = [
        {
            "id": row + 1,
            "image_id": int(picture) + 1,
            "category_id": int(truth.classes[row]) + 1,
            "bbox": [*truth.corners[row, :2].tolist(), *size[row].tolist()],
            "area": float(areas[row]),
            "iscrowd": int(truth.crowd[row] or truth.difficult[row]),
        }
        for row, picture in enumerate(truth.pictures())
    ]
    document = {
        "images": [{"id": i + 1} for i in range(len(detections))],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)],
        "annotations": annotations,
    }
    rows = [
        [i + 1, *box[:2].tolist(), *(box[2:] - box[:2]).tolist(), float(s), int(c) + 1]
        for i, each in enumerate(detections)
        for box, s, c in zip(each.boxes.astype(float), each.scores, each.labels, strict=True)
    ]
    return document, np.array(rows, np.float64).reshape(-1, 7)


def by_pycocotools(detections: list[Detections], truth: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """The six AP, -1 for none; and the precision table."""
    document, rows = as_coco(detections, truth)
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = document
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(rows), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6], evaluation.eval["precision"][..., -1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("each", [20, 240])
def test_the_figures_are_those_of_pycocotools(
    seed: int, each: int, capfd: pytest.CaptureFixture[str]
) -> None:
    detections, truth = random_set(seed, each=each, pictures=30 if each == 20 else 8)
    if each == 240:
        most = max(np.bincount(d.labels).max() for d in detections if len(d.labels))
        assert most > 100, "more than COCO counts"
    scores = score(detections, truth, classes=CLASSES)
    assert capfd.readouterr() == ("", "")
    stats, precision = by_pycocotools(detections, truth)
    assert [getattr(scores, name) for name in NAMES] == pytest.approx(stats, rel=0, abs=1e-12)
    table = np.where(precision < 0, np.nan, precision)[..., 0]
    assert scores.class_ap == pytest.approx(table.mean(axis=(0, 1)), rel=0, abs=1e-12, nan_ok=True)
    assert scores.class_ap50 == pytest.approx(table[0].mean(axis=0), abs=1e-12, nan_ok=True)
    assert scores.precision == pytest.approx(table[0].T, rel=0, abs=1e-12, nan_ok=True)
    assert np.isnan(scores.class_ap[3])


@pytest.mark.parametrize("seed", range(6))
def test_errors_are_counted_as_another_program_counts_them(seed: int) -> None:
    """Without crowds, which the other program takes for objects that can be misplaced."""
    detections, truth = random_set(seed)
    truth = truth.keep(~(truth.crowd | truth.difficult))
    document, rows = as_coco(detections, truth)
    known = HotCoco(document)
    evaluation = HotEval(known, known.load_res(rows), "bbox")
    evaluation.evaluate()
    theirs = evaluation.tide_errors()
    names = {
        "localisation": "Loc",
        "class": "Cls",
        "both": "Both",
        "duplicate": "Dupe",
        "background": "Bkg",
        "missed": "Miss",
    }
    scores = score(detections, truth, classes=CLASSES)
    assert list(scores.errors) == list(names)
    everything = worst(detections, truth, threshold=-1, most=1000)
    for ours, name in names.items():
        assert sum(w.counts.get(ours, 0) for w in everything) == theirs["counts"][name], ours
    for ours in ("both", "duplicate", "background", "missed"):
        cost = theirs["delta_ap"][names[ours]]
        assert scores.errors[ours].ap50 == pytest.approx(cost, abs=1e-12), ours


def mended(matching: Matching, kind: Kind) -> list[Detections]:
    """What would have been found without one kind of error, as the paper's oracles have it."""
    corners, labels = matching.found.boxes.copy(), matching.found.labels.copy()
    kept = matching.kinds != kind
    if kind in (Kind.LOCALISATION, Kind.CLASS):
        taken = set(np.flatnonzero(matching.finders >= 0).tolist())
        for row in np.argsort(-matching.found.scores, kind="stable"):
            cause = int(matching.causes[row])
            if matching.kinds[row] == kind and cause not in taken:
                taken.add(cause)
                kept[row] = True
                corners[row] = matching.truth.corners[cause]
                labels[row] = matching.truth.classes[cause]
    return [
        Detections(
            corners[mine].astype(np.float32),
            matching.found.scores[mine].astype(np.float32),
            labels[mine],
        )
        for picture in range(len(matching.truth.offsets) - 1)
        for mine in [kept & (matching.pictures == picture)]
    ]


@pytest.mark.parametrize("seed", range(6))
def test_what_errors_cost_by_mending_the_detections_themselves(seed: int) -> None:
    detections, truth = random_set(seed)
    matching = match(detections, truth)
    scores = score(detections, truth, classes=CLASSES)
    for kind in WRONG:
        without = by_pycocotools(mended(matching, kind), truth)[0][1]
        cost = scores.errors[kind.name.lower()].ap50
        assert scores.ap50 + cost == pytest.approx(without, rel=0, abs=1e-12), kind
    without = by_pycocotools(detections, truth.keep(~matching.missed(-np.inf)))[0][1]
    assert scores.ap50 + scores.errors["missed"].ap50 == pytest.approx(without, rel=0, abs=1e-12)


def test_nothing_anywhere() -> None:
    empty = found([], 2)
    scores = score(empty, truths([], 2), classes=CLASSES)
    assert [getattr(scores, name) for name in NAMES] == [None] * 6
    assert scores.best is None
    assert scores.confusion.sum() == 0
    document = json.loads(json.dumps(scores.as_json(CLASSES), allow_nan=False))
    assert list(document)[:7] == [*NAMES, "per_class"]
    assert document["per_class"]["dog"] == {
        "ap": None,
        "ap50": None,
        "boxes": 0,
        "threshold": None,
        "precision": None,
        "recall": None,
        "f1": None,
    }
    assert worst(empty, truths([], 2), threshold=0.5, most=5) == []
    assert score([], truths([], 0), classes=()).ap is None


def test_truths_without_detections_and_detections_without_truths() -> None:
    row = (0, 1, (10, 10, 50, 60))
    scores = score(found([], 2), truths([row], 2), classes=CLASSES)
    assert (scores.ap, scores.ap50, scores.ap_medium) == (0, 0, 0)
    assert scores.ap_small is scores.ap_large is None
    assert scores.errors["missed"].count == 1
    assert scores.errors["missed"].ap50 == 1
    assert scores.confusion[1, 4] == scores.confusion.sum() == 1
    none = score(found([(1, 2, 0.5, (0, 0, 9, 9))], 2), truths([], 2), classes=CLASSES)
    assert none.ap is None
    assert none.errors["background"].count == 1
    assert none.confusion[4, 2] == none.confusion.sum() == 1
    json.dumps(none.as_json(CLASSES), allow_nan=False)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.5])
def test_scores_that_are_no_probabilities_are_refused(bad: float) -> None:
    truth = truths([], 2)
    with pytest.raises(InputError, match=r"picture 1 .*must lie in \[0, 1\]"):
        score(found([(1, 0, bad, (0, 0, 9, 9))], 2), truth, classes=CLASSES)


def test_what_does_not_fit_is_refused() -> None:
    row, one = (0, 4, (0, 0, 9, 9)), [(0, 4, 0.5, (0, 0, 9, 9))]
    with pytest.raises(InputError, match="a detection is of class 4, but there are 4"):
        score(found(one, 1), truths([], 1), classes=CLASSES)
    with pytest.raises(InputError, match="a truth is of class 4, but there are 4"):
        score(found([], 1), truths([row], 1), classes=CLASSES)
    with pytest.raises(InputError, match="detections of 1 pictures and truths of 2"):
        score(found([], 1), truths([], 2), classes=CLASSES)
    with pytest.raises(InputError, match="corners be numbers"):
        score(found([(0, 0, 0.5, (0, 0, np.nan, 9))], 1), truths([], 1), classes=CLASSES)


def test_the_best_point_by_hand() -> None:
    """Three cats; scores .9 right, .8 false, .7 right, .6 right, .4 false."""
    boxes = [(0.0, 0.0, 20.0, 20.0), (50.0, 0.0, 70.0, 20.0), (0.0, 50.0, 20.0, 70.0)]
    truth = truths([(0, 0, box) for box in boxes], 1)
    far = (100.0, 100.0, 120.0, 120.0)
    rows = [(0.9, boxes[0]), (0.8, far), (0.7, boxes[1]), (0.6, boxes[2]), (0.4, far)]
    scores = score(found([(0, 0, s, box) for s, box in rows], 1), truth, classes=CLASSES)
    assert scores.best is not None
    assert scores.best == scores.class_best[0]
    assert scores.best.threshold == pytest.approx(0.5)
    assert (scores.best.precision, scores.best.recall) == (0.75, 1)
    assert scores.best.f1 == pytest.approx(6 / 7)
    assert scores.class_best[1] is None
    assert scores.ap50 == pytest.approx((34 + 67 * 0.75) / 101)
    assert scores.thresholds[0, [0, 50, 100]] == pytest.approx([0.9, 0.7, 0.6])


def test_the_worst_pictures_and_why() -> None:
    here, there = (0.0, 0.0, 20.0, 20.0), (50.0, 50.0, 90.0, 90.0)
    truth = truths([(0, 0, here), (1, 0, here), (1, 1, there), (3, 0, here), (3, 1, there)], 4)
    rows = [
        (0, 0, 0.9, here),
        (1, 0, 0.25, here),  # below the threshold: the truth is missed by 0.75
        (2, 1, 0.75, there),
        (3, 0, 0.5, (0.0, 0.0, 20.0, 8.0)),  # misplaced: half an error, and its truth a whole one
        (3, 1, 0.9, there),
    ]
    judged = worst(found(rows, 4), truth, threshold=0.3, most=9)
    assert [w.picture for w in judged] == [1, 3, 2]
    assert [w.error for w in judged] == [1.75, 1.5, 0.75]
    assert [w.counts for w in judged] == [{"missed": 2}, {"localisation": 1}, {"background": 1}]
    assert worst(found(rows, 4), truth, threshold=0.3, most=1) == judged[:1]


corner = st.integers(0, 60)
box = st.tuples(corner, corner, st.integers(1, 60), st.integers(1, 60)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
picture, label = st.integers(0, 2), st.integers(0, 3)
likely = st.integers(1, 100).map(lambda n: n / 100)
true_rows = st.lists(st.tuples(picture, label, box), max_size=12)
found_rows = st.lists(st.tuples(picture, label, likely, box), max_size=25)


@given(true_rows, found_rows, st.data())
def test_every_figure_is_a_share_and_nothing_is_lost(
    rows: list[Row], detections: list[Found], data: st.DataObject
) -> None:
    flags = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))
    crowd = data.draw(flags)
    truth = truths(rows, 3, crowd=np.array(crowd, np.bool_))
    scores = score(found(detections, 3), truth, classes=CLASSES)
    shares = [getattr(scores, name) for name in NAMES]
    assert all(share is None or 0 <= share <= 1 for share in shares)
    known = ~np.isnan(scores.precision)
    assert ((scores.precision[known] >= 0) & (scores.precision[known] <= 1)).all()
    assert (known.any(axis=1) == (scores.boxes > 0)).all()
    assert (scores.ap is None) == (not (~truth.crowd).any())
    table = scores.confusion
    assert (table[:-1].sum(axis=1) == scores.boxes).all()
    assert table[-1, -1] == 0
    if scores.best is not None:
        assert np.trace(table) == pytest.approx(scores.best.recall * scores.boxes.sum())
        assert np.trace(table) == pytest.approx(scores.best.precision * table[:, :-1].sum())
    if scores.ap50 is not None:
        for each in scores.errors.values():
            assert -1e-12 <= each.ap50 <= 1 - scores.ap50 + 1e-12


@given(st.lists(st.tuples(picture, label, box), min_size=1, max_size=12, unique=True))
def test_perfect_detections_score_one(rows: list[Row]) -> None:
    detections = [(i, c, 0.5, b) for i, c, b in rows]
    scores = score(found(detections, 3), truths(rows, 3), classes=CLASSES)
    assert scores.ap == pytest.approx(1)
    assert (scores.best.precision, scores.best.recall) == (1, 1)  # type: ignore[union-attr]
    assert worst(found(detections, 3), truths(rows, 3), threshold=0.4, most=3) == []


@given(true_rows, found_rows, likely, label)
def test_a_false_detection_more_never_raises_ap(
    rows: list[Row], detections: list[Found], height: float, name: int
) -> None:
    def judged(extra: list[Found]) -> DetectScores:
        return score(found([*detections, *extra], 3), truths(rows, 3), classes=CLASSES)

    before, after = judged([]), judged([(1, name, height, (500.0, 500.0, 540.0, 540.0))])
    for figure in NAMES:
        first, second = getattr(before, figure), getattr(after, figure)
        assert (first is None) == (second is None)
        assert first is None or second <= first + 1e-12
    assert before.best is None or after.best.f1 <= before.best.f1 + 1e-12  # type: ignore[union-attr]


@given(true_rows, found_rows)
def test_the_best_threshold_gives_what_it_promises(
    rows: list[Row], detections: list[Found]
) -> None:
    truth = truths(rows, 3)
    best = score(found(detections, 3), truth, classes=CLASSES).best
    thresholds = {row[2] for row in detections} | {0.0}
    f1 = []
    for threshold in sorted(thresholds):
        kept = [row for row in detections if row[2] > threshold]
        right = int((match(found(kept, 3), truth).finders >= 0).sum())
        f1.append(2 * right / max(1, len(kept) + len(rows)))
    assert (best.f1 if best else 0) == pytest.approx(max(f1))
    if best:
        kept = [row for row in detections if row[2] > best.threshold]
        right = int((match(found(kept, 3), truth).finders >= 0).sum())
        assert (right / len(kept), right / len(rows)) == (best.precision, best.recall)
