"""Each fault is found in a set that has it, and none in one that does not."""

import shutil

import numpy as np
import pytest

from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture


@pytest.fixture
def root(tmp_path):
    """Two classes on two sides, no two pictures alike."""
    random = np.random.default_rng(0)
    for side, count in (("train", 12), ("val", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                picture = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                write_picture(tmp_path / side / name / f"{number}.png", picture)
    return tmp_path


def faults(root):
    return {(f.kind, f.file): f for f in check_dataset(open_dataset(root))}


def test_a_clean_set_has_no_faults(root):
    assert check_dataset(open_dataset(root)) == []


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "heic"])
def test_what_cannot_be_read_is_named(root, damage):
    file = root / "train/cat/3.png"
    data = file.read_bytes()
    file.write_bytes(
        {
            "empty": b"",
            "cut": data[: len(data) // 2],
            "text": b"<html>404</html>",
            "heic": b"\0\0\0\x18ftypheic" + bytes(100),
        }[damage]
    )
    found = faults(root)
    assert set(found) == {("unreadable", "train/cat/3.png")}
    (fault,) = found.values()
    assert fault.detail
    assert "replace" in fault.fix


def test_a_file_that_vanished_is_named(root):
    dataset = open_dataset(root)
    (root / "val/dog/0.png").unlink()
    assert [(f.kind, f.file) for f in check_dataset(dataset)] == [("unreadable", "val/dog/0.png")]


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        ("train/cat/copy.png", "duplicate"),
        ("val/cat/copy.png", "duplicate-across-splits"),
        ("train/dog/copy.png", "two-classes"),
        ("val/dog/copy.png", "two-classes"),
    ],
)
def test_the_same_picture_twice(root, copy, kind):
    shutil.copy(root / "train/cat/0.png", root / copy)
    found = faults(root)
    assert set(found) == {(kind, "train/cat/0.png")}
    assert copy in found[kind, "train/cat/0.png"].detail


def test_classes_that_are_too_small(root):
    shutil.rmtree(root / "train/dog")
    write_picture(root / "train/dog/1.png", np.full((8, 8, 3), 7, np.uint8))
    assert set(faults(root)) == {("imbalance", "dog")}
    (root / "train/dog/1.png").unlink()
    assert set(faults(root)) == {("not-in-train", "dog"), ("empty-class", "train/dog")}
    (root / "val/dog/0.png").unlink()
    assert set(faults(root)) == {("one-picture", "val/dog/1.png"), ("empty-class", "train/dog")}


def test_pictures_that_lie_in_no_class_are_told(root):
    picture = np.full((8, 8, 3), 9, np.uint8)
    write_picture(root / "train/loose.png", picture)
    write_picture(root / "beside/other.png", picture)
    assert {key for key in faults(root) if key[0] == "passed-over"} == {
        ("passed-over", "train/loose.png"),
        ("passed-over", "beside/other.png"),
    }


def test_a_side_that_lacks_a_class(root):
    shutil.rmtree(root / "val/dog")
    found = faults(root)
    assert set(found) == {("not-in-val", "val")}
    assert "dog" in found["not-in-val", "val"].detail


def test_a_class_that_is_a_link_to_nothing_is_told(tmp_path):
    """As a set is whose disk is not mounted: its other classes are read, and it is not passed over
    in silence."""
    for name in ("cat", "dog"):
        for number, grey in enumerate((40, 90 if name == "cat" else 140)):
            pixels = np.full((8, 8, 3), grey + 7 * (name == "dog"), np.uint8)
            write_picture(tmp_path / "disk" / name / f"{number}.png", pixels)
    data = tmp_path / "data"
    data.mkdir()
    for name in ("cat", "dog", "owl"):
        (data / name).symlink_to(tmp_path / "disk" / name)
    dataset = open_dataset(data)
    assert dataset.classes == ("cat", "dog")
    (fault,) = dataset.faults
    assert (fault.kind, fault.file) == ("broken-link", "owl")
    assert "1 fault: `viewfinder check` names it" in dataset.summary()
    (data / "data.yaml").write_text("names: [cat]\ntrain: owl\n")
    with pytest.raises(InputError, match="owl is a link that leads to nothing"):
        open_dataset(data / "data.yaml")
