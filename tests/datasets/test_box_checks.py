"""Each fault of a set of boxes is found where it is, and none in a sound set."""

import json
import shutil

import numpy as np
import pytest

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.opening import read_boxes
from viewfinder.pictures.writing import write_picture


@pytest.fixture
def root(tmp_path):
    random = np.random.default_rng(0)
    for side, count in (("train", 3), ("val", 2)):
        images, annotations = [], []
        for number in range(count):
            name = f"{side}{number}.png"
            pixels = random.integers(0, 256, (20, 40, 3)).astype(np.uint8)
            write_picture(tmp_path / "images" / name, pixels)
            images.append({"id": number, "file_name": name, "width": 40, "height": 20})
            for label in (1, 2):
                box = {"id": len(annotations) + 1, "image_id": number, "category_id": label}
                annotations.append(box | {"bbox": [label, 2, 10, 10]})
        categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        write(
            tmp_path,
            side,
            {"images": images, "annotations": annotations, "categories": categories},
        )
    return tmp_path


def write(root, side, document):
    file = root / "annotations" / f"instances_{side}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(document))


def change(root, change, side="train"):
    file = root / "annotations" / f"instances_{side}.json"
    document = json.loads(file.read_text())
    change(document)
    write(root, side, document)


def faults(root):
    return {(f.kind, f.file): f for f in check_boxes(read_boxes(root))}


def test_a_sound_set_has_none(root):
    assert check_boxes(read_boxes(root)) == []


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ([35, 2, 10, 10], "outside"),
        ([-0.5, 2, 10, 10], "outside"),
        ([50, 2, 10, 10], "outside"),
        ([5, 2, 0, 10], "zero-size"),
        ([5, 2, -3, 10], "inverted"),
        ([float("nan"), 2, 3, 10], "not-finite"),
        ([2, 2, 10, 10], "duplicate-box"),
    ],
)
def test_a_bad_box_is_named(root, box, kind):
    more = {"id": 77, "image_id": 1, "category_id": 2, "bbox": box}
    change(root, lambda document: document["annotations"].append(more))
    found = faults(root)
    assert set(found) == {(kind, "images/train1.png")}
    (fault,) = found.values()
    assert "its box 3 of dog" in fault.detail
    assert fault.fix


def test_a_box_over_the_edge_by_the_rounding_of_decimals_is_none(root):
    more = {"id": 77, "image_id": 1, "category_id": 2, "bbox": [30, 2, 10.003, 10]}
    change(root, lambda document: document["annotations"].append(more))
    assert faults(root) == {}


def test_an_unknown_class_and_classes_without_boxes(root):
    def renumber(document):
        document["annotations"][0]["category_id"] = 9
        document["categories"].append({"id": 3, "name": "bird"})

    change(root, renumber)
    assert set(faults(root)) == {
        ("unlisted-category", "annotations/instances_train.json"),
        ("unknown-class", "images/train0.png"),
        ("no-boxes", "bird"),
    }
    change(root, lambda document: document.update(annotations=document["annotations"][3:4]))
    assert ("not-in-train", "cat") in faults(root)


def test_pictures_missing_damaged_scaled_turned_and_doubled(root):
    (root / "images/train0.png").unlink()
    (root / "images/train1.png").write_bytes(b"<html>")
    write_picture(root / "images/train2.png", np.zeros((40, 20, 3), np.uint8))
    found = faults(root)
    assert set(found) == {
        ("missing", "images/train0.png"),
        ("unreadable", "images/train1.png"),
        ("size", "images/train2.png"),
    }
    turned = found["size", "images/train2.png"]
    assert turned.detail == "the labels say 40×20, the picture is 20×40"
    assert "turned" in turned.fix
    shutil.copy(root / "images/val0.png", root / "images/train0.png")
    assert ("duplicate-across-splits", "images/train0.png") in faults(root)
    shutil.copy(root / "images/val0.png", root / "images/val1.png")
    (root / "images/train0.png").unlink()
    assert ("duplicate", "images/val0.png") in faults(root)


def test_labels_without_their_picture(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("train: images\nnames: [cat]\n")
    (tmp_path / "labels/1.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "labels/2.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    write_picture(tmp_path / "images/1.png", np.zeros((20, 40, 3), np.uint8))
    assert set(faults(tmp_path)) == {("missing", "labels/2.txt")}


def test_of_a_picture_that_cannot_be_read_that_alone_is_said(tmp_path):
    """Shares of nothing are no pixels, and not what is wrong with its boxes."""
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("train: images\nnames: [cat]\n")
    for number in (1, 2):
        write_picture(tmp_path / f"images/{number}.png", np.full((20, 40, 3), number, np.uint8))
        (tmp_path / f"labels/{number}.txt").write_text("0 0.5 0.5 0.5 0.5\n0 0.2 0.2 0.1 0.1\n")
    (tmp_path / "images/1.png").write_bytes(b"not a picture")
    assert set(faults(tmp_path)) == {("unreadable", "images/1.png")}


def test_a_box_of_a_picture_that_cannot_be_measured_is_told_without_numbers(tmp_path):
    for name in ("a", "b"):
        write_picture(tmp_path / "images" / f"{name}.png", np.full((20, 40, 3), 90, np.uint8))
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "labels" / "b.txt").write_text("7 0.5 0.5 0.2 0.2\n")
    (tmp_path / "images" / "b.png").write_bytes(b"no picture")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images\nval: images\nnames: [cat]\n")
    told = [each.detail for each in check_boxes(read_boxes(tmp_path))]
    assert "its box 1 has a class that the set does not name" in told
    assert not any("nan" in each for each in told)
