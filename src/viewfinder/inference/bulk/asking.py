"""A whole folder of pictures answered by many workers, and its answers gathered."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Answer
from viewfinder.inference.bulk.on_ray import answer_on_ray, imported_ray
from viewfinder.inference.bulk.parts import PART, BulkJob, begin, deal, read_part, schema_of
from viewfinder.inference.tables import write_coco
from viewfinder.tasks import find
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.model import Model, Threshold
from viewfinder.values import as_number, as_tables, as_text, as_whole
from viewfinder.wording import counted


@dataclass(frozen=True)
class BulkOutcome:
    """What was answered.

    Attributes:
        pictures: that there are.
        parts: files of answers that there are.
        now: how many of these were answered now, and not before.
        failed: pictures that cannot be read, with why not.
    """

    pictures: int
    parts: int
    now: int
    failed: dict[str, str]


def predict_many(
    model: Model,
    source: str,
    out: str,
    *,
    workers: int,
    cpus: int = 1,
    address: str | None = None,
    threshold: Threshold | None = None,
    coco: Path | None = None,
    device: str = "auto",
    part: int = PART,
) -> BulkOutcome:
    """Answer all pictures below `source` on many workers, as Parquet files in `out`.

    Parts that `out` has already are not answered again.

    Args:
        source, out: folders, local or as fsspec names them, that every worker can reach.
        workers, cpus, address, device: as of `answer_on_ray`.
        part: pictures of a file of answers.
        coco: of a detector, a file for all that is found, as COCO's JSON.

    Raises:
        InputError: no pictures, `out` holds something else, or workers cannot go on.
    """
    if coco is not None and not find(model.config.task).finds_boxes:
        raise InputError("only a detector's answers have boxes to write: leave --coco out")
    imported_ray()  # Nothing is begun where it is not installed.
    schema_of(model)  # of a task that has one
    job = deal(model, threshold, source, out, size=part)
    left = begin(job)
    if len(left) < job.parts:
        note(f"{out} has {counted(job.parts - len(left), 'part')} of {job.parts} already")
    if left:
        answer_on_ray(job, left, workers=workers, cpus=cpus, address=address, device=device)
    failed, answers = _gathered(job, boxes=coco is not None)
    if coco is not None:
        write_coco(answers, model.config.classes, coco)
    return BulkOutcome(len(job.files), job.parts, len(left), failed)


def _gathered(job: BulkJob, *, boxes: bool) -> tuple[dict[str, str], list[Answer]]:
    """What could not be read, and with `boxes` what is found in the rest, in order."""
    failed, answers = dict[str, str](), list[Answer]()
    for part in range(job.parts):
        for row in read_part(job, part):
            source = as_text(row["source"])
            if row["error"] is not None:
                failed[source] = as_text(row["error"])
            elif boxes:
                size = as_whole(row["width"]), as_whole(row["height"])
                answers.append(Answer(source, size, _detections(row["boxes"])))
    return failed, answers


def _detections(column: object) -> Detections:
    rows = as_tables(column)
    corners = [[as_number(row[edge]) for edge in ("x1", "y1", "x2", "y2")] for row in rows]
    return Detections(
        np.array(corners, np.float64).reshape(-1, 4),
        np.array([as_number(row["score"]) for row in rows], np.float64),
        np.array([as_whole(row["label"]) for row in rows], np.int64),
    )
