"""Files of weights that lie on this machine already: where, and whether they are what is published.

A file is looked for in the folder that VIEWFINDER_WEIGHTS names, in the cache, and where torch
keeps what it has fetched. Nothing here knows the network, whose modules take their time to import.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.files import cache_folder
from viewfinder.nets.facts import Download, Package
from viewfinder.reading import open_file

FOLDER = "VIEWFINDER_WEIGHTS"
"""The variable that names a folder of files that somebody brought."""
LEEWAY = 2048
"""Bytes by which a length that is not exact may be off."""


def here(what: Download) -> Path | None:
    """A file of that name on this machine, if there is one; `is_whole` says whether it is that.

    Raises:
        InputError: the variable that names a folder names none.
    """
    places = [kept_place(what), _torchs_folder() / what.file]
    if (named := _named_folder()) is not None:
        places.insert(0, named / what.file)
    return next((place for place in places if place.is_file()), None)


def _named_folder() -> Path | None:
    """The folder that the variable names; None where it is not set, or empty.

    Raises:
        InputError: it names no folder.
    """
    named = os.environ.get(FOLDER)
    if not named:
        return None
    if not (folder := Path(named).expanduser()).is_dir():
        raise InputError(
            f"{FOLDER} names {named}, which is no folder: name one that holds files of weights, or "
            f"unset it"
        )
    return folder


def kept_place(what: Download) -> Path:
    """Where a file lies once it is fetched."""
    return cache_folder() / "weights" / what.file


def _torchs_folder() -> Path:
    """Where `torch.hub` keeps its files, which need not be imported for that."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(os.environ.get("TORCH_HOME") or cache / "torch")
    return home.expanduser() / "hub" / "checkpoints"


def is_whole(file: Path, what: Download | Package) -> bool:
    """Whether a file is what is published, by its length and its digest."""
    length, exact = file.stat().st_size, isinstance(what, Package) or what.exact
    if abs(length - what.length) > (0 if exact else LEEWAY):
        return False
    return _digest(file, length, file.stat().st_mtime_ns).startswith(what.sha256)


@lru_cache(maxsize=8)
def _digest(file: Path, length: int, changed: int) -> str:
    """The sha256 of a file of that length that was changed then; asked of one several times."""
    with open_file(file) as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
