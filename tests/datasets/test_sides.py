"""A name speaks of a side by whole words, not by letters within them."""

import pytest

from viewfinder.datasets.sides import side_named, side_of, side_of_path, without_side
from viewfinder.datasets.splits import TEST, TRAIN, VAL


@pytest.mark.parametrize(
    ("name", "side"),
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
def test_the_side_that_a_name_speaks_of(name: str, side: int):
    assert side_of(name) == side


@pytest.mark.parametrize(
    ("name", "side"),
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
def test_a_folder_that_is_a_side_is_nothing_else(name: str, side: int):
    assert side_named(name) == side


@pytest.mark.parametrize(
    ("path", "side"),
    [
        ("train/val/1.jpg", VAL),
        ("test/images/train.jpg", TEST),
        ("train/train_test_split/1.jpg", TRAIN),
        ("train.jpg", -1),
        ("", -1),
    ],
)
def test_the_innermost_folder_says_it(path: str, side: int):
    assert side_of_path(path) == side


def test_sides_of_one_set_have_the_same_other_words():
    assert without_side("train_depth_negation") == without_side("test_depth_negation") != ""
