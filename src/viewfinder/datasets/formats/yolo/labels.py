"""What the lines of YOLO's files of labels say.

A line is `class x y width height`, the box's centre and size as shares of the picture's width and
height; or `class x1 y1 x2 y2 x3 y3 …`, a polygon, whose box is its extent; or, where `kpt_shape` in
`data.yaml` says so, a box with key points behind it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation


@dataclass
class LineRows:
    """The lines of a set's labels so far: the numbers as they stand there, as shares.

    Attributes:
        paths: the set's pictures.
        pictures: the number of each line's picture.
        classes: its class.
        numbers: its four numbers, centre and size; of a polygon its extent's two corners.
        outlines: polygons by their line, as `x, y, x, y, …`.
        faults: lines that are none of YOLO's.
    """

    paths: Sequence[str]
    pictures: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)
    outlines: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def read(self, file: Path, name: str, picture: int, points: int) -> None:
        """Add the lines of a picture's file; one that is none of YOLO's is a fault.

        Args:
            points: how many numbers of key points follow each box; 0 where there are none.
        """
        try:
            text = read_text(file)
        except InputError as error:
            detail, fix = _why_unread(file, str(error))
            own = name, self.paths[picture]
            self.faults.append(Fault("unreadable", name, detail, fix, True, *own))
            return
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words:
                continue
            try:
                label, values = label_row(words, points)
            except InputError as error:
                where, own = f"{name}, line {number}", (name, self.paths[picture])
                self.faults.append(Fault("label", where, *_split(error), True, *own))
                continue
            self._add(picture, label, values, points)

    def _add(self, picture: int, label: int, values: list[float], points: int) -> None:
        if len(values) == 4 or points:
            numbers = values[:4]
        else:
            polygon = np.array(values)
            self.outlines[len(self.pictures)] = polygon
            corners = polygon.reshape(-1, 2)
            numbers = [*corners.min(0).tolist(), *corners.max(0).tolist()]
        self.pictures.append(picture)
        self.classes.append(label)
        self.numbers.append(numbers)

    def corners(self) -> NDArray[np.float64]:
        """M×4 `x1, y1, x2, y2` as shares."""
        numbers = np.array(self.numbers, np.float64).reshape(-1, 4)
        with np.errstate(over="ignore", invalid="ignore"):  # infinities: the tidying drops them
            half = numbers[:, 2:] / 2
            corners = np.concatenate([numbers[:, :2] - half, numbers[:, :2] + half], axis=1)
        polygons = list(self.outlines)
        corners[polygons] = numbers[polygons]
        return corners

    def scaled_outlines(self, sizes: NDArray[np.int64]) -> dict[int, Segmentation]:
        """The polygons in pixels of pictures of these sizes, N×2."""
        return {
            row: [(polygon.reshape(-1, 2) * sizes[self.pictures[row]]).reshape(-1)]
            for row, polygon in self.outlines.items()
        }


def label_row(words: Sequence[str], points: int = 0) -> tuple[int, list[float]]:
    """The class and the numbers of a line's words.

    Raises:
        InputError: they are no numbers, or not as many as a box or a polygon has; what is wrong,
            a semicolon, and what to do.
    """
    shown = " ".join(words)[:40]
    try:
        label, values = float(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise InputError(f"{shown!r} are not numbers alone; write class x y width height") from None
    if not label.is_integer() or not 0 <= label < 2**31:
        raise InputError(
            f"the class {words[0][:20]!r} is no number of a class; number the classes from 0"
        )
    if len(values) == 4 or (points and len(values) == 4 + points):
        return int(label), values
    if points:
        raise InputError(
            f"{len(values)} numbers after the class, where kpt_shape asks for 4 and {points}; "
            "fix kpt_shape in data.yaml, or this line"
        )
    if len(values) == 5:
        raise InputError(
            "5 numbers after the class, where a box has 4 (centre and size); "
            "the fifth may be a detector's confidence: take it out"
        )
    if len(values) < 6 or len(values) % 2:
        raise InputError(
            f"{len(values)} numbers after the class, where a box has 4 (centre and size) and a "
            "polygon an even count of 6 or more; write one of these, or say kpt_shape in data.yaml "
            "if key points follow the box"
        )
    return int(label), values


def like_key_points(rows: LineRows) -> bool:
    """Whether what was read as polygons is more likely boxes with key points behind them.

    As polygons all have as many corners, and every further corner lies in the box that the first
    four numbers would be; the second corner is mostly far from the others, or these reach just as
    far as that box.
    """
    polygons = list(rows.outlines.values())
    if len(polygons) < 2 or len({len(polygon) for polygon in polygons}) > 1:
        return False
    numbers = np.stack(polygons)
    centre, size = numbers[:, None, :2], numbers[:, None, 2:4]
    points = numbers[:, 4:].reshape(len(numbers), -1, 2)
    slack = 0.02
    unmarked = (points == 0).all(2)
    if unmarked.all():
        return False
    points = np.where(unmarked[:, :, None], np.nan, points)
    points = points[~unmarked.all(1)]
    numbers = numbers[~unmarked.all(1)]
    centre, size = numbers[:, None, :2], numbers[:, None, 2:4]
    inside = ((np.abs(points - centre) <= size / 2 + slack) | np.isnan(points)).all((1, 2))
    whole = (np.abs(centre - 0.5) + size / 2 <= 0.5 + slack).all((1, 2))
    low, high = np.nanmin(points, 1), np.nanmax(points, 1)
    reach = np.maximum(high - low, 0.02)
    second = numbers[:, 2:4]
    beside = ((second >= low - reach) & (second <= high + reach)).all(1)
    tight = (np.abs(high - low - size[:, 0]) < slack).all(1)
    far = beside.mean() < 0.5 or tight.mean() > 0.5 or unmarked.mean() > 0.05
    return bool((inside & whole).mean() > 0.95 and far)


def _why_unread(file: Path, said: str) -> tuple[str, str]:
    """What is wrong with a file that is not read as text, and what to do, without its name."""
    refused = said.removeprefix(f"cannot read {file}: ")
    if refused != said:
        return f"it cannot be read ({refused})", "see that it is a file that your account may read"
    detail, _, fix = said.removeprefix(f"{file} ").partition(": ")
    return detail, fix or "replace it"


def _split(error: InputError) -> tuple[str, str]:
    detail, _, fix = str(error).partition("; ")
    return detail, fix


def pixels(corners: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Corners as shares in pixels of their pictures; NaN where a picture has no size.

    Args:
        sizes: M×2, width and height of each box's picture; 0 where it is not known.
    """
    known = np.where(sizes > 0, sizes, math.nan)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities: the tidying drops them
        return np.asarray(corners * np.tile(known, 2))
