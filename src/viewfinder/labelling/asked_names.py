"""Which of a detector's classes are wanted, and what to call them; told without importing torch."""

from collections.abc import Collection, Sequence

from viewfinder.errors import InputError
from viewfinder.wording import likest


def read_names(entries: Sequence[str]) -> dict[str, str]:
    """What to call each class that `--names` names.

    Args:
        entries: each as class, or as class=name.

    Raises:
        InputError: one is written otherwise.
    """
    names = {}
    for entry in entries:
        theirs, separator, ours = (part.strip() for part in entry.partition("="))
        if not theirs or (separator and not ours):
            raise InputError(
                f"--names {entry}: write each as class, or as class=name, as in 'cell phone=phone'"
            )
        names[theirs] = ours or theirs
    return names


def refuse_unknown_names(names: Collection[str], classes: Sequence[str]) -> None:
    """Refuse a name that is none of a detector's classes.

    Raises:
        InputError: there is one; with what may be meant.
    """
    if unknown := [name for name in names if name not in classes]:
        raise InputError(
            f"--names: the detector has no class {unknown[0]!r}{likest(unknown[0], classes)}: it "
            f"has {', '.join(classes)}"
        )
