"""Everything that a store holds as JSON lines, and back: records, revisions and history.

The first line says `viewfinder.labels/1` and the schema; then a line a row, `{"table": …, …}`, and
at the end how many there were, so that a file that was cut is known. What was written is read again
and compared, row by row, before the file has its name.
"""

import json
import math
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import Connection, Integer, Table, Text, func, select

from viewfinder.datasets.formats.postgres import STORE
from viewfinder.datasets.formats.stored_dataset import SCHEMA
from viewfinder.datasets.formats.stored_text import checked_path, given
from viewfinder.errors import InputError
from viewfinder.files import replacing_by_name
from viewfinder.reading import open_file
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.writing import contents_of

_NAME = "viewfinder.labels/1"
_AT_ONCE = 2000
_LONGEST = 64_000_000
_KNOWN = {table.name: table for table in tables.metadata.sorted_tables}

Row = tuple[str, dict[str, object]]
"""The name of a table, and a row of it by its columns."""


def write(database: Database, file: Path) -> None:
    """Write one moment of the store, while others write into it; read it again, and compare.

    Raises:
        InputError: the file cannot be written, or is not what the store holds.
    """
    with replacing_by_name(file) as written, database.read() as connection:
        with written.open("wb") as out:
            out.write(_line({"viewfinder": _NAME, "schema": SCHEMA}))
            count = 0
            for name, row in _kept_rows(connection):
                out.write(_line({"table": name} | row))
                count += 1
            out.write(_line({"rows": count}))
        _compare(connection, written)


def _kept_rows(connection: Connection) -> Iterator[Row]:
    """Every row of the store, in the order of the tables and their keys."""
    for name, table in _KNOWN.items():
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(
            select(table).order_by(*table.primary_key.columns)
        )
        for row in rows.mappings():
            if table is tables.meta and row["key"] == STORE:
                continue  # of this place, and of no other that the lines are read into
            yield name, {str(column): value for column, value in row.items()}


def _compare(connection: Connection, written: Path) -> None:
    """Read what was written as `read` does, and compare it with the same moment of the store."""
    try:
        pairs = zip_longest(_kept_rows(connection), _rows(written))
        same = all(kept == back for kept, back in pairs)
    except InputError as error:
        raise InputError(f"the export cannot be read back, and was removed: {error}") from None
    if not same:
        raise InputError("the export is not what the labels are, and was removed")


def contents(connection: Connection) -> bytes:
    """All labels, classes, states and proposals that are there, without revisions or history.

    Undoing every operation gives back these bytes as they were first.
    """
    found = []
    for kind, table in tables.RECORDS.items():
        rows = select(table).where(table.c.removed == 0).order_by(table.c.id)
        for row in connection.execute(rows).mappings():
            found.append(_line({"kind": kind, "id": row["id"]} | contents_of(kind, row)))
    return b"".join(found)


def look(file: Path) -> None:
    """See that a file is whole, and what `write` wrote.

    Raises:
        InputError: it is damaged, cut, of another version, or not there.
    """
    try:
        for _row in _rows(file):
            pass
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from None


def read(database: Database, file: Path) -> None:
    """Fill a new store with what `write` wrote, all of it or nothing.

    Raises:
        InputError: the store has labels already, or the file is damaged, cut or of another version.
    """
    with database.write() as connection:
        for table in (tables.operation, tables.picture, tables.box):
            if connection.execute(select(func.count()).select_from(table)).scalar():
                raise InputError(
                    f"{database.name} has labels already, which would be lost: restore into a "
                    "folder that was not opened in the studio yet, or move that elsewhere"
                )
        own = value_of(connection, STORE)
        connection.execute(tables.meta.delete())
        waiting: dict[str, list[dict[str, object]]] = {name: [] for name in _KNOWN}
        for name, row in _rows(file):
            waiting[name].append(row)
            if len(waiting[name]) == _AT_ONCE:
                connection.execute(_KNOWN[name].insert(), waiting[name])
                waiting[name] = []
        for name, rows in waiting.items():
            if rows:
                connection.execute(_KNOWN[name].insert(), rows)
        # What was written goes on in its own place: this is another store.
        connection.execute(tables.meta.delete().where(tables.meta.c.key == STORE))
        if own is not None:
            set_value(connection, STORE, own)


def _rows(file: Path) -> Iterator[Row]:
    with open_file(file) as lines:
        first = _read(lines.readline(_LONGEST), file, 1)
        if first.get("viewfinder") != _NAME or first.get("schema") != SCHEMA:
            raise InputError(f"{file} is no {_NAME} of schema {SCHEMA}: write it anew, or update")
        count, ended = 0, False
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST), b""), 2):
            row = _read(line, file, number)
            if ended:
                raise InputError(f"{file}:{number}: something follows the end")
            if set(row) == {"rows"}:
                ended = row["rows"] == count
                if not ended:
                    raise InputError(f"{file} is not whole: {count:,} of {row['rows']} lines")
                continue
            name = str(row.pop("table", None))
            if name not in _KNOWN:
                raise InputError(f"{file}:{number}: there is no table {name[:60]!r}")
            _check(_KNOWN[name], row, f"{file}:{number}")
            count += 1
            yield name, row
    if not ended:
        raise InputError(f"{file} is not whole: its last line is missing")


def _check(table: Table, row: Mapping[str, object], where: str) -> None:
    columns = {column.name: column for column in table.columns}
    if set(row) != set(columns):
        raise InputError(f"{where}: a row of {table.name} with other columns")
    for name, value in row.items():
        column = columns[name]
        if value is None and column.nullable:
            continue
        if isinstance(column.type, Text):
            good = isinstance(value, str)
        elif isinstance(column.type, Integer):
            good = type(value) is int and abs(value) < 1 << 63
        else:
            good = (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and math.isfinite(value)
            )
        if not good:
            raise InputError(f"{where}: {name} of {table.name} cannot be {str(value)[:60]!r}")
    if table is tables.picture:
        checked_path(given(str(row["path"])))


def _read(line: bytes, file: Path, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{file}:{number}: this is no JSON") from None
    if not isinstance(row, dict):
        raise InputError(f"{file}:{number}: this is no JSON object")
    return row


def _line(document: dict[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=True, allow_nan=False).encode() + b"\n"
