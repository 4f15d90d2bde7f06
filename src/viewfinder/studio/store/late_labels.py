"""Taking in the labels of files that could not be read at first; see `unread`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.studio.store import tables
from viewfinder.studio.store.found_rows import box_rows, picture_rows, sizes_of, status_of
from viewfinder.studio.store.mended import fewer
from viewfinder.studio.store.unread import READ, Kept, ids_of
from viewfinder.studio.store.writing import Writer
from viewfinder.wording import some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_p = tables.picture.c
_AT_ONCE = 500


class Taken(NamedTuple):
    """By which operation pictures were taken in, and which; sentences on those that have labels by
    now, which stay as they are; those said to be without boxes by now, with why they wait; and
    sentences on those of fewer boxes than before."""

    seq: int
    ids: Mapping[str, int]
    refused: list[str]
    held: Mapping[str, str]
    fewer: list[str]


def take_labels(
    connection: Connection, data: Path, found: "Found", known: Kept, chosen: Mapping[str, str]
) -> Taken:
    """Take in what the files say of pictures, each with its file, as one operation."""
    writer = Writer(connection, "")
    ids, refused, held = _free(connection, chosen)
    if not ids and not refused:
        return Taken(0, {}, [], held, [])
    indices = [index for index, path in enumerate(found.paths) if path in ids]
    labels = _labels(connection, known.classes, found)
    values_of, sizes = picture_rows(found), sizes_of(data, found, indices).tolist()
    updates, boxes = [], []
    for index, (width, height) in zip(indices, sizes, strict=True):
        path = found.paths[index]
        said = {name: values_of(index)[name] for name in ("listed", "side", "grp", "number")}
        about = {"width": width, "height": height, "trouble": kept(found.trouble.get(path, ""))}
        now = {"key_": ids[path], "ready": 1, "touched": writer.seq}
        updates.append(said | about | now | status_of(data / path))
        for row in box_rows(found, index, ids[path]):
            name, own = f"r{writer.seq}.{row['place']}", labels[str(row["label"])]
            # The number of another box may be the same by now.
            boxes.append(row | {"id": name, "label": own, "number": None})
    counts = Counter(id for row in boxes if isinstance(id := row["picture"], int))
    less = fewer(connection, ids, counts, chosen)
    if updates:
        gone = [each["key_"] for each in updates]
        connection.execute(tables.box.delete().where(tables.box.c.picture.in_(gone)))
        # Edits of these boxes, all undone before the picture waited, cannot come back.
        logged = tables.change.c
        of_boxes = (logged.kind == "box") & logged.picture.in_(gone)
        connection.execute(tables.change.delete().where(of_boxes))
        columns: dict[str, object] = {n: bindparam(n) for n in updates[0] if n != "key_"}
        of_id = update(tables.picture).where(_p.id == bindparam("key_"))
        connection.execute(of_id.values(columns), updates)
    if boxes:
        connection.execute(insert(tables.box), boxes)
    files = list(dict.fromkeys(chosen[found.paths[index]] for index in indices))
    parts = [f"{some(files)} read, now that it can be"] if files else []
    writer.finish(f"read-{writer.seq}", READ, "; ".join([*parts, *refused, *less]), undoable=False)
    return Taken(writer.seq, ids, refused, held, less)


def _free(
    connection: Connection, chosen: Mapping[str, str]
) -> tuple[dict[str, int], list[str], dict[str, str]]:
    """The ids of those pictures that nobody has labelled; sentences on those that have labels; and
    by picture, why others wait, which are only said to be without any."""
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
    free, refused, held = {}, [], {}
    for path, id in ids.items():
        row = rows[id]
        waits = not row.ready and row.trouble
        if waits or (row.state == "todo" and not row.listed and id not in boxed):
            free[path] = id
        elif not row.listed and id not in boxed:
            text = f"{chosen[path]}: it can be read now, and is of {path}, which is said to be "
            held[path] = f"{text}{row.state} without boxes; let that one be to do, and look again"
        else:
            text = f"{chosen[path]} can be read now, and is of {path}, which has other labels by "
            refused.append(f"{text}now; these stay, and those of the file are not taken in")
    return free, refused, held


def _labels(connection: Connection, first: Sequence[str], found: "Found") -> dict[str, str]:
    """For the classes of a later reading, `c1` for its first, the ids that they have here."""
    names = list(map(kept, found.dataset.classes if found.dataset else ()))
    table = tables.label_class.c
    rows = connection.execute(select(table.id, table.name, table.position)).all()
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
            row = {"id": id, "name": name, "colour": "", "key": "", "position": last}
            row |= {"number": None, "merged": None, "rev": 1, "removed": 0}
            connection.execute(insert(tables.label_class).values(row))
        labels[f"c{place}"] = id
    return labels
