"""The recipes that come with the project are ones that `ablate` takes."""

from pathlib import Path

import pytest

from viewfinder.ablation.grid import read_grid

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("a2dele-*.toml"))


def test_there_are_recipes():
    assert [file.name for file in RECIPES] == ["a2dele-ablation.toml", "a2dele-reliability.toml"]


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.name)
def test_a_recipe_is_a_plan_whose_cells_differ(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    grid = read_grid(file)
    assert len(grid.cells) == {"a2dele-ablation": 13, "a2dele-reliability": 7}[file.stem]
    assert len(grid.seeds) == 5
    assert len({str(sorted(cell.fields.items())) for cell in grid.cells}) == len(grid.cells)
