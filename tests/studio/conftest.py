"""Both databases of the store: SQLite in the folder, and PostgreSQL where it is installed."""

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brought
import pg8000.native
import pytest

from viewfinder.studio.store import Store, open_store

_number = itertools.count()


class Server:
    """A PostgreSQL server of this session: its URL, and its end and new beginning."""

    def __init__(self, url: str, command: list[object], options: dict[str, Any]) -> None:
        self.url, self._command, self._options = url, command, options

    def restart(self) -> None:
        """Stop it as a crash would, without a word to anybody, and start it again."""
        with self.stopped():
            pass

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it as a crash would, and start it again in the end."""
        self._run("-m", "immediate", "stop")
        try:
            yield
        finally:
            self._run("start")

    def _run(self, *words: str) -> None:
        subprocess.run([*self._command, *words], check=True, **self._options)  # type: ignore[list-item]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server that this session started; tests that ask for it skip without one."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server is installed (Debian's package postgresql)")
    # The server refuses to be run by root.
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    folder = Path(
        tempfile.mkdtemp(prefix="pg", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    )
    if user:
        shutil.chown(folder, "nobody")
    # Not by pipes, which the server would hold open.
    nowhere = subprocess.DEVNULL
    asked: dict[str, Any] = {"cwd": folder, "stdout": nowhere, "stderr": nowhere, **user}
    there = str(folder / "data")
    initdb = [programs[-1] / "initdb", "-D", there, "-U", "me", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale=C"], check=True, **asked)
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c shared_buffers=16MB"
    server = [programs[-1] / "pg_ctl", "-D", there, "-w", "-o", options, "-l", folder / "log"]
    try:
        subprocess.run([*server, "start"], check=True, **asked)
        yield Server(f"postgresql://me@/postgres?host={folder}", [*server], asked)
    finally:
        subprocess.run([*server, "-m", "immediate", "stop"], check=False, **asked)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_schema(postgres: Server) -> Callable[[], str]:
    """A new place for a store in the server, as a URL."""

    def make() -> str:
        name = f"set{next(_number)}"
        socket = f"{postgres.url.rpartition('=')[2]}/.s.PGSQL.5432"
        with pg8000.native.Connection("me", database="postgres", unix_sock=socket) as connection:
            connection.run(f"CREATE SCHEMA {name}")
        return f"{postgres.url}&options=-csearch_path%3D{name}"

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the store is kept: None for SQLite in the folder."""
    if request.param == "sqlite":
        return None
    make: Callable[[], str] = request.getfixturevalue("new_schema")
    return make()


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Where a test writes: in memory as far as there is such a place, as each edit waits for the
    disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="studio", dir=memory))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures without labels."""
    for stem in "0123":
        brought.picture(tmp_path / "photos" / f"{stem}.jpg")
    return tmp_path / "photos"


@pytest.fixture
def labels(photos: Path, url: str | None) -> Iterator[Store]:
    """A store of pictures without labels, in each of the databases."""
    with open_store(photos, url=url, wait=True) as store:
        yield store


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """A small set of boxes."""
    root = tmp_path / "yolo"
    for stem in brought.TRUTH:
        brought.picture(root / "images" / f"{stem}.jpg")
        brought.text(root / "labels" / f"{stem}.txt", brought.yolo_lines(stem))
    brought.text(root / "data.yaml", "train: images\nnames: [red, blue]\n")
    return root
