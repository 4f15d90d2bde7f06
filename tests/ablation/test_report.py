"""What a grid's page, table and document say."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace

import pytest

from viewfinder.ablation.page import PlotAxis, write_ablation
from viewfinder.ablation.report import (
    Ablation,
    CellTraining,
    TrainedCell,
    as_csv,
    document,
    headline,
    notes,
)
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.figures import Score, shares
from viewfinder.training.train import train

VALUES = {
    "base": [0.70, 0.72, 0.71, 0.69, 0.70],
    "good <b>&": [0.90, 0.93, 0.90, 0.88, 0.91],
    "none": [0.71, 0.71, 0.72, 0.68, 0.70],
}


PLAIN = Score("figure", higher_is_better=True)
(ACCURACY,) = shares("accuracy")


def grid(values=VALUES, *, score=ACCURACY, failed=()):
    cells = [
        TrainedCell(
            name,
            {"net": "lenet", "options": ["width=2", "stem=small"], "batch": 2**number},
            tuple(
                CellTraining(seed, f"cell_{number}/seed-{seed}", None, "no <memory>")
                if (name, seed) in failed
                else CellTraining(seed, f"cell_{number}/seed-{seed}", value)
                for seed, value in enumerate(row)
            ),
        )
        for number, (name, row) in enumerate(values.items())
    ]
    return Ablation("my <grid>", "classify", "photos", score, "base", tuple(cells), "a = '<b>'\n")


def test_the_headline_names_the_best_that_is_no_chance():
    assert headline(grid()) == "good <b>& is better than the baseline, base, by +20.0 points"
    two = VALUES | {"fine": [value + 0.1 for value in VALUES["none"]]}
    assert headline(grid(two)).endswith("by +20.0 points, and so is 1 other")
    none = {name: VALUES[name] for name in ("base", "none")}
    assert headline(grid(none)) == "No cell is clearly better than the baseline, base"
    losses = grid(score=Score("test.loss", higher_is_better=False))
    assert headline(losses).startswith("No cell")


def test_few_seeds_and_failures_are_noted():
    assert notes(grid()) == []
    few = grid({name: row[:3] for name, row in VALUES.items()}, failed=[("none", 2)])
    first, second = notes(few)
    # Two comparisons, the smaller of two seeds: t of 2.5 % at 1 degree, 25.45, over √2.
    assert first.startswith("2 seeds are few")
    assert "among 2 comparisons must be 18 times" in first
    assert second == "none, seed 2, failed: no <memory>"
    (alone,) = notes(grid({name: row[:1] for name, row in VALUES.items()}))
    assert alone.startswith("One seed shows no spread")


def test_the_document_is_json_with_everything_in_it():
    made = json.loads(json.dumps(document(grid(failed=[("none", 0)])), allow_nan=False))
    assert (made["schema"], made["score"], made["baseline"]) == (
        *("viewfinder.ablation/1", "accuracy", "base"),
    )
    base, good, none = made["cells"]
    assert base["difference"] is None
    assert good["difference"]["mean"] == pytest.approx(0.2)
    assert good["difference"]["p"] <= good["difference"]["p_holm"] <= 0.05
    assert (good["verdict"], none["verdict"]) == ("better", "no clear difference")
    assert none["runs"][0] == {
        "seed": 0,
        "folder": "cell_2/seed-0",
        "value": None,
        "failed": "no <memory>",
    }
    assert (none["n"], none["difference"]["n"]) == (4, 4)


def test_the_table_has_a_row_a_cell():
    rows = list(csv.DictReader(io.StringIO(as_csv(grid(failed=[("none", 0)])))))
    assert [row["cell"] for row in rows] == list(VALUES)
    assert rows[1]["options"] == "width=2 stem=small"
    assert [float(rows[1][f"seed_{seed}"]) for seed in range(5)] == VALUES["good <b>&"]
    assert rows[2]["seed_0"] == ""
    assert rows[0]["p_holm"] == rows[0]["difference_mean"] == ""
    assert float(rows[1]["mean"]) == pytest.approx(0.904)


def test_the_page_escapes_what_it_is_given_and_links_what_is_there(tmp_path, small_run):
    shutil.copytree(small_run, tmp_path / "cell_1" / "seed-0")
    page = write_ablation(tmp_path, grid(failed=[("none", 0)])).read_text(encoding="utf-8")
    assert "good &lt;b&gt;&amp;" in page
    assert "my &lt;grid&gt;" in page
    assert "no &lt;memory&gt;" in page
    assert "a = &#39;&lt;b&gt;&#39;" in page
    assert re.findall(r'href="([^"]*)"', page) == ["cell_1/seed-0/report.html"]
    assert page.count("<polyline") == 1
    assert not re.search(r"(src|href)=.?https?:|url\(|<script", page)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("ablation.csv", "ablation.json", "table.tex", "report.html", "cell_1"),
    }


@pytest.mark.parametrize(
    "values",
    [
        {"base": [0.5]},
        {"base": [0.0, 0.0], "other": [0.0, 0.0]},
        {"base": [1.0, 1.0, 1.0], "other": [1.0, 1.0, 1.0]},
        {"base": [-3e300, 2e300], "other": [1e-300, 0.0]},
        {"base": []},
    ],
)
def test_every_page_can_be_written(tmp_path, values):
    page = write_ablation(tmp_path, grid(values, score=PLAIN)).read_text(encoding="utf-8")
    assert not re.search(r"\b(nan|inf)\b", page)
    json.loads((tmp_path / "ablation.json").read_text())


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-0.003, 0.0041), (59.2, 61), (-1e-9, 1e5)])
def test_ticks_are_few_and_within(low, high):
    axis = PlotAxis(low, high, 200)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
    assert (axis.x(low), axis.x(high), axis.x(high + 1), axis.x(low - 1)) == (0, 200, 200, 0)


def test_the_page_shows_cells_picture_by_picture(tmp_path, small_set):
    """Two runs that answer otherwise: the matrix and the pictures of `score`'s page, no others."""
    cells = []
    for name, rate in (("none", 1e-6), ("learns", 0.02)):
        recipe = ClassifyRecipe(net="lenet", epochs=2, learning_rate=rate, precision="32", size=32)
        train("classify", small_set, recipe, out=tmp_path / name / "seed-0")
        cells.append(TrainedCell(name, {}, (CellTraining(0, f"{name}/seed-0", 0.5),)))
    found = replace(grid(), data=str(small_set), baseline="none", cells=tuple(cells))
    page = write_ablation(tmp_path, found).read_text(encoding="utf-8")
    assert "Picture by picture" in page
    assert "Which differences are more than chance" in page
    assert "Where the cells differ most" in page
    assert 'alt="picture of' in page or "<img" in page
