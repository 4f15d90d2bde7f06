"""The studio's labels as a data set: `DATA/.viewfinder/labels.db`, read and never written here.

The studio keeps what people mark in this SQLite file; to everything else it is one more layout. It
is read in one moment, while people edit, with Python's own `sqlite3`. Of a team's PostgreSQL the
same tables are read (`label_server.py`). What they come to stands in `stored_dataset.py`.
"""

import contextlib
import json
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.label_server import served_at
from viewfinder.datasets.formats.stored_classes import Ask
from viewfinder.datasets.formats.stored_dataset import dataset_of
from viewfinder.errors import InputError
from viewfinder.files import inside
from viewfinder.reading import refuse_special

IN_HAND = "VIEWFINDER_IN_HAND"
"""The environment's name for the pictures that people are drawing in while the studio trains, as a
JSON list of their ids; of a process of the studio alone, whose page says which files of labels
cannot be read, so that these keep it from nothing. Whatever becomes of the server, no other process
leaves out anything."""

_LONGEST = 64_000_000


def refuse_forged(ask: Ask, name: str) -> None:
    """Refuse an SQLite file with views or triggers: what they do would be done by who opens it.

    Raises:
        InputError: it has any, so that the studio did not write it.
    """
    strange = ask("SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')")
    if strange:
        raise InputError(
            f"{name} holds {str(strange[0][0])[:60]!r}, which the studio does not write: put a "
            "backup in its place"
        )


def store_file(root: Path) -> Path | None:
    """The file of the studio's labels of a data folder, where it has one.

    Raises:
        InputError: something is there that cannot be read, so that older labels would be.
    """
    file = root / HIDDEN / STUDIO
    try:
        if stat.S_ISLNK(file.lstat().st_mode) and not file.exists():
            regular = False
        else:
            regular = stat.S_ISREG(file.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(not_opened(str(file), error.strerror or str(error))) from None
    if not regular:
        raise InputError(
            f"{file} is no file, and the studio's labels are kept in one of that name: put it back "
            "there, or move away what has its name"
        )
    return file


def not_opened(name: str, said: str) -> str:
    """What to say of the studio's labels where they may not be opened."""
    return (
        f"{name}, where the studio keeps labels, cannot be opened ({said}): see that your account "
        "may read it and write in its folder; nothing in it is lost"
    )


def read_label_store(root: Path) -> Dataset | None:
    """What the studio's labels of a folder say now; None where there are none, or nothing was
    marked before all pictures were taken in.

    Raises:
        InputError: the file is damaged, of another version, or not what the studio writes; or the
            labels are in a PostgreSQL database.
    """
    if (url := served_at(root)) is not None:
        return _served(root, url)
    file = store_file(root)
    if file is None:
        return None
    with asked_of(root, file) as ask:
        return _dataset(ask, root, str(file))


@contextlib.contextmanager
def asked_of(root: Path, file: Path) -> Iterator[Ask]:
    """What asks one moment of the studio's file of a folder.

    Raises:
        InputError: it leads out of the folder, cannot be read, or the studio did not write it.
    """
    inside(root, [file])
    refuse_special(file)
    try:
        with contextlib.closing(_opened(file)) as connection:

            def ask(sql: str) -> Sequence[Sequence[object]]:
                return connection.execute(sql).fetchall()

            refuse_forged(ask, str(file))
            yield ask
    except OSError as error:
        raise InputError(not_opened(str(file), error.strerror or str(error))) from None
    except (sqlite3.Error, OverflowError) as error:
        raise InputError(_unreadable(file, error)) from None


def _served(root: Path, url: str) -> Dataset:
    """What the labels of a folder in a PostgreSQL database say now."""
    from viewfinder.datasets.formats.postgres import one_moment  # it imports SQLAlchemy

    with one_moment(url) as (ask, name):
        found = _dataset(ask, root, name)
    if found is None:
        raise InputError(
            f"{name} has masks, or nothing that is marked yet: *Export* what it has on the page of "
            "`viewfinder label --database`, and give that new folder"
        )
    return found


def _dataset(ask: Ask, root: Path, name: str) -> Dataset | None:
    """The data set of one moment, without what is in hand where this process trains for the
    studio."""
    held = os.environ.get(IN_HAND)
    return dataset_of(ask, root, name, in_hand=json.loads(held or "[]"), unread=held is not None)


def _unreadable(file: Path, error: Exception) -> str:
    """What to say of a database that SQLite does not read."""
    kind = getattr(error, "sqlite_errorname", None) or ""
    if kind.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY", "SQLITE_AUTH")):
        return not_opened(str(file), str(error))
    if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{file} is being written to by another program: try again"
    return (
        f"{file} cannot be read ({error}): put a backup in its place, or remove it to use the "
        "label files"
    )


def masks_edited(root: Path) -> bool:
    """Whether masks of a saliency set were corrected in the studio; nothing of a damaged store."""
    file = store_file(root)
    if file is None:
        return False
    try:
        with contextlib.closing(_opened(file)) as connection:
            kind = connection.execute("SELECT value FROM meta WHERE key = 'kind'").fetchone()
            edited = connection.execute("SELECT 1 FROM change WHERE kind = 'box' LIMIT 1")
            return kind == ("masks",) and edited.fetchone() is not None
    except (sqlite3.Error, OverflowError):
        return False


def _opened(file: Path) -> sqlite3.Connection:
    address = file.resolve().as_uri() + "?mode=ro"
    try:
        connection = _connected(address)
    except sqlite3.OperationalError:
        # Where nothing can be written, SQLite cannot share a file; nobody else writes it either.
        if file.with_name(file.name + "-wal").exists():
            raise
        connection = _connected(address + "&immutable=1")
    return connection


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=20, isolation_level=None)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute("SELECT name FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
