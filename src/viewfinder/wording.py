"""How counts and lists are said to a person."""

from collections.abc import Sequence


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 picture`, `1,200 boxes`.

    Args:
        plural: where it is not the noun with an s.
    """
    if number == 1:
        return f"1 {noun}"
    ending = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{number:,} {plural or noun + ending}"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of some names, and that there are more."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
