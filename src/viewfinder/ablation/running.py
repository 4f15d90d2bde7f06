"""A grid of recipes × seeds: which trainings are left to do, doing them, and gathering the scores.

Every training is a run of its own in `OUT/CELL/seed-N`, made by the very function that `train`
calls; what it reported stands beside it in `seed-N.log`. What is finished is never done again.
"""

import contextlib
import dataclasses
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from viewfinder.ablation import report
from viewfinder.ablation.grid import Cell, Grid
from viewfinder.ablation.report import Ablation, CellTraining
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import explained_writing, write_text
from viewfinder.runs.places import holds_run
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.runs.scores import read_scores
from viewfinder.tasks.figures import Score
from viewfinder.training.locking import taken
from viewfinder.training.workers import Slot, Train, TrainingOrder, work
from viewfinder.training.workers_report import JobsReport
from viewfinder.wording import counted

# What tells the folder of an ablation from any other: the file that it was last asked for with.
_MARK = "ablation.toml"
_SPLITS = ("test", "val")


@dataclass(frozen=True)
class Planned:
    """One training of the grid, and what is known of it so far."""

    cell: Cell
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.cell.name}, seed {self.seed}"


def ablate(grid: Grid, *, out: str | Path, train: Train, jobs: int | None = None) -> Ablation:
    """Do every training of the grid that is not finished, and gather all scores.

    Args:
        out: the ablation's folder; one that holds some of the trainings already is resumed.
        train: `viewfinder.train`.
        jobs: how many trainings at a time, each in a process of its own with its part of the
            threads, and of the GPUs; if None, one on the CPU, else one a GPU.

    Raises:
        InputError: a device that is not there, a folder that holds something else or the runs of
            other recipes or pictures, or a score that the runs do not have. A training that fails
            raises nothing: its cell tells why.
    """
    folder = Path(out).expanduser()
    slots = _slots(grid, jobs)
    with _taken(folder):
        planned = [
            Planned(cell, seed, folder / cell.slug / f"seed-{seed}")
            for seed in grid.seeds
            for cell in grid.cells
        ]
        waiting = {item.folder: item for item in planned if not _finished(item, grid)}
        gathered = Gathered(grid.score)
        for item in planned:
            if item.folder not in waiting:
                gathered.add(open_run(item.folder))
        write_text(folder / _MARK, grid.text)
        _do(grid, waiting, slots, train, gathered, finished=len(planned) - len(waiting))
    return _ablation(grid, folder, planned, gathered)


class Gathered:
    """The scores of finished runs by their folders, and why others failed."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.values: dict[Path, float] = {}
        self.failures: dict[Path, str] = {}
        self._pictures: tuple[str, Path] | None = None

    def add(self, run: RunFolder) -> None:
        """Read a finished run's score.

        Raises:
            InputError: it has no such score, or was trained on other pictures than those before.
        """
        fingerprint = run.manifest.data.get("fingerprint", "")
        first, where = self._pictures = self._pictures or (fingerprint, run.folder)
        if fingerprint != first:
            raise InputError(
                f"the pictures have changed between the trainings of {where} and {run.folder}, "
                "which cannot be compared: train anew into another --out"
            )
        scores = read_scores(run.scores_file)
        try:
            name, value = find_score(scores, self.score.name)
        except (ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"{run.scores_file}: {error}") from error
        self.score = dataclasses.replace(self.score, name=name)
        if value is None or not math.isfinite(value):
            self.failures[run.folder] = f"{name} is undefined"
        else:
            self.values[run.folder] = float(value)


def find_score(scores: Mapping[str, object], name: str) -> tuple[str, float | None]:
    """A figure of `scores.json` by its dotted name, with the name's split; None if undefined.

    Raises:
        InputError: there is none.
    """
    for path in (name, *(f"{split}.{name}" for split in _SPLITS)):
        for value in _at(scores, path):
            if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
                return path, value
    have = [
        f"{split}.{figure}"
        for split, figures in scores.items()
        if isinstance(figures, dict)
        for figure, value in figures.items()
        if isinstance(value, int | float)
    ]
    raise InputError(f"there is no figure {name!r}: there are {', '.join(have)}")


def _at(table: object, path: str) -> Iterator[object]:
    """What stands at a dotted path; keys may hold dots themselves, as a class's name may."""
    if not isinstance(table, dict):
        return
    if path in table:
        yield table[path]
    for index, letter in enumerate(path):
        if letter == ".":
            yield from _at(table.get(path[:index]), path[index + 1 :])


def _do(
    grid: Grid,
    waiting: dict[Path, Planned],
    slots: Sequence[Slot],
    train: Train,
    gathered: Gathered,
    *,
    finished: int,
) -> None:
    """Train what is left."""
    if not waiting:
        return
    orders = [
        TrainingOrder(
            name=item.name,
            task=grid.task,
            data=grid.data,
            folder=item.folder,
            log=item.folder.with_name(f"{item.folder.name}.log"),
            fields={**item.cell.fields, "seed": item.seed},
        )
        for item in waiting.values()
    ]
    slots = slots[: len(orders)]
    already = f", {finished} of them finished already" if finished else ""
    note(
        f"{counted(len(grid.cells), 'cell')} × {counted(len(grid.seeds), 'seed')}: "
        f"{counted(finished + len(orders), 'training')}"
        f"{already}; {len(slots)} at a time"
    )
    try:
        with (
            JobsReport(total=finished + len(orders), done=finished) as report_of_jobs,
            contextlib.closing(work(train, orders, slots, begin=report_of_jobs.begin)) as results,
        ):
            for order, failed in results:
                if failed is None:
                    gathered.add(open_run(order.folder))
                else:
                    gathered.failures[order.folder] = failed
                value = gathered.values.get(order.folder)
                outcome = f"{gathered.score.name} {value:.4g}" if value is not None else "failed: "
                report_of_jobs.end(order, outcome + gathered.failures.get(order.folder, ""))
    except KeyboardInterrupt:
        note("stopped: the same command goes on, and does nothing again that is finished")
        raise


def _finished(item: Planned, grid: Grid) -> bool:
    """Whether a run stands there whole; one that is begun, and is this one, will be resumed.

    Raises:
        InputError: something else stands there.
    """
    if not holds_run(item.folder):
        return _refuse_other(item.folder)
    run = open_run(item.folder)
    other = "train anew into another --out, or give the same values"
    wanted = dataclasses.asdict(dataclasses.replace(item.cell.recipe, seed=item.seed))
    had = dataclasses.asdict(run.manifest.recipe)
    if run.manifest.task != grid.task:
        raise InputError(f"{item.folder} was trained to {run.manifest.task}: {other}")
    if differing := [name for name in wanted if had.get(name) != wanted[name]]:
        raise InputError(
            f"{item.folder} was trained with other values of {', '.join(differing)}: {other}"
        )
    if run.manifest.data.get("source", grid.data) != grid.data:
        raise InputError(
            f"{item.folder} was trained on {run.manifest.data['source']}, not {grid.data}: {other}"
        )
    return run.finished


def _refuse_other(folder: Path) -> bool:
    """No run: nothing at all, or what a killed process left of the first file of one."""
    if folder.exists():
        if not folder.is_dir() or not _empty(folder, but=".writing-"):
            raise InputError(f"{folder} is no run: move it away, or give another --out")
        shutil.rmtree(folder)
    return False


def _empty(folder: Path, *, but: str) -> bool:
    """Whether there is nothing but files whose names begin so."""
    return all(file.name.startswith(but) for file in folder.iterdir())


@contextlib.contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """The ablation's folder, for one process at a time.

    Raises:
        InputError: it holds something else, cannot be written, or another process is at work in it.
    """
    with explained_writing(folder):
        known = not folder.exists() or (folder / _MARK).exists()
        if not known and (not folder.is_dir() or not _empty(folder, but=".")):
            raise InputError(f"{folder} is not an ablation's folder: give another --out")
        folder.mkdir(parents=True, exist_ok=True)
    with taken(folder, "`viewfinder ablate`"):
        yield


def _slots(grid: Grid, jobs: int | None) -> list[Slot]:
    """How the machine is shared.

    Raises:
        InputError: no jobs at all, a device that is not there, or GPUs shared twice over.
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"--jobs {jobs}: give 1 or more")
    kinds = {pick_device(cell.recipe.device).type for cell in grid.cells}
    gpus: list[str | None] = [None]
    if "cuda" in kinds:
        named = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = [*(named.split(",") if named else map(str, range(torch.cuda.device_count())))]
        if any(cell.recipe.devices > 1 for cell in grid.cells):
            if jobs not in (None, 1):
                raise InputError(f"--jobs {jobs}: these trainings take several GPUs each already")
            jobs = 1
    jobs = len(gpus) if jobs is None else jobs
    threads = max(1, torch.get_num_threads() // jobs)
    return [Slot(gpus[index % len(gpus)], threads) for index in range(jobs)]


def _ablation(grid: Grid, folder: Path, planned: Sequence[Planned], gathered: Gathered) -> Ablation:
    trials: dict[str, list[CellTraining]] = {cell.name: [] for cell in grid.cells}
    for item in planned:
        value, failed = gathered.values.get(item.folder), gathered.failures.get(item.folder)
        where = item.folder.relative_to(folder).as_posix()
        trials[item.cell.name].append(CellTraining(item.seed, where, value, failed))
    cells = (
        report.TrainedCell(cell.name, cell.fields, tuple(trials[cell.name])) for cell in grid.cells
    )
    return Ablation(
        name=grid.name,
        task=grid.task,
        data=grid.data,
        score=gathered.score,
        baseline=grid.baseline,
        cells=tuple(cells),
        text=grid.text,
    )
