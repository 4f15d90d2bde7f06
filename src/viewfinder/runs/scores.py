"""Reading `scores.json` back: what a training found its run worth."""

import json
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.values import as_table

HELD_OUT = "held_out"
"""The side that folds make of all that the run learnt from: each picture as that fold's net answers
it which had not seen it."""


def read_scores(file: Path) -> dict[str, object]:
    """The scores by side, as JSON has them; what each holds is for the reader to see.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        scores: object = json.loads(read_bytes(file))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is damaged ({error}): train again") from error
    try:
        return as_table(scores)
    except ValueError:
        raise InputError(f"{file} is damaged: it holds no table of scores; train again") from None
