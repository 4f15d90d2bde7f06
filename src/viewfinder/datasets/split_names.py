"""Which split, train, val or test, the name of a file or folder speaks of.

It does so by whole words, as in `instances_val2017`, `DUTS-TR-Image` or `TestSet`;
letters within a word say nothing: `latest` is no test set, and `interval` no validation.
"""

import re
from collections.abc import Sequence

from viewfinder.datasets.splits import TEST, TRAIN, VAL

_WORDS = {
    TRAIN: "train training trainset traindata trainval tr trn",
    VAL: "val valid validation valset valdata dev",
    TEST: "test testing testset testdata te tst holdout heldout eval",
}
_SPLIT_OF_WORD = {word: split for split, words in _WORDS.items() for word in words.split()}
# What may stand beside a split's word in the name of a folder that is a split and nothing else.
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


def split_of(name: str) -> int:
    """The split that a file's or folder's name speaks of, as an index into `SPLITS`, or -1.

    Of several the first: `test-dev` is a test set, `train_val` one to train on. A name that speaks
    of both train and test, as `train_test_split`, says nothing.
    """
    spoken = [_SPLIT_OF_WORD[word] for word in words_of(name) if word in _SPLIT_OF_WORD]
    return spoken[0] if spoken and not {TRAIN, TEST} <= set(spoken) else -1


def split_of_parts(parts: Sequence[str]) -> int:
    """The split that the innermost of some folders to name one names, or -1."""
    return next((split for part in reversed(parts) if (split := split_of(part)) >= 0), -1)


def split_of_path(path: str) -> int:
    """The split that the folders of a file's path name; the file's own name says nothing."""
    return split_of_parts(path.split("/")[:-1])


def split_named(name: str) -> int:
    """The split that a folder is, if its name says that and nothing else, or -1.

    `train`, `Training_Set`, `val2017` and `test images` are splits; `test strips` may be a class.
    """
    others = [w for w in words_of(name) if w not in _SPLIT_OF_WORD and w not in _FILLERS]
    return -1 if others else split_of(name)


def without_split(name: str) -> str:
    """The words of a name that speak of no split: the same for a set's train and test."""
    return " ".join(word for word in words_of(name) if word not in _SPLIT_OF_WORD)
