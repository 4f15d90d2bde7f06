"""A name speaks of a split by whole words, not by letters within them."""

import pytest

from viewfinder.datasets.split_names import split_named, split_of, split_of_path, without_split
from viewfinder.datasets.splits import TEST, TRAIN, VAL


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_train2017", TRAIN),
        ("instances_val2017", VAL),
        ("image_info_test-dev2017", TEST),
        ("DUTS-TR-Image", TRAIN),
        ("DUTS-TE-Mask", TEST),
        ("TrainSet", TRAIN),
        ("testSet_1", TEST),
        ("train_val", TRAIN),
        ("train_test_split", -1),
        ("test-train", -1),
        ("Validation", VAL),
        ("valid", VAL),
        ("dev", VAL),
        ("instances_latest", -1),
        ("contest", -1),
        ("interval", -1),
        ("evaluation", -1),
        ("retrained", -1),
        ("medieval", -1),
        ("instances_default", -1),
        ("", -1),
        ("2017", -1),
    ],
)
def test_the_split_that_a_name_speaks_of(name: str, split: int):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", TRAIN),
        ("Training_Set", TRAIN),
        ("val2017", VAL),
        ("test images", TEST),
        ("test strips", -1),
        ("train station", -1),
        ("trains", -1),
        ("images", -1),
    ],
)
def test_a_folder_that_is_a_split_is_nothing_else(name: str, split: int):
    assert split_named(name) == split


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train/val/1.jpg", VAL),
        ("test/images/train.jpg", TEST),
        ("train/train_test_split/1.jpg", TRAIN),
        ("train.jpg", -1),
        ("", -1),
    ],
)
def test_the_innermost_folder_says_it(path: str, split: int):
    assert split_of_path(path) == split


def test_splits_of_one_set_have_the_same_other_words():
    assert without_split("train_depth_negation") == without_split("test_depth_negation") != ""
