"""The files by which a folder is known for a run; asked without importing torch."""

import json
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.values import as_list, as_table, as_text, as_whole

MANIFEST = "run.json"
"""What a run is: its task, net, classes and recipe."""
WEIGHTS = "weights.safetensors"
"""The best weights so far."""
STATE = "state.ckpt"
"""What is needed to go on exactly."""
SCORES = "scores.json"
"""How good it is."""


def require_manifest(folder: Path) -> None:
    """See that a folder is a run's.

    Raises:
        InputError: it is none, or there is none.
    """
    if not (folder / MANIFEST).is_file():
        what = "is not a run" if folder.exists() else "does not exist"
        raise InputError(
            f"{folder} {what}: give the folder that `viewfinder train` wrote, with a {MANIFEST}"
        )


def net_of(folder: Path) -> str | None:
    """The net of a run; None where its `run.json` does not say, which opening it explains."""
    try:
        return as_text(as_table(json.loads(read_bytes(folder / MANIFEST)))["net"])
    except (OSError, ValueError, KeyError, RecursionError):
        return None


def learnt_at(place: Path) -> tuple[int, int] | None:
    """Width and height of the pictures that a run learnt from, named by its folder or its weights;
    None where that is no run, or its `run.json` does not say."""
    folder = place.parent if place.name == WEIGHTS else place
    try:
        document = as_table(json.loads(read_bytes(folder / MANIFEST)))
        width, height = map(as_whole, as_list(document["size"]))
    except (OSError, ValueError, KeyError, RecursionError):
        return None
    return width, height


def task_and_classes(folder: Path) -> tuple[str, tuple[str, ...]] | None:
    """What a run learnt, for who looks at what is asked of it before it is opened; None where its
    `run.json` does not say, which opening it explains."""
    try:
        document = as_table(json.loads(read_bytes(folder / MANIFEST)))
        classes = tuple(map(as_text, as_list(document["classes"])))
        return as_text(document["task"]), classes
    except (OSError, ValueError, KeyError, RecursionError):
        return None
