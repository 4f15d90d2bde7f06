"""Columns, not objects: choosing, splitting, renumbering and recognising a data set."""

import os
from dataclasses import replace

import numpy as np
import pytest

from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError


@pytest.fixture
def dataset(tmp_path):
    paths = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "c/1.jpg")
    for number, path in enumerate(paths):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x" * (number + 1))
    labels, splits = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 0], np.int8)
    return Dataset(tmp_path, "class folders", ("a", "b", "c"), paths, labels, splits)


def test_select_keeps_rows_together_and_the_order_asked_for(dataset):
    chosen = dataset.select([3, 0])
    assert chosen.paths == ("c/1.jpg", "a/1.jpg")
    assert chosen.labels.tolist() == [2, 0]
    assert chosen.classes == dataset.classes
    assert len(dataset.select([])) == 0


def test_split_and_what_is_missing(dataset):
    assert dataset.split("val").paths == ("a/2.jpg",)
    assert len(dataset.split("train")) == 3
    assert dataset.has_split("val")
    assert not dataset.has_split("test")
    with pytest.raises(InputError, match="test"):
        dataset.split("test")
    with pytest.raises(InputError, match="train, val, test"):
        dataset.split("tset")


def test_another_class_list_renumbers(dataset):
    known = dataset.with_classes(("z", "c", "b", "a"))
    assert [known.classes[i] for i in known.labels] == ["a", "a", "b", "c"]
    assert known.counts() == {"z": 0, "c": 1, "b": 1, "a": 2}


def test_a_class_without_pictures_need_not_be_known_but_one_with_must(dataset):
    only = dataset.select([0, 1])
    assert only.with_classes(("q", "a")).labels.tolist() == [1, 1]
    with pytest.raises(InputError, match=r"pictures of b, c, which the run does not know.*a, q"):
        dataset.with_classes(("a", "q"))


def test_the_fingerprint_sees_every_change(dataset):
    first = dataset.fingerprint()
    assert first == dataset.fingerprint()
    others = {first, dataset.select([0, 1, 2]).fingerprint()}
    others.add(dataset.with_classes(("a", "b", "c", "d")).fingerprint())
    moved = dataset.splits.copy()
    moved[0] = 2
    relabelled = dataset.labels.copy()
    relabelled[0] = 1
    for change in ({"splits": moved}, {"labels": relabelled}):
        columns = {"paths": dataset.paths, "labels": dataset.labels, "splits": dataset.splits}
        columns |= change
        others.add(Dataset(dataset.root, "", dataset.classes, **columns).fingerprint())
    dataset.file(0).write_bytes(b"longer than it was")
    others.add(dataset.fingerprint())
    # Painted over: as many bytes, and somebody set the time back.
    before = dataset.file(0).stat()
    dataset.file(0).write_bytes(b"longer than it is.")
    os.utime(dataset.file(0), ns=(before.st_atime_ns, before.st_mtime_ns))
    others.add(dataset.fingerprint())
    assert len(others) == 7
    dataset.file(0).unlink()
    with pytest.raises(InputError, match=r"cannot read .*No such file"):
        dataset.fingerprint()


def test_the_fingerprint_is_the_same_wherever_the_set_lies(dataset, tmp_path):
    dataset.root.rename(tmp_path.parent / f"{tmp_path.name}-moved")
    moved = Dataset(
        tmp_path.parent / f"{tmp_path.name}-moved",
        dataset.layout,
        dataset.classes,
        dataset.paths,
        dataset.labels,
        dataset.splits,
    )
    print_of_moved = moved.fingerprint()
    moved.root.rename(dataset.root)
    assert print_of_moved == dataset.fingerprint()


def test_the_fingerprint_sees_what_counts_of_boxes_and_their_outlines(dataset):
    no, yes = np.array([False, False]), np.array([False, True])
    boxes = Boxes(
        corners=np.array([[0.0, 0, 4, 4], [2, 2, 6, 6]]),
        classes=np.array([0, 1]),
        offsets=np.array([0, 1, 1, 2, 2]),
        ids=np.array([1, 2]),
        crowd=no,
        difficult=no,
        areas=np.full(2, np.nan),
    )
    outline = np.array([2.0, 2, 6, 2, 2, 6])
    changed = [
        boxes,
        replace(boxes, classes=np.array([1, 1])),
        replace(boxes, crowd=yes),
        replace(boxes, difficult=yes),
        replace(boxes, segmentations={0: [outline]}),
        replace(boxes, segmentations={1: [outline]}),
        replace(boxes, segmentations={1: [outline[::-1]]}),
        replace(boxes, segmentations={1: {"size": [8, 8], "counts": [20, 4, 40]}}),
        replace(boxes, segmentations={1: {"size": [8, 8], "counts": [21, 4, 39]}}),
    ]
    told = [replace(dataset, boxes=each).fingerprint() for each in changed]
    assert len(set(told)) == len(changed)
