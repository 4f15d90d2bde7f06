"""The pictures below a folder, and which of them a label's file means."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from viewfinder.datasets.dataset import SPLITS
from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_below


def picture_files(root: Path) -> set[str]:
    """Every visible picture at any depth, relative to `root`, with forward slashes."""
    return set(pictures_below(root))


def locate(
    names: Sequence[str], folders: Iterable[str], present: set[str], *, where: str
) -> list[str]:
    """The pictures that a label file's names mean, relative to the set's root.

    Each lies in one of `folders`, the earlier the likelier; one that none of them has is given the
    folder of the others, so that an error names a likely place.

    Raises:
        InputError: a name that leads out of the set, or that no file can have.
    """
    tried = list(dict.fromkeys(folder.strip("/") for folder in folders))
    prefixes = [f"{folder}/" if folder and folder != "." else "" for folder in tried]
    found: list[str] = []
    missing: list[int] = []
    likely = prefixes[0] if prefixes else ""
    for plain in names:
        # What is there is below the root, and so has a name that leads nowhere else.
        if likely + plain not in present:
            plain = checked_name(plain, where=where)
            prefix = next((prefix for prefix in prefixes if prefix + plain in present), None)
            if prefix is None:
                missing.append(len(found))
                found.append(plain)
                continue
            likely = prefix
        found.append(likely + plain)
    for index in missing:
        found[index] = likely + found[index]
    return found


def checked_name(name: str, *, where: str) -> str:
    """A file's name as a label file gives it, with forward slashes.

    Raises:
        InputError: it is absolute, climbs out of the set, or holds what no file's name can.
    """
    plain = name.replace("\\", "/") if "\\" in name else name
    if plain.startswith("./"):
        plain = plain[2:]
    if not plain or plain[0] == "/" or ":" in plain[:3] or ".." in plain.split("/"):
        raise InputError(
            f"{where}: the picture's name {name!r} leads out of the set: give names relative to "
            "the folder of pictures"
        )
    try:
        encoded = os.fsencode(plain)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise InputError(f"{where}: no file can have the name {name!r}: export the labels again")
    return plain


def side_words(side: int) -> tuple[str, ...]:
    """The folders in which a side's pictures may lie."""
    return (SPLITS[side], "valid", "validation") if side == 1 else (SPLITS[side],)
