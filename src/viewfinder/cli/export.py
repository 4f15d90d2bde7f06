"""Write a trained run as a file for other programs, and prove that it answers as the run does.

onnx: one file with the net, the colours it expects, and the names of the classes. It is run at once
by onnxruntime on real pictures; where its answers differ from the run's, nothing is written.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.output import say
from viewfinder.errors import InputError
from viewfinder.events import note

if TYPE_CHECKING:
    from viewfinder.api import Run


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it."""
    to: Literal["onnx"] = "onnx"
    """The format."""
    out: Path | None = None
    """The file to write; if not given, model.onnx in the run's folder, or a new file beside
    Darknet's weights."""
    answers: Literal["raw", "decoded", "final"] = "decoded"
    """What the file answers: raw outputs of the net; decoded, which are probabilities, boxes with
    scores, or maps; or, of a detector, final: one row an object, chosen inside the file."""
    threshold: float = 0.25
    """final: what an object's score must exceed."""
    scores: Literal["calibrated", "own"] = "calibrated"
    """Whether scores are as often right as they say, where the run's training could see to it, or
    the network's own."""
    pictures: str | None = None
    """Pictures to prove it on; some of the run's own data if not given."""


def run(flags: Flags) -> int:
    """Write the file and print how well it agrees."""
    # At once: what comes next imports torch, which takes seconds.
    note(f"export {flags.run} as {flags.to.upper()}, and prove it on pictures")
    from viewfinder.api import open_run
    from viewfinder.inference.export import export_onnx
    from viewfinder.tasks.calibration import with_own_scores

    if not 0 <= flags.threshold <= 1:
        raise InputError(f"--threshold {flags.threshold}: give a score from 0 to 1")
    opened = open_run(flags.run)
    out = flags.out or _place(opened)
    parity = export_onnx(
        opened.model if flags.scores == "calibrated" else with_own_scores(opened.model),
        out,
        pictures=pictures_to_prove(opened, flags.pictures),
        answers=flags.answers,
        threshold=flags.threshold,
    )
    say(str(parity))
    say(f"{out} ({out.stat().st_size / 2**20:.1f} MiB)")
    return 0


def _place(run: "Run") -> Path:
    """Where an export goes if no place is given.

    Raises:
        InputError: beside weights that another program wrote, where there is such a file already.
    """
    if run.trained:
        return run.folder / "model.onnx"
    place = run.folder.with_suffix(".onnx")
    if place.exists():
        raise InputError(f"{place} exists already: name the file to write, with --out")
    return place


def pictures_to_prove(run: "Run", source: str | None) -> list[Path]:
    """Those to prove an export on: what is named, else what the run was trained on.

    Raises:
        InputError: there are none.
    """
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.inference.predict import find_pictures

    if source is not None:
        return find_pictures(source)
    try:
        dataset = open_dataset(run.manifest.data["source"])
    except (InputError, KeyError) as error:
        raise InputError(
            f"the pictures that {run.folder} was trained on are not here: name some to prove "
            "the export on, with --pictures FOLDER"
        ) from error
    return [dataset.file(index) for index in range(len(dataset))]
