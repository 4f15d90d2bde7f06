"""Classes in another order than the set's, and numbers that count from elsewhere."""

import numpy as np
import pytest

from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.writing import write_picture
from viewfinder.scoring.class_order import class_order_notes
from viewfinder.scoring.class_sources import class_answers
from viewfinder.scoring.reading import asked, contests, truth_of

EACH = 6


def made(root, classes):
    """A set of six pictures of each class, each named by its class."""
    for name in classes:
        for number in range(EACH):
            write_picture(root / f"set/{name}/{name}_{number}.png", np.zeros((8, 8, 3), np.uint8))
    truth, _ = truth_of(root / "set", "classify", "all", quiet=True)
    return truth


def answered(root, truth: Dataset, said):
    """What is read of a table in which each picture's class is said as a function of its name."""
    names = [truth.classes[k] for k in truth.labels]
    lines = [f"{p},{said(name)}\n" for p, name in zip(truth.paths, names, strict=True)]
    (root / "v.csv").write_text("picture,prediction\n" + "".join(lines), encoding="utf-8")
    found = class_answers(root / "v.csv", truth)
    right = sum(found.labels[p] == k for p, k in zip(truth.paths, truth.labels, strict=True))
    return right, "\n".join(found.notes)


def test_classes_in_another_order_are_told(tmp_path):
    truth = made(tmp_path, "abcde")
    told = "seem to be in another order"
    right, notes = answered(tmp_path, truth, lambda name: "cdeab"["abcde".index(name)])
    assert right == 0
    assert f"{told} than the set's: of 6 pictures of a 6 are called c, of 6" in notes
    assert "30 of 30 would be right, and not 0" in notes
    assert told in answered(tmp_path, truth, lambda name: "34012"["abcde".index(name)])[1]
    # Two that are exchanged, among others that are right.
    assert told in answered(tmp_path, truth, lambda name: "baced"["abcde".index(name)])[1]
    assert told not in answered(tmp_path, truth, lambda name: "aacdd"["abcde".index(name)])[1]
    assert answered(tmp_path, truth, lambda name: "a") == (6, "")


def test_chance_is_no_other_order(tmp_path):
    truth, rng = made(tmp_path, "abcdefgh"), np.random.default_rng(5)
    for _ in range(200):
        labels = dict(zip(truth.paths, rng.integers(0, 8, len(truth)).tolist(), strict=True))
        assert class_order_notes(labels, truth) == []


def test_numbers_count_from_where_far_more_are_right(tmp_path):
    truth = made(tmp_path, "abcde")
    right, notes = answered(tmp_path, truth, lambda name: min(1 + "abcde".index(name), 4))
    assert right == 24
    assert "classes are numbers, 1 for a" in notes
    assert "24 of 30 answers are right, and as numbers, 0 for a" in notes
    # Where it is not clear, it is told and not done.
    right, notes = answered(tmp_path, truth, lambda name: {"b": 2, "c": 2}.get(name, 1))
    assert right == 6
    assert "6 of 30 answers are right, and as numbers, 1 for a" in notes
    assert "12 would be" in notes


@pytest.mark.parametrize(
    ("first", "number", "says"),
    [
        (0, lambda name: int(name) + 1, "classes are numbers, 1 for 0"),
        (1, lambda name: int(name) - 1, "classes are numbers, 0 for 1"),
        (1, lambda name: f"{int(name):02}", "'01' is taken for the class '1'"),
        (1, lambda name: name, ""),
    ],
)
def test_folders_that_are_numbers(tmp_path, first, number, says):
    truth = made(tmp_path, [str(first + k) for k in range(12)])
    right, notes = answered(tmp_path, truth, number)
    assert right == 12 * EACH
    assert says in notes


def test_unknown_classes_are_not_the_same_answer(tmp_path):
    truth = made(tmp_path, "ab")
    for name, word in (("one", "x"), ("other", "y")):
        lines = "".join(f"{path},{word}\n" for path in truth.paths)
        (tmp_path / f"{name}.csv").write_text(f"picture,class\n{lines}", encoding="utf-8")
    methods = [f"{name}={tmp_path}/{name}.csv" for name in ("one", "other")]
    (contest,) = contests(asked(tmp_path / "set", methods, []))
    assert "the same answers" not in "\n".join(contest.notes(contest.pictures))
    twice = [f"one={tmp_path}/one.csv", f"two={tmp_path}/one.csv"]
    (contest,) = contests(asked(tmp_path / "set", twice, []))
    assert "the same answers" in "\n".join(contest.notes(contest.pictures))
