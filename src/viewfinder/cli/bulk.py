"""Let a run answer very many pictures, by workers on this machine or on a cluster of Ray's.

Answers become Parquet files in OUT, one for each 64 pictures: a row a picture, with the columns
source, width, height, error (why it could not be read), and the answer: label and scores of a
classifier, boxes of a detector, box, share, mean and threshold of a subject. The same command goes
on where it was stopped; what a worker that dies was about is given to another, and the files are
the same. Needs `pip install viewfinder[ray]`.

  viewfinder bulk runs/parts s3://plant/today out --address auto --workers 40

Example:

  viewfinder bulk runs/my-boxes-yolov3-tiny pictures answers
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.asking import AskingFlags
from viewfinder.cli.output import print_json, say
from viewfinder.cli.thresholds import read_threshold, refuse_thresholds
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted

# Names of pictures that cannot be read, of many.
_NAMED = 3


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, Darknet's .weights, or an ONNX file, where every worker finds it."""
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A folder of pictures, or a place that fsspec knows, such as s3://…."""
    out: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OUT")]
    """A folder for the answers, or such a place."""
    workers: int | None = None
    """How many workers; one for each core of this machine if not given."""
    cpus: int = 1
    """Cores that each worker has."""
    address: str | None = None
    """Of a Ray cluster that runs, such as auto on one of its machines; if not given, this machine
    is one while the command takes."""
    threshold: Annotated[str | None, tyro.conf.arg(metavar="SCORE|CLASS=SCORE,…")] = None
    """As of predict."""
    coco: Path | None = None
    """detect: a file for all that is found, as COCO's JSON with scores."""
    how: AskingFlags = field(default_factory=AskingFlags)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where each worker computes."""
    json: bool = False
    """Print one JSON document: out, pictures, parts, answered, failed: [{source, error}]."""


def run(flags: Flags) -> int:
    """Answer, and say how many."""
    threshold = None if flags.threshold is None else read_threshold(flags.threshold)
    for name in ("workers", "cpus"):
        if (value := getattr(flags, name)) is not None and value < 1:
            raise InputError(f"--{name} {value}: give 1 or more")
    refuse_thresholds(flags.run, threshold)
    flags.how.refuse_early(flags.run)
    # At once: what comes next imports torch, which takes seconds.
    note(f"bulk: {flags.run} answers {flags.source}")
    from viewfinder.api import open_run
    from viewfinder.inference.asking import as_asked
    from viewfinder.inference.bulk.asking import predict_many
    from viewfinder.inference.bulk.on_ray import usual_workers
    from viewfinder.inference.thresholds import threshold_of

    opened = open_run(flags.run)
    model = as_asked(opened.model, **flags.how.asking())
    outcome = predict_many(
        model,
        flags.source,
        flags.out,
        workers=flags.workers or usual_workers(),
        cpus=flags.cpus,
        address=flags.address,
        threshold=threshold_of(model, threshold, opened.trained),
        coco=flags.coco,
        device=flags.device,
    )
    for source, error in list(outcome.failed.items())[:_NAMED]:
        note(f"passed over {source}: {error}")
    if flags.json:
        failed = [{"source": name, "error": why} for name, why in outcome.failed.items()]
        parts = {"parts": outcome.parts, "answered": outcome.now}
        print_json({"out": flags.out, "pictures": outcome.pictures, **parts, "failed": failed})
        return 0
    answered = counted(outcome.pictures - len(outcome.failed), "picture")
    say(f"{answered} answered in {counted(outcome.parts, 'part')}, {outcome.now} of them now")
    if outcome.failed:
        say(f"{counted(len(outcome.failed), 'picture')} cannot be read")
    return 0
