"""TensorBoard's files, in the run's folder, where that package is installed (an extra)."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder import events

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class TensorBoard:
    """Writes each epoch's row of the history into `RUN/tensorboard/`."""

    def __init__(self) -> None:
        self._writers: dict[str, SummaryWriter] = {}

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.TrainingBegan):
            try:
                # Slow to import.
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                # An installation that is broken costs TensorBoard's files, and no training.
                events.note(f"nothing is written for TensorBoard: {error}")
                return
            self._writers[event.run] = SummaryWriter(str(Path(event.run) / FOLDER))
        elif isinstance(event, events.EpochEnded) and event.run in self._writers:
            for name, value in event.row.items():
                if name != "epoch":
                    self._writers[event.run].add_scalar(name, value, int(event.row["epoch"]))
        elif isinstance(event, events.TrainingEnded) and event.run in self._writers:
            self._writers.pop(event.run).close()


def usual() -> list[TensorBoard]:
    """The listener where its package is there (`viewfinder[tensorboard]`), and else none."""
    return [TensorBoard()] if importlib.util.find_spec("tensorboard") else []
