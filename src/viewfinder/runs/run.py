"""The folder that a training writes and that everything after it takes.

run.json             task, net, classes, recipe, versions, data, device, precision and why
weights.safetensors  the best weights, averaged
opinion.safetensors  with --second-opinion, where it gains: what judges the classes of objects again
calibration.json     how scores become as sure as they are right, fitted on held-out pictures
held-out.safetensors of a fold: its answers to the pictures that it judges
state.ckpt           what is needed to go on exactly
history.csv          a row an epoch
pictures.csv         which pictures it learnt from, by the digests of their files
scores.json          scores on the pictures that were never trained on
report.html          curves, scores by class, pictures, what to do next
tensorboard/         the history, for TensorBoard
folds/               with --folds: the runs that judged the recipe, `1`, `2`, …
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import safetensors.torch
import torch
from torch import Tensor, nn

from viewfinder.events import note
from viewfinder.files import explained_writing, replacing, write_bytes, write_json
from viewfinder.runs.history import Row, append_row, keep_rows, read_rows, sync_rows, write_rows
from viewfinder.runs.places import refuse_taken, require_run
from viewfinder.tasks.manifest import Manifest, read_manifest, write_manifest
from viewfinder.tasks.model import Model
from viewfinder.tasks.parts import TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.run_files import SCORES, STATE, WEIGHTS
from viewfinder.tasks.run_weights import model_of
from viewfinder.wording import counted

_HISTORY, _REPORT = "history.csv", "report.html"


@dataclass(frozen=True)
class RunFolder:
    """The folder that a training writes: its model, and all that is known of how it was trained."""

    folder: Path
    manifest: Manifest

    @cached_property
    def model(self) -> Model:
        """What answers, by the best weights so far."""
        return model_of(self.folder, self.manifest)

    def setup(self) -> TrainSetup[Recipe]:
        """What the run's task asks for at every step of its training."""
        return TrainSetup(self.manifest.recipe, self.model.config)

    def net(self) -> nn.Module:
        """The network with the run's best weights, in evaluation mode.

        Raises:
            InputError: no weights yet, or weights that are not this network's.
        """
        return self.model.load()

    @property
    def weights_file(self) -> Path:
        return self.folder / WEIGHTS

    @property
    def state_file(self) -> Path:
        return self.folder / STATE

    @property
    def history_file(self) -> Path:
        return self.folder / _HISTORY

    @property
    def scores_file(self) -> Path:
        return self.folder / SCORES

    @property
    def report_file(self) -> Path:
        return self.folder / _REPORT

    @property
    def learnt_from(self) -> str:
        """Where the set that it was trained on lies."""
        return self.manifest.learnt_from

    @property
    def finished(self) -> bool:
        """Whether its training came to its end: the report is what it writes last."""
        return self.report_file.exists()

    def save_weights(self, state: dict[str, Tensor]) -> None:
        """Replace the run's weights."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        write_bytes(self.weights_file, safetensors.torch.save(tensors))

    def save_state(self, tensors: Mapping[str, object], progress: Mapping[str, object]) -> None:
        """Replace what is needed to go on; the rows of the epochs that it has passed stay first."""
        sync_rows(self.history_file)
        # Straight into the file: a copy in memory would be as large as the net, thrice.
        with replacing(self.state_file) as file:
            stream = _Told(file)
            torch.save({**tensors, "progress": dict(progress)}, stream)  # type: ignore[arg-type]
            if stream.refusal is not None:
                raise stream.refusal

    def save_history(self, rows: Sequence[Row]) -> None:
        """Replace the history: a row an epoch, numbers to seven digits."""
        write_rows(self.history_file, rows)

    def append_history(self, row: Row) -> None:
        """Add an epoch's row to the history."""
        append_row(self.history_file, row)

    def keep_history(self, epochs: int) -> None:
        """Drop what the history has of epochs after the first so many: they are trained again."""
        if len(keep_rows(self.history_file, epochs)) < epochs:
            note(f"{self.history_file} lacks some of what has passed, {counted(epochs, 'epoch')}")

    def history(self) -> list[dict[str, float]]:
        """The history's rows; empty before the first epoch's end.

        Raises:
            InputError: the file holds something that no training wrote.
        """
        return read_rows(self.history_file)

    def save_scores(self, scores: Mapping[str, object]) -> None:
        """Replace the run's scores."""
        write_json(self.scores_file, scores)


class _Told:
    """A file whose refusal to be written is kept: torch makes another error of it, or dies."""

    def __init__(self, file: IO[bytes]) -> None:
        self.refusal: OSError | None = None
        self._file = file

    def write(self, data: bytes) -> int:
        if self.refusal is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.refusal = error
        return len(data)

    def flush(self) -> None:
        """Leave what is left to who opened the file."""


def create_run(folder: Path, manifest: Manifest, *, beside: Collection[str] = ()) -> RunFolder:
    """Begin a run in a new or empty folder.

    Args:
        beside: as of `refuse_taken`.

    Raises:
        InputError: there is something in that folder already, or it cannot be written.
    """
    refuse_taken(folder, beside=beside)
    with explained_writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        write_manifest(folder, manifest)
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise
    return RunFolder(folder, manifest)


def open_run(path: str | Path) -> RunFolder:
    """Read a run's folder back.

    Raises:
        InputError: no such folder, no run in it, or a run that this version cannot read.
    """
    folder = Path(path).expanduser()
    require_run(folder)
    return RunFolder(folder, read_manifest(folder))
