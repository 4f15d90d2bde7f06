"""Darknet's weights as they come: what their classes are called, and how they see pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from viewfinder.api import open_run
from viewfinder.datasets.framing import DARKNET
from viewfinder.errors import InputError
from viewfinder.nets.darknet import DarknetConfig, WeightsHeader
from viewfinder.pictures.geometry import clip_boxes
from viewfinder.tasks.detect.class_names import COCO, names_of
from viewfinder.tasks.detect.foreign import describe_weights, framing_of

# What C Darknet finds in a picture: class name, score, and x1, y1, x2, y2 in its pixels.
DarknetFound = list[tuple[str, float, list[float]]]

PUBLISHED = WeightsHeader((0, 2, 0), 500_208 * 64)


def write_head(file: Path, header: WeightsHeader = PUBLISHED, length: int = 35_434_956) -> Path:
    """A file as long as the published yolov3-tiny, which takes no room on the disk."""
    with file.open("wb") as opened:
        opened.write(header.pack())
        opened.truncate(length)
    return file


def write_names(file: Path, count: int, word: str = "coin") -> tuple[str, ...]:
    names = tuple(f"{word} {number}" for number in range(count))
    file.write_text("\n".join(names) + "\n\n")
    return names


def test_only_published_files_have_cocos_names(tmp_path: Path) -> None:
    assert names_of(write_head(tmp_path / "a.weights"), 80).names == COCO
    assert not names_of(tmp_path / "a.weights", 80).origin
    others = (WeightsHeader((0, 2, 5), PUBLISHED.seen), WeightsHeader((0, 2, 0), 6400))
    for header in others:
        named = names_of(write_head(tmp_path / "b.weights", header), 80)
        assert named.names[:2] == ("class 0", "class 1")
        assert "into b.names beside it" in named.origin
    assert names_of(write_head(tmp_path / "c.weights", length=30_000), 80).names[0] == "class 0"


@pytest.mark.parametrize("classes", [1, 20])
def test_what_nothing_names_is_numbered_and_what_lies_beside_is_told(
    tmp_path: Path, classes: int
) -> None:
    write_names(tmp_path / "other.names", 3)
    (tmp_path / "obj.data").write_text("classes = 3\nnames = data/none.names\n")
    named = names_of(write_head(tmp_path / "a.weights"), classes)
    assert named.names == tuple(f"class {number}" for number in range(classes))
    assert "there are other.names of 3 names, obj.data" in named.origin


@pytest.mark.parametrize("name", ["coins", "coins_last", "coins_1000", "coins_final"])
def test_names_of_the_training_are_taken(tmp_path: Path, name: str) -> None:
    names = write_names(tmp_path / "coins.names", 4)
    named = names_of(write_head(tmp_path / f"{name}.weights"), 4)
    assert named.names == names
    assert "coins.names" in named.origin
    with pytest.raises(InputError, match=r"coins\.names has 4 names where"):
        names_of(tmp_path / f"{name}.weights", 5)


@pytest.mark.parametrize("written", ["obj.names", "data/obj.names", "/content/darknet/obj.names"])
def test_obj_data_leads_to_names(tmp_path: Path, written: str) -> None:
    names = write_names(tmp_path / "obj.names", 2)
    (tmp_path / "obj.data").write_text(f"classes= 2\ntrain=x\n names = {written}\nbackup = b/\n")
    named = names_of(write_head(tmp_path / "a.weights"), 2)
    assert named.names == names
    assert "obj.data names" in named.origin
    # Of two that contradict each other none is believed.
    write_names(tmp_path / "old.names", 2, "old")
    (tmp_path / "old.data").write_text("names = old.names\n")
    assert names_of(tmp_path / "a.weights", 2).names == ("class 0", "class 1")


@pytest.mark.parametrize(
    ("version", "letter_box", "fit", "told"),
    [
        ((0, 2, 0), None, "letterbox", False),
        ((0, 2, 5), None, "stretch", True),
        ((0, 2, 5), True, "letterbox", False),
        ((0, 2, 0), False, "stretch", False),
    ],
)
def test_the_fork_of_darknet_stretches_unless_told_otherwise(
    tmp_path: Path, version: tuple[int, int, int], letter_box: bool | None, fit: str, told: bool
) -> None:
    file = write_head(tmp_path / "a.weights", WeightsHeader(version, 64))
    config = DarknetConfig("yolov3-tiny", 2, (), (), (416, 416), letter_box)
    framing, note = framing_of(file, config)
    assert (framing.fit, framing.resizing) == (fit, "corners")
    assert ("letter_box=1" in note) == told


def test_a_net_that_only_its_length_tells_is_told(tmp_path: Path) -> None:
    assert describe_weights(write_head(tmp_path / "a.weights")).notes == ()
    write_head(tmp_path / "a.weights", WeightsHeader((0, 2, 0), 64))
    first, second = describe_weights(tmp_path / "a.weights").notes
    assert "put its .cfg beside it, as a.cfg" in first
    assert "put the names" in second


@pytest.mark.parametrize("name", ["dog", "eagle", "giraffe", "horses"])
def test_published_weights_answer_as_darknet_does(
    shared: Path, darknet_found: Callable[[str], DarknetFound], name: str
) -> None:
    folder = shared / "golden/darknet"
    run = open_run(shared / "weights/yolov3-tiny.weights")
    assert run.model.config.framing == DARKNET
    (answer,) = run.predict(folder / f"{name}.png", device="cpu")
    expected = darknet_found(name)
    assert [box["class"] for box in answer["boxes"]] == [each[0] for each in expected]
    scores = [box["score"] for box in answer["boxes"]]
    np.testing.assert_allclose(scores, [each[1] for each in expected], rtol=0, atol=2e-4)
    corners = [[box[edge] for edge in ("x1", "y1", "x2", "y2")] for box in answer["boxes"]]
    inside = clip_boxes(
        np.array([each[2] for each in expected]), (answer["width"], answer["height"])
    )
    np.testing.assert_allclose(corners, inside, rtol=0, atol=0.02)
    # Averaged over area it is another answer, if mostly to the same.
    (other,) = run.predict(folder / f"{name}.png", device="cpu", resize="area")
    assert [box["score"] for box in other["boxes"]] != scores
