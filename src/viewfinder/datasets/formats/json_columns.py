"""From a list of JSON objects to columns, with an error that names the object that does not fit."""

import re
from collections import Counter
from itertools import chain
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.formats.large_json import Objects
from viewfinder.errors import InputError

# The number of the first text that stands where a number should; no file counts so far.
_FIRST_OF_TEXTS = 2**40
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BETWEEN_NUMBERS = re.compile(r"[\s,;()\[\]]+")
# What the four numbers of a box are called, where they have names.
_SIZES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
)
_ENDS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)


def whole_numbers(
    objects: Objects, key: str, where: str, *, default: int | None = None
) -> NDArray[np.int64]:
    """A column of whole numbers.

    Raises:
        InputError: one is missing and there is no default, or is no whole number of 64 bits.
    """
    if not objects:
        return np.zeros(0, np.int64)
    column = _column(objects, key, where, default)
    if column.ndim == 1 and column.dtype.kind in "fU":
        column = _as_whole(column)
    if column.ndim != 1 or column.dtype.kind not in "ib":
        raise _wrong(objects, key, where, "a whole number")
    return column.astype(np.int64)


def identities(
    objects: Objects, key: str, where: str, known: dict[str, int], *, default: int | None = None
) -> NDArray[np.int64]:
    """A column of numbers that name something, such as ids; texts are given numbers of their own.

    Args:
        known: the number of each text so far, which grows.

    Raises:
        InputError: one is missing and there is no default, or is neither a number nor a text.
    """
    try:
        return whole_numbers(objects, key, where, default=default)
    except InputError:
        values = [item.get(key, default) for item in objects]
        if not all(isinstance(v, str) or (isinstance(v, int) and abs(v) < 2**63) for v in values):
            raise
        named = (known.setdefault(str(v), _FIRST_OF_TEXTS + len(known)) for v in values)
        return np.fromiter(named, np.int64, len(values))


def boxes_or_nan(objects: Objects, key: str) -> NDArray[np.float64]:
    """Rows of four numbers, `x, y, width, height`; NaN where there is anything else.

    A text of four numbers is taken for them, and so is an object that names what they are.
    """
    try:
        return numbers(objects, key, "", 4)
    except InputError:
        return np.array([_four(item.get(key)) for item in objects], np.float64).reshape(-1, 4)


def _four(value: object) -> list[float]:
    nothing = [np.nan] * 4
    if isinstance(value, dict):
        return _named_four(value) or nothing
    if isinstance(value, str) and not _BETWEEN_NUMBERS.sub("", _NUMBER.sub("", value)):
        value = _NUMBER.findall(value)
    if not isinstance(value, list) or len(value) != 4:
        return nothing
    try:
        return list(map(_number, value))
    except (ValueError, OverflowError):
        return nothing


def _number(value: object) -> float:
    """A number, or a text of one; raises ValueError or OverflowError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("it is no number")
    return float(value)


def _named_four(box: dict[str, object]) -> list[float] | None:
    """A box of numbers with names: a corner and a size, or two corners."""
    named = {str(key).lower().replace("_", ""): value for key, value in box.items()}
    keys = next((keys for keys in (*_SIZES, *_ENDS) if named.keys() >= set(keys)), ())
    try:
        four = [_number(named[key]) for key in keys]
    except (ValueError, OverflowError):
        return None
    if keys not in _ENDS:
        return four or None
    x1, y1, x2, y2 = four
    return [x1, y1, x2 - x1, y2 - y1]


def _as_whole(column: np.ndarray) -> np.ndarray:
    """The whole numbers that a column of fractions or of texts stands for, if it does."""
    try:
        values = column.astype(np.float64)
    except ValueError:
        return column
    if not (np.isfinite(values).all() and (np.abs(values) < 2**53).all()):
        return column
    whole = values.astype(np.int64)
    return whole if (whole == values).all() else column


def numbers(
    objects: Objects, key: str, where: str, length: int, *, default: float | None = None
) -> NDArray[np.float64]:
    """A column of numbers, or with a `length` above 1 rows of so many each.

    Raises:
        InputError: one is missing and there is no default, or is no such number.
    """
    one = length == 1
    column = _column(objects, key, where, default) if one else _rows_of(objects, key, length)
    if (
        column.shape != (len(objects), length)[: column.ndim]
        or column.ndim != 2 - one
        or column.dtype.kind not in "if"
    ):
        raise _wrong(objects, key, where, "a number" if length == 1 else f"{length} numbers")
    return column.astype(np.float64)


def _rows_of(objects: Objects, key: str, length: int) -> np.ndarray:
    """Lists of `length` numbers as rows; of another shape where one is not."""
    lists = [v for item in objects if isinstance(v := item.get(key), list) and len(v) == length]
    if len(lists) != len(objects):
        return np.array("")
    try:
        # One flat list is an array three times sooner than a list of lists.
        flat = list(chain.from_iterable(lists))
        if bool in set(map(type, flat)):
            return np.array("")
        return np.array(flat).reshape(-1, length)
    except (ValueError, OverflowError):
        return np.array("")


def _column(objects: Objects, key: str, where: str, default: float | None) -> np.ndarray:
    """A value of every object; an array of text where they make no array."""
    values: list[object]
    try:
        values = list(map(itemgetter(key), objects))
    except KeyError:
        if default is None:
            which = next(_which(k, item) for k, item in enumerate(objects) if key not in item)
            says = f"{where} ({which}) has no {key!r}: export the file again"
            raise InputError(says) from None
        values = [item.get(key) for item in objects]
    if default is not None and None in values:
        values = [default if value is None else value for value in values]
    try:
        return np.array(values)
    except (ValueError, OverflowError):
        return np.array("")


def _wrong(objects: Objects, key: str, where: str, what: str) -> InputError:
    """The error that names the first entry which is not like most."""
    kinds = Counter(type(item.get(key)).__name__ for item in objects)
    rare = min(kinds, key=lambda kind: kinds[kind])
    number, item = next(
        (k, item) for k, item in enumerate(objects) if type(item.get(key)).__name__ == rare
    )
    shown = f"{item.get(key)!r:.60}"
    return InputError(f"{where}'s {key!r} is not {what}, as with {_which(number, item)}: {shown}")


def _which(number: int, item: dict[str, object]) -> str:
    """An entry by its id; a list of results has none, and then by its place, from 1."""
    return f"id {item['id']!r:.30}" if item.get("id") is not None else f"entry {number + 1}"


def text_of(item: dict[str, object], key: str, where: str) -> str:
    """A value that must be text.

    Raises:
        InputError: it is missing, blank, or something else.
    """
    value = item.get(key)
    if not isinstance(value, str) or not value.strip():
        number = f"{item.get('id')!r:.30}"
        raise InputError(f"{where} (id {number}) has no {key!r}: export the file again")
    return value
