"""Taking in the labels of files that could not be read at first; see `unread`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, select, update

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.studio.store import tables
from viewfinder.studio.store.found_rows import box_rows, picture_rows, sizes_of, status_of
from viewfinder.studio.store.mended import fewer
from viewfinder.studio.store.undoing import settle
from viewfinder.studio.store.unread import READ, Kept, ids_of
from viewfinder.studio.store.writing import Writer
from viewfinder.wording import some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_p = tables.picture.c
_AT_ONCE = 500


class Taken(NamedTuple):
    """By which operation pictures were taken in, and which; those that have labels by now, which
    stay as they are; those said to be without boxes by now, with why they wait; and sentences on
    those of fewer boxes than before."""

    seq: int
    ids: Mapping[str, int]
    refused: Mapping[str, int]
    held: Mapping[str, str]
    fewer: list[str]


def take_labels(
    connection: Connection, data: Path, found: "Found", known: Kept, chosen: Mapping[str, str]
) -> Taken:
    """Take in what the files say of pictures, each with its file, as one operation."""
    writer = Writer(connection, "")
    ids, refused, held = _free(connection, chosen)
    if not ids:
        return Taken(0, {}, refused, held, [])
    indices = [index for index, path in enumerate(found.paths) if path in ids]
    counts = _put_labels(
        writer, found, known, {index: ids[found.paths[index]] for index in indices}
    )
    _put_facts(connection, data, found, {index: ids[found.paths[index]] for index in indices})
    less = fewer(connection, ids, counts, chosen)
    files = list(dict.fromkeys(chosen[found.paths[index]] for index in indices))
    said = "; ".join([f"{some(files)} read, now that it can be", *less])
    writer.finish(f"read-{writer.seq}", READ, said, undoable=False)
    settle(connection, ids.values())
    return Taken(writer.seq, ids, refused, held, less)


def _put_labels(
    writer: Writer, found: "Found", known: Kept, pictures: Mapping[int, int]
) -> Counter[int]:
    """Put what the files say of pictures, by their indices, in place of what is there.

    Returns:
        how many boxes each is given.
    """
    values_of, labels = picture_rows(found), _labels(writer, known.classes, found)
    old = _boxes_of(writer.connection, list(pictures.values()))
    rows = {i: box_rows(found, i, id) for i, id in pictures.items()}
    new = {f"r{writer.seq}.{row['place']}": row for each in rows.values() for row in each}
    writer.load(("picture", str(id)) for id in pictures.values())
    writer.load(("box", id) for id in (*old, *new))
    for id in old:
        writer.put("box", id, None)
    for id, row in new.items():
        # The number of another box may be the same by now.
        own = row | {"label": labels[str(row["label"])], "number": None}
        writer.put("box", id, {name: own[name] for name in tables.CONTENTS["box"]})
    for index, number in pictures.items():
        now = writer.get("picture", str(number)).now or {}
        said = {"state": "todo", "ready": 1, "listed": values_of(index)["listed"]}
        said["trouble"] = kept(found.trouble.get(found.paths[index], ""))
        writer.put("picture", str(number), now | said)
    return Counter({id: len(rows[index]) for index, id in pictures.items()})


def _boxes_of(connection: Connection, pictures: Sequence[int]) -> list[str]:
    box, ids = tables.box.c, list[str]()
    for start in range(0, len(pictures), _AT_ONCE):
        part = box.picture.in_(pictures[start : start + _AT_ONCE])
        ids += connection.execute(select(box.id).where(box.removed == 0, part)).scalars()
    return ids


def _put_facts(
    connection: Connection, data: Path, found: "Found", pictures: Mapping[int, int]
) -> None:
    """Keep what else the files say of pictures, which no undo changes."""
    values_of, sizes = picture_rows(found), sizes_of(data, found, list(pictures)).tolist()
    updates = []
    for (index, id), (width, height) in zip(pictures.items(), sizes, strict=True):
        said = {name: values_of(index)[name] for name in ("side", "grp", "number")}
        size = {"key_": id, "width": width, "height": height}
        updates.append(said | size | status_of(data / found.paths[index]))
    if updates:
        columns: dict[str, object] = {n: bindparam(n) for n in updates[0] if n != "key_"}
        of_id = update(tables.picture).where(_p.id == bindparam("key_"))
        connection.execute(of_id.values(columns), updates)


def _free(
    connection: Connection, chosen: Mapping[str, str]
) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """The ids of those pictures that nobody has labelled, and of those that have labels; and by
    picture, why others wait, which are only said to be without any."""
    ids = ids_of(connection, list(chosen))
    rows: dict[int, Row[tuple[int, str, int, int, str]]] = {}
    boxed: set[int] = set()
    everything = list(ids.values())
    for start in range(0, len(everything), _AT_ONCE):
        part = _p.id.in_(everything[start : start + _AT_ONCE])
        asked = select(_p.id, _p.state, _p.listed, _p.ready, _p.trouble).where(part)
        rows |= {row.id: row for row in connection.execute(asked)}
        box = tables.box.c
        has = select(box.picture, func.count()).where(box.removed == 0, box.picture.in_(rows))
        boxed |= {picture for picture, _ in connection.execute(has.group_by(box.picture))}
    free, refused, held = {}, {}, {}
    for path, id in ids.items():
        row = rows[id]
        waits = not row.ready and row.trouble
        if waits or (row.state == "todo" and not row.listed and id not in boxed):
            free[path] = id
        elif not row.listed and id not in boxed:
            text = f"{chosen[path]}: it can be read now, and is of {path}, which is said to be "
            held[path] = f"{text}{row.state} without boxes; let that one be to do, and look again"
        else:
            refused[path] = id
    return free, refused, held


def _labels(writer: Writer, first: Sequence[str], found: "Found") -> dict[str, str]:
    """For the classes of a later reading, `c1` for its first, the ids that they have here."""
    names = list(map(kept, found.dataset.classes if found.dataset else ()))
    table = tables.label_class.c
    rows = writer.connection.execute(select(table.id, table.name, table.position)).all()
    own = {name: f"c{place}" for place, name in enumerate(first, 1)}
    # Only those that came later: a name that people gave to another class may mean that one.
    by_name = {row.name: row.id for row in rows if row.name not in own}
    taken, last = {row.id for row in rows}, max((row.position for row in rows), default=-1)
    labels: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        id = own.get(name) or by_name.get(name, "")
        if not id:
            number = len(first) + 1
            while (id := f"c{number}") in taken:
                number += 1
            taken.add(id)
            last += 1
            row = {"name": name, "colour": "", "key": "", "position": last}
            writer.put("class", id, row | {"number": None, "merged": None})
        labels[f"c{place}"] = id
    return labels
