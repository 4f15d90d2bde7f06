"""`--threshold best` shows each class from its own best score on; what a training names next."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from untrained import untrained_detector

from viewfinder.cli.train import _next
from viewfinder.inference.asked_scores import has_best
from viewfinder.pictures.writing import write_picture

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(3):
        picture = random.integers(0, 255, (60, 90, 3), np.uint8)
        write_picture(folder / f"{number}.png", picture)
    return folder


@pytest.fixture
def detector(tmp_path):
    """A run whose net is not trained, but believes in many objects."""
    return untrained_detector(tmp_path / "run", CLASSES)


def judged(*own, together=0.3):
    """The scores of a side, with each class's best threshold."""
    rows = {name: {"threshold": each} for name, each in zip(CLASSES, own, strict=True)}
    return {"best": {"threshold": together}, "per_class": rows}


def boxes(ask, run, photos, *flags):
    status, out, err = ask("predict", run.folder, photos, "--json", *flags)
    assert status == 0, err
    return [[(b["class"], b["score"]) for b in p["boxes"]] for p in json.loads(out)["predictions"]]


def test_each_class_is_shown_from_its_own_threshold_on(ask, detector, photos):
    every = boxes(ask, detector, photos, "--threshold", 0)
    scores = {n: sorted(s for each in every for c, s in each if c == n) for n in CLASSES}
    assert all(len(each) >= 3 for each in scores.values())
    middle = {name: each[len(each) // 2] for name, each in scores.items()}
    # The owl was never found rightly: the best of all classes together is taken.
    own = judged(middle["cat"], middle["dog"], None, together=scores["owl"][-2])
    detector.save_scores({"val": own, "test": judged(0.9, 0.9, 0.9), "train": judged(0, 0, 0)})
    least = middle | {"owl": scores["owl"][-2]}
    shown = boxes(ask, detector, photos, "--threshold", "best")
    assert shown == [[(c, s) for c, s in each if s > least[c]] for each in every]
    assert {name for each in shown for name, _ in each} == set(CLASSES)
    number = boxes(ask, detector, photos, "--threshold", "0.4")
    assert number == [[(c, s) for c, s in each if s > 0.4] for each in every]
    status, out, _ = ask(
        "propose", photos, "--by", detector.folder, "--threshold", "best", "--json"
    )
    assert status == 0
    # An object is proposed as of one class, so that there may be fewer, none of them another's.
    proposed = np.array(json.loads(out)["scores"])
    wanted = np.array([s for each in shown for _, s in each])
    assert 0 < len(proposed) <= len(wanted)
    assert np.abs(proposed[:, None] - wanted).min(axis=1).max() < 1e-4
    assert proposed.max() == pytest.approx(wanted.max(), abs=1e-4)


def test_classes_are_given_their_own_scores(ask, detector, photos, tmp_path):
    every = boxes(ask, detector, photos, "--threshold", 0)
    least = {"cat": 0.9, "dog": 0.5, "owl": 0.25}
    wanted = [[(c, s) for c, s in each if s > least[c]] for each in every]
    assert boxes(ask, detector, photos, "--threshold", "cat=0.9,dog=0.5") == wanted
    words = ("--by", detector.folder, "--threshold", "dog = .5, cat=9e-1", "--json")
    own = shutil.copytree(photos, tmp_path / "own", ignore=lambda *_: [".viewfinder"])
    status, out, err = ask("propose", own, *words)
    assert status == 0, err
    proposed = json.loads(out)["scores"]
    assert len(proposed) == sum(map(len, wanted))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["catt=0.9"], "has no class 'catt' (did you mean cat?)"),
        (["cat=1.9"], "--threshold cat=1.9: give a score from 0 to 1"),
        (["cat=0.9", "dog=0.5"], "join the classes by commas, --threshold cat=0.9,dog=0.5"),
        (["cat"], "--threshold cat: give a score from 0 to 1, best, or scores of classes as in"),
        (["cat=0.9,dog"], "give a score from 0 to 1, best, or scores of classes as in"),
    ],
)
def test_scores_of_classes_that_cannot_be_meant_are_one_sentence(
    ask, detector, photos, words, says
):
    status, out, err = ask("predict", detector.folder, photos, "--threshold", *words)
    assert (status, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert says in line


def test_a_classifier_says_that_a_score_changes_nothing(ask, small_run, photos):
    status, _, err = ask("predict", small_run, photos, "--threshold", "0.9")
    assert status == 0
    assert "--threshold 0.9 changes nothing" in err
    assert "to answer unknown below a score, give --refuse-below 0.9" in err


def test_of_a_set_without_validation_the_test_pictures_tell(ask, detector, photos):
    detector.save_scores({"test": judged(1.0, 1.0, 1.0), "train": judged(0, 0, 0)})
    assert boxes(ask, detector, photos, "--threshold", "best") == [[], [], []]


@pytest.mark.parametrize("verb", ["predict", "propose"])
@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (None, "has none: give a number, such as --threshold 0.4"),
        ({"train": judged(0.1, 0.1, 0.1)}, "has none of pictures that were held out: give"),
        ({"val": judged(None, None, None, together=None)}, "says of no class from which score"),
        ({"val": {"accuracy": 1.0}}, "says of no class from which score"),
        ({"val": judged(0.1, 0.1, 7.0)}, "says of no class from which score"),
        ({"val": [1]}, "says of no class from which score"),
    ],
)
def test_a_run_that_does_not_know_it_says_so(ask, detector, photos, verb, scores, says):
    if scores is not None:
        detector.save_scores(scores)
    words = {
        "predict": ["predict", detector.folder, photos],
        "propose": ["propose", photos, "--by", detector.folder],
    }[verb]
    status, out, err = ask(*words, "--threshold", "best")
    assert (status, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert says in line


def test_what_is_no_detector_or_no_threshold_is_refused(ask, small_run, photos):
    status, _, err = ask("predict", small_run, photos, "--threshold", "best")
    assert (status, "best is of detectors" in err) == (2, True)
    for wrong in ("bests", "1.5", "nan"):
        status, _, err = ask("predict", small_run, photos, "--threshold", wrong)
        assert (status, "--threshold" in err) == (2, True)
    status, _, err = ask("predict", "coco", photos, "--threshold", "best")
    assert (status, "needs the scores that a training writes" in err) == (2, True)


def test_of_folds_what_they_held_out_tells(ask, detector, photos):
    """Nothing is held out of the last net, but every picture was of some fold's."""
    every = boxes(ask, detector, photos, "--threshold", 0)
    own = judged(0.3, 0.4, 0.5)
    detector.save_scores({"train": judged(1, 1, 1), "test": judged(1, 1, 1), "held_out": own})
    least = dict(zip(CLASSES, (0.3, 0.4, 0.5), strict=True))
    shown = boxes(ask, detector, photos, "--threshold", "best")
    assert shown == [[(c, s) for c, s in each if s > least[c]] for each in every]


def test_what_the_best_thresholds_are_is_told_and_which_few_boxes_chose(ask, detector, photos):
    own = judged(0.4, 0.5, 0.6)
    own["per_class"]["cat"]["boxes"] = 4
    own["per_class"]["dog"]["boxes"] = 400
    detector.save_scores({"val": own, "train": own})
    status, _, told = ask("predict", detector.folder, photos, "--threshold", "best")
    assert status == 0
    # All together are best from 0.3 on.
    assert "--threshold best shows cat 0.3, dog 0.5, owl 0.6" in told
    assert "of cat fewer than 20 boxes were held out" in " ".join(told.split())
    assert "of cat, dog" not in " ".join(told.split())


def test_a_class_that_no_threshold_makes_of_use_is_told(ask, detector, photos):
    own = judged(0.4, 0.01, None)
    own["per_class"]["cat"]["f1"] = 0.8
    own["per_class"]["dog"]["f1"] = 0.02
    detector.save_scores({"val": own})
    status, _, told = ask("predict", detector.folder, photos, "--threshold", "best")
    said = " ".join(told.split())
    assert status == 0
    assert "--threshold best shows cat 0.4, dog 0.3, owl 0.3; no threshold makes dog, owl" in said
    assert has_best({"val": own}, CLASSES)
    own["per_class"]["cat"]["f1"] = 0.09
    assert not has_best({"val": own}, CLASSES), "nothing is of use"


def test_what_is_next_is_an_answer_or_a_pupil():
    def after(task, net):
        manifest = SimpleNamespace(task=task, net=net, classes=("a",))
        run = SimpleNamespace(manifest=manifest, folder=Path("runs/my run"))
        return _next(run, {}, "my set")

    assert after("classify", "lenet") == "predict 'runs/my run' new.jpg"
    assert after("detect", "yolov3-tiny") == "predict 'runs/my run' new.jpg --out drawn"
    taught = "train saliency 'my set' --net a2dele-lite0 --teacher 'runs/my run'"
    assert after("saliency", "a2dele-depth") == taught, "it answers depth maps alone"
    assert after("saliency", "a2dele") == "predict 'runs/my run' new.jpg --out cut-out"
