"""Classes that answers name, by the set's own list."""

import unicodedata
from collections.abc import Iterable, Sequence

from viewfinder.wording import some


def class_numbers(names: Iterable[str], classes: Sequence[str], notes: list[str]) -> dict[str, int]:
    """The number of each name that is a class's: to the letter, or but for large letters and
    spaces around, which is noted. Names of no class are not there."""
    exact = {name: number for number, name in enumerate(classes)}
    folded = {_folded(name): number for number, name in enumerate(classes)}
    wanted = list(dict.fromkeys(names))
    found = {name: exact[name] for name in wanted if name in exact}
    if len(folded) < len(exact):  # Two classes are told apart by nothing else.
        return found
    others = {name: folded.get(_folded(name)) for name in wanted if name not in exact}
    loose = {name: number for name, number in others.items() if number is not None}
    if loose:
        told = [f"{name!r} for {classes[own]!r}" for name, own in loose.items()]
        told[0] = told[0].replace(" for ", " is taken for the class ", 1)
        notes.append(some(told))
    return found | loose


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
