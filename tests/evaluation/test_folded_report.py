"""A report after folds speaks of what was held out, and not of what was learnt by heart."""

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.evaluation.folds import in_words, judged, section
from viewfinder.pictures.writing import write_picture


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Noise of two classes, of which a solved layer learns every picture and knows nothing."""
    root, random = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for name in ("one", "other"):
        for number in range(20):
            pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            write_picture(root / "data" / name / f"{number}.png", pixels)
    options = ["--net", "efficientnet-lite0", "--init", "imagenet", "--head", "linear"]
    out = root / "run"
    command = ["train", "classify", str(root / "data"), *options, "--folds", "2", "--size", "64"]
    assert main([*command, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def folded(run):
    return (run / "report.html").read_text(encoding="utf-8")


def test_what_the_set_is_like_is_drawn_once(run, folded):
    of_fold = (run / "folds/1/report.html").read_text(encoding="utf-8")
    assert "How bright pictures are" in folded
    assert "pictures in all" in of_fold
    assert "How bright pictures are" not in of_fold


def test_classes_are_those_of_the_folds(folded):
    table = folded.split("Class by class")[1].split("</table>")[0]
    assert "answered by a net that had not seen it" in table
    assert "100.0%" not in table, "the last net answers all that it learnt from right"


def test_every_part_is_of_what_was_held_out(folded):
    for part in ("The worst pictures", "How far its scores can be believed", "Where it is weak"):
        assert "answered by a net that had not seen it" in folded.split(part)[1].split("<h2>")[0]


def test_what_was_solved_at_once_has_no_epochs(folded):
    assert "The net of this run learnt from all of them, solved at once, and is expected" in folded
    assert "on augmented pictures" not in " ".join(folded.split())
    table = folded.split("Fold by fold")[1].split("</table>")[0]
    assert "kept at epoch" not in table
    assert "chosen by" not in table


def test_an_interval_of_everything_is_not_told():
    rows = [
        {"test": 15, "val": 0, "train": 15, "figure": figure, "learnt": 0.3, "kept_epoch": 6}
        for figure in (0.324, 0.137)
    ]
    folds = judged("ap50", rows) | {"epochs": 6}
    assert (folds["low"], folds["high"]) == (0, 1)
    assert in_words(folds, ".3f") == "mean AP50 0.231, of 30 pictures in 2 folds"
    assert "how far the AP50 may be off, 2 folds cannot tell" in str(section(folds, ".3f")["means"])
