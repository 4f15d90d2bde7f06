"""Detections of any program in files: COCO's result JSON, YOLO's or VOC's text, or a table.

All become rows of a picture's name, a class's name, a score and corners in pixels, which then find
their pictures and classes by name; what finds none is counted and said.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.json_columns import boxes_or_nan, numbers
from viewfinder.datasets.formats.large_json import Objects, explained_json, read_text
from viewfinder.errors import InputError
from viewfinder.scoring.box_meaning import COCO
from viewfinder.scoring.box_rows import BoxRows, floats
from viewfinder.scoring.box_texts import read_texts
from viewfinder.scoring.class_names import class_number
from viewfinder.scoring.csv_table import read_table
from viewfinder.scoring.named import by_names


def read_box_rows(path: Path, truth: Dataset) -> BoxRows:
    """The detections in a file, or in a folder of text files.

    Raises:
        InputError: they are of no known form, or their pictures or classes cannot be told.
    """
    if path.is_dir():
        return read_texts(path, truth)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _coco(path, truth)
    if suffix in (".csv", ".tsv"):
        return _table(path, truth)
    raise InputError(
        f"{path} holds no detections that are read: give COCO's result JSON, a CSV of `predict`, "
        "or a folder of YOLO's or VOC's text files"
    )


def _coco(file: Path, truth: Dataset) -> BoxRows:
    """COCO's results, a list; or a whole document whose annotations have scores."""
    with explained_json(file):
        document = json.loads(read_text(file))
    listed = document.get("annotations") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InputError(
            f"{file} is no list of detections: COCO's results are a list of objects with "
            "image_id, category_id, bbox and score"
        )
    found: Objects = listed
    rows = BoxRows(meaning=COCO)
    corners = boxes_or_nan(found, "bbox")
    corners[:, 2:] += corners[:, :2]
    scores = _scores(found, str(file))
    whole = document if isinstance(document, dict) else {}
    pictures = _pictures_of_ids(file, [each.get("image_id") for each in found], whole, truth, rows)
    classes = _classes_of_ids(file, [each.get("category_id") for each in found], whole, truth, rows)
    for k, (picture, score) in enumerate(zip(pictures, scores, strict=True)):
        if picture is not None:
            if not np.isfinite(corners[k]).all():
                what = _in_place_of_box(found[k])
                raise InputError(f"{file}: a detection in {picture} has {what}")
            rows.add(picture, classes[k], score, corners[k].tolist())
    return rows


def _scores(found: Objects, where: str) -> list[float | None]:
    """Of each detection its score, where it has one."""
    if not found:
        return []
    stated = numbers(found, "score", where, 1, default=0).ravel().tolist()
    pairs = zip(found, stated, strict=True)
    return [None if each.get("score") is None else score for each, score in pairs]


def _in_place_of_box(detection: dict[str, object]) -> str:
    """What a detection has where a box is asked for, and what to write instead."""
    asked = "write its box as x, y, width and height"
    of_mask = f"{asked}, such as pycocotools.mask.toBbox gives of a mask"
    value = detection.get("bbox")
    what = "in the place of its box"
    if value is None:
        value, what = detection.get("segmentation"), "and no box"
    if value is None:
        return f"no bbox: {asked}"
    if isinstance(value, str) or (isinstance(value, dict) and "counts" in value):
        return f"a mask as run lengths {what}: {of_mask}"
    if not isinstance(value, list):
        return f"a box that is not four numbers: {asked}"
    if value and all(isinstance(part, list) for part in value):
        return f"a polygon {what}: {asked}, of its least and largest x and y"
    if len(value) == 5:
        return f"five numbers {what}, as of a turned box: {asked}, of the box around it"
    if len(value) >= 6 and len(value) % 2 == 0:
        return f"a polygon {what}: {asked}, of its least and largest x and y"
    return f"a box that is not four numbers: {asked}"


def _pictures_of_ids(
    file: Path,
    ids: Sequence[object],
    document: dict[str, object],
    truth: Dataset,
    rows: BoxRows,
) -> list[str | None]:
    """The path of each detection's picture; None, counted in the notes, of those of none."""
    names = {_written(id_): name for id_, name in _named(document, "images", "file_name")}
    if not names and truth.image_ids is not None:
        ids = _as_numbers(ids, truth)
    if names:
        rows.answered |= set(
            by_names(truth.paths, list(names.values()), where=str(file)).of.values()
        )
        texts = [names.get(_written(id_)) for id_ in ids]
    elif truth.image_ids is not None and all(isinstance(id_, int) for id_ in ids):
        own = truth.image_ids.tolist()
        if len(set(own)) < len(own):
            raise InputError(
                f"two pictures of {truth.root} have the same image id, so that {file} is not "
                "clear: score one of its splits with --split"
            )
        paths = dict(zip(own, truth.paths, strict=True))
        found = [paths.get(id_) for id_ in ids]
        rows.tell_strange(
            Counter(str(i) for i, path in zip(ids, found, strict=True) if path is None)
        )
        return found
    else:
        texts = [str(id_) for id_ in ids]
    wanted = list(dict.fromkeys(text for text in texts if text is not None))
    paired = by_names(truth.paths, wanted, where=str(file))
    rows.notes += paired.notes
    found = [None if text is None else paired.of.get(text) for text in texts]
    rows.tell_strange(
        Counter(str(t if t is not None else i) for t, i, p in zip(texts, ids, found, strict=True)
                if p is None),
    )  # fmt: skip
    return found


def _as_numbers(ids: Sequence[object], truth: Dataset) -> Sequence[object]:
    """Ids as whole numbers where they are written as 12.0 or "12", and no picture is so called."""
    numbers = [_whole(id_) for id_ in ids]
    if None in numbers or {PurePosixPath(path).stem for path in truth.paths} & set(map(str, ids)):
        return ids
    return numbers


def _whole(id_: object) -> int | None:
    if isinstance(id_, float):
        return int(id_) if id_.is_integer() else None
    if isinstance(id_, str):
        return int(id_) if id_.isdecimal() else None
    return id_ if isinstance(id_, int) else None


def _named(document: dict[str, object], member: str, key: str) -> list[tuple[object, str]]:
    listed = document.get(member)
    if not isinstance(listed, list):
        return []
    return [
        (each["id"], str(each[key]))
        for each in listed
        if isinstance(each, dict) and "id" in each and key in each
    ]


def _classes_of_ids(
    file: Path, ids: Sequence[object], document: dict[str, object], truth: Dataset, rows: BoxRows
) -> list[str]:
    names = {_written(id_): name for id_, name in _named(document, "categories", "name")}
    if not names and truth.class_ids is not None:
        names = dict(zip(map(str, truth.class_ids), truth.classes, strict=True))
    # An id may be the name itself.
    known = {name: name for name in names.values() or truth.classes} | names
    words = ["" if id_ is None else _written(id_).strip() for id_ in ids]
    if words and not any(words):
        raise InputError(f"{file}: no detection has a category_id: say of which class each is")
    used = {number for word in words if (number := class_number(word)) is not None}
    if used and not names and not set(words) <= known.keys():
        first = 0 if 0 in used else 1
        if first and max(used, default=0) < len(truth.classes):
            raise InputError(
                f"{file} does not say whether its category_id count from 0 or from 1: give it "
                "`categories`, or the set as COCO, whose ids are then meant"
            )
        rows.notes.append(f"category_id {first} is taken for the first class, {truth.classes[0]}")
        known |= {str(first + k): name for k, name in enumerate(truth.classes)}
    return [
        known.get(word, word if _is_name(id_) else f"category_id {word}")
        for word, id_ in zip(words, ids, strict=True)
    ]


def _is_name(id_: object) -> bool:
    return isinstance(id_, str) and class_number(id_) is None


def _written(id_: object) -> str:
    """An id as text: 3.0 and "3" as 3."""
    number = _whole(id_)
    return str(id_ if number is None else number)


def _table(file: Path, truth: Dataset) -> BoxRows:
    """A CSV with a row for each object, as `predict` writes it."""
    table = read_table(file)
    aliases = {"source": ("source", "picture", "image", "file", "filename", "path", "file_name",
                          "image_name"),
               "class": ("class", "label", "name"), "score": ("score", "confidence", "probability"),
               "x1": ("x1", "xmin"), "y1": ("y1", "ymin"),
               "x2": ("x2", "xmax"), "y2": ("y2", "ymax")}  # fmt: skip
    columns = {what: table.column(words) for what, words in aliases.items()}
    for what, column in columns.items():
        if column < 0 and what != "score":
            asked = "; boxes are two corners in pixels, x1, y1, x2 and y2" if what == "x1" else ""
            there = ", ".join(table.heads)[:200]
            raise InputError(f"{file} has no column {what}: it has {there}{asked}")
    names = [row[columns["source"]].strip() for row in table.rows]
    found = by_names(truth.paths, list(dict.fromkeys(names)), where=str(file))
    paired, rows = found.of, BoxRows(notes=[*found.notes])
    for name, row, line in zip(names, table.rows, table.lines, strict=True):
        where = f"{file}, line {line}"
        box = floats([row[columns[edge]] for edge in ("x1", "y1", "x2", "y2")], where)
        sure = row[columns["score"]].strip() if columns["score"] >= 0 else ""
        if name in paired:
            score = floats([sure], where)[0] if sure else None
            rows.add(paired[name], row[columns["class"]].strip(), score, box)
    rows.tell_strange(Counter(name for name in names if name not in paired))
    return rows
