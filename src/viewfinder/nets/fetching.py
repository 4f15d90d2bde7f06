"""Files of weights that others publish: found on this machine, else fetched from their address.

What is fetched is written beside its place; when it has the length and the digest that are known of
it, it is renamed. What came before a connection broke is kept, and the next request asks for the
rest (RFC 9110, section 14).
"""

import contextlib
import http.client
import os
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import explained_writing, sync_folder
from viewfinder.locks import locked
from viewfinder.nets.facts import Download
from viewfinder.nets.lying_here import here, is_whole, kept_place
from viewfinder.nets.receiving import (
    CutError,
    drop,
    fill,
    mebibytes,
    otherwise,
    size_of,
    validator_of,
)


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


def _fetched(what: Download, needed_for: str) -> Path:
    place = kept_place(what)
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
