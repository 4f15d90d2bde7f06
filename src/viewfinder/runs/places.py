"""Where runs lie: whether a folder holds one, or can take one; asked without importing torch."""

import contextlib
import itertools
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import explained_writing, is_empty, require_writable
from viewfinder.tasks.run_files import MANIFEST, STATE, WEIGHTS, require_manifest
from viewfinder.wording import likest

FOLDS = "folds"
"""The folder in a run's that holds the runs of its folds."""


def refuse_taken(folder: Path, *, beside: Collection[str] = ()) -> None:
    """See that a run can be begun in a folder, before anything slow is done for it.

    Args:
        beside: names of what may be there already.

    Raises:
        InputError: there is something in that folder already, or it cannot be written.
    """
    with explained_writing(folder):
        if folder.exists() and not is_empty(folder, but=beside):
            raise InputError(
                f"{folder} exists already: give --resume to go on with it, or another --out"
                if begun(folder)
                else f"{folder} exists already and holds no run: give another --out"
            )
    require_writable(folder)


def usual_folder(data: str | Path, net: str, *, resume: bool) -> Path:
    """`runs/DATA-NET`, or the first of `-2`, `-3`, … that is free; to resume, the last taken, where
    there is one."""
    name, last = f"{Path(data).resolve().name}-{net}", None
    for number in itertools.count(1):
        place = Path("runs") / (name if number == 1 else f"{name}-{number}")
        if not place.exists():
            break
        last = place
    return last if resume and last else place


def look_at_place(folder: Path, *, resume: bool) -> None:
    """See that a training can begin in a folder or, with `resume`, go on there; say so where it
    begins though it is to go on.

    Raises:
        InputError: as of `refuse_taken`.
    """
    if resume and begun(folder):
        return
    folds = folder / FOLDS
    # An empty one is what a killed process leaves.
    refuse_taken(folder, beside=(FOLDS,) if folds.is_dir() and is_empty(folds) else ())
    if resume:
        note(
            f"--resume: no training was begun in {folder}{_near(folder)}: this one begins from the "
            "start"
        )


def _near(folder: Path) -> str:
    """` (did you mean …?)` with runs beside a folder whose names are much like its own."""
    with contextlib.suppress(OSError):
        runs = [each.name for each in folder.parent.iterdir() if begun(each)]
        return likest(folder.name, runs)
    return ""


def holds_run(folder: Path) -> bool:
    """Whether a training was begun in this folder, so that it can be resumed."""
    return (folder / MANIFEST).exists()


def holds_progress(folder: Path) -> bool:
    """Whether a training in this folder got far enough to be used or resumed."""
    return (folder / WEIGHTS).exists() or (folder / STATE).exists()


def discard(folder: Path) -> None:
    """Remove what a training wrote, but for the runs of its folds."""
    with contextlib.suppress(OSError):
        # Without this file it would be no run, and in the way of one.
        for path in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
            if path.is_dir() and path.name != FOLDS:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != FOLDS:
                path.unlink()
        folder.rmdir()


@contextlib.contextmanager
def discarding_unbegun(folder: Path) -> Iterator[None]:
    """Within, what ends before a fold in a run's folder got anywhere takes the folder with it."""
    try:
        yield
    except BaseException:
        folds = folder / FOLDS
        if not any(holds_progress(each) for each in (folder, *folds.iterdir())):
            shutil.rmtree(folds, ignore_errors=True)
            discard(folder)
        raise


def begun(folder: Path) -> bool:
    """Whether a training was begun in a folder, in folds or without."""
    folds = folder / FOLDS
    return holds_run(folder) or (folds.exists() and not is_empty(folds))


def require_run(folder: Path) -> None:
    """See that a folder holds a run that can be opened.

    Raises:
        InputError: it holds none, or one whose folds have not come to their end.
    """
    if (folder / FOLDS).is_dir() and not holds_run(folder):
        raise InputError(
            f"{folder}: its training in folds has not come to its end: give its command again, "
            "with --resume"
        )
    require_manifest(folder)
