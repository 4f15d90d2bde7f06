"""The whole journey on an embedded set of pictures, in a few minutes.

Renders pictures of eight kinds of objects, checks them, trains a LeNet, scores it on pictures that
it has never seen, and lets it answer a few. Opens nothing: prints where the report is.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from viewfinder.cli.output import print_json
from viewfinder.console import note

Result = TypeVar("Result")

# Enough for more than nine in ten right in well under three minutes on two cores.
_EPOCHS = 60


@dataclass(frozen=True)
class Flags:
    out: Path = Path("runs/demo")
    """Where the run goes; replaced if it is an earlier demo's."""
    seed: int = 0
    """Of the training."""
    json: bool = False
    """Print one JSON document: report, scores, stages."""


def run(flags: Flags) -> int:
    """Render, check, train, score, answer; then say where the report is."""
    from viewfinder.api import open_run
    from viewfinder.datasets.checks import check_dataset
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.tasks.classify.recipe import ClassifyRecipe
    from viewfinder.training.train import train

    _clear(flags.out)
    stages = Stages()
    dataset = stages.do(
        "render pictures of eight kinds of objects", lambda: open_dataset("tabletop")
    )
    faults = stages.do("check them", lambda: check_dataset(dataset))
    note(f"{len(faults)} faults in {len(dataset):,} pictures")
    recipe = ClassifyRecipe(net="lenet", epochs=_EPOCHS, seed=flags.seed)
    done = stages.do(
        "train a LeNet, score it, write the report",
        lambda: train("classify", "tabletop", recipe, out=flags.out),
    )
    samples = dataset.split("test")
    files = [samples.file(index) for index in range(0, len(samples), len(samples) // 4)][:4]
    answers = stages.do(
        "answer four pictures it has never seen",
        lambda: [open_run(done.folder).predict(file)[0] for file in files],
    )
    scores = json.loads(done.scores_file.read_text(encoding="utf-8"))
    if flags.json:
        print_json({"report": str(done.report_file), "scores": scores, "stages": stages.done})
        return 0
    for answer in answers:
        told = f"{answer['label']} {answer['scores'][answer['label']]:.0%}"
        print(f"{Path(answer['source']).name}: {told}")
    print(f"{scores['test']['accuracy']:.1%} of {scores['test']['images']} test pictures are right")
    print(f"{sum(stage['seconds'] for stage in stages.done):.0f} seconds")
    print(f"report {done.report_file.resolve()}")
    return 0


class Stages:
    """The demo's stages, told as they begin and timed as they end."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []

    def do(self, name: str, work: Callable[[], Result]) -> Result:
        """Do one stage's work."""
        note(f"— {name}")
        start = time.perf_counter()
        result = work()
        self.done.append({"stage": name, "seconds": round(time.perf_counter() - start, 1)})
        return result


def _clear(folder: Path) -> None:
    """Remove an earlier demo's run, and nothing that is not one.

    Raises:
        InputError: there is something else.
    """
    import shutil

    from viewfinder.errors import InputError
    from viewfinder.runs.run import open_run

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    manifest = open_run(folder).manifest
    if manifest.data.get("source") != "tabletop":
        raise InputError(f"{folder} is a run on other pictures: give another --out")
    shutil.rmtree(folder)
