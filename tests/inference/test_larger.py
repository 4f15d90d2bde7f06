"""Pictures far larger than those learnt from are told of once, with tiles as the way to go on."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from tests.helpers.untrained import untrained_detector
from viewfinder import open_run
from viewfinder.events import listening
from viewfinder.runs.run import open_run as open_folder
from viewfinder.tasks.manifest import write_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("larger") / "run"
    run = untrained_detector(folder, ("a", "b"))
    data = run.manifest.data | {"longer_side": {"median": 64, "most": 96}}
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
    found = told(lambda: open_run(folder).predict(source, device="cpu", tiles=tiles))
    assert [words in each and "add --tiles 64 to" in each for each in found] == [True] * bool(words)


def test_nothing_is_told_of_a_run_that_does_not_know_its_pictures(tmp_path):
    untrained_detector(tmp_path / "old", ("a",))
    source = pictures(tmp_path / "new", (900, 900))
    assert not told(lambda: open_run(tmp_path / "old").predict(source, device="cpu"))


def test_what_was_learnt_from_is_kept_and_held_to_be_pixels(folder):
    assert open_folder(folder).manifest.data["longer_side"] == {"median": 64, "most": 96}
    file = folder / "run.json"
    kept = file.read_text()
    document = json.loads(kept)
    for wrong in ({"median": 64}, {"median": 0, "most": 96}, {"median": "64", "most": 96}):
        document["data"]["longer_side"] = wrong
        file.write_text(json.dumps(document))
        with pytest.raises(Exception, match="damaged"):
            open_folder(folder)
    file.write_text(kept)
