"""Reading `scores.json` back: what a training found its run worth."""

import json
from pathlib import Path
from typing import Any

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes


def read_scores(file: Path) -> dict[str, Any]:
    """The scores by side, as JSON has them; what each holds is for the reader to see.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        scores = json.loads(read_bytes(file))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is damaged ({error}): train again") from error
    if not isinstance(scores, dict):
        raise InputError(f"{file} is damaged: it holds no table of scores; train again")
    return scores
