"""One file over the network: requests, until it is whole or the server is at fault."""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from viewfinder.errors import InputError
from viewfinder.events import note, track
from viewfinder.files import write_text
from viewfinder.nets.facts import Download
from viewfinder.nets.lying_here import FOLDER, LEEWAY
from viewfinder.reading import read_bytes

# Seconds that a server has to begin its answer, and between two pieces of it.
_PATIENCE, _STALLED = 3.0, 30.0
# How often the rest is asked for where a connection breaks.
_TRIES = 4
_PIECE, _MEBIBYTE = 1 << 16, 1 << 20


class CutError(Exception):
    """The connection broke; what had come is kept."""


def fill(partial: Path, what: Download) -> None:
    """Fetch until the file has its length, and go on where a connection breaks, or an earlier
    process stopped.

    Raises:
        InputError: the server has another file, or a page in its place.
        OSError, HTTPException, CutError: the network fails; what came is kept.
    """
    for attempt in range(_TRIES):
        before = size_of(partial)
        if what.exact and before == what.length:
            return
        try:
            _receive(partial, what)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not before:
                raise
            return  # there is no more of it, and its digest will tell
        except (CutError, TimeoutError, ConnectionError, http.client.HTTPException):
            if attempt == _TRIES - 1 or size_of(partial) <= before:
                raise
            note(f"the connection broke after {mebibytes(size_of(partial))}: asking for the rest")
        else:
            return


def _receive(partial: Path, what: Download) -> None:
    """One request, and what it brings appended.

    Raises:
        InputError: the server has another file, or a page in its place.
        CutError: the answer ended too early.
    """
    have = size_of(partial)
    answer = _open(what, have, validator_of(partial))
    with answer, partial.open("ab") as file:
        begins = _begins(answer)
        if have and begins != have:  # all of it again: the server knows no ranges, or it changed
            file.truncate(0)
            have = 0
            if begins:
                raise CutError("the server sent another part than it was asked for")
        _refuse_page(answer, what)
        length = _length(answer, have, what)
        if not have:
            _remember(answer, validator_of(partial))
        name = f"fetching {what.file}, {mebibytes(what.length)}"
        total = max(1, (length or what.length) // _MEBIBYTE)
        for _ in track(_copied(answer, file, have, what), total=total, description=name):
            pass
    if length is not None and size_of(partial) < length:
        raise CutError(f"the connection broke after {mebibytes(size_of(partial))}")


def _copied(answer: HTTPResponse, file: IO[bytes], have: int, what: Download) -> Iterator[None]:
    """Write the answer down; yields at every mebibyte of the file, those there before too."""
    yield from (None for _ in range(have // _MEBIBYTE))
    while piece := answer.read1(_PIECE):
        if not have and piece.lstrip()[:1] == b"<":
            raise InputError(_page(what))
        file.write(piece)
        before, have = have, have + len(piece)
        if have > what.length + (0 if what.exact else LEEWAY):
            file.truncate(0)
            raise InputError(
                f"{what.url} sends more than the {what.length:,} bytes of that file, so it has "
                f"another one by now: {otherwise(what)}"
            )
        yield from (None for _ in range(have // _MEBIBYTE - before // _MEBIBYTE))


def _length(answer: HTTPResponse, have: int, what: Download) -> int | None:
    """The bytes of the whole file: those known, or, where these are none exactly, those said.

    Raises:
        InputError: the server says that it has another number.
    """
    text = answer.headers.get("Content-Length") or ""
    if not text.isdecimal():
        return what.length if what.exact else None
    said = have + int(text)
    if abs(said - what.length) > (0 if what.exact else LEEWAY):
        raise InputError(
            f"{what.url} has {said:,} bytes and not the {what.length:,} of that file, so it is "
            f"another one by now: {otherwise(what)}"
        )
    return said


def _begins(answer: HTTPResponse) -> int:
    """The place in the file of the first byte that comes."""
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return 0
    first = (answer.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdecimal() else 0


def _refuse_page(answer: HTTPResponse, what: Download) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise InputError(_page(what))


def _page(what: Download) -> str:
    return (
        f"{what.url} answers with a web page in the place of the file, as networks do that want "
        f"a login: open the address in a browser, or {otherwise(what)}"
    )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Followed to the web alone, and never from a connection that is secured to one that is not."""

    def redirect_request(  # as the library calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        schemes = ("https",) if urlsplit(req.full_url).scheme == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in schemes:
            raise urllib.error.URLError(f"it leads to {newurl:.200}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(what: Download, have: int, validator: Path) -> HTTPResponse:
    """The answer to a request for what is still missing, or for all.

    Raises:
        OSError: there is none in time.
    """
    headers = {"User-Agent": "viewfinder", "Accept-Encoding": "identity"}
    known = read_bytes(validator).decode("utf-8").strip() if validator.is_file() else ""
    if have and known:
        headers |= {"Range": f"bytes={have}-", "If-Range": known}
    elif have:
        headers |= {"Range": f"bytes={have}-"}
    request = urllib.request.Request(what.url, headers=headers)
    came: list[HTTPResponse] = []
    failed: list[Exception] = []
    late = threading.Event()

    def ask() -> None:
        try:
            answer = urllib.request.build_opener(_Redirects).open(request, timeout=_STALLED)
        except Exception as error:
            if isinstance(error, urllib.error.HTTPError):  # which holds the connection
                error.close()
            failed.append(error)
            return
        came.append(answer)
        if late.is_set():
            answer.close()

    # Beside this thread, since looking a name up heeds no timeout.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    if came:
        return came[0]
    late.set()
    raise failed[0] if failed else TimeoutError(f"no answer within {_PATIENCE:g} s")


def _remember(answer: HTTPResponse, validator: Path) -> None:
    """Keep by what the server tells this file from a later one (`If-Range`)."""
    text = answer.headers.get("ETag") or ""
    if text.startswith("W/"):
        text = ""  # which says nothing about bytes
    write_text(validator, text or answer.headers.get("Last-Modified") or "")


def validator_of(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.validator")


def drop(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    validator_of(partial).unlink(missing_ok=True)


def otherwise(what: Download) -> str:
    """How to bring the file by other means."""
    return (
        f"bring {what.file} from elsewhere into the folder that {FOLDER} names, or give its path "
        "to --init"
    )


def mebibytes(count: int) -> str:
    return f"{count / _MEBIBYTE:.0f} MiB"


def size_of(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
