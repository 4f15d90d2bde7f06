"""A large set is read once, and again when any of its files changes."""

import json
import os
import shutil

import numpy as np
import pytest

from viewfinder.datasets import kept_sets
from viewfinder.datasets.formats.coco import reading
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.pictures.writing import write_picture

TRIANGLE = [[1, 1, 9, 1, 9, 9.5], [2, 2, 3, 2, 3, 3]]
RUNS = {"size": [20, 40], "counts": [100, 50, 650]}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A set of four pictures, of which one has another size than its labels say."""
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept_sets, "_LARGE", 4)
    monkeypatch.setattr(kept_sets, "_SETTLED", -60)
    root = tmp_path / "set"
    for number in range(4):
        size = (40, 80, 3) if number == 3 else (20, 40, 3)
        write_picture(root / f"train/ä{number}.png", np.full(size, 50 * number, np.uint8))
    images = [
        {"id": n + 1, "file_name": f"ä{n}.png", "width": 40, "height": 20, "license": 1}
        for n in range(4)
    ]
    annotations = [
        {"id": n + 10, "image_id": n % 4 + 1, "category_id": 7, "bbox": [n, 1, 8, 9]}
        for n in range(8)
    ]
    annotations[1]["segmentation"], annotations[2]["segmentation"] = TRIANGLE, RUNS
    annotations[7]["image_id"] = 99
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}],
    }
    (root / "annotations").mkdir()
    (root / "annotations/instances_train.json").write_text(json.dumps(document))
    return root


def told(dataset):
    """All that a set holds, comparable."""
    boxes = dataset.boxes
    columns = {
        f"{of}.{name}": (value.dtype, value.tobytes())
        for of, each in (("set", dataset), ("boxes", boxes))
        for name, value in vars(each).items()
        if isinstance(value, np.ndarray) and name not in ("orientations", "file_sizes")
    }
    outlines = sorted(
        (row, repr(o) if isinstance(o, dict) else [(p.dtype, p.tobytes()) for p in o])
        for row, o in boxes.segmentations.items()
    )
    words = {
        name: getattr(dataset, name)
        for name in ("root", "layout", "classes", "paths", "class_ids", "groups", "faults", "notes")
    }
    return columns, outlines, words, dict(dataset.unread)


@pytest.fixture
def readings(monkeypatch):
    """How often files of labels were read."""
    counted = []
    read = reading.read_part
    monkeypatch.setattr(reading, "read_part", lambda *of: counted.append(of) or read(*of))
    return counted


def test_a_set_is_read_once_and_is_the_same_again(root, readings, monkeypatch):
    first, raw = told(open_dataset(root, val_share=0)), told(read_boxes(root))
    assert len(readings) == 1
    assert told(open_dataset(root, val_share=0)) == first
    assert any("scaled since they were labelled" in note for note in first[2]["notes"])
    monkeypatch.setattr(kept_sets, "_LARGE", 5)
    assert told(open_dataset(root, val_share=0)) == first
    assert told(read_boxes(root)) == raw
    assert len(readings) == 3


def labels_painted_over(root):
    file = root / "annotations/instances_train.json"
    state = file.stat()
    file.write_text(file.read_text().replace('"bbox": [0, 1', '"bbox": [5, 1'))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def picture_painted_over(root):
    file = root / "train/ä0.png"
    state = file.stat()
    shutil.copyfile(root / "train/ä3.png", file)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def picture_more(root):
    shutil.copyfile(root / "train/ä3.png", root / "train/more.png")


def picture_renamed(root):
    (root / "train/ä1.png").rename(root / "train/other.png")


def labels_more(root):
    shutil.copyfile(
        root / "annotations/instances_train.json", root / "annotations/instances_val.json"
    )


@pytest.mark.parametrize(
    "change",
    [labels_painted_over, picture_painted_over, picture_more, picture_renamed, labels_more],
)
def test_what_has_changed_is_read_anew(root, readings, change):
    before = told(open_dataset(root, val_share=0))
    change(root)
    after = told(open_dataset(root, val_share=0))
    assert len(readings) > 1
    assert after != before


def test_a_file_of_a_moment_ago_may_change_unseen_and_is_read_again(root, readings, monkeypatch):
    monkeypatch.setattr(kept_sets, "_SETTLED", 3.0)
    for _ in range(2):
        open_dataset(root, val_share=0)
    assert len(readings) == 2


@pytest.mark.parametrize("keep", [0, 7, 100, -10])
def test_what_is_kept_and_damaged_is_passed_over(root, readings, tmp_path, keep):
    first = told(open_dataset(root, val_share=0))
    (file,) = (tmp_path / "cache/sets").iterdir()
    file.write_bytes(file.read_bytes()[:keep])
    assert told(open_dataset(root, val_share=0)) == first
    assert len(readings) == 2


def test_where_nothing_can_be_kept_it_is_read_each_time(root, readings, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    for _ in range(2):
        open_dataset(root, val_share=0)
    assert len(readings) == 2


def test_another_code_reads_anew(root, readings, monkeypatch):
    open_dataset(root, val_share=0)
    monkeypatch.setattr(kept_sets, "_code", lambda: [("a file", 1, 2)])
    open_dataset(root, val_share=0)
    assert len(readings) == 2
