"""Everything that a store holds as JSON lines, and back: records, revisions and history.

The first line says `viewfinder.labels/1` and the schema; then a line a row, `{"table": …, …}`, and
at the end how many there were, so that a file that was cut is known.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Text, func, select

from viewfinder.datasets.formats.label_store import SCHEMA, checked_path, given
from viewfinder.errors import InputError
from viewfinder.files import replacing
from viewfinder.reading import open_file
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database
from viewfinder.studio.store.writing import contents_of

_NAME = "viewfinder.labels/1"
_AT_ONCE = 2000
_LONGEST = 64_000_000


def write(database: Database, file: Path) -> None:
    """Write one moment of the store, while others write into it.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(file) as out, database.read() as connection:
        out.write(_line({"viewfinder": _NAME, "schema": SCHEMA}))
        count = 0
        for table in tables.metadata.sorted_tables:
            rows = connection.execution_options(yield_per=_AT_ONCE).execute(
                select(table).order_by(*table.primary_key.columns)
            )
            for row in rows.mappings():
                out.write(_line({"table": table.name} | dict(row)))
                count += 1
        out.write(_line({"rows": count}))


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


def read(database: Database, file: Path) -> None:
    """Fill a new store with what `write` wrote, all of it or nothing.

    Raises:
        InputError: the store has labels already, or the file is damaged, cut or of another version.
    """
    known = {table.name: table for table in tables.metadata.sorted_tables}
    with database.write() as connection:
        for table in (tables.operation, tables.picture, tables.box):
            if connection.execute(select(func.count()).select_from(table)).scalar():
                raise InputError(
                    f"{database.name} has labels already: read the lines into a new one"
                )
        connection.execute(tables.meta.delete())
        waiting: dict[str, list[dict[str, Any]]] = {name: [] for name in known}
        for name, row in _rows(file, known):
            waiting[name].append(row)
            if len(waiting[name]) == _AT_ONCE:
                connection.execute(known[name].insert(), waiting[name])
                waiting[name] = []
        for name, rows in waiting.items():
            if rows:
                connection.execute(known[name].insert(), rows)


def _rows(file: Path, known: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
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
            name = row.pop("table", None)
            if name not in known:
                raise InputError(f"{file}:{number}: there is no table {str(name)[:60]!r}")
            _check(known[name], row, f"{file}:{number}")
            count += 1
            yield name, row
    if not ended:
        raise InputError(f"{file} is not whole: its last line is missing")


def _check(table: Any, row: dict[str, Any], where: str) -> None:
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
            good = type(value) in (int, float) and math.isfinite(value)
        if not good:
            raise InputError(f"{where}: {name} of {table.name} cannot be {str(value)[:60]!r}")
    if table is tables.picture:
        checked_path(given(row["path"]))


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
