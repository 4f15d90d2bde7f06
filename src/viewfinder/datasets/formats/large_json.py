"""JSON documents with arrays of a million objects, read without holding all the objects at once.

An array is parsed a few megabytes at a time: the text is cut between two objects, where `}`, a
comma and `{` follow each other, and what parses as whole objects was cut in the right place, since
a string, list or object that the cut went through would not be closed. So the standard parser does
the work at its own speed, and only a piece of the document is ever turned into dictionaries.
"""

import gc
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

Objects = list[dict[str, object]]

_PIECE = 1_000_000
_BETWEEN = re.compile(r"\}\s*,\s*\{")
_SPACE = re.compile(r"[ \t\r\n]*")
# The parser of the standard library, with a place to begin and the place where it ended.
_decode = json.JSONDecoder().raw_decode


def read_large_json(path: Path, take: Mapping[str, Callable[[Objects], None]]) -> dict[str, object]:
    """Read an object whose large members are arrays of objects.

    Args:
        take: for each such member, what is given its objects, piece by piece and in order.

    Returns:
        The other members.

    Raises:
        InputError: the file is no JSON object, is damaged, or a member of `take` is no array of
            objects. Whatever `take` raises passes through.
    """
    text = read_text(path)
    with without_collector(), explained_json(path):
        return _members(text, take, path)


def read_text(path: Path) -> str:
    """A file's text, in UTF-8 with or without a byte order mark.

    Raises:
        InputError: it cannot be read, or is in another encoding.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise InputError(f"{path} is not UTF-8 text ({where}): save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


@contextmanager
def explained_json(path: Path) -> Iterator[None]:
    """Turn what the parser says of a damaged document into an InputError with its place."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not whole JSON: {error.msg} in line {error.lineno}, column {error.colno}; "
            "export it again"
        ) from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply to be read: export it again") from None
    except InputError:
        raise
    except ValueError as error:  # a whole number of thousands of digits
        raise InputError(f"{path} holds a number that cannot be read: {error}") from None


def _members(
    text: str, take: Mapping[str, Callable[[Objects], None]], path: Path
) -> dict[str, object]:
    others: dict[str, object] = {}
    place = _expect(text, _skip(text, 0), "{")
    if text[place : place + 1] == "}":
        return _ended(text, place + 1, others)
    while True:
        key, place = _decode(text, place)
        if not isinstance(key, str):
            raise json.JSONDecodeError("a member's name must be a string", text, place)
        place = _expect(text, _skip(text, place), ":")
        if key in take:
            if text[place : place + 1] != "[":
                raise InputError(f"{path}: {key!r} must be a list; export the file again")
            place = _array(text, place, take[key], f"{path}: {key!r}")
        else:
            others[key], place = _decode(text, place)
        place = _skip(text, place)
        if text[place : place + 1] == "}":
            return _ended(text, place + 1, others)
        place = _expect(text, place, ",")


def _array(text: str, place: int, take: Callable[[Objects], None], where: str) -> int:
    """Hand over an array's objects; returns where the text goes on."""
    place = _expect(text, place, "[")
    if text[place : place + 1] == "]":
        return place + 1
    while True:
        cut = _BETWEEN.search(text, place + _PIECE)
        objects = _whole(text[place : cut.start() + 1]) if cut else None
        if cut and objects is not None:
            place = cut.end() - 1
        else:
            objects, place = _one_by_one(text, place, place + _PIECE)
        if set(map(type, objects)) != {dict}:
            raise InputError(f"{where} must hold objects alone; export the file again")
        take(objects)
        if text[place - 1] == "]":
            return place


def _whole(piece: str) -> Objects | None:
    """The objects of a piece, or None where the cut went through one."""
    try:
        objects: Objects = json.loads(f"[{piece}]")
    except (ValueError, RecursionError):
        return None
    return objects


def _one_by_one(text: str, place: int, until: int) -> tuple[Objects, int]:
    """The objects from `place` to a little beyond `until`, or to the array's end."""
    objects: Objects = []
    while True:
        item, place = _decode(text, place)
        objects.append(item)
        place = _skip(text, place)
        if text[place : place + 1] == "]":
            return objects, place + 1
        place = _expect(text, place, ",")
        if place > until:
            return objects, place


def _ended(text: str, place: int, members: dict[str, object]) -> dict[str, object]:
    if _skip(text, place) != len(text):
        raise json.JSONDecodeError("more after the end", text, place)
    return members


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()


def _expect(text: str, place: int, sign: str) -> int:
    """The place after `sign` and the space that follows it."""
    if text[place : place + 1] != sign:
        raise json.JSONDecodeError(f"{sign!r} is missing", text, place)
    return _skip(text, place + 1)


@contextmanager
def without_collector() -> Iterator[None]:
    """Python's search for cycles would walk through every new object again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
