"""What the tables say of the frames of one video, in one moment."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, select

from viewfinder.datasets.footage import Between, Carried, Footage, Key, spans
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_rows import BoxRow, carried_of
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.pictures.geometry import iou
from viewfinder.studio.store import listing, tables
from viewfinder.studio.store.film_records import Corners, State

# Below this score a detector's box is not held against what a person set.
_LEAST_SCORE = 0.3
_AT_ONCE = 500
_p, _b, _q = tables.picture.c, tables.box.c, tables.proposal.c
_k = tables.carried.c


@dataclass(frozen=True)
class Span:
    """Two keys of a track between which boxes are to be followed, and the frames from one to the
    other, relative to the data folder, with their ids."""

    first: Key
    second: Key
    paths: tuple[str, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Reel:
    """A video as the tables have it in one moment."""

    footage: Footage
    ids: dict[str, int]
    boxes: list[BoxRow]
    carried: dict[tuple[int, str], Carried]

    def keys(self) -> list[Key]:
        places = {self.ids[path]: place for place, path in enumerate(self.footage.paths)}
        rows = [row for row in self.boxes if row.track is not None]
        return [
            Key(given(str(row.track)), places[row.picture], row.id, row.label, row[2:6])
            for row in rows
        ]


def parts(ids: Sequence[object]) -> Iterable[Sequence[object]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def pictures_of(connection: Connection, folder: str) -> dict[str, int]:
    """The pictures that lie in a folder itself, in the order of the list."""
    below = kept(f"{folder}/" if folder else "")
    where: list[ColumnElement[bool]] = [_p.removed == 0, _p.id < SECOND]
    if below:
        where.append(_p.path.startswith(below, autoescape=True))
    rows = connection.execute(select(_p.path, _p.id).where(*where).order_by(_p.place, _p.id))
    found = ((given(path), id) for path, id in rows)
    return {path: id for path, id in found if path.rpartition("/")[0] == folder}


def tracked(
    connection: Connection, ids: Sequence[int]
) -> tuple[list[BoxRow], dict[tuple[int, str], Carried]]:
    boxes: list[BoxRow] = []
    carried: dict[tuple[int, str], Carried] = {}
    columns = [_b[name] for name in BoxRow._fields[:-1]]
    marks = (_k.first, _k.second, _k.x1, _k.y1, _k.x2, _k.y2, _k.sure)
    for part in parts(ids):
        tracked = select(*columns).where(
            _b.picture.in_(part), _b.removed == 0, _b.track.is_not(None)
        )
        boxes += [BoxRow(*row) for row in connection.execute(tracked)]
        rows = select(_k.picture, _k.track, *marks).where(_k.picture.in_(part))
        carried |= {(r[0], r[1]): carried_of(r[2:]) for r in connection.execute(rows)}
    return boxes, carried


def states_of(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[State, int]]:
    found: dict[int, tuple[State, int]] = {}
    for part in parts(ids):
        rows = select(_p.id, _p.state, _p.rev).where(_p.id.in_(part))
        found |= {id: (state, rev) for id, state, rev in connection.execute(rows)}
    return found


def spans_waiting(reel: Reel) -> list[Span]:
    """The spans that nothing was followed through since their keys are what they are."""
    paths, ids = reel.footage.paths, [reel.ids[path] for path in reel.footage.paths]
    found = []
    for first, second in spans(reel.keys()):
        known = reel.carried.get((ids[first.place + 1], kept(first.track)))
        if known is None or (known.first, known.second) != (first.mark, second.mark):
            part = slice(first.place, second.place + 1)
            found.append(Span(first, second, paths[part], tuple(ids[part])))
    return found


def likeness_of(
    connection: Connection, found: Sequence[tuple[int, Between]], ends: dict[str, str]
) -> dict[int, float]:
    """For each picture with proposals, the least IoU of what moves through it with one of them."""
    names = {each.id: each.name for each in listing.classes(connection, set)}
    proposed: dict[int, list[tuple[str, Corners]]] = {}
    for part in parts(sorted({id for id, _ in found})):
        columns = (_q.picture, _q.name, _q.x1, _q.y1, _q.x2, _q.y2)
        open_ = _q.state == "open", _q.removed == 0, _q.score >= _LEAST_SCORE
        rows = select(*columns).where(_q.picture.in_(part), *open_)
        for id, name, *corners in connection.execute(rows):
            proposed.setdefault(id, []).append((given(name), tuple(corners)))
    least: dict[int, float] = {}
    for id, one in found:
        if id in proposed:
            name = names.get(ends.get(one.label, one.label), "")
            same = [corners for other, corners in proposed[id] if other == name]
            like = float(iou(np.array([one.corners]), np.array(same)).max()) if same else 0.0
            least[id] = min(least.get(id, math.inf), like)
    return least
