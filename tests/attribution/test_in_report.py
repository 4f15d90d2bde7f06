"""Heat maps in a training's report: the worst first, with their verdicts, in a bounded time."""

import time

import numpy as np
import pytest
import torch

from viewfinder.attribution.in_report import shown_reasons
from viewfinder.attribution.page import drawn
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.classify.difficulty import by_difficulty
from viewfinder.evaluation.judging import judge
from viewfinder.evaluation.report import write_report
from viewfinder.runs.run import open_run
from viewfinder.tasks.question import of_class


def test_the_worst_and_typical_pictures_have_maps_in_the_report(small_run, small_set, monkeypatch):
    run, dataset, device = open_run(small_run), open_dataset(small_set), torch.device("cpu")
    judgements = judge(run, dataset, device=device)
    assert shown_reasons(run.model, judgements, device=device, took=20) == []
    found = shown_reasons(run.model, judgements, device=device, took=3000)
    assert [each.kind for each in found] == ["one of the worst"] * 3 + ["typical"] * 3
    judged = judgements["test"]
    assert found[0].path == judged.examples.paths[by_difficulty(judged)[0]]
    assert len({each.path for each in found}) == 6
    written: dict[str, str] = {}
    monkeypatch.setattr(
        "viewfinder.evaluation.report.write_text", lambda file, text: written.update(page=text)
    )
    write_report(run, dataset, judgements, reasons=found)
    page = written["page"]
    assert page.count('alt="Where ') == 6
    assert all(each.says.split(":")[0].split("'")[0] in page for each in found)


def test_maps_end_when_their_time_is_over(small_run, small_set, monkeypatch):
    run, dataset, device = open_run(small_run), open_dataset(small_set), torch.device("cpu")
    judgements = judge(run, dataset, device=device)
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    assert len(shown_reasons(run.model, judgements, device=device, took=3000)) == 1


def test_a_small_picture_is_enlarged_before_its_hottest_places_are_outlined():
    heat = np.zeros((32, 32))
    heat[10:14, 10:14] = 1
    shown = drawn(np.full((32, 32, 3), 60, np.uint8), heat, of_class("dog", 0))
    height, width = shown.shape[:2]
    assert height == width >= 320
    middle = shown[12 * height // 32, 12 * width // 32]
    assert (middle != 255).any()
    white = (shown == 255).all(axis=2)
    rows = np.flatnonzero(white.any(axis=1)) * 32 / height
    assert (rows.min(), rows.max()) == pytest.approx((10, 14), abs=0.5)
