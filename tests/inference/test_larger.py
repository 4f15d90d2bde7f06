"""Pictures far larger than those learnt from are told of once, with tiles as the way to go on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.helpers.untrained import untrained_detector
from viewfinder import open_run
from viewfinder.events import listening
from viewfinder.inference.answers import Answer
from viewfinder.inference.larger import sized_answers, tell_of_larger
from viewfinder.runs.run import open_run as open_folder
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.manifest import write_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("larger") / "run"
    run = untrained_detector(folder, ("a", "b"))
    sides, shares = {"median": 64, "most": 96}, {"median": 0.2, "low": 0.15}
    data = run.manifest.data | {"longer_side": sides, "object_share": shares}
    write_manifest(folder, replace(run.manifest, data=data))
    return folder


def pictures(place, *sizes):
    place.mkdir()
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (90, 90, 90)).save(place / f"{number}.png")
    return place


def told(ask):
    heard = []
    with listening(heard.append):
        ask()
    return [each.text for each in heard if "--tiles" in getattr(each, "text", "")]


@pytest.mark.parametrize(
    ("sizes", "tiles", "words"),
    [
        (
            [(500, 300), (64, 60), (200, 190)],
            None,
            "2 of 3 pictures are far larger than those learnt from (up to 500 pixels",
        ),
        ([(193, 20)], None, "this picture is far larger"),
        ([(192, 20), (64, 60)], None, ""),
        ([(500, 300)], "none", ""),
        ([(500, 300)], 64, ""),
    ],
)
def test_larger_pictures_are_told_of_once(folder, tmp_path, sizes, tiles, words):
    source = pictures(tmp_path / "new", *sizes)
    run = open_run(folder)
    # An untrained net finds nothing from so high a score on.
    found = told(lambda: run.predict(source, device="cpu", tiles=tiles, threshold=0.999))
    assert [words in each and "add --tiles 64 to" in each for each in found] == [True] * bool(words)


def test_nothing_is_told_of_a_run_that_does_not_know_its_pictures(tmp_path):
    untrained_detector(tmp_path / "old", ("a",))
    source = pictures(tmp_path / "new", (900, 900))
    assert not told(lambda: open_run(tmp_path / "old").predict(source, device="cpu"))


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.05, 0.19, 0.2, 0.5], None),  # of the same scene in more pixels
        ([0.14, 0.14, 0.14], None),
        ([0.05, 0.06, 0.5], "boxes in it take 6.0% of its longer side where those learnt from "),
        ([], "no object is found in it"),
    ],
)
def test_pictures_that_are_only_finer_are_not_told_of(folder, shares, words):
    model = open_run(folder).model
    sized = [(500, np.array(shares)), (64, np.array([0.01]))]
    found = told(lambda: tell_of_larger(model, open_folder(folder), lambda: sized))
    assert [words in each for each in found] == [True] * (words is not None)


@pytest.mark.parametrize(("side", "words"), [(12, "boxes in it take 6.0%"), (60, None)])
def test_evaluate_looks_at_what_is_marked(folder, tmp_path, side, words):
    pictures(tmp_path / "val", (200, 180))
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [9, 9, side, side]}
    document = {
        "images": [{"id": 1, "file_name": "0.png", "width": 200, "height": 180}],
        "annotations": [box | {"area": side * side, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "a"}],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_val.json").write_text(json.dumps(document))
    found = told(lambda: open_run(folder).evaluate(tmp_path, device="cpu"))
    assert [words in each for each in found] == [True] * (words is not None)


def test_only_what_is_shown_counts_as_found():
    boxes = np.array([[0, 0, 100, 25], [0, 0, 9, 9]], np.float32)
    found = Detections(boxes, np.array([0.3, 0.2]), np.zeros(2, int))
    ((longer, shares),) = sized_answers([Answer("a.png", (500, 300), found)])
    assert longer == 500
    assert shares.tolist() == [0.1]


def test_what_was_learnt_from_is_kept_and_held_to_be_pixels_and_shares(folder):
    assert open_folder(folder).manifest.data["longer_side"] == {"median": 64, "most": 96}
    file = folder / "run.json"
    kept = file.read_text()
    document = json.loads(kept)
    for wrong in ({"median": 64}, {"median": 0, "most": 96}, {"median": "64", "most": 96}):
        document["data"]["longer_side"] = wrong
        file.write_text(json.dumps(document))
        with pytest.raises(Exception, match="damaged"):
            open_folder(folder)
    document = json.loads(kept)
    for wrong in ({"median": 0.2}, {"median": 0.1, "low": 0.2}, {"median": 0.1, "low": 0}):
        document["data"]["object_share"] = wrong
        file.write_text(json.dumps(document))
        with pytest.raises(Exception, match="damaged"):
            open_folder(folder)
    file.write_text(kept)
