"""Answers that say a class alone, where scores ask for probabilities."""

import numpy as np
import pytest

from viewfinder.nets.published import COCO_FILE
from viewfinder.pictures.writing import write_picture
from viewfinder.scoring.models import is_model, opened
from viewfinder.scoring.patterns import named_methods
from viewfinder.scoring.reading import asked, contests
from viewfinder.scoring.side_by_side import differing

CLASSES = tuple("abcdefg")


def contest_of(root, rows):
    """One contest of tables of probabilities by method: each a function of class and number."""
    methods = []
    for k, name in enumerate(CLASSES):
        for number in range(3):
            write_picture(root / f"set/{name}/{number}.png", np.full((8, 8, 3), 9 * k, np.uint8))
    for method, row in rows.items():
        lines = [f"picture,{','.join(CLASSES)}"]
        for k, name in enumerate(CLASSES):
            for number in range(3):
                cells = ",".join(f"{p:g}" for p in row(k, number))
                lines.append(f"{name}/{number}.png,{cells}")
        (root / f"{method}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        methods.append(f"{method}={root}/{method}.csv")
    (contest,) = contests(asked(root / "set", methods, []))
    return contest


def value(contest, method, key):
    own = contest.methods[method]
    found = own.drawn(key, tuple(own.pictures))
    return None if found is None else found.value


def test_one_hot_columns_have_no_top_5_and_no_log_loss(tmp_path):
    def hot(k, number):
        return np.eye(7)[(k + (number == 0)) % 7]

    def soft(k, number):
        own = np.array([0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.5])
        return own[(np.arange(7) - k + (number == 1) + 6) % 7]

    def rounded(k, number):
        return 0.9 * np.eye(7)[k] + 0.1 * np.eye(7)[(k + 1) % 7]

    contest = contest_of(tmp_path, {"hot": hot, "soft": soft, "rounded": rounded})
    assert value(contest, "hot", "accuracy") == pytest.approx(2 / 3)
    assert value(contest, "hot", "top5") is None
    assert value(contest, "hot", "log_loss") is None
    assert value(contest, "soft", "top5") is not None
    assert value(contest, "soft", "log_loss") > 0
    # Ties far below the class's own probability are no matter.
    assert value(contest, "rounded", "top5") == 1
    assert value(contest, "rounded", "log_loss") == pytest.approx(-np.log(0.9))
    notes = "\n".join(contest.notes(()))
    assert "hot: no Top 5, as in 7 pictures the class is as likely as others" in notes
    assert "hot: its probabilities are all 0 or 1, and there is no log loss" in notes
    assert "soft" not in notes
    assert "rounded" not in notes


def test_pictures_that_differ_alike_are_of_all_classes(tmp_path):
    def right(k, number):
        return 0.9 * np.eye(7)[k] + 0.1 / 7

    def wrong(k, number):
        return 0.9 * np.eye(7)[(k + 1) % 7] + 0.1 / 7

    contest = contest_of(tmp_path, {"right": right, "wrong": wrong})
    rows = differing(contest, contest.pictures, ("right", "wrong"), 7)
    assert [row.picture.split("/")[0] for row in rows] == list(CLASSES)
    assert len(differing(contest, contest.pictures, ("right", "wrong"), 100)) == 21
    assert differing(contest, contest.pictures, ("right", "right"), 3) == []


def test_the_detector_that_comes_with_us_is_a_method(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named_methods(["coco", "mine=coco"]) == {"coco": COCO_FILE, "mine": COCO_FILE}
    assert is_model(COCO_FILE)
    assert opened(COCO_FILE).config.task == "detect"
    (tmp_path / "coco").mkdir()
    write_picture(tmp_path / "coco/1.png", np.zeros((8, 8, 3), np.uint8))
    assert named_methods(["coco"])["coco"].samefile(tmp_path / "coco")
