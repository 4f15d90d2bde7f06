"""One picture is one row in one split, however many lists name it; several files make one set."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from brought import TRUTH, coco, picture, said, text, truth, voc_page, yolo_lines
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.converting import convert
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.listings import Listing, splits_of
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError

YAML = "names: [red, blue]\n"


def splits(dataset):
    """The split of each picture by its path; None where it has none."""
    named = [SPLITS[split] if split >= 0 else None for split in dataset.splits.tolist()]
    return dict(zip(dataset.paths, named, strict=True))


LISTINGS = st.lists(
    st.builds(
        Listing,
        st.just("a list"),
        st.integers(-1, 2),
        st.lists(st.integers(0, 7), unique=True).map(tuple),
    ),
    max_size=5,
)


@given(LISTINGS)
def test_every_listed_picture_is_in_one_split_that_lists_it(listings):
    found = splits_of(8, listings)
    by_split = {
        split: {r for one in listings if one.split == split for r in one.rows} for split in range(3)
    }
    for row, split in enumerate(found.splits.tolist()):
        listed = {split for split in range(3) if row in by_split[split]}
        assert split in listed if listed else split == -1
    for split in range(3):
        # What is learnt from never loses its last picture to a list that repeats it.
        if by_split[0]:
            assert (found.splits == 0).any()
        both = [a for a in range(3) if a != split and by_split[a] & by_split[split]]
        assert not both or found.faults


def yolo(root, stems_by_folder, yaml):
    text(root / "data.yaml", yaml + YAML)
    for folder, stems in stems_by_folder.items():
        for stem in stems:
            picture(root / f"images/{folder}/{stem}.jpg")
            text(root / f"labels/{folder}/{stem}.txt", yolo_lines(stem))


def test_train_that_holds_val_and_val_that_is_train(tmp_path):
    yolo(tmp_path / "a", {"train": "01", "val": "23"}, "train: images\nval: images/val\n")
    dataset = read_boxes(tmp_path / "a")
    assert list(splits(dataset).values()).count("val") == 2
    assert "taken for val alone" in dataset.summary()
    yolo(tmp_path / "b", {"train": "0123"}, "train: images/train\nval: images/train\n")
    dataset = read_boxes(tmp_path / "b")
    assert set(splits(dataset).values()) == {"train"}
    assert "val has no other, and is passed over" in dataset.summary()
    # Who names the faults says so there alone.
    assert "passed over" not in dataset.summary(faults=False)
    yolo(tmp_path / "c", {"train": "0", "val": "1", "test": "23"}, "train: images/train\n")
    assert "3 pictures on no list" in read_boxes(tmp_path / "c").summary()
    yolo(
        tmp_path / "d", {"train": "01", "valid": "2"}, "train: images/train\nvalid: images/valid\n"
    )
    assert sorted(splits(read_boxes(tmp_path / "d")).values()) == ["train", "train", "val"]


def voc(root, lists):
    for stem in TRUTH:
        picture(root / f"JPEGImages/{stem}.jpg")
        text(root / f"Annotations/{stem}.xml", voc_page(stem))
    for name, lines in lists.items():
        text(root / f"ImageSets/Main/{name}.txt", "".join(f"{line}\n" for line in lines))


def test_lists_with_suffixes_that_leave_pictures_out_or_name_what_is_not_there(tmp_path):
    voc(tmp_path, {"train": ["0.jpg", "./JPEGImages/1.jpg", "9"], "val": ["2"]})
    dataset = read_boxes(tmp_path)
    assert list(splits(dataset).values()) == ["train", "train", "val", None]
    assert "1 picture on no list of a split left out" in dataset.summary()
    assert {fault.kind for fault in check_boxes(dataset)} == {"not-found"}
    opened = open_dataset(tmp_path)
    assert list(splits(opened)) == [f"JPEGImages/{stem}.jpg" for stem in "012"]
    done = convert(tmp_path, tmp_path / "out", to="coco")
    assert done.lost["pictures on no list of a split"] == 1
    voc(tmp_path / "empty", {"train": ["x", "y"]})
    assert "not-found" in {fault.kind for fault in check_boxes(read_boxes(tmp_path / "empty"))}


def test_trainval_counts_only_where_no_other_list_speaks(tmp_path):
    voc(tmp_path, {"trainval": "0123", "train": "01", "val": "2"})
    dataset = read_boxes(tmp_path)
    assert list(splits(dataset).values()) == ["train", "train", "val", "train"]
    assert not dataset.faults


@pytest.mark.parametrize("name", ["latest", "contest", "interval", "evaluation", "retrained"])
def test_letters_within_a_word_are_no_split(tmp_path, name):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
    coco(tmp_path / f"annotations/instances_{name}.json", {s: f"{s}.jpg" for s in TRUTH})
    assert set(splits(read_boxes(tmp_path)).values()) == {None}


def test_a_whole_export_beside_its_parts_puts_nothing_of_val_into_train(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
    for name, stems in (("default", "0123"), ("train", "01"), ("val", "2")):
        coco(tmp_path / f"annotations/instances_{name}.json", {s: f"{s}.jpg" for s in stems})
    dataset = read_boxes(tmp_path)
    assert splits(dataset) == {
        "images/0.jpg": "train",
        "images/1.jpg": "train",
        "images/2.jpg": "val",
        "images/3.jpg": None,
    }
    assert said(dataset) == truth()
    assert {fault.kind for fault in dataset.faults} == {"no-side"}
    assert len(open_dataset(tmp_path)) == 3


def test_one_picture_in_two_files_or_twice_in_one_is_one(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
    names = {stem: f"{stem}.jpg" for stem in TRUTH}
    coco(tmp_path / "annotations/red.json", names, only=0)
    coco(tmp_path / "annotations/blue.json", names, only=1)
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth()
    assert not check_boxes(dataset)


@st.composite
def two_files(draw):
    """Two COCO files of one set, which may number alike, share pictures, and say splits or not."""
    stems = sorted(TRUTH)
    first = draw(st.lists(st.sampled_from(stems), min_size=1, unique=True))
    second = draw(st.lists(st.sampled_from(stems), min_size=1, unique=True))
    names = draw(
        st.sampled_from(
            [("batch1", "batch2"), ("train", "val"), ("train", "other"), ("val", "test")]
        )
    )
    numbers = draw(st.tuples(st.sampled_from([1, 1, 5, 1000]), st.sampled_from([1, 1, 3])))
    only = draw(st.sampled_from([(None, None), (0, 1), (None, 0)]))
    return list(zip(names, (first, second), numbers, only, strict=True))


@settings(max_examples=40)
@given(two_files(), st.permutations(["coco", "yolo", "voc"]))
def test_any_set_of_two_files_reads_back_the_same_from_any_format(files, formats):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for title, stems, first, only in files:
            options = {"first": first} | ({} if only is None else {"only": only})
            file = root / f"set/annotations/instances_{title}.json"
            coco(file, {stem: f"{stem}.jpg" for stem in stems}, **options)
            for stem in stems:
                picture(root / f"set/images/{stem}.jpg")
        first_read = open_dataset(root / "set", deal=False)
        assume(len(first_read.boxes))
        source = root / "set"
        for step, to in enumerate(formats):
            convert(source, root / str(step), to=to)
            source = root / str(step)
            again = open_dataset(source, deal=False)
            assert not [fault for fault in read_boxes(source).faults if fault.blocking]
            assert said(again) == said(first_read)
            known = first_read.splits >= 0
            if known.all():
                by_stem = {Path(path).stem: split for path, split in splits(first_read).items()}
                assert {Path(p).stem: split for p, split in splits(again).items()} == by_stem
            if again.image_ids is not None:
                for split in np.unique(again.splits):
                    ids = again.image_ids[again.splits == split]
                    assert len(np.unique(ids)) == len(ids)


def test_a_split_without_pictures_says_which_there_are(tmp_path):
    voc(tmp_path, {"test": "0123"})
    with pytest.raises(InputError, match="no pictures in its split 'train', only in test"):
        open_dataset(tmp_path).split("train")


def test_sets_below_one_folder_are_one_set_each_with_its_own_pictures(tmp_path):
    for part, stems in (("a", "01"), ("b", "23")):
        for number in range(len(stems)):
            picture(tmp_path / f"{part}/images/train/{number}.jpg")
        names = {stem: f"{number}.jpg" for number, stem in enumerate(stems)}
        coco(tmp_path / f"{part}/annotations/instances_train.json", names)
    dataset = read_boxes(tmp_path)
    assert sorted(dataset.paths) == [
        "a/images/train/0.jpg",
        "a/images/train/1.jpg",
        "b/images/train/0.jpg",
        "b/images/train/1.jpg",
    ]
    assert len(dataset.boxes) == sum(map(len, TRUTH.values()))
