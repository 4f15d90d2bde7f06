"""Which side of a split a name speaks of, and which side a picture is on that several lists name.

A name speaks of a side by whole words, as in `instances_val2017`, `DUTS-TR-Image` or `TestSet`;
letters within a word say nothing: `latest` is no test set, and `interval` no validation.
"""

import re
from collections.abc import Sequence

from viewfinder.datasets.splits import TEST, TRAIN, VAL

_SIDES = {
    TRAIN: "train training trainset traindata trainval tr trn",
    VAL: "val valid validation valset valdata dev",
    TEST: "test testing testset testdata te tst holdout heldout eval",
}
_SIDE_OF_WORD = {word: side for side, words in _SIDES.items() for word in words.split()}
# What may stand beside a side's word in the name of a folder that is a side and nothing else.
_FILLERS = frozenset(
    [
        "set",
        "data",
        "split",
        "folder",
        "images",
        "image",
        "imgs",
        "img",
        "pictures",
        "the",
        "of",
        "my",
        "list",
        "lists",
        "file",
        "files",
        "names",
        "ids",
    ]
)
# A capital after a small letter begins a word; digits belong to none.
_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")


def words_of(name: str) -> list[str]:
    """The words of a file's or folder's name, in lower case: `TrainSet_2017` is train and set."""
    return [word.lower() for word in _WORD.findall(_HUMP.sub(" ", name))]


def side_of(name: str) -> int:
    """The side that a file's or folder's name speaks of, as an index into `SPLITS`, or -1.

    Of several the first: `test-dev` is a test set, `train_val` one to train on. A name that speaks
    of both train and test, as `train_test_split`, says nothing.
    """
    spoken = [_SIDE_OF_WORD[word] for word in words_of(name) if word in _SIDE_OF_WORD]
    return spoken[0] if spoken and not {TRAIN, TEST} <= set(spoken) else -1


def side_of_parts(parts: Sequence[str]) -> int:
    """The side that the innermost of some folders to name one names, or -1."""
    return next((side for part in reversed(parts) if (side := side_of(part)) >= 0), -1)


def side_of_path(path: str) -> int:
    """The side that the folders of a file's path name; the file's own name says nothing."""
    return side_of_parts(path.split("/")[:-1])


def side_named(name: str) -> int:
    """The side that a folder is, if its name says that and nothing else, or -1.

    `train`, `Training_Set`, `val2017` and `test images` are sides; `test strips` may be a class.
    """
    others = [w for w in words_of(name) if w not in _SIDE_OF_WORD and w not in _FILLERS]
    return -1 if others else side_of(name)


def without_side(name: str) -> str:
    """The words of a name that speak of no side: the same for a set's train and test."""
    return " ".join(word for word in words_of(name) if word not in _SIDE_OF_WORD)
