"""Files of weights that others publish: found on this machine, else fetched from their address.

A file is looked for in the folder that VIEWFINDER_WEIGHTS names, in the cache, and where torch
keeps what it has fetched. What is fetched is written beside its place; when it has the length and
the digest that are known of it, it is renamed. What came before a connection broke is kept, and the
next request asks for the rest (RFC 9110, section 14).
"""

import contextlib
import hashlib
import http.client
import os
import time
import urllib.error
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import cache_folder, explained_writing, locked, sync_folder
from viewfinder.nets.facts import Download, Package
from viewfinder.nets.receiving import (
    FOLDER,
    LEEWAY,
    CutError,
    drop,
    fill,
    mebibytes,
    otherwise,
    size_of,
    validator_of,
)
from viewfinder.reading import open_file


def obtain(what: Download, *, needed_for: str) -> Path:
    """The file: from this machine, or fetched, which may take minutes; whole in either case.

    Args:
        needed_for: what it is, in words, such as "the ImageNet weights of vgg16".

    Raises:
        InputError: it is not here and cannot be fetched, or what is here is another file.
    """
    found = here(what)
    if found is None:
        found = _fetched(what, needed_for)
    elif not is_whole(found, what):
        raise InputError(
            f"{found} is not {needed_for} that {what.url} has, but damaged or another file "
            f"({found.stat().st_size:,} bytes of {what.length:,}, or another digest): remove it, "
            "or copy it again"
        )
    return found


def here(what: Download) -> Path | None:
    """A file of that name on this machine, if there is one; `is_whole` says whether it is that.

    Raises:
        InputError: the variable that names a folder names none.
    """
    places = [_kept(what), _torchs_folder() / what.file]
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


def _kept(what: Download) -> Path:
    return cache_folder() / "weights" / what.file


def _torchs_folder() -> Path:
    """Where `torch.hub` keeps its files, which need not be imported for that."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(os.environ.get("TORCH_HOME") or cache / "torch")
    return home.expanduser() / "hub" / "checkpoints"


def _fetched(what: Download, needed_for: str) -> Path:
    place = _kept(what)
    with explained_writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = place.with_name(f".{what.file}.lock")
        lock.touch()
        with _alone(lock, what):
            if place.is_file():  # another process has fetched it meanwhile
                return place
            partial = place.with_name(f".{what.file}.partial")
            try:
                fill(partial, what)
            except (OSError, http.client.HTTPException, CutError) as error:
                if isinstance(error, OSError) and not _of_network(error):
                    raise
                raise InputError(_unfetched(what, needed_for, partial, error)) from error
            if not is_whole(partial, what):
                drop(partial)
                raise InputError(
                    f"what {what.url} sent is not {needed_for}: its digest is another; try again, "
                    f"or {otherwise(what)}"
                )
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(place)
            validator_of(partial).unlink(missing_ok=True)
            sync_folder(place.parent)
    note(f"{what.file} is kept in {place.parent}")
    return place


@contextlib.contextmanager
def _alone(lock: Path, what: Download) -> Iterator[None]:
    """One process at a time fetches a file; the others wait for it."""
    warned = False
    while True:
        with locked(lock) as free:
            if free:
                yield
                return
        if not warned:
            note(f"another process is fetching {what.file}: waiting for it")
            warned = True
        time.sleep(0.2)


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


def _of_network(error: OSError) -> bool:
    """Whether it is a server's or a network's, and not the disk's."""
    network = urllib.error.URLError | TimeoutError | ConnectionError
    return isinstance(error, network) or (error.filename is None and not error.errno)


def _unfetched(what: Download, needed_for: str, partial: Path, error: Exception) -> str:
    reason = str(getattr(error, "reason", "") or error).strip().partition("\n")[0][:200]
    if isinstance(error, urllib.error.HTTPError):
        reason = f"{error.code} {error.reason}"
    have = size_of(partial)
    kept = f"; {mebibytes(have)} are kept, and the same command goes on from there" if have else ""
    return (
        f"cannot get {needed_for} from {what.url} "
        f"({reason or type(error).__name__}){kept}: see to the network, or {otherwise(what)}"
    )
