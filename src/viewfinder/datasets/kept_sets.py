"""Large sets of boxes as they were read, kept in the cache while no file of theirs changes.

Reading the labels of 100,000 pictures and looking at each picture's header takes seconds, and every
command does it. What was found is kept with the state of every visible file below the set's folder:
its path, its size, the times of its last changes, and its place on the disk. The next command asks
the system for each file's state, and takes what is kept where all are the same.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.picture_sizes import measure
from viewfinder.datasets.survey import Survey
from viewfinder.errors import InputError
from viewfinder.files import cache_folder, replacing_by_name
from viewfinder.pictures.masks import Segmentation
from viewfinder.values import as_table

_FOLDER = "sets"
# Smaller sets are read as soon as they are asked for.
_LARGE = 20_000
# What is changed twice within so many seconds may have the same times before and after.
_SETTLED = 3.0
_ENCODED = ("utf-8", "surrogateescape")
_TUPLES = ("classes", "class_ids", "groups", "notes")
_TELLING = attrgetter("st_size", "st_ino", "st_mtime_ns", "st_ctime_ns")
_WORDS = ("layout", "unread", *_TUPLES)
_ARRAYS = ("labels", "splits", "sizes", "image_ids", "orientations", "file_sizes")
_BOX_ARRAYS = ("corners", "classes", "offsets", "ids", "crowd", "difficult", "areas")


def kept_or_read(seen: Survey, read: Callable[[], Dataset]) -> Dataset:
    """What `read` finds in a folder, all of which lies in that folder; of a large set once."""
    if len(seen.pictures.paths) < _LARGE:
        return read()
    begun = time.time()
    try:
        state, latest = _state(seen)
    except (OSError, OverflowError):
        return read()
    place = hashlib.blake2b(os.fsencode(seen.root.absolute()), digest_size=12).hexdigest()
    file = cache_folder() / _FOLDER / f"{place}.safetensors"
    if (kept := _recalled(file, seen.root, state)) is not None:
        return kept
    found = read()
    if latest < begun - _SETTLED and not (found.boxes is None or found.boxes.tracks):
        measures = measure(found.root, found.paths)
        found = replace(found, file_sizes=measures.sizes, orientations=measures.orientations)
        with contextlib.suppress(InputError):  # the next reads it anew
            _keep(file, found, state)
    return found


def _state(seen: Survey) -> tuple[str, float]:
    """A digest of the state of all files, and of what reads them; and when the last was changed."""
    files = sorted(seen.pictures.paths.union(*seen.files.values()))
    # All of a large set is asked for without a line of Python for each file.
    states = map(os.stat, map(f"{seen.root}/".__add__, files))
    numbers = chain.from_iterable(map(_TELLING, states))
    columns = np.fromiter(numbers, np.int64, 4 * len(files)).reshape(-1, 4)
    digest = hashlib.blake2b(columns.tobytes(), digest_size=16)
    digest.update(os.fsencode("\0".join((str(seen.root), *files))))
    digest.update(repr(_code()).encode("utf-8", "backslashreplace"))
    return digest.hexdigest(), float(columns[:, 2:].max()) / 1e9


def _code() -> list[tuple[str, int, int]]:
    """What this reading is done by: another version may find other things in the same files."""
    package = Path(__file__).parents[1]
    files = [file for room in ("datasets", "pictures") for file in (package / room).rglob("*.py")]
    states = [(str(file), file.stat()) for file in sorted(files)]
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]


def _keep(file: Path, dataset: Dataset, state: str) -> None:
    """Write a set whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    boxes = dataset.boxes
    assert boxes is not None
    arrays = {name: getattr(dataset, name) for name in _ARRAYS}
    arrays |= {f"boxes.{name}": getattr(boxes, name) for name in _BOX_ARRAYS}
    arrays["paths"] = np.frombuffer("\0".join(dataset.paths).encode(*_ENCODED), np.uint8)
    outlines = boxes.segmentations.items()
    polygons = {row: outline for row, outline in outlines if not isinstance(outline, dict)}
    points = [polygon for outline in polygons.values() for polygon in outline]
    arrays["polygons"] = np.concatenate([np.zeros(0), *points])
    arrays["polygons.lengths"] = np.array([len(polygon) for polygon in points], np.int64)
    arrays["polygons.rows"] = np.array([r for r, o in polygons.items() for _ in o], np.int64)
    words = {name: getattr(dataset, name) for name in _WORDS}
    words["faults"] = [asdict(fault) for fault in dataset.faults]
    words["runs"] = [(row, outline) for row, outline in outlines if isinstance(outline, dict)]
    held = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    with replacing_by_name(file) as unfinished:
        save_file(held, unfinished, {"state": state, "words": json.dumps(words)})


def _recalled(file: Path, root: Path, state: str) -> Dataset | None:
    """The set that is kept, if its files were in this state."""
    try:
        with safe_open(file, "numpy") as kept:
            said = kept.metadata() or {}
            if said.get("state") != state:
                return None
            words = as_table(json.loads(said["words"]))
            arrays = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
        return _dataset(root, words, arrays)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _dataset(root: Path, words: dict[str, Any], arrays: dict[str, np.ndarray]) -> Dataset:
    paths = arrays["paths"].tobytes().decode(*_ENCODED)
    tuples: dict[str, Any] = {
        name: v if v is None else tuple(v) for name, v in words.items() if name in _TUPLES
    }
    rows: dict[str, Any] = {name: arrays[f"boxes.{name}"] for name in _BOX_ARRAYS}
    columns: dict[str, Any] = {name: arrays.get(name) for name in _ARRAYS}
    return Dataset(
        root=root,
        layout=words["layout"],
        unread=words["unread"],
        faults=tuple(Fault(**fault) for fault in words["faults"]),
        paths=tuple(paths.split("\0")),
        boxes=Boxes(**rows, segmentations=_outlines(arrays) | dict(words["runs"])),
        **tuples,
        **columns,
    )


def _outlines(arrays: dict[str, np.ndarray]) -> dict[int, Segmentation]:
    found: dict[int, list[np.ndarray]] = {}
    ends = np.cumsum(arrays["polygons.lengths"]).tolist()
    rows = arrays["polygons.rows"].tolist()
    for row, start, end in zip(rows, [0, *ends], ends, strict=False):
        found.setdefault(row, []).append(arrays["polygons"][start:end])
    return {**found}
