"""The verbs that read and write boxes: check, convert, classes, and what they are refused."""

import json

import numpy as np
import pytest

from viewfinder.pictures.writing import write_picture


@pytest.fixture
def root(tmp_path):
    """A YOLO set of two pictures, the second without boxes."""
    random = np.random.default_rng(0)
    for name in ("é 1.png", "2.png"):
        pixels = random.integers(0, 256, (20, 40, 3)).astype(np.uint8)
        write_picture(tmp_path / "set/images/train" / name, pixels)
    (tmp_path / "set/labels/train").mkdir(parents=True)
    rows = "1 0.5 0.5 0.25 0.5\n0 0.25 0.5 0.1 0.2\n1 0.75 0.5 0.1 0.2\n"
    (tmp_path / "set/labels/train/é 1.txt").write_text(rows)
    (tmp_path / "set/data.yaml").write_text("train: images/train\nnames: [cat, dog]\n")
    return tmp_path / "set"


def test_check(ask, root):
    status, out, _ = ask("check", root, "--json")
    document = json.loads(out)
    assert (status, document["faults"]) == (0, [])
    assert document["counts"] == {
        "images": 2,
        "classes": {"cat": 1, "dog": 2},
        "boxes": 3,
        "faults": {},
    }
    (root / "labels/train/2.txt").write_text("7 0.9 0.5 0.5 0.5\n")
    status, out, _ = ask("check", root)
    assert status == 1
    assert "unknown-class: images/train/2.png: its box 1 " in out
    assert "outside: images/train/2.png: its box 1 " in out
    assert out.endswith("2 faults\n")


def test_convert(ask, root, tmp_path):
    status, out, err = ask("convert", root, tmp_path / "out", "--to", "coco")
    assert (status, err) == (0, "")
    assert out == (
        f"{tmp_path / 'out'}: 2 pictures, 3 boxes, from YOLO\n"
        "note: 1 of 2 pictures without a file of labels\n"
    )
    status, out, _ = ask("convert", tmp_path / "out", tmp_path / "voc", "--to", "voc", "--json")
    document = json.loads(out)
    assert (status, document["boxes"], document["lost"]) == (0, 3, {})
    status, out, err = ask("convert", root, tmp_path / "out", "--to", "voc")
    assert (status, out) == (2, "")
    assert "exists already" in err
    status, out, err = ask("convert", root, tmp_path / "x", "--to", "csv")
    assert (status, out) == (2, "")
    assert "csv" in err


def test_what_a_conversion_loses_is_printed(ask, root, tmp_path):
    ask("convert", root, tmp_path / "coco", "--to", "coco")
    file = tmp_path / "coco/annotations/instances_train.json"
    document = json.loads(file.read_text("utf-8"))
    document["annotations"][0]["iscrowd"] = 1
    file.write_text(json.dumps(document))
    _, out, _ = ask("convert", tmp_path / "coco", tmp_path / "yolo", "--to", "yolo")
    assert "not carried: 1 × crowd flags\n" in out


def test_classes(ask, root):
    assert ask("classes", root) == (0, "cat: 1\ndog: 2\n", "")
    before = (root / "data.yaml").read_bytes()
    status, out, _ = ask("classes", root, "merge", "cat", "dog", "pet")
    assert status == 0
    assert out.endswith("nothing is changed yet: the same with --yes makes these changes\n")
    assert str(root / "labels/train/é 1.txt") in out
    assert (root / "data.yaml").read_bytes() == before
    assert ask("classes", root, "rename", "cat", "lion", "--yes")[0] == 0
    assert ask("classes", root)[1] == "lion: 1\ndog: 2\n"
    status, out, _ = ask("classes", root, "drop", "lion", "--yes", "--json")
    document = json.loads(out)
    assert (status, document["classes"], document["made"]) == (0, {"dog": 2}, True)
    status, out, _ = ask("classes", root, "--take-back", "--json")
    assert (status, json.loads(out)["classes"]) == (0, {"lion": 1, "dog": 2})
    status, out, _ = ask("classes", root, "--take-back")
    assert (status, out.splitlines()[-2:]) == (0, ["cat: 1", "dog: 2"])
    assert ": as before rename cat lion\n" in out
    status, out, err = ask("classes", root, "--take-back")
    assert (status, out) == (2, "")
    assert "no edit of the classes of" in err
    assert "goes alone" in ask("classes", root, "drop", "cat", "--take-back")[2]
    assert len(document["changes"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["classes", "SET", "rename", "cat"], "is no edit: use rename OLD NEW"),
        (["classes", "SET", "rename", "cat", "dog"], "there is a class 'dog' already: use merge"),
        (["classes", "SET", "merge", "cat", "cat", "dog"], "name it among those to merge"),
        (["classes", "SET", "drop", "cow"], "there is no class 'cow'"),
        (["classes", "SET", "paint", "cat", "red"], "is no edit"),
        (["classes", "NOWHERE"], "there is no folder"),
        (["convert", "NOWHERE", "x", "--to", "coco"], "there is no folder"),
        (["convert", "SET", "x"], "--to"),
        (["train", "classify", "SET"], "to classify, put each class's pictures into a folder"),
    ],
    ids=" ".join,
)
def test_one_line_says_what_is_wrong(ask, root, words, says):
    places = {"SET": str(root), "NOWHERE": str(root / "nowhere")}
    status, out, err = ask(*(places.get(word, word) for word in words))
    assert (status, out, err.count("error: ")) == (2, "", 1)
    assert says in err
