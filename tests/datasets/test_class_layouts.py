"""Pictures of classes as people bring them: zipped, folded, named by file, beside other things."""

import numpy as np
import pytest

from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.editing.classes import apply_changes, plan_edit
from viewfinder.datasets.formats.class_folders.layouts import alike_classes
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture


def put(root, *names):
    """Pictures, all of them different; files of other endings are empty words."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in (".jpg", ".png", ".jfif", ".jpe"):
            value = np.random.default_rng(abs(hash(name))).integers(0, 256, (6, 5, 3), np.uint8)
            write_picture(path.with_suffix(".png"), value)
            path.with_suffix(".png").rename(path)
        else:
            path.write_bytes(b"words")
    return root


def told(root):
    return "; ".join(open_dataset(root).notes)


@pytest.mark.parametrize(
    ("wrapper", "beside"),
    [
        ("flowers", ["__MACOSX/flowers/daisy/._1.jpg", "readme.txt"]),
        ("101_ObjectCategories", []),
        ("archive/flowers/flowers", ["archive/LICENSE"]),
        ("data", []),
    ],
)
@pytest.mark.parametrize("sides", [False, True])
def test_a_set_is_read_through_folders_that_hold_nothing_else(tmp_path, wrapper, beside, sides):
    inner = [f"{c}/{n}.jpg" for c in ("daisy", "rose") for n in range(3)]
    if sides:
        inner = [f"{side}/{path}" for side in ("train", "val") for path in inner]
    put(tmp_path, *(f"{wrapper}/{path}" for path in inner), *beside)
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("daisy", "rose")
    assert sorted(dataset.paths) == sorted(inner)
    assert dataset.root == tmp_path / wrapper
    assert f"read from {wrapper}, the one folder in" in dataset.summary()
    assert not [fault for fault in check_dataset(dataset) if fault.kind == "passed-over"]
    apply_changes(tmp_path, plan_edit(tmp_path, {"rose": "tulip"}))
    assert open_dataset(tmp_path).classes == ("daisy", "tulip")


def test_a_class_with_folders_of_its_own_is_no_wrapper(tmp_path):
    put(tmp_path, "cat/monday/1.jpg", "cat/2.jpg", "dog/1.jpg")
    assert open_dataset(tmp_path).classes == ("cat", "dog")
    with pytest.raises(InputError, match="one class only, 'cat'"):
        open_dataset(put(tmp_path / "b", "cat/monday/1.jpg", "cat/2.jpg"))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg"],
         r"begin with cat, dog: .*such as .*train/cat and .*train/dog"),
        (["train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg",
          "test1/1.jpg", "test1/2.jpg"], "begin with cat, dog"),
        (["cat_001.jpg", "cat_002.jpg", "big dog (1).jpg", "big dog (2).jpg"],
         "begin with big dog, cat"),
        (["flat/cat_001.jpg", "flat/cat_002.jpg", "flat/dog1.jpg", "flat/dog2.jpg"],
         "begin with cat, dog"),
        (["images/1.jpg", "images/2.jpg", "train.csv"],
         r"train\.csv looks like a table .*not read"),
        (["train/1.jpg", "test/2.jpg", "labels.csv"], r"labels\.csv looks like a table"),
        (["1.jpg", "2.jpg", "train.csv"], r"train\.csv looks like a table"),
        (["train/train/cat.0.jpg", "train/train/cat.1.jpg", "train/train/dog.0.jpg",
          "train/train/dog.1.jpg"], "begin with cat, dog"),
        (["train/1.jpg", "test/2.jpg"], "not in folders of classes"),
        (["IMG_1.jpg", "IMG_2.jpg", "DSC_1.jpg", "DSC_2.jpg"], "is no data set that is known"),
    ],
)  # fmt: skip
def test_what_only_names_or_a_table_tell_is_refused_with_what_to_do(tmp_path, names, says):
    put(tmp_path, *names)
    for file in tmp_path.glob("*.csv"):
        file.write_text("Image_ID,Class\n1.jpg,cat\n")
    with pytest.raises(InputError, match=says) as refused:
        open_dataset(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("fold", ["fold_{}", "Fold{}", "split-{}", "cv{}"])
def test_folds_are_no_classes(tmp_path, fold):
    put(tmp_path, *(f"{fold.format(k)}/{c}/{k}.jpg" for k in range(5) for c in "ab"))
    with pytest.raises(
        InputError, match=r"holds the folds .* and 2 more, each with the folders a, b"
    ):
        open_dataset(tmp_path)


def test_classes_with_the_same_folders_are_said(tmp_path):
    put(tmp_path, *(f"{c}/{view}/1.jpg" for c in ("car1", "car2") for view in ("front", "side")))
    assert open_dataset(tmp_path).classes == ("car1", "car2")
    assert "each of car1, car2 holds the folders front, side" in told(tmp_path)


@pytest.mark.parametrize(
    ("name", "side"), [("dev", "val"), ("eval", "test"), ("holdout", "test"), ("test_set", "test")]
)
def test_other_names_of_sides_are_known(tmp_path, name, side):
    put(tmp_path, *(f"{s}/{c}/{s}.jpg" for s in ("train", name) for c in "ab"))
    dataset = open_dataset(tmp_path, val_share=0.0)
    assert {SPLITS[s] for s in dataset.splits} == {"train", side}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("seg_train", "seg_test"),
        ("training_set/training_set", "test_set/test_set"),
        ("data/Train/train", "data/Test/test"),
    ],
)
def test_sides_as_archives_hold_them_are_sides(tmp_path, train, test):
    put(tmp_path, *(f"{s}/{c}/{n}.jpg" for s in (train, test) for c in "ab" for n in range(2)))
    put(tmp_path, f"{train.replace('train', 'pred').replace('Train', 'Pred')}/1.jpg")
    dataset = open_dataset(tmp_path, val_share=0.0)
    assert dataset.classes == ("a", "b")
    assert [SPLITS[s] for s in dataset.splits].count("test") == 4
    assert "1 picture of " in "; ".join(dataset.notes)


def test_folders_that_may_be_classes_are_said(tmp_path):
    put(tmp_path, "flowers/daisy/1.jpg", "flowers/rose/2.jpg", "samples/1.jpg")
    assert open_dataset(tmp_path).classes == ("flowers", "samples")
    assert f"if daisy, rose are classes, give {tmp_path / 'flowers'}" in told(tmp_path)
    put(tmp_path / "b", "flowers/daisy/1.jpg", "flowers/rose/2.jpg", "sample.jpg")
    with pytest.raises(InputError, match=r"if daisy, rose are the classes, give .*flowers"):
        open_dataset(tmp_path / "b")


def test_what_is_passed_over_is_told_in_one_line_each(tmp_path):
    put(tmp_path, *(f"train/{c}/{n}.jpg" for c in "ab" for n in range(3)))
    put(tmp_path, *(f"extra/{c}/{n}.jpg" for c in "ab" for n in range(5)))
    put(tmp_path, "train/a/x.psd", "train/b/x.psd", "train/b/clip.mp4", "train/b/notes.txt")
    put(tmp_path, "train/a/web.JFIF", "train/a/old.jpe")
    dataset = open_dataset(tmp_path, val_share=0.0)
    assert len(dataset) == 8
    notes = "; ".join(dataset.notes)
    assert "10 pictures of extra in no class's folder: extra/a/0.jpg" in notes
    assert "7 more" in notes
    assert ".psd (2)" in notes
    assert ".txt" not in notes
    faults = [f for f in check_dataset(dataset) if f.kind in ("passed-over", "unread")]
    assert [(fault.kind, fault.file) for fault in faults] == [
        ("passed-over", "extra"), ("unread", "*.psd"), ("unread", "*.mp4"),
    ]  # fmt: skip


def test_classes_that_differ_in_case_or_accent_are_told(tmp_path):
    assert alike_classes(["Cat", "cat", "été", "ete", "big dog", "big_dog", "cow"]) == [
        ["Cat", "cat"], ["été", "ete"], ["big dog", "big_dog"],
    ]  # fmt: skip
    put(tmp_path, "train/Câfe/1.jpg", "train/dog/2.jpg", "val/cafe/3.jpg", "val/dog/4.jpg")
    assert "the classes Câfe and cafe differ" in told(tmp_path)
    (fault,) = [f for f in check_dataset(open_dataset(tmp_path)) if f.kind == "alike-classes"]
    assert "merge" in fault.fix
