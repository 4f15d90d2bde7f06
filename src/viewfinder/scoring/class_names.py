"""Classes that answers name, by the set's own list."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from viewfinder.wording import likest, some

# More names are not shown.
_TOLD = 3


def class_numbers(names: Iterable[str], classes: Sequence[str], notes: list[str]) -> dict[str, int]:
    """The number of each name that is a class's: to the letter, or but for large letters, spaces
    around and how a whole number is written (01 or 1.0 for 1), which is noted. Names of no class
    are not there."""
    exact = {_composed(name): number for number, name in enumerate(classes)}
    loosely = {_loose(name): number for number, name in enumerate(classes)}
    wanted = list(dict.fromkeys(names))
    found = {name: exact[_composed(name)] for name in wanted if _composed(name) in exact}
    if len(loosely) < len(exact):  # Two classes are told apart by nothing else.
        return found
    others = {name: loosely.get(_loose(name)) for name in wanted if name not in found}
    loose = {name: number for name, number in others.items() if number is not None}
    if loose:
        told = [f"{name!r} for {classes[own]!r}" for name, own in loose.items()]
        told[0] = told[0].replace(" for ", " is taken for the class ", 1)
        notes.append(some(told))
    return found | loose


def meant(names: Sequence[str], classes: Sequence[str], numbers: Collection[int]) -> list[str]:
    """Names that the set does not have, the first of them with those of its classes that they may
    be misspellings of.

    Args:
        numbers: of the classes that other names are of.
    """
    there = [name for number, name in enumerate(classes) if number not in numbers]
    return [f"{name}{likest(name, there)}" for name in names[:_TOLD]] + list(names[_TOLD:])


def folded(name: str) -> str:
    """A name by which it is known however it is written: letters composed, and small."""
    return _composed(name).casefold()


def _loose(name: str) -> str:
    number = class_number(name)
    return folded(name) if number is None else str(number)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def class_number(word: str) -> int | None:
    """A whole number, also one that is written as 3.0; None of another word."""
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None
