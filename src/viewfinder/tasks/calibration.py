"""The file in a run's folder that says how its scores become as sure as they are right.

`calibration.json` is written at a training's end (`evaluation/calibrating.py`); what it means is
for each task to say. Every map keeps the order of scores, so that a second one is never needed for
thresholds, and undoing it gives the net's own scores back.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.files import write_json
from viewfinder.reading import read_bytes
from viewfinder.tasks.model import Model, without_habit
from viewfinder.values import as_table

FILE = "calibration.json"
CALIBRATION = "calibration"
"""The name of a model's habit that holds the map of its scores; without it they are the net's."""

_LARGEST = 1 << 24


def write_calibration(folder: Path, document: Mapping[str, object]) -> None:
    """Keep a calibration in a run's folder."""
    write_json(folder / FILE, dict(document))


def read_calibration(folder: Path) -> dict[str, object]:
    """What a run's folder says of its scores; nothing of a run without calibration.

    Raises:
        InputError: it is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return {}
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("too large")
        return as_table(json.loads(read_bytes(file)))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(folder) from error


def damaged(folder: Path) -> InputError:
    """What to say of a file that no training wrote."""
    return InputError(
        f"{folder / FILE} is damaged, or of another run: train again, or remove it for the "
        "network's own scores"
    )


def with_own_scores(model: Model) -> Model:
    """The same model, giving its net's own scores."""
    return without_habit(model, CALIBRATION)
