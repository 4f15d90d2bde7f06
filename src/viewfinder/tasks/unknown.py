"""What is said where a model does not know."""

from collections.abc import Sequence

_WORD = "unknown"


def unknown_in(classes: Sequence[str]) -> str:
    """`unknown`, or another word for it where that is the name of a class."""
    name = _WORD
    while name in classes:
        name = f"{name} to the model"
    return name
