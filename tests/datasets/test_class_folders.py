"""Class folders as people keep them: with sides and without, nested, misnamed, empty, hidden."""

import os

import numpy as np
import pytest

from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.formats.class_folders.reading import open_class_folders
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.files import cache_folder
from viewfinder.pictures.writing import write_picture


def put(root, *names):
    """Files that look like pictures; opening a set opens none of them."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not decoded here")
    return root


def sides(dataset):
    return {path: SPLITS[side] for path, side in zip(dataset.paths, dataset.splits, strict=True)}


def test_sides_stand_as_they_lie(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/dog/1.jpg", "val/cat/2.png", "test/dog/3.webp")
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert sides(dataset) == {
        "train/cat/1.jpg": "train",
        "train/dog/1.jpg": "train",
        "val/cat/2.png": "val",
        "test/dog/3.webp": "test",
    }
    labels = dict(zip(dataset.paths, dataset.labels.tolist(), strict=True))
    assert labels["train/dog/1.jpg"] == labels["test/dog/3.webp"] == 1
    assert dataset.file(0).is_file()
    assert dataset.summary() == f"{tmp_path}: class folders, 2 classes, 2 train, 1 val, 1 test"


@pytest.mark.parametrize(
    ("name", "side"),
    [("Training", "train"), ("valid", "val"), ("VALIDATION", "val"), ("Testing", "test")],
)
def test_the_names_of_public_sets_are_known(tmp_path, name, side):
    put(tmp_path, f"{name}/cat/1.jpg", f"{name}/dog/1.jpg")
    dataset = open_dataset(tmp_path, val_share=0.0)
    assert set(sides(dataset).values()) == {side}


def test_without_sides_every_class_is_dealt_to_all_three(tmp_path):
    put(tmp_path, *(f"{c}/{n}.jpg" for c in ("cat", "dog") for n in range(40)))
    dataset = open_dataset(tmp_path)
    for label in (0, 1):
        dealt = np.bincount(dataset.splits[dataset.labels == label], minlength=3)
        assert dealt.tolist() == [30, 4, 6]


def test_a_missing_val_is_taken_from_train_and_leaves_test_alone(tmp_path):
    put(tmp_path, *(f"train/{c}/{n}.jpg" for c in "ab" for n in range(20)))
    put(tmp_path, *(f"test/{c}/{n}.jpg" for c in "ab" for n in range(5)))
    dataset = open_dataset(tmp_path, val_share=0.25)
    assert np.bincount(dataset.splits).tolist() == [30, 10, 10]
    assert {p for p, s in sides(dataset).items() if s == "test"} == {
        f"test/{c}/{n}.jpg" for c in "ab" for n in range(5)
    }
    assert not open_dataset(tmp_path, val_share=0.0).has_split("val")


def test_a_folder_with_nothing_but_test_is_all_test(tmp_path):
    put(tmp_path, *(f"test/{c}/{n}.jpg" for c in "ab" for n in range(20)))
    assert set(open_dataset(tmp_path).splits.tolist()) == {SPLITS.index("test")}


def test_classes_may_be_called_train_or_test(tmp_path):
    put(tmp_path, "train/1.jpg", "car/1.jpg", "test/1.jpg")
    assert open_dataset(tmp_path).classes == ("car", "test", "train")


def test_names_in_any_script_and_with_any_sign(tmp_path):
    names = ["图 片", "été", "🙂", "a'b\"c", "-dash", "$5", "<b>"]
    put(tmp_path, *(f"{c}/{n} 图.JPG" for c in names for n in range(2)))
    dataset = open_dataset(str(tmp_path))
    assert dataset.classes == tuple(sorted(names))
    assert all(dataset.file(i).is_file() for i in range(len(dataset)))
    assert len(dataset.fingerprint()) == 16


@pytest.mark.skipif(os.name != "posix", reason="only POSIX names may be any bytes")
def test_names_that_are_not_utf_8(tmp_path):
    put(tmp_path, "cat/1.jpg", os.fsdecode(b"caf\xe9/1.jpg"), os.fsdecode(b"cat/\xff.jpg"))
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 3
    assert all(dataset.file(i).is_file() for i in range(3))
    assert len(dataset.fingerprint()) == 16


def test_nested_folders_belong_to_the_class_at_the_top(tmp_path):
    put(tmp_path, "cat/monday/morning/1.jpg", "cat/2.jpg", "dog/1.jpg")
    dataset = open_dataset(tmp_path)
    assert dataset.counts() == {"cat": 2, "dog": 1}
    assert "cat/monday/morning/1.jpg" in dataset.paths


def test_hidden_files_and_what_is_no_picture_are_left_out(tmp_path):
    put(tmp_path, "cat/1.jpg", "dog/1.jpg", "cat/._1.jpg", "cat/notes.txt", "dog/Thumbs.db")
    put(tmp_path, ".trash/1.jpg", "__MACOSX/cat/1.jpg", "cat/.hidden/1.jpg", "cat/__x/1.jpg")
    (tmp_path / "empty").mkdir()
    dataset = open_dataset(tmp_path)
    assert sorted(dataset.paths) == ["cat/1.jpg", "dog/1.jpg"]
    assert dataset.classes == ("cat", "dog")


def test_a_phones_pictures_are_not_passed_over_in_silence(tmp_path):
    put(tmp_path, "cat/IMG_1.HEIC", "dog/IMG_2.heif", "dog/3.avif")
    assert len(open_dataset(tmp_path)) == 3


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "is empty: give a folder with pictures"),
        (["1.jpg", "2.jpg"], "put each class's pictures into a folder"),
        (["cat/notes.txt"], "put each class's pictures into a folder"),
        (["cat/1.jpg", "cat/2.jpg"], "one class only, 'cat'"),
        (["train/cat/1.jpg", "test/cat/2.jpg"], "one class only, 'cat'"),
    ],
)
def test_what_is_no_set_is_refused_with_what_to_do(tmp_path, names, says):
    with pytest.raises(InputError, match=says):
        open_dataset(put(tmp_path, *names))


def test_a_missing_folder_and_a_file_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere.*tabletop"):
        open_dataset(tmp_path / "nowhere")
    put(tmp_path, "1.jpg")
    with pytest.raises(InputError, match="is a file: give the folder"):
        open_dataset(tmp_path / "1.jpg")
    with pytest.raises(InputError, match="has no pictures in class folders"):
        open_class_folders(tmp_path, val_share=0.1)


def test_the_cache_is_where_it_is_asked_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("VIEWFINDER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "viewfinder"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "viewfinder"


def test_a_folder_of_a_class_without_pictures_is_said_to_be_left_out(tmp_path):
    for name in ("train/cat", "train/dog", "train/bird", "val/cat", "val/dog"):
        (tmp_path / name).mkdir(parents=True)
        if "bird" not in name:
            write_picture(tmp_path / name / "a.png", np.zeros((4, 4, 3), np.uint8))
    opened = open_class_folders(tmp_path)
    assert opened.classes == ("cat", "dog")
    assert opened.notes == ("learnt without bird: no pictures in the folder of that name",)
    write_picture(tmp_path / "val/bird/a.png", np.zeros((4, 4, 3), np.uint8))
    assert "bird" in open_class_folders(tmp_path).classes
