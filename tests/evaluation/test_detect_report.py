"""A detector's report: whatever is found or not, and whatever the classes are called."""

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

from viewfinder.datasets.boxes import Boxes, gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.errors import InputError
from viewfinder.evaluation import plots
from viewfinder.evaluation.advising import Course
from viewfinder.evaluation.detect import advice as detect_advice
from viewfinder.evaluation.detect import page as detect_page
from viewfinder.evaluation.detect.findings import (
    BySize,
    ap50_error,
    found_by_size,
    misses_small,
)
from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import create_run
from viewfinder.tasks.classify.heads import LinearHead
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.breakdown import Cost
from viewfinder.tasks.detect.measures.scores import score
from viewfinder.tasks.detect.opinion.second import Opinion, write_opinion
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.manifest import Manifest
from viewfinder.training.arrangement import Arrangement, Choice

HOSTILE = ("<script>alert(1)</script>", '图 & "q"', "$\\frac$ $5")
SIZE = (96, 64)
SIDES = ("train", "val", "test")


def nothing() -> Detections:
    return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


def right(boxes: Boxes, picture: int) -> Detections:
    rows = boxes.of(picture)
    count = rows.stop - rows.start
    return Detections(
        boxes.corners[rows].astype(np.float32),
        np.full(count, 0.9, np.float32),
        boxes.classes[rows],
    )


def half_right(boxes: Boxes, picture: int) -> Detections:
    """The first object found, the second of another class, others missed; one where nothing is."""
    found = right(boxes, picture)
    labels = found.labels.copy()
    labels[1:2] = (labels[1:2] + 1) % 3
    extra = np.array([[70, 50, 90, 60]], np.float32)
    return Detections(
        np.concatenate([found.boxes[:2], extra]),
        np.array([0.9, 0.8, 0.95], np.float32),
        np.concatenate([labels[:2], [0]]),
    )


ANSWERS = {"right": right, "half": half_right, "nothing": lambda boxes, picture: nothing()}


def made(folder, *, classes=("a", "b", "c"), each=6, boxes=3, answer=half_right, sides=SIDES):
    """A run and its dataset; every picture has `boxes` objects in places of their own."""
    random = np.random.default_rng(0)
    paths, splits = [], []
    for side in sides:
        for number in range(each):
            path = f"{side}/{number} <b>&.png"
            picture = random.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            write_picture(folder / "data" / path, picture)
            paths.append(path)
            splits.append(SIDES.index(side))
    of = np.repeat(np.arange(len(paths)), boxes)
    place = np.tile(np.arange(boxes), len(paths))
    low = np.column_stack([2 + 30 * (place % 3), 3 + 20 * (place // 3)]).astype(np.float64)
    dataset = Dataset(
        folder / "data",
        "COCO",
        tuple(classes),
        tuple(paths),
        np.full(len(paths), -1),
        np.array(splits, np.int8),
        boxes=gather_boxes(
            of,
            len(paths),
            corners=np.hstack([low, low + np.array([20, 16])]),
            classes=place % len(classes),
        ),
    )
    judgements = {}
    for side in sides:
        examples = dataset.split(side)
        answers = [answer(examples.boxes, index) for index in range(len(examples))]
        scores = score(answers, examples.boxes, classes=examples.classes)
        judgements[side] = Judgement(examples, answers, scores, 1.0)
    manifest = Manifest(
        task="detect",
        net="yolov3-tiny",
        classes=tuple(classes),
        size=(96, 64),
        options={
            "anchors": [[4.5, 5.0], [10, 12], [20, 16], [30, 30], [40, 50], [60, 60]],
            "masks": [[3, 4, 5], [0, 1, 2]],
            "reach": 2.0,
        },
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        recipe=DetectRecipe(init="random"),
        versions={"python": "3"},
        data={"source": "<i>a</i>", "images": {"train": each, "val": each, "test": each}},
        device="CPU <b>",
        precision=Choice(Arrangement("32", "contiguous"), "it <em>won</em>", ()).as_json(),
    )
    run = create_run(folder / "run", manifest)
    run.save_history(history(1))
    return run, dataset, judgements


def history(epochs, *, every=1):
    """Epochs, of which every so many are measured."""
    rows = []
    for epoch in range(1, epochs + 1):
        row = {"epoch": epoch, "seconds": 2.0 * epoch, "images_per_s": 9.0, "skipped_steps": 0}
        row |= {"loss": 30.0 / epoch, "box": 5.0 / epoch, "objectness": 24.0, "classes": 1.0}
        if epoch % every == 0:
            row |= {f"{side}_{name}": 0.5 for side in ("train", "val") for name in ("ap", "ap50")}
        rows.append(row)
    return rows


def test_names_are_text_whatever_they_hold(tmp_path, page_of):
    page = page_of(*made(tmp_path, classes=HOSTILE))
    for name in HOSTILE:
        assert name in page.told
    assert "test/0 <b>&.png" in page.told
    for injected in ("<script", "<i>a", "<em>won"):
        assert injected not in page.source


def test_the_headline_tells_scores_pictures_and_boxes(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path)
    page = page_of(run, dataset, judgements)
    scores = judgements["test"].scores
    told = f"mAP50 {scores.ap50:.3f}, AP {scores.ap:.3f} on 6 test pictures with 18 boxes"
    assert told in page.told
    assert f"--threshold {scores.best.threshold:.3f}" in page.told
    assert page.source.count('class="card"') == 4
    for anchors in ("30×30, 40×50, 60×60", "4.5×5, 10×12, 20×16"):
        assert anchors in page.told


def test_pictures_are_small_and_at_their_aspect(tmp_path, page_of):
    page = page_of(*made(tmp_path, each=30))
    assert page.tags.count("img") == detect_page._WORST + detect_page._TYPICAL
    for url in page.fetched:
        if url.startswith("data:image/jpeg"):
            picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
            assert picture.size == (520, 347)
    assert len(page.source) < 3_000_000


def test_where_all_is_right_there_is_nothing_to_mend(tmp_path, page_of):
    page = page_of(*made(tmp_path, answer=right))
    assert "mAP50 1.000" in page.told
    assert "None: in every test picture each object was found, and nothing else." in page.told
    assert "No kind of error costs as much" in page.told
    assert page.told.count("nothing wrong") == 6, "the typical pictures"


def test_nothing_found_at_all(tmp_path, page_of):
    page = page_of(*made(tmp_path, answer=ANSWERS["nothing"]))
    assert "mAP50 0.000, AP 0.000" in page.told
    assert "No detection is right at any score" in page.told
    assert "viewfinder predict" not in page.told
    assert "Objects missed cost most: fixing them would gain 100.0 points" in page.told
    assert page.told.count("3 missed") >= 6
    assert "pictures in which they look as they do where they are missed" not in page.told, (
        "what has learnt nothing has no details to mend"
    )


def test_a_net_that_no_threshold_makes_useful_is_given_none(tmp_path, page_of):
    def hardly(boxes, picture):
        """One object in ten pictures found, among nineteen that are none."""
        found = right(boxes, picture) if picture % 10 == 0 else nothing()
        far = np.array([[900.0 + n, 0, 901 + n, 1] for n in range(19)], np.float32)
        return found.joined([Detections(far, np.full(19, 0.9, np.float32), np.zeros(19, np.int64))])

    page = page_of(*made(tmp_path, each=20, answer=hardly))
    assert "No threshold makes it of use yet" in page.told
    assert "viewfinder predict RUN" not in page.told
    useful = page_of(*made(tmp_path / "useful"))
    assert "viewfinder predict RUN PICTURES --threshold" in useful.told
    assert "By validation pictures --threshold best shows" in useful.told
    assert "; of these what is best of all classes together is taken." in useful.told
    assert "drawn are the 12 surest of 19 wrong" in page.told
    assert "missed (" not in useful.told, "what no detection overlaps is called not found"
    assert "not found (" in useful.told


def test_what_is_missed_and_what_is_not_found_are_brought_together(tmp_path, page_of):
    def beside(boxes, picture):
        """One of three objects is misplaced, and another by a detection that is less sure."""
        found = right(boxes, picture)
        moved = found.boxes[:2] + np.array([12, 0, 12, 0], np.float32)
        extra = np.array([[900, 0, 901, 1]], np.float32)
        corners = np.concatenate([moved, found.boxes[2:], extra])
        return Detections(
            corners, np.array([0.9, 0.2, 0.9, 0.2], np.float32), np.array([0, 1, 2, 2])
        )

    told = page_of(*made(tmp_path, answer=beside)).told
    assert (
        "Of the 12 objects not found, 6 are missed; the others have a detection, misplaced or of "
        "another class. Missing costs nothing by itself: 6 have a detection near that scores less."
    ) in told
    none = page_of(*made(tmp_path / "none", answer=ANSWERS["nothing"])).told
    assert "Of the 18 objects not found, 18 are missed." in none
    assert "Missing costs nothing" not in none


def test_a_class_that_is_found_far_worse_than_the_others_is_named(tmp_path, page_of):
    def seldom(often):
        """All objects found, but of class c those of so many pictures in ten alone."""

        def answer(boxes, picture):
            found = right(boxes, picture)
            return found.take(np.arange(3 if picture % 10 < often else 2))

        return answer

    told = page_of(*made(tmp_path, each=20, answer=seldom(3))).told
    of = "AP50 on held-out pictures is far lower for c (0.307, 40 boxes) than for the rest (1.000)."
    assert of in told
    assert "add pictures of c" in told
    even = page_of(*made(tmp_path / "even", each=20, answer=seldom(9))).told
    assert "far lower" not in even


def test_larger_pictures_are_not_advised_before_a_net_has_learnt_its_own(tmp_path):
    run, dataset, judgements = made(tmp_path)
    usual = run.manifest.recipe.epochs
    for answer, epochs, learnt in (
        (half_right, 9, False),
        (half_right, usual, True),
        (right, 9, True),
    ):
        own = judgements["train"].examples
        answers = [answer(own.boxes, index) for index in range(len(own))]
        scores = score(answers, own.boxes, classes=own.classes)
        train = Judgement(own, answers, scores, 1.0)
        material = Material(
            run, run.manifest.recipe, dataset, {**judgements, "train": train}, history(epochs)
        )
        assert detect_page._situation(material, []).learnt is learnt


def test_what_a_second_opinion_was_fitted_on_is_said(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, each=20)
    notes = (
        "the second opinion was fitted on these",
        "The second opinion was fitted on the validation pictures, which flatters them.",
    )
    told = page_of(run, dataset, judgements).told
    assert not any(note in told for note in notes)
    layer = LinearHead(np.eye(3), np.zeros(3))
    write_opinion(run.folder, Opinion(layer, np.arange(3), 0.5, "x", ("a", "b", "c")))
    told = page_of(dataclasses.replace(run), dataset, judgements).told
    assert [told.count(note) for note in notes] == [1, 1]


def test_scenes_that_share_their_objects_are_judged_by_real_pictures(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path)
    advice = "judge it by real pictures, which share no object"
    assert advice not in page_of(run, dataset, judgements).told
    assert advice in page_of(run, dataclasses.replace(dataset, notes=(COMPOSED,)), judgements).told


def test_pictures_without_any_box(tmp_path, page_of):
    page = page_of(*made(tmp_path, boxes=0, answer=ANSWERS["nothing"]))
    assert "No box to judge by in 6 test pictures" in page.told


@pytest.mark.parametrize("sides", [("train",), ("train", "val")])
def test_sides_that_are_not_there_are_not_told_of(tmp_path, page_of, sides):
    page = page_of(*made(tmp_path, sides=sides))
    assert "test" not in page.told.replace("test/", "").partition("How it was computed")[0]
    assert ("Nothing was held out" in page.told) == (sides == ("train",))
    assert page.source.count('class="card"') == len(sides) + 1


@pytest.mark.parametrize(("epochs", "every"), [(0, 1), (1, 1), (1, 2), (9, 4), (40, 3)])
def test_the_curves_of_any_history(tmp_path, page_of, epochs, every):
    run, dataset, judgements = made(tmp_path)
    run.save_history(history(epochs, every=every)) if epochs else run.history_file.unlink()
    page = page_of(run, dataset, judgements)
    panels = (epochs > 1) + (epochs >= 2 * every)  # one point is no curve
    assert page.tags.count("svg") == panels + 7
    assert ("How it learnt" in page.told) == (panels > 0)


def test_a_history_that_lacks_a_column_is_refused(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path)
    run.save_history([{k: v for k, v in row.items() if k != "skipped_steps"} for row in history(2)])
    with pytest.raises(InputError, match="its last row has no skipped_steps"):
        page_of(run, dataset, judgements)


def test_curves_join_the_epochs_that_were_measured():
    svg = plots.curves(history(40, every=3), plots.Panel("AP50", plots.both_splits("ap50")))[0]
    # One unbroken path through 13 points for each side: a move, and 12 lines.
    paths = re.findall(
        r'<path d="(M [^"]*)" clip-path[^>]*stroke: var\([^,]*,(#c2571a|#1f6f8b)', svg
    )
    assert {colour for _, colour in paths} == {"#c2571a", "#1f6f8b"}
    # Points on one level are drawn as one line; both ends are there.
    for path, _ in paths:
        assert path.count("M") == 1
    assert not plots.curves(history(1), plots.Panel("AP50", plots.both_splits("ap50")))


def test_the_verdict_names_this_tasks_flags(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, each=20)
    rows = history(9)
    rows[-1] |= {"train_ap50": 0.99, "val_ap50": 0.3}
    run.save_history(rows)
    page = page_of(run, dataset, judgements)
    assert "The net over-fits towards the training's end, where the gap is 69.0 points" in page.told
    for flag in ("--mosaic 1", "--copy-paste 0.5", "--init coco"):
        assert f'<span class="flag">{flag}</span>' in page.source
    assert "20 boxes a class is few" in page.told


def judged(scores_of, pictures=60):
    """Pictures of one object each, with a detection there of the score that `scores_of` gives."""
    random = np.random.default_rng(3)
    corners = np.tile([[10.0, 10, 40, 30]], (pictures, 1))
    boxes = gather_boxes(
        np.arange(pictures), pictures, corners=corners, classes=np.zeros(pictures, np.int64)
    )
    answers = []
    for _ in range(pictures):
        # Either where it is, or beside it.
        place = corners[:1] if random.random() < scores_of else corners[:1] + 50
        answers.append(
            Detections(
                place.astype(np.float32), random.random(1, np.float32), np.zeros(1, np.int64)
            )
        )
    examples = Dataset(
        root=None,
        layout="",
        classes=("a",),
        paths=("",) * pictures,
        labels=np.full(pictures, -1),
        splits=np.zeros(pictures, np.int8),
        boxes=boxes,
        sizes=np.tile([[100, 80]], (pictures, 1)),
    )
    return Judgement(examples, answers, score(answers, boxes, classes=("a",)), 1.0)


def test_the_error_of_ap50_is_none_where_all_is_right_and_shrinks_with_pictures():
    assert ap50_error(judged(1.0)) == pytest.approx(0.0, abs=1e-9)
    few, many = ap50_error(judged(0.6, 40)), ap50_error(judged(0.6, 4000))
    # A share of 0.6 among 40 has a standard error of 0.08, and AP is not far from a share squared.
    assert 0.02 < few < 0.3
    assert many < few / 3


def test_objects_are_sorted_by_the_size_that_the_net_sees():
    judgement = judged(1.0, 20)
    rows = found_by_size(judgement, (100, 80), threshold=0.0)
    assert [(row.boxes, row.found) for row in rows] == [(0, 0), (20, 20), (0, 0), (0, 0)]
    # √(30 · 20) is 24.5 pixels in the picture, and 12 where the net sees it at half its size.
    rows = found_by_size(judgement, (50, 40), threshold=1.0)
    assert [(row.boxes, row.found) for row in rows] == [(20, 0), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("small", "large", "misses"),
    [((20, 5), (20, 19), True), ((20, 19), (20, 19), False), ((5, 0), (20, 20), False)],
)
def test_small_objects_are_missed_if_enough_of_them_are(small, large, misses):
    rows = [BySize("", *small), BySize("", 0, 0), BySize("", *large), BySize("", 0, 0)]
    assert misses_small(rows) == misses


def test_the_kind_of_error_that_costs_most_decides_the_advice():
    now = detect_advice.Situation(
        DetectRecipe(),
        boxes_per_class=50,
        rarest=0.01,
        ap50=0.5,
        misses_small=True,
        longer_side=416,
        course=Course(side=1000),
    )
    costs = {"missed": Cost(3, 0.2), "background": Cost(90, 0.1)}
    said, tries = detect_advice.costliest(costs, now)
    assert said.startswith("Objects missed cost most")
    assert tries[0] == "small objects are missed: show the net larger pictures: --size 640"
    assert any("--rare" in each for each in tries)
    said, tries = detect_advice.costliest(costs | {"class": Cost(1, 0.4)}, now)
    assert said.startswith("Objects taken for another class cost most")
    costs = {kind: dataclasses.replace(cost, ap50=0.001) for kind, cost in costs.items()}
    assert detect_advice.costliest(costs, now)[1] == ()


def test_what_a_phone_does_not_show_whole_says_that_there_is_more(tmp_path, page_of):
    """Figures are as narrow as a phone allows; a matrix of many classes lies in what scrolls, with
    a shadow where there is more of it."""
    classes = tuple(f"class {number}" for number in range(9))
    page = page_of(*made(tmp_path, classes=classes, boxes=9)).source
    widths = {
        float(width): page[: found.start()].rstrip().endswith('<div class="wide many">')
        for found in re.finditer(r'<svg [^>]*?width="([\d.]+)pt"', page)
        for width in found.groups()
    }
    assert min(widths) < 360 < max(widths)
    assert all(scrolls is (width > 360) for width, scrolls in widths.items())
    assert page.count(".wide { overflow-x: auto; background: var(--scrolled); }") == 1


def test_a_class_that_is_never_found_is_named(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, each=20)
    page = page_of(run, dataset, judgements)
    assert "AP50 is 0.00 on held-out pictures of b (40 boxes), c (40 boxes)." in page.told
    assert "add pictures of b, c" in page.told


def test_a_class_without_boxes_in_one_split_is_judged_by_the_other(tmp_path, page_of):
    """Validation pictures of one class alone say nothing of those that the test finds."""
    run, dataset, judgements = made(tmp_path, each=20, answer=right)
    val = judgements["val"]
    own = dataclasses.replace(val.examples, boxes=val.examples.boxes.keep(
        val.examples.boxes.classes == 0))  # fmt: skip
    answers = [right(own.boxes, index) for index in range(len(own))]
    scores = score(answers, own.boxes, classes=own.classes)
    judgements["val"] = Judgement(own, answers, scores, 1.0)
    told = page_of(run, dataset, judgements).told
    assert "held-out pictures of b" not in told
    assert "add pictures of" not in told
