"""What a training writes down to go on from exactly: every tensor it changes, and its progress."""

import zipfile
from collections.abc import Mapping
from typing import Protocol

import torch

from viewfinder.errors import InputError
from viewfinder.nets.weight_heads import refuse_compressed
from viewfinder.reading import refuse_special
from viewfinder.runs.run import RunFolder
from viewfinder.training.progress import TrainingProgress


class Stateful(Protocol):
    """What torch keeps the state of: nets, optimisers, scalers."""

    def state_dict(self) -> Mapping[str, object]: ...

    def load_state_dict(self, state_dict: dict[str, object], /) -> object: ...


Parts = Mapping[str, Stateful]
"""By their names in the file."""


def write_state(run: RunFolder, parts: Parts, progress: dict[str, object]) -> None:
    """Write the state of all parts, whole or not at all."""
    run.save_state({name: part.state_dict() for name, part in parts.items()}, progress)


def read_state(run: RunFolder, parts: Parts, device: torch.device) -> TrainingProgress:
    """Give all parts the state that was written.

    Raises:
        InputError: the file is damaged, or of another version.
    """
    file = run.state_file
    try:
        refuse_special(file)
        # A small file can unpack into more than any memory.
        if zipfile.is_zipfile(file):
            refuse_compressed(file)
        state = torch.load(file, map_location=device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return TrainingProgress.from_json(state["progress"])
    # torch has no error of its own for a bad file: it raises whatever it stumbles over.
    except Exception as error:
        raise InputError(
            f"{file} is damaged, or of another version of Viewfinder, and the training cannot be "
            f"resumed: remove {run.folder} and train anew"
        ) from error
