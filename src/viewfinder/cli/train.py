"""Train a network on a folder of pictures.

Writes a run: a folder with the weights, the history, the scores, and report.html, which shows how
it went and what to try next. A training that was stopped, even by kill -9, goes on with the same
command and --resume.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.errors import InputError
from viewfinder.runs.recipe import Recipe


@dataclass(frozen=True)
class Flags:
    task: Annotated[tyro.conf.Positional[Literal["classify"]], tyro.conf.arg(metavar="TASK")]
    """What to learn: classify gives each picture one class."""
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures, a folder a class (cat/1.jpg, or train/cat/1.jpg), or: tabletop."""
    out: Path | None = None
    """The run's folder; runs/DATA-NET if not given, with a number where that exists."""
    resume: bool = False
    """Go on with the run in --out, or with the newest of this data and network."""
    json: bool = False
    """Print the run's folder and scores as one JSON document."""
    recipe: Recipe = field(default_factory=Recipe)


def run(flags: Flags) -> int:
    """Train, then say where the run is and how good it is."""
    from viewfinder.training.train import train

    folder = flags.out or _default_folder(flags)
    done = train(flags.task, flags.data, flags.recipe, out=folder, resume=flags.resume)
    scores = json.loads(done.scores_file.read_text(encoding="utf-8"))
    if flags.json:
        print_json({"run": str(done.folder), "scores": scores})
        return 0
    for side in ("test", "val", "train"):
        if side in scores:
            print(f"{side:<5} accuracy {scores[side]['accuracy']:.1%} of {scores[side]['images']}")
    print(f"report {done.report_file}")
    return 0


def _default_folder(flags: Flags) -> Path:
    """`runs/DATA-NET`, or the first of `-2`, `-3`, … that is free; with --resume, the last taken.

    Raises:
        InputError: --resume, and there is no such run.
    """
    name = f"{Path(flags.data).resolve().name}-{flags.recipe.net}"
    places = [Path("runs") / (name if n == 1 else f"{name}-{n}") for n in range(1, 10_000)]
    free = next(index for index, place in enumerate(places) if not place.exists())
    if not flags.resume:
        return places[free]
    if free == 0:
        raise InputError(f"--resume: there is no run in {places[0]}; name it with --out")
    return places[free - 1]
