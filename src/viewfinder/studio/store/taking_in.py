"""The first reading of a data folder into its store, in the background; it can be resumed.

Pictures are listed first, so that the first can be shown; then the labels are read as `train`
reads them, and kept some hundred pictures at a time, each part whole. What is kept already is left
as it is: a second reading, after the first was killed or beside it, adds only what is not there.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update

from viewfinder import events
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import kept
from viewfinder.memory import give_back_freed
from viewfinder.pictures.finding import pictures_below
from viewfinder.studio.store import latecomers, tables, unread
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.found_rows import (
    CLASS,
    box_rows,
    keep_notes,
    new_row,
    picture_rows,
    sizes_of,
    status_of,
    subject_rows,
)
from viewfinder.studio.store.records import Kind, Progress

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_AT_ONCE = 500
Report = Callable[[Progress], None]
_picture = tables.picture
# Nobody has taken it in yet; what waits for its file of labels has trouble.
_OPEN = (_picture.c.ready == 0) & (_picture.c.trouble == "")


def take_in(database: Database, data: Path, kind: Kind | None, report: Report) -> None:
    """Read a folder into a store that is empty, or was not filled to its end.

    Raises:
        InputError: the folder cannot be read, or a fault of its labels stands in the way.
    """
    # All readers of label files: who opens a set again does not wait for them.
    from viewfinder.studio.store.found import look

    report(Progress("reading", 0, 0))
    _list_pictures(database, data)
    with _measuring(report):
        found = look(data, kind)
    give_back_freed()
    _begin(database, found)
    total, done = len(found.paths), 0
    rows = picture_rows(found)
    numbers = iter(range(total))
    while part := list(islice(numbers, _AT_ONCE)):
        _keep(database, data, found, rows, part)
        done += len(part)
        report(Progress("keeping", done, total))
    with database.write() as connection:
        connection.execute(_picture.delete().where(_OPEN))
        unread.keep(connection, data, found)
        latecomers.keep(connection, data)
        set_value(connection, "import", "done")
    report(Progress("done", total, total))


@contextlib.contextmanager
def _measuring(report: Report) -> Iterator[None]:
    """Report the readers' own progress."""
    total = 0

    def hear(event: events.Event) -> None:
        nonlocal total
        if isinstance(event, events.ProgressBegan):
            total = event.total or 0
        elif isinstance(event, events.Progressed):
            report(Progress("measuring", event.done, total))

    with events.listening(hear):
        yield


def _list_pictures(database: Database, data: Path) -> None:
    """A row for each picture below the folder, without asking anything of the files."""
    with database.read() as connection:
        known = set(connection.execute(select(_picture.c.path)).scalars())
    paths = (path for path in pictures_below(data) if kept(path) not in known)
    first = True
    while part := list(islice(paths, 100 if first else 5000)):
        first = False
        add_pictures(database, [new_row(path) for path in part])


def add_pictures(database: Database, rows: Sequence[dict[str, object]]) -> None:
    """Give pictures that are not there yet their ids, in this order."""
    with database.write() as connection:
        highest = select(func.max(_picture.c.id)).where(_picture.c.id < SECOND)
        last = connection.execute(highest).scalar() or 0
        known: set[str] = set()
        for start in range(0, len(rows), _AT_ONCE):
            paths = [row["path"] for row in rows[start : start + _AT_ONCE]]
            found = select(_picture.c.path).where(_picture.c.path.in_(paths))
            known |= set(connection.execute(found).scalars())
        new = [row for row in rows if row["path"] not in known]
        numbered = [row | {"id": n, "place": n} for n, row in enumerate(new, last + 1)]
        if numbered:
            connection.execute(_picture.insert(), numbered)


def _begin(database: Database, found: "Found") -> None:
    """Keep what is known of the set as a whole, and its classes."""
    names = found.dataset.classes if found.dataset else ()
    if found.kind == "masks":
        names = (CLASS,)
    ids = found.dataset.class_ids if found.dataset else None
    with database.write() as connection:
        if value_of(connection, "kind") is not None:
            return
        for position, name in enumerate(names):
            connection.execute(
                insert(tables.label_class).values(
                    id=f"c{position + 1}",
                    name=kept(name),
                    colour="",
                    key="",
                    position=position,
                    number=ids[position] if ids else None,
                    merged=None,
                    rev=1,
                    removed=0,
                )
            )
        set_value(connection, "kind", found.kind)
        set_value(connection, "below", kept(found.below))
        keep_notes(connection, found)
    known = set()
    with database.read() as connection:
        known = set(connection.execute(select(_picture.c.path)).scalars())
    missing = [path for path in found.paths if kept(path) not in known]
    for start in range(0, len(missing), 20_000):
        add_pictures(database, [new_row(path) for path in missing[start : start + 20_000]])


def _keep(
    database: Database,
    data: Path,
    found: "Found",
    row: Callable[[int], dict[str, object]],
    part: Sequence[int],
) -> None:
    """Keep what the labels say of some pictures, of those alone that nobody has kept yet."""
    paths = [kept(found.paths[index]) for index in part]
    with database.read() as connection:
        chosen = select(_picture.c.path, _picture.c.id).where(_picture.c.path.in_(paths), _OPEN)
        open_: dict[str, int] = dict(connection.execute(chosen).all())
    mine = [index for index, path in zip(part, paths, strict=True) if path in open_]
    if not mine:
        return
    sizes = sizes_of(data, found, mine)
    updates, boxes = [], []
    for index, (width, height) in zip(mine, sizes.tolist(), strict=True):
        number = open_[kept(found.paths[index])]
        values = row(index) | {"width": width, "height": height}
        values |= status_of(data / found.paths[index])
        if found.kind == "masks":
            made, values["trouble"] = subject_rows(found, index, number, (width, height))
            boxes += made
        else:
            boxes += box_rows(found, index, number)
        updates.append(values | {"key_": number})
    with database.write() as connection:
        still = select(_picture.c.id).where(
            _picture.c.id.in_([each["key_"] for each in updates]), _OPEN
        )
        free = set(connection.execute(still).scalars())
        updates = [each for each in updates if each["key_"] in free]
        boxes = [each for each in boxes if each["picture"] in free]
        if updates:
            names: dict[str, object] = {n: bindparam(n) for n in updates[0] if n != "key_"}
            where = _picture.c.id == bindparam("key_")
            connection.execute(update(_picture).where(where).values(names), updates)
        if boxes:
            connection.execute(insert(tables.box), boxes)
