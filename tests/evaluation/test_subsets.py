"""Where a model is weak: thirds of the pictures or objects that differ by more than chance."""

import numpy as np
import pytest

import viewfinder
from viewfinder.datasets.boxes import gather_boxes
from viewfinder.evaluation.detect.traits import _neighbours
from viewfinder.evaluation.subsets import Answered, Trait, subsets
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture


def answered(good, *traits, pictures=None, objects=False):
    named = [Trait(f"t{k}", ("low", "middle", "high"), " %", v) for k, v in enumerate(traits)]
    rows = np.arange(len(good)) if pictures is None else pictures
    return Answered(rows, np.asarray(good, float), "accuracy", tuple(named), objects)


def test_a_third_that_is_worse_is_weak_and_the_others_are_not():
    random = np.random.default_rng(0)
    dark = random.uniform(0, 100, 150)
    good = random.random(150) < np.where(dark < 33, 0.4, 0.95)
    found = subsets(answered(good, dark, random.uniform(0, 1, 150)))
    weak = [(each.trait, each.part) for each in found if each.weak]
    assert weak == [("t0", "low")]
    low = found[0]
    assert (low.pictures, low.objects) == (50, None)
    assert low.figure == pytest.approx(good[np.argsort(dark)[:50]].mean())
    assert low.others == pytest.approx(good[np.argsort(dark)[50:]].mean())
    assert low.low < low.figure < low.high < low.others
    assert low.as_json()["weak"] is True


@pytest.mark.parametrize("objects", [False, True])
def test_what_is_chance_is_seldom_called_weak(objects):
    """Of sets in which no trait matters, about one in twenty has any; objects of one picture are
    alike, and are not taken for independent."""
    wrong = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        each = 4 if objects else 1
        pictures = np.repeat(np.arange(60), each)
        hard = random.uniform(0.3, 1, 60)[pictures]
        # All objects of a picture are of its brightness.
        traits = [random.random(60)[pictures], random.random(60 * each)]
        good = random.random(60 * each) < hard
        found = subsets(answered(good, *traits, pictures=pictures, objects=objects))
        wrong += any(part.weak for part in found)
    assert wrong <= 6


def test_few_pictures_have_figures_and_no_verdict():
    found = subsets(answered([0] * 8 + [1] * 16, np.arange(24)))
    assert [each.pictures for each in found] == [8, 8, 8]
    assert [each.figure for each in found] == [0, 1, 1]
    assert not any(each.weak or each.low is not None for each in found)


def test_what_is_alike_everywhere_tells_nothing():
    assert subsets(answered([0, 1] * 20, np.ones(40), np.full(40, np.nan))) == []
    # Where most are least, the others are the second part.
    found = subsets(answered([0, 1] * 20, np.r_[np.zeros(30), np.arange(1, 11)]))
    assert [(each.part, each.pictures) for each in found] == [("low", 30), ("high", 10)]


def test_what_rounding_leaves_of_nothing_is_nothing():
    random = np.random.default_rng(0)
    plain = np.r_[np.full(40, 7.1e-15), random.uniform(5, 90, 80)]
    good = random.random(120)
    trait = Trait("contrast", ("low", "middling", "high"), " %", plain)
    found = subsets(Answered(np.arange(120), good, "accuracy", (trait,)))
    assert found[0].where == "contrast low (0 to 0 %)"


def test_neighbours_are_counted_within_a_picture():
    corners = [(0, 0, 10, 10), (12, 0, 22, 10), (60, 0, 70, 10), (0, 0, 10, 10)]
    boxes = gather_boxes(
        np.array([0, 0, 0, 1]), 2, corners=np.array(corners, float), classes=np.zeros(4, np.int64)
    )
    assert _neighbours(boxes).tolist() == [1, 1, 0, 0]


def test_a_classifier_that_cannot_see_in_the_dark(make_set, small_run):
    """`evaluate` says so, with how many pictures are behind it."""
    data = make_set(train=2, val=2, test=26)
    for file in sorted((data / "test").rglob("*.png"))[::3]:
        write_picture(file, (read_picture(file) * 0.12).astype(np.uint8))
    judged = viewfinder.open_run(small_run).evaluate(data)
    print(
        [(p["trait"], p["part"], p["figure"], p["others"], p["p_holm"]) for p in judged["subsets"]]
    )
    weak = [part for part in judged["subsets"] if part["weak"]]
    assert ("brightness", "dark") in [(part["trait"], part["part"]) for part in weak]
    dark = next(part for part in judged["subsets"] if part["part"] == "dark")
    assert (dark["pictures"], dark["of"]) == (26, "accuracy")
    assert dark["figure"] < dark["others"]
