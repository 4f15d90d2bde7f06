"""What a folder's proposals say of it: that boxes are labelled there, whatever its folders look
like, and which of its pictures are of the empty stand."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from sqlalchemy import Connection, select

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.postgres import STORE
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals, read_proposals
from viewfinder.studio.store import tables
from viewfinder.studio.store.changes import Accept, Change, PutBox
from viewfinder.studio.store.database import Database, value_of
from viewfinder.studio.store.records import Kind

# The words before a stand's name in the source of what `propose --by plate` proposes.
_BY_PLATE = "plate: "


def proposed_for(data: Path) -> Proposals:
    """A folder's proposals; none of a file that is damaged, which is said once they are taken."""
    with contextlib.suppress(InputError):
        return read_proposals(data)
    return Proposals()


def stand_names(sources: Iterable[str]) -> frozenset[str]:
    """The names of the pictures of empty stands that proposals were made by."""
    found = (source.partition(",")[0].partition(_BY_PLATE) for source in sources)
    return frozenset(name for before, plate, name in found if plate and not before)


def stands_among(paths: Iterable[str], proposals: Proposals) -> frozenset[str]:
    """Of pictures, those of empty stands: others were compared with them, and they with none."""
    names, looked_at = stand_names(proposals.sources), frozenset(proposals.paths)
    return frozenset(
        path for path in paths if PurePosixPath(path).name in names and path not in looked_at
    )


def with_boxes(folders: Dataset, proposals: Proposals, below: str) -> Dataset:
    """Class folders as a set of boxes, of which none is drawn yet: of the classes that are
    proposed, and of objects on a stand also those that nothing is proposed of.

    Args:
        below: the path of the class folders' own folder, relative to that of the proposals.
    """
    paths = [f"{below}/{path}" if below else path for path in folders.paths]
    stands = stands_among(paths, proposals)
    rows = [row for row, path in enumerate(paths) if path not in stands]
    own = folders.classes if stand_names(proposals.sources) or not len(proposals) else ()
    classes = tuple(dict.fromkeys((*own, *proposals.classes)))
    left = np.full(len(rows), -1, np.int64)
    return replace(folders.select(rows), classes=classes, labels=left)


def why_boxes(data: Path) -> str:
    """What is said where proposals decided that boxes are labelled."""
    return (
        "the pictures lie in folders as of classes, and boxes are proposed for them: so boxes are "
        f"labelled here (viewfinder label {data} --kind classes gives each picture a class instead)"
    )


def reconsider(database: Database, data: Path, kind: Kind | None) -> None:
    """Let a folder be read anew that was read for another kind of labels, if nobody labelled.

    Args:
        kind: what is asked for; None for boxes where a folder of classes has proposals of them.

    Raises:
        InputError: it has labels of the other kind already.
    """
    with database.read() as connection:
        now = value_of(connection, "kind")
        decided = select(tables.operation.c.seq).where(tables.operation.c.kind != "propose")
        labelled = connection.execute(decided.limit(1)).first() is not None
        listed = select(tables.picture.c.id).where(tables.picture.c.listed == 1).limit(1)
        own = now != "classes" and connection.execute(listed).first() is not None
    asked = kind or ("boxes" if now == "classes" and len(proposed_for(data)) else now)
    if now is None or asked == now:
        return
    if own:
        raise InputError(f"{data} has files of {now}: what is labelled there is {now}")
    if not labelled:
        _forget(database)
    elif kind is not None:
        raise InputError(
            f"{data} was labelled for {now} in the studio, and these labels would be lost: label a "
            f"copy of its pictures for {kind}, or move {data / HIDDEN / STUDIO} elsewhere"
        )


def refuse_boxes(connection: Connection, changes: Sequence[Change]) -> None:
    """Keep boxes out of a set whose pictures have classes, where they would count nowhere.

    Raises:
        InputError: it is one, and a change makes a box.
    """
    makes = any(isinstance(each, PutBox | Accept) for each in changes)
    if makes and value_of(connection, "kind") == "classes":
        raise InputError(
            "here each picture has a class as a whole, and a box would count nowhere: open the "
            "folder by `viewfinder label --kind boxes`"
        )


def _forget(database: Database) -> None:
    """Empty a store, but for what tells it from others and what people set."""
    meta = tables.meta.c.key
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table is not tables.meta:
                connection.execute(table.delete())
        kept = meta.in_(("schema", STORE)) | meta.startswith("page:settings:", autoescape=True)
        connection.execute(tables.meta.delete().where(~kept))
