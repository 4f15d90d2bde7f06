"""Sets within a folder: where the studio keeps labels of one, its files may be older.

A folder of several sets is read as one set, as is one of links that lead into others; the studio's
labels of these lie in folders that nobody named.
"""

import os
from pathlib import Path

from viewfinder.datasets.formats.labels_above import (
    has_labels,
    kind_kept,
    labelled_above,
    refuse_within,
)
from viewfinder.pictures.finding import walk

# What labels are written in.
_LABELS = (".txt", ".xml", ".json", ".jsonl", ".csv", ".yaml", ".yml")


def refuse_other_sets(root: Path) -> None:
    """Refuse to read files of labels below a folder that are of a set with labels in the studio.

    Raises:
        InputError: some are, and labels were edited there; or these cannot be read.
    """
    if has_labels(root):
        return
    for place in sorted(_places(root)):
        if _set_at(place, root) is not None:
            refuse_within(place, itself=True)


def refuse_other_classes(root: Path) -> None:
    """Refuse to read the names of folders as classes where the studio keeps other ones of them.

    Raises:
        InputError: classes were edited below `root`; or these labels cannot be read.
    """
    if has_labels(root):
        return
    for place in walk(root):
        here = root / place.path
        top = _set_at(here, root) if place.path else None
        if top is not None and kind_kept(top) == "classes":
            refuse_within(here, itself=True)


def _set_at(place: Path, root: Path) -> Path | None:
    """The set with labels that a folder below `root` is of; None of what `root` itself lies in,
    which is for whoever is given that to decide."""
    top = labelled_above(place, itself=True)
    if top is None:
        return None
    real, own = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    within = real.is_relative_to(own) and own.is_relative_to(os.path.realpath(top))
    return None if within else top


def _places(root: Path) -> set[Path]:
    """The folders below `root` in which files of labels lie, and those that such files are linked
    from."""
    found: set[Path] = set()
    for place in walk(root):
        if not any(name.lower().endswith(_LABELS) for name in place.files):
            continue
        here = root / place.path
        if place.path:
            found.add(here)
        with os.scandir(here) as entries:  # which knows of each what it is, without asking again
            links = [entry.path for entry in entries if entry.is_symlink()]
        labels = (link for link in links if link.lower().endswith(_LABELS))
        found |= {Path(os.path.realpath(each)).parent for each in labels}
    return found
