"""Files of weights over a network that breaks, lies or is missing: a server on the loopback."""

import contextlib
import hashlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.events import Progressed, ProgressEnded, listening
from viewfinder.nets import receiving
from viewfinder.nets.facts import Download
from viewfinder.nets.fetching import obtain
from viewfinder.nets.lying_here import here

DATA = np.random.default_rng(0).integers(0, 256, 3_000_000, np.uint8).tobytes()
DIGEST = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Answers by what a test tells it, and remembers what it was asked for.

    Attributes:
        cut: how many bytes an answer has before its connection breaks; one for each request.
        pause: seconds before an answer begins.
    """

    data = DATA
    kind = "application/octet-stream"
    ranges = True
    tag = '"one"'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.cut: list[int] = []
        self.pause = self.pace = 0.0
        self.redirect: str | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        time.sleep(server.pause)
        if server.redirect and self.path == "/files/w.bin":
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
        elif self.path not in ("/files/w.bin", "/moved"):
            self.send_error(404)
        else:
            with contextlib.suppress(ConnectionError):
                self.send()

    def send(self) -> None:
        server, first = self.server, 0
        given = self.headers.get("Range", "")
        if server.ranges and given and self.headers.get("If-Range", server.tag) == server.tag:
            first = int(given.removeprefix("bytes=").partition("-")[0])
        body = server.data[first:]
        self.send_response(206 if first else 200)
        if first:
            whole = len(server.data)
            self.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        self.send_header("Content-Type", server.kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", server.tag)
        self.end_headers()
        body = body[: server.cut.pop(0)] if server.cut else body
        for start in range(0, len(body), 1 << 18):
            self.wfile.write(body[start : start + (1 << 18)])
            time.sleep(server.pace)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("VIEWFINDER_WEIGHTS", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def wanted(server: Server) -> Download:
    return Download(f"{server.address}/files/w.bin", len(DATA), DIGEST, "public domain")


def get(what: Download) -> Path:
    return obtain(what, needed_for="the weights of a test")


def in_cache(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "cache/weights").glob("*"))


def test_a_file_is_fetched_once(server: Server, wanted: Download, tmp_path: Path) -> None:
    said: list[object] = []
    with listening(said.append):
        assert get(wanted).read_bytes() == DATA
    assert any(isinstance(each, ProgressEnded) and each.done == 2 for each in said), "mebibytes"
    assert get(wanted) == here(wanted)
    assert server.asked == [("/files/w.bin", None)]
    assert in_cache(tmp_path) == [".w.bin.lock", "w.bin"]


def test_a_connection_that_breaks_is_asked_for_the_rest(server: Server, wanted: Download) -> None:
    server.cut = [1_000_000, 700_000]
    assert get(wanted).read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=1000000-", "bytes=1700000-"]


def test_the_next_process_goes_on(
    server: Server, wanted: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_TRIES", 1)
    server.cut = [1_500_000]
    with pytest.raises(InputError, match=r"broke after 1 MiB.*1 MiB are kept, and the same"):
        get(wanted)
    assert here(wanted) is None
    assert get(wanted).read_bytes() == DATA
    assert server.asked[-1] == ("/files/w.bin", "bytes=1500000-")


@pytest.mark.parametrize("change", ["tag", "ranges"])
def test_what_cannot_be_gone_on_with_is_fetched_anew(
    server: Server, wanted: Download, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(receiving, "_TRIES", 1)
    server.cut = [1_500_000]
    with pytest.raises(InputError):
        get(wanted)
    if change == "tag":
        server.tag = '"two"'  # another file of the same length: its beginning is another too
        server.data = DATA[::-1]
        wanted = replace(wanted, sha256=hashlib.sha256(server.data).hexdigest())
    else:
        server.ranges = False
    assert get(wanted).read_bytes() == server.data


def test_one_that_was_whole_when_it_was_stopped(server: Server, wanted: Download) -> None:
    folder = get(wanted).parent
    (folder / "w.bin").rename(folder / ".w.bin.partial")
    assert get(wanted).read_bytes() == DATA
    assert len(server.asked) == 1
    (folder / "w.bin").rename(folder / ".w.bin.partial")
    assert get(replace(wanted, exact=False)).read_bytes() == DATA


def page(server: Server) -> None:
    server.data, server.kind = b"<!DOCTYPE html>Sign in", "text/html; charset=utf-8"


def disguised(server: Server) -> None:
    server.data = b"\n<html>" + DATA[7:-1] + b"x"


def shorter(server: Server) -> None:
    server.data = DATA[:-5]


def longer(server: Server) -> None:
    server.data = DATA + b"more"


def other(server: Server) -> None:
    server.data = DATA[:-1] + b"x" if DATA[-1:] != b"x" else DATA[:-1] + b"y"


def gone(server: Server) -> None:
    server.redirect = "/nowhere"


def astray(server: Server) -> None:
    server.redirect = "file:///etc/passwd"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (page, "a web page in the place of the file"),
        (disguised, "a web page in the place of the file"),
        (shorter, r"has 2,999,995 bytes and not the 3,000,000"),
        (longer, r"has 3,000,004 bytes and not the 3,000,000"),
        (other, "its digest is another"),
        (gone, r"\(404 Not Found\)"),
        (astray, "file:///etc/passwd"),
    ],
)
def test_another_thing_in_its_place_is_said_and_not_kept(
    server: Server,
    wanted: Download,
    tmp_path: Path,
    fault: Callable[[Server], None],
    said: str,
) -> None:
    fault(server)
    with pytest.raises(InputError, match=rf"{said}.*bring w\.bin .*VIEWFINDER_WEIGHTS"):
        get(wanted)
    assert here(wanted) is None
    # Nothing of it is in the way of the right one.
    server.data, server.kind, server.redirect, server.tag = DATA, Server.kind, None, '"right"'
    assert get(wanted).read_bytes() == DATA
    assert in_cache(tmp_path) == [".w.bin.lock", "w.bin"]


def test_it_is_followed_to_where_it_has_moved(server: Server, wanted: Download) -> None:
    server.redirect = "/moved"
    assert get(wanted).read_bytes() == DATA


def test_a_length_that_is_known_roughly(server: Server, wanted: Download) -> None:
    rough = replace(wanted, length=len(DATA) + 400, sha256=DIGEST[:8], exact=False)
    assert get(rough).read_bytes() == DATA


def test_a_slow_server_is_waited_for_while_anything_comes(
    server: Server, wanted: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_STALLED", 0.4)
    server.pace = 0.05
    said: list[object] = []
    with listening(said.append):
        assert get(wanted).read_bytes() == DATA
    assert any(isinstance(each, Progressed) for each in said)


def test_a_server_that_is_silent_is_not_waited_for(
    server: Server, wanted: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert receiving._PATIENCE <= 5
    monkeypatch.setattr(receiving, "_PATIENCE", 0.2)
    server.pause = 1.0
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"no answer within 0\.2 s.*see to the network"):
        get(wanted)
    assert time.monotonic() - begun < 1.0


def test_without_a_network_the_sentence_says_what_to_bring(
    server: Server, wanted: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(wanted, url="http://127.0.0.1:9/files/w.bin")
    with pytest.raises(InputError, match=r"refused.*bring w\.bin.*VIEWFINDER_WEIGHTS.*--init"):
        get(nowhere)
    monkeypatch.setenv("VIEWFINDER_WEIGHTS", str(tmp_path / "brought"))
    (tmp_path / "brought").mkdir()
    brought = tmp_path / "brought/w.bin"
    brought.write_bytes(DATA)
    assert get(nowhere) == brought
    brought.write_bytes(DATA[:100])
    with pytest.raises(InputError, match=r"brought/w\.bin is not the weights.*100 bytes of 3"):
        get(nowhere)


def fetch_beside(what: Download, found: "multiprocessing.Queue[str]") -> None:
    found.put(hashlib.sha256(get(what).read_bytes()).hexdigest())


def test_two_processes_at_once_fetch_it_once(
    server: Server, wanted: Download, tmp_path: Path
) -> None:
    server.pace = 0.05
    context = multiprocessing.get_context("fork")
    found: multiprocessing.Queue[str] = context.Queue()
    both = [context.Process(target=fetch_beside, args=(wanted, found)) for _ in range(2)]
    for each in both:
        each.start()
    assert [found.get(timeout=30) for _ in both] == [DIGEST, DIGEST]
    for each in both:
        each.join()
    assert len(server.asked) == 1
    assert in_cache(tmp_path) == [".w.bin.lock", "w.bin"]
