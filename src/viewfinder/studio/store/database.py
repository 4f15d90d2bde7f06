"""The database under the store: SQLite in the data folder, or PostgreSQL by URL.

Readers see one moment; writers go one at a time, and what they wrote is on the disk before they are
told so (WAL with `synchronous=FULL`, a rollback journal on a disk of another machine, or
PostgreSQL's commit).
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.label_server import in_words
from viewfinder.datasets.formats.label_store import refuse_forged
from viewfinder.datasets.formats.postgres import (
    NO_DRIVER,
    STORE,
    address_of,
    place_of,
    trouble_of,
    words_of,
)
from viewfinder.errors import InputError
from viewfinder.files import inside
from viewfinder.studio.store import tables
from viewfinder.studio.store.drivers import of_the_request, unavailable
from viewfinder.studio.store.migrating import MIGRATIONS
from viewfinder.studio.store.mounts import caution_of, disk_of, is_of_another_machine
from viewfinder.studio.store.records import Unavailable

# No text or blob of ours is as long as this; a forged file must not fill the memory.
_LONGEST = 64_000_000
# Seconds that a writer waits for another process.
_PATIENCE = 20
_WAITS = {"whole": "FULL", "light": "NORMAL"}


class Database:
    """Transactions on one database, from any thread.

    Attributes:
        file, url: where it is, in SQLite or in PostgreSQL; an address may hold a password, and is
            shown as `name`.
        caution: what to know of the place that it lies on, in a sentence; nothing of most.

    Raises:
        InputError: it is of a newer version, or no database of ours.
        Unavailable: it is damaged, full, busy, or cannot be reached.
    """

    def __init__(self, file: Path | None, url: str | None = None) -> None:
        self.file, self.url = file, url
        self.caution = caution_of(file) if file else ""
        self._writing = threading.Lock()
        self._identity: tuple[int, int] | None = None
        if file:
            address = URL.create("sqlite+pysqlite", database=str(file))
            options: dict[str, object] = {"timeout": _PATIENCE, "check_same_thread": False}
        else:
            address, options = address_of(url)
        self.name = str(file) if file else in_words(place_of(url or ""))
        # A server that went away is said in a sentence, and not as the pool's own log besides.
        logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())
        try:
            self._engine = create_engine(
                address,
                pool_size=8,
                max_overflow=24,
                pool_pre_ping=file is None,
                connect_args=options,
            )
        except ImportError:
            raise InputError(f"{self.name} {NO_DRIVER}") from None
        # On a disk of another machine every write waits for it.
        shared = file is not None and is_of_another_machine(disk_of(file)[0])
        self._hurries = not shared
        if file:
            event.listen(self._engine, "connect", _prepare_shared if shared else _prepare)
            event.listen(self._engine, "begin", _begin)
        try:
            self._ready()
        except BaseException:
            self.close()
            raise
        self._identity = _identity_of(file) if file else None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One moment of the database, while others write."""
        level = {} if self.file else {"isolation_level": "REPEATABLE READ"}
        with self._explained(), self._engine.connect() as connection:
            yield connection.execution_options(**level)

    @contextlib.contextmanager
    def write(self, *, passing: bool = False) -> Iterator[Connection]:
        """Everything that the block does, or nothing; on the disk when it has ended.

        Args:
            passing: it may be lost when the machine's power fails, and so does not wait for the
                disk.
        """
        self._see_file()
        light = passing and self._hurries
        with self._explained(), self._writing, self._engine.connect() as connection:
            writer = connection.execution_options(writes="light" if light else "whole")
            with writer.begin():
                if not self.file:
                    if light:
                        writer.execute(text("SET LOCAL synchronous_commit TO OFF"))
                    row = select(tables.meta.c.value).where(tables.meta.c.key == "schema")
                    writer.execute(row.with_for_update())
                yield writer

    def store(self) -> str:
        """What tells this store from any other, wherever it is kept."""
        with self.write() as connection:
            known = value_of(connection, STORE)
            if known is None:
                known = uuid4().hex
                set_value(connection, STORE, known)
        return known

    def close(self) -> None:
        self._engine.dispose()

    def _see_file(self) -> None:
        """Refuse to write into a file that nobody would find: one that is open is written to,
        wherever its folder was moved, and also after it was removed."""
        if self.file and self._identity not in (None, _identity_of(self.file)):
            raise Unavailable(
                f"{self.name} is not there any more: its folder was moved, removed or replaced; "
                "put it back, or end this and open it where it is now"
            )

    def backup(self, target: Path) -> None:
        """A whole copy of one moment, while others write (SQLite)."""
        if not self.file:
            raise InputError(f"{self.name} is backed up by PostgreSQL's own pg_dump")
        with self._explained(), self._engine.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            with contextlib.closing(sqlite3.connect(target)) as copy:
                source.backup(copy, pages=4096, sleep=0)

    def _ready(self) -> None:
        """Check the database, make its tables where there are none, or bring them up to date."""
        if self.file:
            self._check()
        with self._explained(), self._engine.connect() as connection:
            present = set(inspect(connection).get_table_names())
        ours = {table.name for table in tables.metadata.sorted_tables}
        if present and "meta" not in present:
            raise InputError(f"{self.name} is a database of another program: name another")
        if "meta" not in present:
            self._create()
            return
        with self.read() as connection:
            version = value_of(connection, "schema")
        if not version or not version.isdecimal():
            raise InputError(f"{self.name} does not say its version: restore it from a backup")
        if int(version) > tables.SCHEMA:
            raise InputError(
                f"{self.name} was written by a newer Viewfinder (schema {int(version)}, known is "
                f"{tables.SCHEMA}): update this one"
            )
        if int(version) < tables.SCHEMA:
            self._migrate(int(version))
            present = ours
        if missing := ours - present:
            raise InputError(
                f"{self.name} lacks the table {min(missing)}: restore it from a backup"
            )

    def _check(self) -> None:
        """Refuse an SQLite file that is damaged, or that holds more than tables."""
        with self._explained(), self._engine.connect() as connection:

            def ask(sql: str) -> Sequence[Sequence[object]]:
                return connection.exec_driver_sql(sql).fetchall()

            refuse_forged(ask, self.name)
            said = str(ask("PRAGMA quick_check(1)")[0][0])
        if said != "ok":
            raise unavailable(self.name, f"malformed: {said}")

    def _create(self) -> None:
        with self._explained(), self._engine.connect() as connection:
            writer = connection.execution_options(writes="whole")
            with writer.begin():
                if not self.file:
                    writer.execute(text("SELECT pg_advisory_xact_lock(7238150462)"))
                tables.metadata.create_all(writer)
                if value_of(writer, "schema") is None:
                    set_value(writer, "schema", str(tables.SCHEMA))

    def _migrate(self, version: int) -> None:
        """Bring an older schema up to date, after a copy of it was made beside it."""
        if self.file:
            copy = self.file.with_name(f"labels.schema-{version}.db")
            if not copy.exists():
                self.backup(copy)
        with self.write() as connection:
            # Another process may have done it while this one waited.
            for older in range(int(value_of(connection, "schema") or 0), tables.SCHEMA):
                for statement in MIGRATIONS[older]:
                    connection.execute(text(statement))
            set_value(connection, "schema", str(tables.SCHEMA))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what a database says into one sentence."""
        try:
            yield
        except DBAPIError as error:
            if of_the_request(error):
                raise InputError(f"{self.name} cannot hold that: {words_of(error.orig)}") from error
            raise self._unavailable(error.orig) from error
        # The driver passes on that a server went away while it was being greeted, or left.
        except (
            sqlite3.Error,
            NoSuchModuleError,
            ConnectionError,
            self._engine.dialect.loaded_dbapi.Error,
        ) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: BaseException | None) -> Unavailable:
        if self.file:
            return unavailable(self.name, words_of(error))
        return Unavailable(f"{self.name} {trouble_of(error)}; nothing that was kept is lost")


def _identity_of(file: Path) -> tuple[int, int] | None:
    """What tells a file from any other of this machine; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def database_file(data: Path) -> Path:
    """Where the store of a data folder lies.

    Raises:
        InputError: a link leads out of the folder.
    """
    (file,) = inside(data, [data / HIDDEN / STUDIO])
    return file


def value_of(connection: Connection, key: str) -> str | None:
    """A value of `meta`."""
    found = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == key))
    return found.scalar()


def set_value(connection: Connection, key: str, value: str) -> None:
    """Keep a value of `meta`."""
    connection.execute(tables.meta.delete().where(tables.meta.c.key == key))
    connection.execute(tables.meta.insert().values(key=key, value=value))


def _prepare_shared(connection: sqlite3.Connection, record: object) -> None:
    _prepare(connection, record, journal="DELETE")


def _prepare(connection: sqlite3.Connection, _record: object, journal: str = "WAL") -> None:
    connection.isolation_level = None
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    for pragma in ("busy_timeout=20000", "trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    if writes:  # what a light one wrote is on the disk when the next whole one is
        connection.exec_driver_sql(f"PRAGMA synchronous={_WAITS[writes]}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
