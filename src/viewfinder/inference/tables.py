"""Detections for other programs: as COCO's JSON, or a row for each object."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from viewfinder.datasets.formats.coco.writing import category_rows, image_row
from viewfinder.errors import InputError
from viewfinder.files import write_json, write_text
from viewfinder.inference.answers import Answer
from viewfinder.inference.tracking.following import TrackedDetections
from viewfinder.tasks.detect.detections import Detections
from viewfinder.wording import as_cell


def write_coco(answers: Sequence[Answer], classes: Sequence[str], file: Path) -> None:
    """Write detections as a COCO data set, whose annotations have a `score` too.

    Ids begin at 1; a frame of a video is an image with the video's name and its `frame_id`.

    Raises:
        InputError: these are no detections, or the file cannot be written.
    """
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for image_id, (answer, found) in enumerate(_detections(answers), start=1):
        image = image_row(image_id, answer.source, answer.size)
        images.append(image if answer.frame is None else image | {"frame_id": answer.frame})
        for label, score, (x1, y1, x2, y2) in found.rows():
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": label + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0,
                    "score": score,
                }
            )
    categories = category_rows(classes)
    write_json(file, {"images": images, "annotations": annotations, "categories": categories})


def write_rows(answers: Sequence[Answer], classes: Sequence[str], file: Path) -> None:
    """Write a CSV with a row for each object that was found; with its `track` where it is followed,
    and with `unlike` where it was asked whether its picture is unlike what was learnt.

    A source or class that a table's program would take for a formula has a `'` before it.

    Raises:
        InputError: these are no detections, or the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    followed = any(isinstance(each.value, TrackedDetections) for each in answers)
    columns = ("source", "frame", "class", "score", "x1", "y1", "x2", "y2")
    asked = any(each.distance is not None for each in answers)
    more = ("track",) * followed + ("unlike",) * asked
    writer.writerow((*columns, *more))
    for answer, found in _detections(answers):
        about = as_cell(answer.source), "" if answer.frame is None else answer.frame
        tracks = (
            [(t,) for t in found.tracks.tolist()] if isinstance(found, TrackedDetections) else None
        )
        writer.writerows(
            (
                *about,
                as_cell(classes[label]),
                score,
                *box,
                *(tracks[row] if tracks else ()),
                *((answer.unlike,) * asked),
            )
            for row, (label, score, box) in enumerate(found.rows())
        )
    write_text(file, text.getvalue())


def _detections(answers: Sequence[Answer]) -> list[tuple[Answer, Detections]]:
    found = [(each, each.value) for each in answers if isinstance(each.value, Detections)]
    if len(found) != len(answers):
        raise InputError("only a detector's answers have boxes to write: this run has another task")
    return found
