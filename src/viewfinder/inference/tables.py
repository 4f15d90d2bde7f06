"""Detections for other programs: as COCO's JSON, or a row for each object."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viewfinder.errors import InputError
from viewfinder.files import write_json, write_text
from viewfinder.wording import as_cell

_COLUMNS = ("source", "frame", "class", "score", "x1", "y1", "x2", "y2")


def write_coco(predictions: Sequence[dict[str, Any]], classes: Sequence[str], file: Path) -> None:
    """Write detections as a COCO data set, whose annotations have a `score` too.

    Ids begin at 1; a frame of a video is an image with the video's name and its `frame_id`.

    Raises:
        InputError: these are no detections, or the file cannot be written.
    """
    _require_boxes(predictions)
    numbers = {name: index for index, name in enumerate(classes, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, prediction in enumerate(predictions, start=1):
        image = {
            "id": image_id,
            "file_name": prediction["source"],
            "width": prediction["width"],
            "height": prediction["height"],
        }
        if "frame" in prediction:
            image["frame_id"] = prediction["frame"]
        images.append(image)
        for box in prediction["boxes"]:
            width, height = box["x2"] - box["x1"], box["y2"] - box["y1"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": numbers[box["class"]],
                    "bbox": [box["x1"], box["y1"], width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "score": box["score"],
                }
            )
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    write_json(file, {"images": images, "annotations": annotations, "categories": categories})


def write_rows(predictions: Sequence[dict[str, Any]], file: Path) -> None:
    """Write a CSV with a row for each object that was found.

    A source or class that a table's program would take for a formula has a `'` before it.

    Raises:
        InputError: these are no detections, or the file cannot be written.
    """
    _require_boxes(predictions)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for prediction in predictions:
        about = {"source": as_cell(prediction["source"]), "frame": prediction.get("frame", "")}
        writer.writerows(
            about | box | {"class": as_cell(box["class"])} for box in prediction["boxes"]
        )
    write_text(file, text.getvalue())


def _require_boxes(predictions: Sequence[dict[str, Any]]) -> None:
    if any("boxes" not in prediction for prediction in predictions):
        raise InputError("only a detector's answers have boxes to write: this run has another task")
