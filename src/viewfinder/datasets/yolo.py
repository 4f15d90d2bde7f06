"""YOLO's text files: `data.yaml`, pictures in `images/`, a file for each in `labels/`.

A line is `class x y width height`, the box's centre and size as shares of the picture's width and
height; or `class x1 y1 x2 y2 x3 y3 …`, a polygon, whose box is its extent. Shares become pixels of
the picture itself, whose header is therefore read. A picture without a file has no boxes.
"""

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Segmentation, gather_boxes
from viewfinder.datasets.data_yaml import Entry, Value, read_data_yaml
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.finding import picture_files
from viewfinder.datasets.large_json import read_text
from viewfinder.datasets.voc import class_list
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_header

_KEYS = {"path", "train", "val", "test", "names", "nc"}


def find_yolo(root: Path) -> Path | None:
    """The `data.yaml` of a YOLO set, or its `classes.txt`; None where a folder is none."""
    if (root / "data.yaml").is_file():
        return root / "data.yaml"
    for file in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        # A folder may hold YAML of other kinds.
        with contextlib.suppress(InputError):
            if "names" in read_data_yaml(file, {"names"}):
                return file
    listed = root / "classes.txt"
    return listed if listed.is_file() and (root / "labels").is_dir() else None


def read_yolo(file: Path) -> Dataset:
    """Read the set of a `data.yaml`, or of a `classes.txt` beside `images/` and `labels/`.

    Raises:
        InputError: a file is damaged, or does not say what it must.
    """
    root = file.parent
    is_list = file.name == "classes.txt"
    entries = {} if is_list else read_data_yaml(file, _KEYS)
    if not is_list and "names" not in entries:
        raise InputError(f"{file} has no `names`: list the classes there, as in names: [cat, dog]")
    classes = class_names(file, entries["names"]) if "names" in entries else class_list(root)
    listed = _listed(file, entries)
    paths = tuple(path for path, _ in listed)
    sizes = _sizes(root, paths)
    rows = _Rows([], [], [], {})
    for index, path in enumerate(paths):
        _read_labels(label_file(root, path), index, sizes[index], rows)
    numbers = np.array(rows.classes, np.int64)
    return Dataset(
        root=root,
        layout="YOLO",
        classes=classes,
        paths=paths,
        labels=np.full(len(paths), -1, np.int64),
        splits=np.array([side for _, side in listed], np.int8),
        boxes=gather_boxes(
            np.array(rows.pictures, np.int64),
            len(paths),
            corners=np.array(rows.corners, np.float64).reshape(-1, 4),
            classes=np.where((numbers >= 0) & (numbers < len(classes)), numbers, -1),
            segmentations=rows.segmentations,
        ),
        sizes=sizes,
    )


def class_names(file: Path, entry: Entry) -> tuple[str, ...]:
    """The class list of `names`, be it a list or a mapping from the numbers 0, 1, 2, ….

    Raises:
        InputError: there are no names, one stands twice, or numbers are missing.
    """
    names = entry.value
    if isinstance(names, dict):
        numbers = sorted(names, key=lambda key: (len(key), key))
        if numbers != [str(number) for number in range(len(names))]:
            raise InputError(f"{file}: the names must be numbered 0, 1, 2, … without a gap")
        names = [names[number] for number in numbers]
    if isinstance(names, str) or not names or not all(name.strip() for name in names):
        raise InputError(f"{file}: `names` must list the classes, such as names: [cat, dog]")
    stripped = [name.strip() for name in names]
    twice = [name for name in stripped if stripped.count(name) > 1]
    if twice:
        raise InputError(f"{file}: two classes have the same name, {twice[0]!r}: give each its own")
    return tuple(stripped)


def label_file(root: Path, path: str) -> Path:
    """Where a picture's labels lie: in `labels/` for the last `images/` of its path, or beside."""
    parts = list(PurePosixPath(path).with_suffix(".txt").parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return root.joinpath(*parts)


def _listed(file: Path, entries: dict[str, Entry]) -> list[tuple[str, int]]:
    """Every picture and its side; -1 for all where the set has no sides."""
    root = file.parent
    sides = {name: entries[name].value for name in SPLITS if name in entries}
    if not any(sides.values()):
        return [(path, -1) for path in sorted(picture_files(root)) if "images/" in path]
    base = entries["path"].value if "path" in entries else ""
    bases = [root / base, root] if isinstance(base, str) and base else [root]
    found: dict[str, int] = {}
    for name, value in sides.items():
        for place in _places(value, f"{file}: {name}"):
            try:
                pictures = _pictures(place, bases, root, f"{file}: {name}")
            except InputError:
                raise
            except (OSError, ValueError) as error:  # too long a name, a zero byte, a loop of links
                reason = getattr(error, "strerror", None) or error
                raise InputError(
                    f"{file}: {name}: {place!r:.60} cannot be read ({reason})"
                ) from None
            for path in pictures:
                found.setdefault(path, SPLITS.index(name))
    if not found:
        raise InputError(f"{file} leads to no pictures: check its train, val and test")
    return list(found.items())


def _places(value: Value, where: str) -> list[str]:
    if isinstance(value, dict):
        raise InputError(f"{where} must name a folder or a list of pictures")
    return [place for place in ([value] if isinstance(value, str) else value) if place]


def _pictures(place: str, bases: list[Path], root: Path, where: str) -> list[str]:
    """The pictures of a folder, or of a text file that lists them."""
    # Some exporters count from the folder that holds `train/`, and write `../train/images`.
    for name in (place, place.removeprefix("../")):
        for base in bases:
            target = base / name
            if target.is_dir():
                inside = _relative(target, root)
                prefix = f"{inside}/" if inside != "." else ""
                return [prefix + path for path in sorted(picture_files(target))]
            if target.suffix == ".txt" and target.is_file():
                lines = (line.strip() for line in read_text(target).splitlines())
                return [_relative(base / line, root) for line in lines if line]
    raise InputError(f"{where}: there is no {place}: check the path in the file")


def _relative(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _sizes(root: Path, paths: tuple[str, ...]) -> NDArray[np.int64]:
    """N×2, width and height of each picture; 0 where it cannot be read."""

    def size(path: str) -> tuple[int, int]:
        try:
            return read_header(root / path).size
        except (InputError, OSError):
            return 0, 0

    with ThreadPoolExecutor() as pool:
        return np.array(list(pool.map(size, paths)), np.int64).reshape(-1, 2)


@dataclass
class _Rows:
    pictures: list[int]
    classes: list[int]
    corners: list[list[float]]
    segmentations: dict[int, Segmentation]


def _read_labels(file: Path, index: int, size: NDArray[np.int64], rows: _Rows) -> None:
    try:
        text = read_text(file)
    except InputError:
        if file.exists():
            raise
        return
    width, height = (float(side) or math.nan for side in size)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        label, values = read_row(words, f"{file}, line {number}")
        if len(values) == 4:
            x, y, w, h = values
            box = [(x - w / 2) * width, (y - h / 2) * height]
            box += [(x + w / 2) * width, (y + h / 2) * height]
        else:
            points = np.array(values).reshape(-1, 2) * (width, height)
            rows.segmentations[len(rows.pictures)] = [points.reshape(-1)]
            box = [*points.min(0).tolist(), *points.max(0).tolist()]
        rows.pictures.append(index)
        rows.classes.append(label)
        rows.corners.append(box)


def read_row(words: list[str], where: str) -> tuple[int, list[float]]:
    """The class and the numbers of one line of labels.

    Raises:
        InputError: it is no line of labels.
    """
    try:
        label, values = float(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise InputError(f"{where}: {' '.join(words)[:40]!r} are not numbers alone") from None
    if not label.is_integer() or not 0 <= label < 2**31:
        raise InputError(f"{where}: the class {words[0][:20]!r} is no number of a class")
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise InputError(
            f"{where}: {len(values)} numbers after the class, where a box has 4 (centre and size) "
            "and a polygon an even count of 6 or more"
        )
    return int(label), values
