"""What the label files of a folder say, as rows of the store."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from viewfinder import events
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.stored_rows import FAULTS, LEFT_OUT
from viewfinder.datasets.formats.stored_text import kept
from viewfinder.datasets.picture_sizes import measure
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation
from viewfinder.studio.store.applying import mask_text
from viewfinder.studio.store.database import set_value
from viewfinder.wording import counted, some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

# What all masks of a saliency set are of.
CLASS = "salient"


def new_row(path: str) -> dict[str, object]:
    """A picture of which nothing is known."""
    row: dict[str, object] = dict.fromkeys(("label", "number", "size", "mtime", "digest"))
    row |= dict.fromkeys(("width", "height", "listed", "ready", "missing", "changed"), 0)
    row |= {"path": kept(path), "state": "todo", "side": -1, "grp": "", "trouble": ""}
    return row | {"rev": 1, "removed": 0, "touched": 0}


def left_out(found: "Found") -> list[Fault]:
    """Boxes that hold nothing or are of no class, but for those that are still to be read; by
    picture."""
    dataset, boxes = found.dataset, found.dataset.boxes if found.dataset else None
    if dataset is None or boxes is None or found.kind != "boxes":
        return []
    waits = np.array([path in found.waiting for path in found.paths[: len(dataset)]], np.bool_)
    of = boxes.pictures()[~found.good & ~waits[boxes.pictures()]]
    why = "of no known class, without size or of numbers that are not finite"
    fix = "draw what is there in the studio and say *done*, or take it out of the file"
    indices, counts = (each.tolist() for each in np.unique(of, return_counts=True))
    whats = [f"{counted(count, 'box')} of its file left out: {why}" for count in counts]
    return [
        Fault(LEFT_OUT, dataset.paths[index], what, fix)
        for index, what in zip(indices, whats, strict=True)
    ]


def keep_notes(connection: Connection, found: "Found") -> None:
    """Keep what is said of the files, and what is wrong with the set of them."""
    lacks = left_out(found)
    names = some([each.file for each in lacks])
    notes = [f"boxes of {counted(len(lacks), 'picture')} left out, as `check` says ({names})"]
    set_value(connection, "notes", json.dumps([*found.notes, *(notes if lacks else ())]))
    faults = found.dataset.faults if found.dataset and found.kind == "boxes" else ()
    texts = [
        list(map(kept, (each.kind, each.file, each.detail, each.fix))) for each in (*faults, *lacks)
    ]
    set_value(connection, FAULTS, json.dumps(texts))


def picture_rows(found: "Found") -> Callable[[int], dict[str, object]]:
    """What the labels say of the picture of an index."""
    dataset, whole = found.dataset, found.kind == "classes"
    count = 0 if dataset is None else len(dataset)

    def row(index: int) -> dict[str, object]:
        path = found.paths[index]
        values: dict[str, object] = {"trouble": found.trouble.get(path, "")}
        values["place"] = found.places[index]
        values |= {"label": None, "side": -1, "grp": "", "number": None, "listed": 0}
        values["ready"] = int(path not in found.waiting)
        # A picture that lies in the folder of its class is labelled.
        values["state"] = "done" if whole and index < count else "todo"
        if index < count and dataset is not None:
            ids = dataset.image_ids
            values |= {
                "label": f"c{int(dataset.labels[index]) + 1}" if whole else None,
                "side": int(dataset.splits[index]),
                "grp": kept(dataset.groups[index]) if dataset.groups else "",
                "number": None if ids is None else int(ids[index]),
                "listed": int(
                    path not in found.waiting
                    and (whole or dataset.boxes is not None or found.kind == "masks")
                ),
            }
        return values

    return row


def sizes_of(data: Path, found: "Found", part: Sequence[int]) -> NDArray[np.int64]:
    """Width and height of pictures: as the labels' reader found them, or from the headers."""
    dataset = found.dataset
    count = 0 if dataset is None or dataset.sizes is None else len(dataset)
    sizes = np.zeros((len(part), 2), np.int64)
    for place, index in enumerate(part):
        if index < count and dataset is not None and dataset.sizes is not None:
            sizes[place] = dataset.sizes[index]
    rest = [place for place, index in enumerate(part) if index >= count]
    if rest:
        with events.listening():
            sizes[rest] = measure(data, [found.paths[part[place]] for place in rest]).sizes
    return sizes


def box_rows(found: "Found", index: int, picture: int) -> list[dict[str, object]]:
    dataset = found.dataset
    if dataset is None or dataset.boxes is None or index >= len(dataset):
        return []
    boxes, rows = dataset.boxes, dataset.boxes.of(index)
    # Files of the other layouts give boxes no numbers.
    numbered = dataset.layout == "COCO"
    made = []
    for row in range(rows.start, rows.stop):
        if not found.good[row]:
            continue
        x1, y1, x2, y2 = boxes.corners[row].tolist()
        area = float(boxes.areas[row])
        made.append(
            {
                "id": f"f{row + 1}",
                "picture": picture,
                "label": f"c{int(boxes.classes[row]) + 1}",
                "x1": x1,
                "y1": y1,
                "x2": x2,
                "y2": y2,
                "mask": _mask(boxes.segmentations.get(row)),
                "source": "file",
                "score": None,
                "track": None,
                "key_frame": 0,
                "difficult": int(boxes.difficult[row]),
                "crowd": int(boxes.crowd[row]),
                "area": area if np.isfinite(area) else None,
                "number": int(boxes.ids[row]) if numbered else None,
                "place": row,
                "person": "",
                "at": 0.0,
                "rev": 1,
                "removed": 0,
            }
        )
    return made


def subject_rows(
    found: "Found", index: int, picture: int, size: tuple[int, int]
) -> tuple[list[dict[str, object]], str]:
    """The box of a picture's mask, if it shows anything; and why it is not used, or nothing."""
    from viewfinder.studio.store.subjects import subject_box

    dataset = found.dataset
    if dataset is None or index >= len(dataset):
        return [], ""
    if not all(size):
        why = "the picture could not be read, and so not its mask: draw what it shows, and say done"
        return [], why
    try:
        box = subject_box(dataset, index, size)
    except InputError as error:
        return [], str(error)
    if box is None:
        return [], ""
    row = box | {"id": f"f{index + 1}", "picture": picture, "label": "c1", "place": index}
    row |= {"source": "file", "score": None, "track": None, "number": None, "person": ""}
    row |= {"key_frame": 0, "difficult": 0, "crowd": 0, "at": 0.0, "rev": 1, "removed": 0}
    return [row], ""


def _mask(outline: Segmentation | None) -> str | None:
    if outline is None:
        return None
    if isinstance(outline, dict):
        counts = outline.get("counts")
        plain = counts.decode() if isinstance(counts, bytes) else counts
        return mask_text(dict(outline) | {"counts": plain})
    return mask_text([polygon.tolist() for polygon in outline])


def status_of(file: Path) -> dict[str, object]:
    """What tells that a file is the same: size and time, or that it is missing."""
    try:
        status = os.stat(file)  # noqa: PTH116 - once for each picture
    except OSError:
        return {"size": None, "mtime": None, "missing": 1}
    return {"size": status.st_size, "mtime": status.st_mtime_ns, "missing": 0}
