"""A store is opened for a data folder, or filled with what another one wrote."""

from pathlib import Path

from viewfinder.datasets.formats.label_server import keep_server, refuse_other_store
from viewfinder.datasets.formats.postgres import place_of
from viewfinder.errors import InputError
from viewfinder.files import explained_writing
from viewfinder.studio.store import lines
from viewfinder.studio.store.database import Database, database_file
from viewfinder.studio.store.records import Kind
from viewfinder.studio.store.store import Store


def open_store(
    data: Path, *, url: str | None = None, kind: Kind | None = None, wait: bool = False
) -> Store:
    """Open the labels of a data folder, in `DATA/.viewfinder/labels.db`; made where there are none.

    The folder's pictures and label files are then read in the background, as `train` reads them.

    Args:
        url: of a PostgreSQL database that keeps this one set, for a team; None for SQLite.
        kind: what is to be labelled, where the folder is new to the store and could be either:
            class folders can be given boxes. None for what the folder shows.
        wait: return when the first reading is over.

    Raises:
        InputError: no such folder, or the database is damaged, newer, another program's, or cannot
            be reached, or the folder's labels are kept in the other place;
            with `wait` also why the folder cannot be read.
    """
    data = data.expanduser()
    store = Store(data, _database(data, url), kind)
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
    if url is not None:
        database = Database(None, url)
        database.caution = keep_server(data, place_of(url))
        return database
    file = database_file(data)
    with explained_writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    return Database(file)


def read_lines(data: Path, file: Path, *, url: str | None = None) -> Store:
    """A store for a folder that has none, with all that `Store.write_lines` wrote.

    Raises:
        InputError: the folder has a store with labels, or the file is damaged or cut.
    """
    database = _database(data, url)
    try:
        lines.read(database, file)
    except BaseException:
        database.close()
        raise
    return Store(data, database, None)
