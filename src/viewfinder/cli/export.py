"""Write a trained run as a file for other programs, and prove that it answers as the run does.

onnx: one file with the net, the colours it expects, and the names of the classes. It is run at once
by onnxruntime on real pictures; where its answers differ from the run's, nothing is written.
With --int8 it multiplies whole numbers of 8 bits, a quarter as large and mostly faster; what that
costs is measured on the run's val, and where it costs more than --most-loss nothing is written.

Example:

  viewfinder export runs/my-boxes-yolov3-tiny --answers final
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.output import say
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import refuse_taken_file
from viewfinder.inference.asked_scores import refuse_no_score

if TYPE_CHECKING:
    from viewfinder.api import Run
    from viewfinder.tasks.model import Model


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it."""
    to: Literal["onnx"] = "onnx"
    """The format."""
    out: Path | None = None
    """The new file to write; if not given, model.onnx, or with --int8 model-int8.onnx, in the run's
    folder, or a new file beside Darknet's weights."""
    answers: Literal["raw", "decoded", "final"] = "decoded"
    """What the file answers: raw outputs of the net; decoded, which are probabilities, boxes with
    scores, or maps; or, of a detector, final: one row an object, chosen inside the file."""
    threshold: float = 0.25
    """final: what an object's score must exceed."""
    scores: Literal["calibrated", "own"] = "calibrated"
    """Whether scores are as often right as they say, where the run's training could see to it, or
    the network's own."""
    int8: bool = False
    """Scale layers by the run's own training pictures, and multiply in 8 bits."""
    most_loss: Annotated[float, tyro.conf.arg(metavar="SCORE")] = 0.005
    """int8: what it may cost on val: of a detector's AP50, a classifier's accuracy, a saliency
    run's S-measure."""
    pictures: str | None = None
    """Pictures to prove it on; some of the run's own data if not given."""


def run(flags: Flags) -> int:
    """Write the file and print how well it agrees."""
    refuse_no_score("--threshold", flags.threshold)
    if flags.int8 and (flags.answers != "decoded" or flags.pictures is not None):
        raise InputError(
            "--int8 gives decoded answers, and takes the run's own pictures: leave --answers and "
            "--pictures out"
        )
    if flags.out is not None:
        refuse_taken_file(flags.out)
    # At once: what comes next imports torch, which takes seconds.
    note(f"export {flags.run} as {flags.to.upper()}, and prove it on pictures")
    from viewfinder.api import open_run
    from viewfinder.inference.export import export_onnx
    from viewfinder.tasks.calibration import with_own_scores

    opened = open_run(flags.run)
    model = opened.model if flags.scores == "calibrated" else with_own_scores(opened.model)
    if flags.int8:
        return _int8(opened, model, flags)
    out = flags.out or _place(opened, "model.onnx")
    parity = export_onnx(
        model,
        out,
        pictures=pictures_to_prove(opened, flags.pictures),
        answers=flags.answers,
        threshold=flags.threshold,
    )
    say(str(parity))
    say(f"{out} ({out.stat().st_size / 2**20:.1f} MiB)")
    return 0


def _int8(run: "Run", model: "Model", flags: Flags) -> int:
    """As `run`, in 8 bits."""
    from viewfinder.evaluation.int8 import export_int8

    if run.trained is None:
        raise InputError(f"--int8 needs the pictures of a training, which {run.folder} is not of")
    out = flags.out or _place(run, "model-int8.onnx")
    parity, cost = export_int8(run.trained, model, out, most_loss=flags.most_loss)
    say(f"in float32 {parity}")
    say(str(cost))
    say(f"{out} ({out.stat().st_size / 2**20:.1f} MiB)")
    return 0


def _place(run: "Run", name: str) -> Path:
    """Where an export goes if no place is given.

    Raises:
        InputError: beside weights that another program wrote, where there is such a file already.
    """
    if run.trained:
        return run.folder / name
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
        dataset = open_dataset(run.trained.learnt_from if run.trained else "")
    except InputError as error:
        raise InputError(
            f"the pictures that {run.folder} was trained on are not here ({error}): name some to "
            "prove the export on, with --pictures FOLDER"
        ) from error
    return [dataset.file(index) for index in range(len(dataset))]
