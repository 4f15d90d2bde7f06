"""A run of each cell on the same pictures: what `score`'s page shows of methods, of recipes."""

from pathlib import Path

from viewfinder.ablation.report import Ablation
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.runs.places import holds_run
from viewfinder.runs.run import open_run
from viewfinder.scoring.comparing import SetScores, compare
from viewfinder.scoring.reading import contest_of, truth_of


def cells_compared(folder: Path, ablation: Ablation) -> SetScores | None:
    """The first seed's runs of all cells on the pictures that the ablation is judged by.

    None where fewer than two cells have a run there, or what they are to be asked about is gone.
    """
    runs = {
        cell.name: folder / trial.folder
        for cell in ablation.cells
        for trial in cell.trials[:1]
        if trial.value is not None and holds_run(folder / trial.folder)
    }
    if len(runs) < 2:
        return None
    side = ablation.score.name.partition(".")[0]
    try:
        recipe = open_run(next(iter(runs.values()))).manifest.recipe
        split = side if side in ("train", "val", "test") else None
        truth, _ = truth_of(
            ablation.data, ablation.task, split, deal=True, val_share=recipe.val_share, quiet=True
        )
        return compare([contest_of(ablation.task, ablation.name, truth, runs)]).sets[0]
    except InputError as error:
        note(f"cells are not compared picture by picture: {error}")
        return None
