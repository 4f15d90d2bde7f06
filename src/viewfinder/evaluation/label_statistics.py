"""What a set is like: how many of each class; how large objects are, of what shape, and where; how
large and how bright its pictures are, and of what shape where they differ.
"""

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.formats.rgbd.reading import read_subject
from viewfinder.errors import InputError
from viewfinder.evaluation.figures import TRAIN, inline, quiet, shade
from viewfinder.evaluation.looks import looks
from viewfinder.evaluation.material import SPLITS_IN_WORDS
from viewfinder.evaluation.sampling import Values
from viewfinder.pictures.masks import box_around
from viewfinder.wording import counted

# Classes that are named one by one, the commonest; masks that are read, and cells to a side of the
# map of places.
_MOST, _MOST_MASKS, _CELLS = 30, 200, 24
# Pictures whose size and brightness are measured.
_MOST_LOOKED_AT = 400

Corners = NDArray[np.float64]
"""M×4: x1, y1, x2, y2 as shares of the picture's width and height."""


def section(dataset: Dataset, *, drawn: bool = True) -> dict[str, object]:
    """Counts by class and split; figures of the pictures, boxes and masks that are learnt from.

    Of a set without splits all are counted as one, and all are drawn.

    Args:
        drawn: whether there are figures.
    """
    splits = [split for split in SPLITS if dataset.has_split(split)]
    parts = [dataset.split(split) for split in splits] or [dataset]
    learnt = dataset.split("train") if "train" in splits else dataset
    counts = [part.counts() for part in parts]
    # Every mask shows all of a set's classes.
    names = () if dataset.masks else dataset.classes
    rows = sorted(
        ((name, [count[name] for count in counts]) for name in names), key=lambda row: -sum(row[1])
    )
    what = "boxes" if dataset.boxes is not None else "subjects" if dataset.masks else ""
    return {
        "splits": [SPLITS_IN_WORDS[split] for split in splits] or ["all"],
        "what": "boxes" if what == "boxes" else "pictures",
        "pictures": [len(part) for part in parts],
        "rows": rows[:_MOST],
        "left_out": max(0, len(rows) - _MOST),
        "most": max((sum(numbers) for _, numbers in rows), default=0),
        "figures": _figures(learnt, what) if drawn else [],
        "of": _drawn_of(learnt, what, dealt="train" in splits),
    }


def _drawn_of(learnt: Dataset, what: str, *, dealt: bool) -> str:
    """Which pictures the figures are of, in a sentence."""
    many = counted(len(learnt), "training picture" if dealt else "picture")
    text = f"The charts are of the {many}"
    if len(learnt) > _MOST_LOOKED_AT:
        bright = "how bright boxes are, and " if what == "boxes" else ""
        text += f"; {bright}what pictures are like, of {_MOST_LOOKED_AT} of them, evenly chosen"
    masks = sum(map(bool, learnt.masks)) if what == "subjects" else 0
    if masks > _MOST_MASKS:
        text += f"; how large subjects are and where they lie, of the first {_MOST_MASKS} masks"
    return f"{text}."


def _figures(learnt: Dataset, what: str) -> list[Markup]:
    """What objects are like, if there are any, and what pictures are."""
    corners = _corners(learnt) if what else np.zeros((0, 4))
    figures = [_extents(corners, what), _places(corners, what)] if len(corners) else []
    if learnt.boxes is not None and len(learnt.boxes):
        figures.append(_shapes(learnt.boxes.corners))
    return figures + _of_pictures(learnt)


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
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    quiet(axes)
    low, middle, high = np.percentile(shares, [5, 50, 95])
    return inline(
        figure,
        f"How large {what} are: half of them have a side of less than {middle:.0f} % of their "
        f"picture's, and nine of ten lie between {low:.0f} and {high:.0f} %",
    )


def _shapes(corners: NDArray[np.float64]) -> Markup:
    """Of boxes in pixels: how many times as wide as high they are."""
    sides = corners[:, 2:] - corners[:, :2]
    sides = sides[(sides > 0).all(axis=1)]
    title, unit = "What shape boxes are", "width by height"
    return _histogram(sides[:, 0] / sides[:, 1], title, unit, "boxes", doublings=True)


def _of_pictures(learnt: Dataset) -> list[Markup]:
    """What some pictures are like, evenly chosen, and their boxes; nothing where one is damaged."""
    chosen = np.unique(np.linspace(0, len(learnt) - 1, min(len(learnt), _MOST_LOOKED_AT)))
    try:
        seen = looks(learnt.select(chosen.astype(np.int64)))
    except InputError:
        return []
    side = np.sqrt(seen.sizes.prod(axis=1))
    shape = seen.sizes[:, 0] / seen.sizes[:, 1]
    figures = []
    if len(seen.boxes):
        figures.append(_histogram(seen.boxes, "How bright boxes are", "% of white", "boxes"))
    title = "How large pictures are"
    figures.append(_histogram(side, title, "√(width × height), pixels", "pictures"))
    if shape.min() < shape.max():
        title = "What shape pictures are"
        figures.append(_histogram(shape, title, "width by height", "pictures", doublings=True))
    return [
        *figures,
        _histogram(seen.brightness, "How bright pictures are", "% of white", "pictures"),
    ]


def _histogram(
    values: Values, title: str, unit: str, what: str, *, doublings: bool = False
) -> Markup:
    """How many have each value; `doublings` has each bar's values grow by a factor."""
    figure = Figure(figsize=(4.6, 3.1), layout="constrained")
    axes = figure.subplots()
    values = values[np.isfinite(values)]
    if doublings:
        reach = max(1.0, float(np.abs(np.log2(values)).max(initial=0)))
        axes.hist(values, bins=list(2 ** np.linspace(-reach, reach, 25)), color=TRAIN)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    elif len(values) and values.min() == values.max():
        axes.hist(values, bins=21, range=(0.8 * values[0], 1.2 * values[0] + 1), color=TRAIN)
    else:
        axes.hist(values, bins=20, color=TRAIN)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.set_ylabel(what)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    quiet(axes)
    low, middle, high = np.percentile(values, [5, 50, 95]) if len(values) else (0, 0, 0)
    return inline(
        figure,
        f"{title}: {unit}, half of them below {middle:.3g}, nine of ten {low:.3g} to {high:.3g}",
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
