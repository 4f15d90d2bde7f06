"""Proposals beside labels: proposing changes no label, and what was rejected of a run stays so."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, bindparam, or_, select

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.labelling.proposals import Proposals
from viewfinder.studio.store import tables
from viewfinder.studio.store.applying import mask_text
from viewfinder.studio.store.records import Corners
from viewfinder.studio.store.writing import Contents, Writer

# Two proposals of one run that share so much of their area are the same one.
_SAME = 0.9
_q = tables.proposal.c


def propose(
    writer: Writer,
    run: str,
    proposals: Proposals,
    *,
    alone: bool = False,
    as_of: int | None = None,
) -> int:
    """Put a run's proposals in place of its open ones, of the pictures that it looked at; alone, in
    place of everybody's.

    One that is like another of the same run and class that was accepted or rejected is not asked
    again. Pictures that the store does not have are passed over.

    Returns:
        how many are open now that were not.
    """
    connection = writer.connection
    ids = _pictures(connection, proposals.paths)
    looked = [ids[path] for path in proposals.paths if path in ids]
    before = _before(connection, run, looked, open_of_all=alone)
    _give_place(connection, [row for rows in before.values() for row in rows])
    # By its beginning it is known which class a name meant (`naming`).
    stem = f"p{writer.seq}" if as_of is None else f"p{as_of}-{writer.seq}"
    new = []
    for row in range(len(proposals)):
        path = proposals.paths[int(proposals.pictures[row])]
        if path not in ids:
            continue
        made = _row(run, proposals, row, ids[path]) | {"id": f"{stem}-{row}"}
        decided = [each for each in before.get(ids[path], ()) if each["state"] != "open"]
        if not any(_same(each, made) for each in decided):
            new.append(made)
    if new:
        connection.execute(tables.proposal.insert(), new)
    for start in range(0, len(looked), 500):
        connection.execute(
            tables.picture.update()
            .where(tables.picture.c.id.in_(looked[start : start + 500]))
            .values(touched=writer.seq)
        )
    return len(new)


def _give_place(connection: Connection, rows: Sequence[RowMapping]) -> None:
    """Open proposals go. Those of the last time stay as removed ones, until the next: a person may
    have them on the screen, and accept what is seen there."""
    shown, gone = ([{"key_": row["id"]} for row in rows if row["state"] == "open"
                    and bool(row["removed"]) is removed] for removed in (False, True))  # fmt: skip
    one = _q.id == bindparam("key_")
    if gone:
        connection.execute(tables.proposal.delete().where(one), gone)
    if shown:
        connection.execute(tables.proposal.update().where(one).values(removed=1), shown)


def _pictures(connection: Connection, paths: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    names = {kept(path): path for path in paths}
    keys = list(names)
    table = tables.picture.c
    for start in range(0, len(keys), 500):
        rows = select(table.path, table.id).where(table.path.in_(keys[start : start + 500]))
        found |= {names[path]: number for path, number in connection.execute(rows)}
    return found


def _before(
    connection: Connection, run: str, pictures: Sequence[int], *, open_of_all: bool
) -> dict[int, list[RowMapping]]:
    found: dict[int, list[RowMapping]] = {}
    whose = _q.run == kept(run)
    for start in range(0, len(pictures), 500):
        rows = select(tables.proposal).where(
            or_(whose, _q.state == "open") if open_of_all else whose,
            _q.picture.in_(pictures[start : start + 500]),
        )
        for row in connection.execute(rows).mappings():
            found.setdefault(row["picture"], []).append(row)
    return found


def _row(run: str, p: Proposals, row: int, picture: int) -> Contents:
    x1, y1, x2, y2 = p.found.boxes[row].tolist()
    return {
        "picture": picture,
        "run": kept(run),
        "name": kept(p.classes[int(p.found.labels[row])]),
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "mask": mask_text(p.masks[row]) if row in p.masks else None,
        "source": kept(source_of(p.sources[row])),
        "score": float(p.found.scores[row]),
        "state": "open",
        "box": None,
        "place": row,
        "rev": 1,
        "removed": 0,
    }


def by_run(proposals: Proposals) -> dict[str, Proposals]:
    """What each proposer said, of all pictures that were looked at."""
    runs = [run_of(source) for source in proposals.sources]
    return {run: _of_run(proposals, runs, run) for run in dict.fromkeys(runs)}


def _of_run(proposals: Proposals, runs: Sequence[str], run: str) -> Proposals:
    rows = [row for row, each in enumerate(runs) if each == run]
    return replace(
        proposals,
        pictures=proposals.pictures[rows],
        found=proposals.found.take(rows),
        sources=tuple(proposals.sources[row] for row in rows),
        masks={new: proposals.masks[row] for new, row in enumerate(rows) if row in proposals.masks},
    )


def run_of(source: str) -> str:
    """What proposed: the words of a proposal's source without those about this one."""
    return source.partition(",")[0]


def source_of(source: str) -> str:
    """Where a box comes from, as `Box.source` says it, from the words of a proposal."""
    kind, _, name = (part.strip() for part in run_of(source).partition(":"))
    if kind == "track":
        return "interpolation" if name == "linear" else "track"
    if kind in ("plate", "saliency", "interpolation"):
        return kind
    return f"run:{(name or kind)[:200]}"


def _same(one: RowMapping, other: Contents) -> bool:
    if one["name"] != other["name"]:
        return False
    a, b = _corners(one), _corners(other)
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    both = width * height
    return both >= _SAME * (_area(a) + _area(b) - both)


def _corners(row: RowMapping | Contents) -> Corners:
    return row["x1"], row["y1"], row["x2"], row["y2"]


def _area(corners: Corners) -> float:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])
