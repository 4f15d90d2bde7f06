"""The report's last parts: what the labels are like, and what the net was shown."""

import numpy as np
from training.test_folds import write_boxes

import viewfinder.training.train as training
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation import label_statistics
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.evaluation.label_statistics import section
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training.train import train


def test_a_report_shows_what_the_net_saw(small_run):
    page = (small_run / "report.html").read_text(encoding="utf-8")
    assert page.count('alt="As the net saw it: ') == 8
    assert "What it learnt from" in page


def shown_of(task, data, recipe, out, monkeypatch):
    """The pictures that the report of a training is given."""
    given = []

    def instead(run, dataset, judgements, folds, seen, *_, **__):
        given.extend(seen)
        return FitVerdict("unknown", "", ())

    monkeypatch.setattr(training, "write_report", instead)
    train(task, data, recipe, out=out)
    return given


def test_boxes_are_drawn_where_augmentation_put_them(tmp_path, monkeypatch):
    data = write_boxes(tmp_path / "boxes", count=10)
    small = {"net": "yolov3-tiny", "size": 64, "options": ("width=0.125",), "precision": "32"}
    recipe = DetectRecipe(**small, epochs=1, batch=6, init="random")
    seen = shown_of("detect", data, recipe, tmp_path / "run", monkeypatch)
    # Seven to learn from, in steps as equal as can be.
    assert len(seen) == 4
    # Small pictures are enlarged for a person to see.
    assert all(picture.shape == (280, 280, 3) for picture, _ in seen)
    assert [says for _, says in seen] == ["1 object: 1 light"] * 4


def test_subjects_are_outlined(tmp_path, subject_scenes, monkeypatch):
    small = {"net": "a2dele", "size": 32, "options": ("width=0.125",), "precision": "32"}
    recipe = SaliencyRecipe(**small, epochs=1, batch=4)
    seen = shown_of("saliency", subject_scenes, recipe, tmp_path / "run", monkeypatch)
    assert len(seen) == 4
    assert all(says.startswith("the subject is ") for _, says in seen)


def test_labels_are_counted_by_class_and_split(small_set, subject_scenes, tmp_path, monkeypatch):
    told = section(open_dataset(small_set))
    assert told["splits"] == ["training", "validation", "test"]
    assert dict(told["rows"])["amber"] == [12, 6, 6]
    assert told["pictures"] == [36, 18, 18]
    assert told["of"] == "The charts are of the 36 training pictures."
    monkeypatch.setattr(label_statistics, "_MOST_LOOKED_AT", 12)
    assert "of 12 of them, evenly chosen." in section(open_dataset(small_set))["of"]
    large, bright = told["figures"]
    assert "How large pictures are: √(width × height), pixels, half of them below 32" in large
    assert "How bright pictures are" in bright
    subjects = section(open_dataset(subject_scenes))
    assert subjects["rows"] == []
    assert ["subjects" in figure for figure in subjects["figures"]] == [True, True, False, False]


def test_the_figures_of_boxes_say_what_they_show(tmp_path):
    dataset = open_dataset(write_boxes(tmp_path / "boxes", count=10))
    told = section(dataset)
    assert sum(told["rows"][0][1]) == 10
    # Each box is 20 pixels of 64.
    assert "half of them have a side of less than 31 %" in told["figures"][0]
    corners = dataset.split("train").boxes.corners
    middle = np.median((corners[:, 0] + corners[:, 2]) / 128)
    assert f"in the median at {100 * middle:.0f} % of the width" in told["figures"][1]
