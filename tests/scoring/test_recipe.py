"""`viewfinder score FILE.toml`: a table that one command makes again."""

import importlib.util
import json
from pathlib import Path

import pytest

from viewfinder.cli.main import main

RECIPES = Path(__file__).parents[2] / "recipes"


def test_the_shipped_example(tmp_path, capsys, monkeypatch):
    """Its scenes are rendered, its maps made, and its table printed and written."""
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    spec = importlib.util.spec_from_file_location("score_rendered", RECIPES / "score_rendered.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.main(tmp_path / "example", 3)
    monkeypatch.setattr("viewfinder.scoring.saliency_contest.PLOTS", ())
    assert main(["score", str(tmp_path / "example/table.toml"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["sets"]] == ["tidy", "cluttered"]
    for each in document["sets"]:
        scores = {own["method"]: own["scores"]["s_measure"]["value"] for own in each["methods"]}
        # The subject is the only thing that stands up.
        assert max(scores, key=scores.get) == "raised"
    latex = (tmp_path / "example/comparison/table.tex").read_text(encoding="utf-8")
    assert r"B-IoU$\uparrow$" in latex
    assert main(["score", str(tmp_path / "example/table.toml"), "--metrics", "mae"]) == 0
    assert "Boundary" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sets = 3", "[sets] is a table of NAME = PATH"),
        ("[methods]\na = 'maps'", "names no sets"),
        ("metric = ['mae']\n[sets]\na = 'GT'", "unknown key metric (did you mean metrics?)"),
        ("[sets]\na = 'GT'", "[sets] a: has no answers"),
        ("[sets]\na = 'GTs'\n[methods]\nm = 'maps'", "[sets] a: there is no"),
        ("[sets]\na = 'GT'\n[methods]\nm = 'maps/{set}'", "maps/a of m"),
        ("[sets]\na = {truth = 'GT', answers = 'maps'}", "needs one * where"),
        ("split = 'all of it'\n[sets]\na = 'GT'", "write one of train, val, test, all"),
        ("[sets\n", "is not TOML"),
    ],
)
def test_what_a_file_names_wrongly(tmp_path, capsys, text, said):
    for name in ("GT", "maps"):
        (tmp_path / name).mkdir()
    file = tmp_path / "table.toml"
    file.write_text(text, encoding="utf-8")
    assert main(["score", str(file)]) == 2
    error = capsys.readouterr().err
    assert "table.toml" in error
    assert said in error


def test_nothing_is_said_twice(tmp_path, capsys):
    file = tmp_path / "table.toml"
    file.write_text("[sets]\n", encoding="utf-8")
    assert main(["score", str(file), "--as-is"]) == 2
    assert "beside it only --metrics, --out and --json" in capsys.readouterr().err
