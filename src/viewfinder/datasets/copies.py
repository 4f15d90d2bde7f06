"""Files of labels that are copies or older states of others, as people and computers leave them."""

import re
from collections.abc import Sequence

from viewfinder.datasets.split_names import words_of

# `train (1).json`, `train - Copy.json`, `train_old.json`, `train.bak.json`.
_MARK = re.compile(
    r"(?:[-_. ]+(?:copy|old|bak|backup|orig|original|prev|previous)|[-_. ]*\(\d+\))+$",
    re.IGNORECASE,
)
_FOLDER_WORDS = frozenset({"old", "bak", "backup", "backups", "copy", "orig", "archive"})


def without_copies(paths: Sequence[str]) -> list[str]:
    """The files without those that are a copy of another: of its name but for such a mark, or in a
    folder called so, while others lie outside of one."""
    stems = {_stem(path).lower() for path in paths}
    kept = [
        path for path in paths if _plain(path) == _stem(path) or _plain(path).lower() not in stems
    ]
    outside = [path for path in kept if not _put_away(path)]
    return outside or kept


def _stem(path: str) -> str:
    return path.rpartition(".")[0]


def _plain(path: str) -> str:
    """A file's stem without the mark of a copy."""
    return _MARK.sub("", _stem(path))


def _put_away(path: str) -> bool:
    return any(_FOLDER_WORDS.intersection(words_of(part)) for part in path.split("/")[:-1])
