"""The studio's trainings as runs: where they are written, and by which command each is made."""

from collections.abc import Sequence
from pathlib import Path

TRAIN = ("-m", "viewfinder", "train", "detect")


class Trainings:
    """The runs of one data folder's trainings."""

    def __init__(self, data: Path, runs: Path | None = None) -> None:
        """
        Args:
            runs: where they are written; `runs` in the working directory if None.
        """
        self._data = data
        self._runs = (runs or Path("runs")).absolute()

    def own(self, run: str) -> Path | None:
        """A run's folder, where it is one of ours. What is kept beside the labels may be a
        stranger's: it names no other place."""
        folder = Path(run)
        return folder if run and folder.parent == self._runs and folder.is_dir() else None

    def free(self) -> Path:
        """The folder of the next run."""
        name, number = self._data.resolve().name, 1
        while (self._runs / f"{name}-studio-{number}").exists():
            number += 1
        return self._runs / f"{name}-studio-{number}"

    def words(self, run: Path, chosen: Sequence[str]) -> list[str]:
        """What Python is given to train.

        Args:
            chosen: the recipe's flags.
        """
        words = [*TRAIN, str(self._data.absolute()), "--out", str(run), *chosen]
        return [*words, "--json", "--json-lines"]
