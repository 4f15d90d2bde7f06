"""The documents of `large_json`, where they are plain, without a dictionary for each object.

An array's pieces are given as bytes to who decodes them by types, several times as fast as the
standard parser makes dictionaries. A document with anything that is not plain (damage, another
encoding, a value of another type) ends in `NotPlain`: `large_json` reads it from its start, and
explains what it cannot read.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from viewfinder.datasets.formats.large_json import without_collector
from viewfinder.reading import read_bytes

# What a piece becomes still lies near the processor while columns are made of it.
_PIECE = 200_000
_BEGIN = re.compile(rb"\[\s*")
_BETWEEN = re.compile(rb"\}\s*,\s*\{")
# A cut through an object is moved on so many times.
_MOST_CUTS = 8
# Bytes that are checked at once.
_BLOCK = 1 << 22
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_keys = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class NotPlain(Exception):
    """A document must be read by `large_json`."""


class TypedObjects:
    """Decodes an array's pieces into objects with an attribute for each field.

    Fields of no use are learnt as they are met, and counted.

    Args:
        fields: the type of each field, and its default where it may be missing.
        elsewhere: fields that only the other way of reading understands.
    """

    def __init__(
        self, fields: Mapping[str, tuple[Any, ...]], *, elsewhere: frozenset[str] = frozenset()
    ) -> None:
        self._fields, self._elsewhere = fields, elsewhere
        self._others: list[str] = []
        self._decoder = self._made()

    def decode(self, piece: bytes) -> list[Any] | None:
        """The objects of a piece, `[{…}, …]`; None where it is cut through one.

        Raises:
            NotPlain: a value is of another type.
        """
        try:
            return self._decoder.decode(piece)
        except msgspec.ValidationError:
            pass
        except _REFUSED:
            return None
        try:
            present: set[str] = set().union(*_keys.decode(piece))
        except _REFUSED:
            return None
        new = sorted(present - self._fields.keys() - set(self._others))
        if not new or present & self._elsewhere:
            raise NotPlain
        self._others += new
        try:
            self._decoder = self._made()
            return self._decoder.decode(piece)
        except (*_REFUSED, ValueError):  # the last, of a name that holds control characters
            raise NotPlain from None

    def others(self, objects: list[Any]) -> dict[str, int]:
        """How often each field of no use is there."""
        columns = {
            key: list(map(attrgetter(f"other{place}"), objects))
            for place, key in enumerate(self._others)
        }
        counts = {key: len(c) - c.count(msgspec.UNSET) for key, c in columns.items()}
        return {key: count for key, count in sorted(counts.items()) if count}

    def _made(self) -> "msgspec.json.Decoder[list[Any]]":
        other = {f"other{place}": key for place, key in enumerate(self._others)}
        unread = (msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)
        made = msgspec.defstruct(
            "Typed",
            [(name, *kind) for name, kind in self._fields.items()] + [(n, *unread) for n in other],
            rename=other,
            kw_only=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        return msgspec.json.Decoder(list[made])  # type: ignore[valid-type]


def read_typed_json(path: Path, take: Mapping[str, Callable[[bytes], bool]]) -> dict[str, object]:
    """Read an object whose large members are arrays of objects.

    Args:
        take: for each such member, what is given its objects piece by piece and in order, each
            piece an array as JSON; it answers false where one is cut through an object.

    Returns:
        The other members.

    Raises:
        NotPlain: all of it must be read by `large_json`. Whatever `take` raises passes through.
    """
    try:
        data = read_bytes(path).removeprefix(codecs.BOM_UTF8)
    except OSError:
        raise NotPlain from None
    if not _is_text(data):
        raise NotPlain
    with without_collector():
        try:
            members = _members.decode(data)
            _require_each_once(data, members)
            others = {key: json.loads(bytes(v)) for key, v in members.items() if key not in take}
        except (*_REFUSED, ValueError):
            raise NotPlain from None
        for key, value in members.items():
            if key in take:
                _hand_over(memoryview(value), take[key])
    return others


def _require_each_once(data: bytes, members: Mapping[str, msgspec.Raw]) -> None:
    """See that members fill their document, as they do where none stands there twice: of those only
    the last is here, which `large_json` sees otherwise.

    Raises:
        NotPlain: they do not, or a name is written with escapes.
    """
    place = 0
    for key, value in members.items():
        name = re.escape(json.dumps(key, ensure_ascii=False).encode())
        before = re.compile(rb"[\s{,]*" + name + rb"\s*:\s*").match(data, place)
        if before is None:
            raise NotPlain
        place = before.end() + len(memoryview(value))
    if data[place:].strip() not in (b"}", b"{}"):
        raise NotPlain


def _hand_over(array: memoryview, take: Callable[[bytes], bool]) -> None:
    start = _BEGIN.match(array)
    if start is None:
        raise NotPlain
    place, end = start.end(), len(array) - 1
    while place < end:
        # Where one cut went through an object, the next is tried.
        cuts = islice(_cuts(array, place, end), _MOST_CUTS)
        goes_on = (after for until, after in cuts if take(b"[%b]" % bytes(array[place:until])))
        if (after := next(goes_on, None)) is None:
            raise NotPlain
        place = after


def _cuts(array: memoryview, place: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a piece that begins at `place` may end, and where the next then begins."""
    for cut in _BETWEEN.finditer(array, place + _PIECE):
        yield cut.start() + 1, cut.end() - 1
    yield end, end


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8, seen without making a text of them all at once."""
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
