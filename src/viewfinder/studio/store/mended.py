"""Files of labels that could not be read, and were later: they may have been half written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, update

from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.studio.store import tables
from viewfinder.studio.store.unread import (
    AGAIN,
    Kept,
    MendedFile,
    UnreadFile,
    edited_since,
    sign_of,
)
from viewfinder.wording import counted, some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_p, _box = tables.picture.c, tables.box.c
_AT_ONCE = 500


def others_again(connection: Connection, data: Path, known: Kept) -> dict[str, list[object]]:
    """The signs of the mended files that are there, and others than when they were read, or held
    for edits that are undone by now."""
    found = {}
    for name, each in known.mended.items():
        sign = sign_of(data / given(name))
        if sign[0] is None:
            continue
        ids = each.pictures
        if sign != each.sign or (
            each.held and len(_labelled(connection, ids, each.seq)) < len(ids)
        ):
            found[name] = sign
    return found


def wait_again(connection: Connection, known: Kept, signs: Mapping[str, list[object]]) -> list[str]:
    """Let the pictures of mended files that are others again wait for them.

    Returns:
        sentences on pictures that were edited since, which stay as they are.
    """
    told = []
    for name, sign in signs.items():
        _, seq, pictures, _ = known.mended.pop(name)
        labelled = _labelled(connection, pictures, seq)
        if labelled:
            told.append(hold(connection, known, name, sign, seq, labelled))
        free = [picture for picture in pictures if picture not in labelled]
        if not free:
            continue
        why = kept(f"{given(name)}: it is another file again")
        before = known.files.get(name)
        ids = [*dict.fromkeys([*(before.pictures if before else ()), *free])]
        known.files[name] = UnreadFile(AGAIN, why, ids)
        values = {"ready": 0, "trouble": why}
        connection.execute(update(tables.picture).where(_p.id.in_(free)).values(values))
    return told


def hold(
    connection: Connection,
    known: Kept,
    name: str,
    sign: list[object],
    seq: int,
    pictures: Sequence[int],
) -> str:
    """Keep that a file is not taken in, as its pictures have other labels; in a sentence."""
    rows = select(_p.id, _p.path, _p.rev).where(_p.id.in_(pictures[:_AT_ONCE])).order_by(_p.id)
    found = connection.execute(rows).all()
    paths = some([given(row.path) for row in found], 2)
    what = "it is another file than was read" if seq else "it can be read now"
    why = (
        f"{given(name)}: {what}, and was not taken in, as {paths} had other labels then; once "
        "these edits are undone in the studio, *Look again* reads it, or say done to keep yours"
    )
    revisions = {str(row.id): row.rev for row in found}
    known.mended[name] = MendedFile(sign, seq, list(pictures), (kept(why), revisions))
    return why


def _labelled(connection: Connection, pictures: Sequence[int], seq: int) -> list[int]:
    """The pictures that have other labels than a file gave them, or none gave: those with an edit
    in force since, or, where none was read, with labels of any kind."""
    if seq:
        return edited_since(connection, pictures, seq)
    boxed = select(_box.picture).where(_box.removed == 0, _box.picture.in_(pictures))
    bare = (_p.state == "todo") & (_p.listed == 0) & _p.id.not_in(boxed)
    rows = select(_p.id).where(_p.id.in_(pictures), ~bare)
    return list(connection.execute(rows).scalars())


def with_blank(found: "Found", blank: Iterable[str]) -> "Found":
    """What a folder holds, where these files of labels are empty: their pictures wait for them.

    One that is being written is empty at first, and one that was emptied says nothing of what was
    in it.
    """
    from viewfinder.studio.store.found import Unread

    unread = dict(found.unread)
    for file in blank:
        if file not in unread:
            own = tuple(path for path, of in found.files.items() if of == file)
            why = f"{file}: it is empty; write the boxes into it, or label the picture anew"
            unread[file] = Unread(own, why)
    return replace(found, unread=unread)


def blanks_wait(
    connection: Connection, data: Path, found: "Found", known: Kept, names: Iterable[str]
) -> "Found":
    """`with_blank`, of these files that are not read, and of those that their pictures have now."""
    files = []
    for name in names:
        if not known.files[name].labels:
            files.append(given(name))
        rows = select(_p.path).where(_p.id.in_(known.files[name].pictures))
        paths = map(given, connection.execute(rows).scalars())
        files += [found.files[path] for path in paths if path in found.files]
    return with_blank(found, [file for file in dict.fromkeys(files) if _is_blank(data / file)])


def _is_blank(file: Path) -> bool:
    try:
        return not read_bytes(file).removeprefix(b"\xef\xbb\xbf").strip()
    except (OSError, InputError):
        return False


def fewer(
    connection: Connection, ids: Mapping[str, int], now: Mapping[int, int], of: Mapping[str, str]
) -> list[str]:
    """Sentences on files that are read with fewer boxes than could be read of them before.

    Args:
        ids: the pictures by path, whose boxes are still those of before.
        now: how many boxes each is given.
        of: the file of each picture.
    """
    count = func.count()
    rows = select(_box.picture, count).where(_box.removed == 0).group_by(_box.picture)
    everything, before = list(ids.values()), dict[int, int]()
    for start in range(0, len(everything), _AT_ONCE):
        part = rows.where(_box.picture.in_(everything[start : start + _AT_ONCE]))
        before |= dict(map(tuple, connection.execute(part)))
    return [
        f"{of[path]} is read with {counted(now.get(id, 0), 'box')}, and {before[id]:,} could be "
        "read of it before: see that it is whole"
        for path, id in ids.items()
        if now.get(id, 0) < before.get(id, 0)
    ]
