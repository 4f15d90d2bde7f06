"""`viewfinder why`: from a run and pictures to a page that can be used."""

import json
from dataclasses import replace

import numpy as np
import page_material as material
import pytest
import torch

import viewfinder
from viewfinder.api import open_run
from viewfinder.attribution.asking import ask_of
from viewfinder.attribution.neighbours import LearntFrom
from viewfinder.attribution.page import names_of
from viewfinder.attribution.reason import Reasons
from viewfinder.attribution.summary import summary_of
from viewfinder.attribution.whole import Explained, explain_answers
from viewfinder.attribution.why import Wanted
from viewfinder.inference.answers import Predictor
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.question import of_class


def test_classes_have_reasons_on_a_page(ask, small_run, small_set, tmp_path, chromium):
    picture = min((small_set / "test").rglob("*.*"))
    page, maps = tmp_path / "why.html", tmp_path / "maps"
    status, said, _ = ask("why", small_run, picture, "--html", page, "--out", maps, "--most", 2)
    assert status == 0
    assert "2 answers to 1 picture" in said
    assert len(list(maps.iterdir())) >= 1
    with chromium.new_page() as opened:
        opened.goto(page.as_uri())
        answers = opened.locator("li[data-answer]")
        assert answers.count() == 2
        answers.nth(1).hover()
        assert opened.locator("img.heat.on").get_attribute("data-answer") == "1"
        assert opened.evaluate("[...document.images].every(i => i.alt && i.naturalWidth > 0)")
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_several_pictures_are_asked_about_together(ask, small_run, small_set, tmp_path):
    pictures = sorted((small_set / "test").rglob("*.*"))[:2]
    page = ("--html", tmp_path / "why.html", "--most", 1, "--json")
    status, said, _ = ask("why", small_run, *pictures, *page)
    assert status == 0
    assert [each["source"] for each in json.loads(said)["pictures"]] == list(map(str, pictures))
    status, _, said = ask("why", small_run, pictures[0], "-", *page)
    assert status == 2
    assert "- is for paths on standard input: give it alone" in said


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/1.png", "b/2.png"], ["1.png", "2.png"]),
        (["a/1.png", "b/1.png", "b/2.png"], ["a/1.png", "b/1.png", "2.png"]),
        (["x/a/1.png", "y/a/1.png"], ["x/a/1.png", "y/a/1.png"]),
        (["1.png", "1.png"], ["1.png", "1.png"]),
    ],
)
def test_pictures_of_one_name_are_told_apart_by_their_folders(sources, names):
    assert names_of(sources) == names


def test_its_json_has_every_figure(ask, small_run, small_set, tmp_path):
    folder = small_set / "test"
    page = ("--html", tmp_path / "why.html", "--most", 1, "--json")
    status, said, _ = ask("why", small_run, folder, *page)
    assert status == 0
    told = json.loads(said)
    reasons = [each for picture in told["pictures"] for each in picture["reasons"]]
    assert told["summary"]["answers"] == len(reasons) == len(told["pictures"])
    passed = sum(bool(each["deletion"] and each["deletion"]["passed"]) for each in reasons)
    assert told["summary"]["passed"] == passed
    nearest = told["pictures"][0]["nearest"]
    assert len(nearest) == 5
    assert all(set(each) == {"file", "class", "likeness"} for each in nearest)
    assert "most like this one" in (tmp_path / "why.html").read_text()
    assert {each["method"] for each in reasons} <= {
        "Grad-CAM",
        "LayerCAM",
        "HiResCAM",
        "integrated gradients",
        "occlusion",
        None,
    }


def test_reasons_are_told_before_what_was_learnt_is_looked_at(small_run, small_set, monkeypatch):
    order = []

    def look(run, predictor):
        order.append("what was learnt")
        return LearntFrom(None)

    monkeypatch.setattr("viewfinder.attribution.whole.memory_of", look)
    opened, picture = open_run(small_run), min((small_set / "test").rglob("*.*"))
    explain_answers(
        opened.model,
        opened.trained,
        picture,
        Wanted(most=1, quick=True),
        threshold=None,
        device=torch.device("cpu"),
        html=None,
        by="a test",
        tell=lambda found: order.append(found.source),
    )
    assert order == [str(picture), "what was learnt"]


def test_where_nothing_is_found_no_page_is_written_and_nothing_learnt_is_looked_at(
    ask, tmp_path, monkeypatch
):
    monkeypatch.setattr("viewfinder.attribution.whole.memory_of", None)
    material.boxes(tmp_path)
    material.detector(tmp_path)
    picture = min((tmp_path / "my-boxes").rglob("images/**/*.jpg"))
    page = tmp_path / "why.html"
    words = ("why", tmp_path / "runs/first", picture, "--threshold", 1, "--html", page)
    status, said, _ = ask(*words)
    assert status == 0
    assert said.splitlines() == [
        f"{picture}: nothing is found here, so there is nothing to ask about",
        "no page is written, as there is no answer to show the reasons of",
    ]
    assert not page.exists()
    empty = Reasons(str(picture), np.zeros((8, 8, 3), np.uint8), (), found=0)
    nothing = Explained([empty], summary_of([empty]), None, written=False)
    monkeypatch.setattr("viewfinder.attribution.whole.explain_answers", lambda *_, **__: nothing)
    _, _, hint = ask("why", tmp_path / "runs/first", picture)
    assert "--threshold 0.05 asks what is less sure" in hint


def test_boxes_and_subjects_have_reasons(ask, tmp_path, subject_scenes):
    import viewfinder

    material.boxes(tmp_path)
    material.detector(tmp_path)
    picture = min((tmp_path / "my-boxes").rglob("images/**/*.jpg"))
    page = ("--html", tmp_path / "why.html", "--json", "--most", 2)
    status, said, _ = ask("why", tmp_path / "runs/first", picture, *page, "--threshold", 0.001)
    assert status == 0
    reasons = json.loads(said)["pictures"][0]["reasons"]
    assert len(reasons) == 2
    assert all(len(each["box"]) == 4 for each in reasons)
    assert all(len(each["nearest"][0]["box"]) == 4 for each in reasons)
    subject = viewfinder.train(
        "saliency",
        subject_scenes,
        out=tmp_path / "subjects",
        net="a2dele-lite0",
        size=64,
        epochs=1,
        precision="32",
    )
    status, said, _ = ask("why", subject.folder, picture, *page, "--threshold", 0.01)
    assert status == 0
    (told,) = json.loads(said)["pictures"]
    (reason,), nearest = told["reasons"], told["nearest"]
    assert nearest[0]["class"] is None
    assert reason["class"] is None
    assert reason["method"] in ("LayerCAM", "HiResCAM", "occlusion", None)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--class", "catt"), "--class catt: the model knows no such class"),
        (("--layer", "nowhere"), "the layers that make maps are"),
        (("--out", "."), ". exists already"),
        (("--most", 0), "give 1 or more"),
        (("--html", "why.png"), "the page is HTML"),
        (("--layer", "conv1", "--occlude"), "leave the other out"),
    ],
)
def test_what_cannot_be_asked_is_said(ask, small_run, tmp_path, monkeypatch, flags, says):
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "a.png", np.full((40, 40, 3), 90, np.uint8))
    status, _, error = ask("why", small_run, "a.png", *flags)
    assert status == 2
    assert says in error
    assert not (tmp_path / "why.html").exists()


def test_videos_are_passed_over_and_told(ask, small_run, tmp_path):
    """A folder's videos have no reasons, which is said, whether or not pictures are beside them."""
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films/a.mp4", [np.full((48, 64, 3), 90, np.uint8)] * 3, rate=12)
    page = ("--html", tmp_path / "why.html", "--most", 1)
    status, _, error = ask("why", small_run, tmp_path / "films", *page)
    assert status == 2
    assert "not in videos" in error
    assert "a.mp4" in error
    write_picture(tmp_path / "films" / "b.png", np.full((40, 40, 3), 90, np.uint8))
    status, said, note = ask("why", small_run, tmp_path / "films", *page)
    assert status == 0
    assert "1 answer to 1 picture" in said
    assert "passed over, as videos: " in note
    assert "a.mp4" in note


def test_what_no_layer_of_can_be_named_is_said(ask, small_run, tmp_path):
    file, picture, page = (tmp_path / name for name in ("net.onnx", "a.png", "why.html"))
    assert ask("export", small_run, "--out", file)[0] == 0
    write_picture(picture, np.full((40, 40, 3), 90, np.uint8))
    status, _, error = ask("why", file, picture, "--html", page, "--layer", "conv1")
    assert status == 2
    assert "no layer of this model makes maps" in error
    assert not page.exists()


def test_pictures_of_which_none_can_be_read_are_refused(ask, small_run, tmp_path):
    folder, page = tmp_path / "cut", tmp_path / "why.html"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"")
    status, _, error = ask("why", small_run, folder, "--html", page)
    assert status == 2
    assert "not one of the 2 pictures" in error
    assert not page.exists()
    write_picture(folder / "c.png", np.full((40, 40, 3), 90, np.uint8))
    assert ask("why", small_run, folder, "--html", page, "--most", 1)[0] == 0
    assert "inside the network" in page.read_text()


def test_programs_ask_as_the_command_line_does(small_run, small_set, tmp_path):
    picture = min((small_set / "test").rglob("*.*"))
    page = tmp_path / "why.html"
    (found,) = viewfinder.why(small_run, picture, most=1, html=page)
    assert found["source"] == str(picture)
    (reason,) = found["reasons"]
    assert reason["class"] == viewfinder.open_run(small_run).predict(picture)[0]["label"]
    assert "viewfinder.why" in page.read_text()


def test_of_one_picture_each_part_of_an_answer_is_progress(small_run, small_set):
    """Which is what a person waits for who asks from Python or in a notebook too."""
    began, picture = [], min((small_set / "test").rglob("*.*"))
    with viewfinder.listening(lambda event: began.append(getattr(event, "total", None))):
        (told,) = viewfinder.why(small_run, picture, most=2)
    assert len(told["reasons"]) == 2
    assert 2 * 4 in began, "its map, the test, the comparison and what would change it"


def test_the_quick_form_of_a_net_scores_as_the_net_does(small_run, small_set):
    picture = min((small_set / "test").rglob("*.*"))
    predictor = Predictor(open_run(small_run).model, device=torch.device("cpu"))
    asked = ask_of(predictor)
    pixels = as_shares(predictor.prepare_file(picture).pixels[None])
    question = of_class("one", 0)
    assert asked.quick is not None
    written = replace(asked, quick=None).scores(pixels, question)
    np.testing.assert_allclose(asked.scores(pixels, question), written, atol=1e-4)
