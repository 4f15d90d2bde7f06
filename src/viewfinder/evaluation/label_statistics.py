"""What the labels of a set are like: how many of each class, how large objects are, and where."""

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.formats.rgbd.reading import read_subject
from viewfinder.evaluation.figures import TRAIN, inline, quiet, shade
from viewfinder.evaluation.material import SIDES
from viewfinder.pictures.masks import box_around

# Classes that are told one by one, the commonest; masks that are read, and cells to a side of the
# map of places.
_MOST, _MOST_MASKS, _CELLS = 30, 200, 24

Corners = NDArray[np.float64]
"""M×4: x1, y1, x2, y2 as shares of the picture's width and height."""


def section(dataset: Dataset) -> dict[str, object]:
    """Counts by class and side; of boxes and masks also figures of those that are learnt from."""
    sides = [side for side in SPLITS if dataset.has_split(side)]
    parts = [dataset.split(side) for side in sides]
    counts = [part.counts() for part in parts]
    # Every mask shows all of a set's classes.
    names = () if dataset.masks else dataset.classes
    rows = sorted(
        ((name, [count[name] for count in counts]) for name in names), key=lambda row: -sum(row[1])
    )
    what = "boxes" if dataset.boxes is not None else "subjects" if dataset.masks else ""
    corners = _corners(dataset.split("train")) if what else np.zeros((0, 4))
    return {
        "sides": [SIDES[side] for side in sides],
        "what": "boxes" if what == "boxes" else "pictures",
        "pictures": [len(part) for part in parts],
        "rows": rows[:_MOST],
        "left_out": max(0, len(rows) - _MOST),
        "most": max((sum(numbers) for _, numbers in rows), default=0),
        "figures": [_extents(corners, what), _places(corners, what)] if len(corners) else [],
    }


def _corners(train: Dataset) -> Corners:
    """Of the boxes whose pictures' sizes are known, or around the subjects of the first masks."""
    if train.boxes is None:
        return _around_subjects(train)
    if train.sizes is None:
        return np.zeros((0, 4))
    sizes = np.repeat(np.asarray(train.sizes, np.float64), np.diff(train.boxes.offsets), axis=0)
    known = (sizes > 0).all(axis=1)
    return np.asarray((train.boxes.corners[known] / np.tile(sizes[known], 2)).clip(0, 1))


def _around_subjects(train: Dataset) -> Corners:
    found = []
    for index in [i for i, mask in enumerate(train.masks) if mask][:_MOST_MASKS]:
        mask = read_subject(train, index)
        if mask.any():
            height, width = mask.shape
            found.append(np.array(box_around(mask)) / (width, height, width, height))
    return np.array(found).reshape(-1, 4)


def _extents(corners: Corners, what: str) -> Markup:
    shares = 100 * np.sqrt((corners[:, 2:] - corners[:, :2]).prod(axis=1))
    figure = Figure(figsize=(4.6, 3.1), layout="constrained")
    axes = figure.subplots()
    axes.hist(shares, bins=20, range=(0, 100), color=TRAIN)
    axes.set_title(f"How large {what} are")
    axes.set_xlabel("side, % of the picture's")
    axes.set_ylabel(what)
    quiet(axes)
    low, middle, high = np.percentile(shares, [5, 50, 95])
    return inline(
        figure,
        f"How large {what} are: half of them have a side of less than {middle:.0f} % of their "
        f"picture's, and nine of ten lie between {low:.0f} and {high:.0f} %",
    )


def _places(corners: Corners, what: str) -> Markup:
    x, y = ((corners[:, :2] + corners[:, 2:]) / 2).T
    counts, _, _ = np.histogram2d(y, x, bins=_CELLS, range=((0, 1), (0, 1)))
    figure = Figure(figsize=(4.6, 3.1), layout="constrained")
    axes = figure.subplots()
    shade(axes, counts / max(1.0, counts.max()), TRAIN, across=100)
    axes.set_title("Where their centres lie")
    axes.set_xlabel("% of the width")
    axes.set_ylabel("% of the height")
    across, down = 100 * np.median(x), 100 * np.median(y)
    return inline(
        figure,
        f"Where the centres of {what} lie: in the median at {across:.0f} % of the width and "
        f"{down:.0f} % of the height, as a map of {_CELLS} by {_CELLS} cells",
    )
