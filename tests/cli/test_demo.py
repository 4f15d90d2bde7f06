"""The demo: the embedded set is rendered, learnt and reported, and nothing else is touched."""

import json

import pytest

from viewfinder.cli import demo
from viewfinder.cli.main import main


@pytest.fixture
def quick(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(demo, "_EPOCHS", 4)
    cache = tmp_path_factory.getbasetemp() / "demo-cache"
    monkeypatch.setenv("VIEWFINDER_CACHE", str(cache))


def test_the_demo_ends_with_a_report_and_may_be_run_again(quick, tmp_path, capsys):
    out = tmp_path / "demo"
    for _ in range(2):
        assert main(["demo", "--out", str(out), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert set(document) == {"report", "scores", "stages"}
        assert document["report"] == str(out / "report.html")
        assert "</html>" in (out / "report.html").read_text(encoding="utf-8")
    # Four epochs are far from enough, and far better than one in eight.
    assert document["scores"]["test"]["accuracy"] > 0.4
    assert document["scores"]["test"]["images"] == 240


def test_the_demo_replaces_no_folder_but_its_own(quick, small_run, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for place in (mine, small_run):
        assert main(["demo", "--out", str(place)]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert (small_run / "weights.safetensors").exists()
