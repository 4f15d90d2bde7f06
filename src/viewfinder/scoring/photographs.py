"""Which folder beside masks holds the photographs that they are of."""

from pathlib import Path

import numpy as np

from viewfinder.datasets.kind_names import kind_of
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.reading import read_picture

# Pictures of a folder that are looked at; and by how much the channels of grey may differ.
_LOOKS, _NEARLY_GREY = 3, 8


def photographs(root: Path, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those pairs whose picture is a photograph, not an edge or another method's map: by the name
    of its folder, or as it is in colour."""
    folders: dict[str, list[tuple[str, str]]] = {}
    for each in pairs:
        folders.setdefault(each[0].rpartition("/")[0], []).append(each)
    found = []
    for folder, own in folders.items():
        if any(kind_of(part) == "picture" for part in folder.split("/")):
            found += own
        elif all(_in_colour(root / picture) for picture, _ in own[:_LOOKS]):
            found += own
            note(f"pictures of the masks are taken from {root / folder}")
    return found


def _in_colour(file: Path) -> bool:
    try:
        return bool((np.ptp(read_picture(file), axis=2) > _NEARLY_GREY).any())
    except InputError:
        return False
