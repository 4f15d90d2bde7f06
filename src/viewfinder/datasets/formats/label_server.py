"""A set whose labels a team keeps in PostgreSQL: `DATA/.viewfinder/database.json` says where.

The studio leaves it when it opens such a set. Whoever names the database in `VIEWFINDER_DATABASE`
reads its labels; else whoever would read the set's files instead, which are older, is refused.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from viewfinder.datasets.editing.transaction import HIDDEN, SERVED, STUDIO
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, inside, write_json
from viewfinder.reading import read_bytes

DATABASE = "VIEWFINDER_DATABASE"
"""The environment's name for the address of the database that labels are read from."""

_LONGEST = 200


def server_of(root: Path) -> str | None:
    """Where the PostgreSQL database of a folder's labels is, in words; None where none is known."""
    known = _mark_of(root)
    if known is None:
        return None
    return in_words(known) if known else "a PostgreSQL database"


def _mark_of(root: Path) -> dict[str, object] | None:
    """What the mark says, nothing where it cannot be read; None where there is none."""
    file = root / HIDDEN / SERVED
    try:
        file.lstat()
    except OSError:
        # Not there; or nothing beside it can be read either, which whoever reads labels says.
        return None
    known: object = None
    with contextlib.suppress(OSError, ValueError, RecursionError):
        known = json.loads(read_bytes(file))
    return known if isinstance(known, dict) else {}


def served_at(root: Path) -> str | None:
    """The address at which the labels of a folder are read; None where they are not in a server.

    Raises:
        InputError: they are, and the environment names no such address, or another database; or
            labels are in the folder too.
    """
    known, url = _mark_of(root), os.environ.get(DATABASE, "")
    if known is None or (root / HIDDEN / STUDIO).exists() or not url:
        refuse_served(root)
        return None
    from viewfinder.datasets.formats.postgres import place_of, same_place, store_at  # SQLAlchemy

    place, store = place_of(url), known.get("store")
    # One server has many names; one store has one, wherever it is.
    same = store_at(url) == store if store else not known or same_place(known, place)
    if not same:
        raise InputError(
            f"the labels of {root} are kept in {server_of(root)}, and {DATABASE} names "
            f"{in_words(place)}, which holds others: name that one"
        )
    return url


def in_words(known: Mapping[str, object]) -> str:
    """A database as messages call it; of an address that may hold a password nothing else is said.

    Args:
        known: as of `keep_server`.
    """
    host, port, name, schema = (
        str(known.get(key) or "")[:_LONGEST] for key in ("host", "port", "name", "schema")
    )
    place = f"{host or '?'}:{port}" if port else host or "?"
    return f"PostgreSQL ({place}/{name}" + (f", schema {schema})" if schema else ")")


def keep_server(root: Path, place: dict[str, object]) -> str:
    """Leave a mark in a folder that says where its labels are.

    Args:
        place: `host`, `port`, `name`, if it is not the usual one, `schema`, and `store`, what
            tells the store from any other; no person's name and no password.

    Returns:
        what a person should know of it, in a sentence; nothing where all is as it was.
    """
    before, now = _mark_of(root), in_words(place)
    if before == place:
        return ""
    file = root / HIDDEN / SERVED
    try:
        with explained_writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        inside(root, [file], follow=False)
        write_json(file, place)
    except InputError as error:
        return (
            f"{error}: without this file, `check`, `train` and the others read the set's files and "
            "not the labels kept here"
        )
    if before is None:
        return ""
    told = in_words(before) if before else "a PostgreSQL database"
    stores = before.get("store"), place.get("store")
    if stores[0] == stores[1] if all(stores) else told == now:
        return ""
    return (
        f"the labels of this set were kept in {told} until now, and are kept in {now} from now "
        f"on: {'this is' if all(stores) else 'if that is'} another database, the labels of the "
        "first are not in it"
    )


def kept_store(root: Path) -> str:
    """What tells the store of a folder's labels from any other, as its mark has it; or nothing."""
    return str((_mark_of(root) or {}).get("store") or "")


def refuse_served(root: Path) -> None:
    """Refuse to read the labels of a folder where newer ones are in a PostgreSQL database.

    Raises:
        InputError: they are.
    """
    server = server_of(root)
    if server is None:
        return
    mark, beside = root / HIDDEN / SERVED, root / HIDDEN / STUDIO
    if beside.exists():
        raise InputError(
            f"labels of {root} are kept twice, in {server} and in {beside}: move away {mark} if "
            f"those of {STUDIO} count, or {STUDIO} if those of PostgreSQL do"
        )
    raise InputError(
        f"the labels of {root} are kept in {server}, and its files may be older: name the database "
        f"by {DATABASE}=postgresql://… before the command, or *Export* them on the page of "
        f"`{_opening(root)}` and give that new folder; or remove {mark} to read the files as they "
        "are"
    )


def refuse_other_store(root: Path, *, served: bool) -> None:
    """Refuse to open a second store of labels for a folder, with none of the first one's labels.

    Args:
        served: it is to be in PostgreSQL, and else in the folder.

    Raises:
        InputError: its labels are kept in the other place.
    """
    beside = root / HIDDEN / STUDIO
    if served and beside.exists():
        raise InputError(
            f"the labels of {root} are kept in {beside}, which --database would leave aside: open "
            f"the folder without it, or move {STUDIO} away"
        )
    if not served and (server := server_of(root)) is not None:
        twice = (
            f"; {beside} holds labels too, that count once that is done" if beside.exists() else ""
        )
        raise InputError(
            f"the labels of {root} are kept in {server}: open it with `{_opening(root)}`; or "
            f"remove {root / HIDDEN / SERVED} to label in the folder itself{twice}"
        )


def _opening(root: Path) -> str:
    return f"viewfinder label {quote(str(root))} --database postgresql://…"
