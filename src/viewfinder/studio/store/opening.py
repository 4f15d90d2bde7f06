"""A store is opened for a data folder, or filled with what another one wrote."""

from pathlib import Path

from sqlalchemy import select

from viewfinder.datasets.editing.transaction import HIDDEN, SERVED
from viewfinder.datasets.formats.label_server import keep_server, kept_store, refuse_other_store
from viewfinder.datasets.formats.labels_above import refuse_within
from viewfinder.datasets.formats.labels_below import refuse_other_classes, refuse_other_sets
from viewfinder.datasets.formats.postgres import place_of
from viewfinder.datasets.formats.stored_text import given
from viewfinder.errors import InputError
from viewfinder.files import explained_writing
from viewfinder.studio.store import lines, tables
from viewfinder.studio.store.database import Database, database_file
from viewfinder.studio.store.proposed_kind import reconsider
from viewfinder.studio.store.records import Kind
from viewfinder.studio.store.store import Store
from viewfinder.wording import counted

# Pictures that are looked for, to know a set by.
_COMPARED = 400


def open_store(
    data: Path, *, url: str | None = None, kind: Kind | None = None, wait: bool = False
) -> Store:
    """Open the labels of a data folder, in `DATA/.viewfinder/labels.db`; made where there are none.

    The folder's pictures and label files are then read in the background, as `train` reads them.

    Args:
        url: of a PostgreSQL database that keeps this one set, for a team; None for SQLite.
        kind: what is to be labelled, where the folder could be either and nobody labelled it yet:
            class folders can be given boxes. None for what the folder shows: class folders for
            which boxes are proposed are labelled with boxes.
        wait: return when the first reading is over.

    Raises:
        InputError: no such folder, or the database is damaged, newer, another program's, or cannot
            be reached, or the folder's labels are kept in the other place, with those of a set
            that it lies in, or are of another kind; with `wait` also why the folder cannot be read.
    """
    data = data.expanduser()
    database = _database(data, url)
    try:
        reconsider(database, data, kind)
    except BaseException:
        database.close()
        raise
    store = Store(data, database, kind)
    if wait:
        try:
            store.wait()
        except BaseException:
            store.close()
            raise
    return store


def _database(data: Path, url: str | None) -> Database:
    if not data.is_dir():
        raise InputError(f"there is no folder {data}: give a folder of pictures")
    refuse_other_store(data, served=url is not None)
    refuse_within(data)
    refuse_other_sets(data)
    refuse_other_classes(data)
    if url is not None:
        database = Database(None, url)
        try:
            store = database.store()
            if store != kept_store(data):
                _refuse_another_set(database, data)
        except BaseException:
            database.close()
            raise
        database.caution = keep_server(data, {**place_of(url), "store": store})
        return database
    file = database_file(data)
    with explained_writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    return Database(file)


def _refuse_another_set(database: Database, data: Path) -> None:
    """Refuse a database that keeps the labels of other pictures than a folder's.

    A person of a team may have a copy of the pictures: they are known by their places and sizes.
    """
    table = tables.picture.c
    kept = select(table.path, table.size).where(table.removed == 0, table.missing == 0)
    with database.read() as connection:
        rows = connection.execute(kept.order_by(table.id).limit(_COMPARED)).all()
    absent = [given(path) for path, size in rows if not _lies_there(data / given(path), size)]
    if 2 * len(absent) > len(rows):
        raise InputError(
            f"{database.name} keeps the labels of another set: {absent[0]} and "
            f"{counted(len(absent) - 1, 'other')} of {counted(len(rows), 'picture')} are not in "
            f"{data}, or are others there: give each set a database or a schema of its own; if it "
            f"is the same set, copy {HIDDEN}/{SERVED} from where it was opened first"
        )


def _lies_there(file: Path, size: int | None) -> bool:
    """Whether a file is there, of so many bytes where that is known."""
    try:
        found = file.stat().st_size
    except OSError:
        return False
    return size is None or found == size


def read_lines(data: Path, file: Path, *, url: str | None = None) -> Store:
    """A store for a folder that has none, with all that `Store.write_lines` wrote.

    Raises:
        InputError: the folder has a store with labels, or the file is damaged or cut.
    """
    lines.look(file)  # before anything is made beside the pictures
    database = _database(data, url)
    try:
        lines.read(database, file)
    except BaseException:
        database.close()
        raise
    return Store(data, database, None)
