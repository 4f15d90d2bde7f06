"""One COCO file, as columns: its pictures, its boxes, and what is wrong with it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import BoxTrack
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.coco.categories import (
    categories_in,
    groups_in,
    listed_in,
    same_names,
    with_names,
)
from viewfinder.datasets.formats.coco.rows import NO_OUTLINES, AnnotationRows
from viewfinder.datasets.formats.coco.typed_rows import TypedRows
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.datasets.formats.large_json import read_large_json
from viewfinder.datasets.formats.typed_json import NotPlain, read_typed_json
from viewfinder.datasets.locating import Located, locate
from viewfinder.datasets.split_names import split_of_parts
from viewfinder.datasets.survey import Survey, beginning
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation
from viewfinder.wording import counted

_LARGEST_TABLE = 4_000_000


@dataclass
class CocoFile:
    """One file, as columns."""

    name: str
    split: int
    categories: dict[int, str]
    paths: list[str]
    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    groups: list[str]
    pictures: NDArray[np.int64]
    corners: NDArray[np.float64]
    box_classes: NDArray[np.int64]
    used: frozenset[int]  # the numbers of categories that have boxes
    box_ids: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    areas: NDArray[np.float64]
    segmentations: dict[int, Segmentation]
    tracks: dict[int, BoxTrack]
    unread: Counter[str]
    located: Located
    from_outlines: int  # boxes that no annotation states
    composed: bool  # of scenes, as its description says
    named: frozenset[str]  # what has texts for numbers: images, boxes, classes
    groups_of_classes: frozenset[str]
    faults: list[Fault]


def read_part(file: Path, seen: Survey) -> CocoFile:
    """Read one file.

    Raises:
        InputError: it is damaged, or does not say what it must.
    """
    _refuse_list(file)
    rows, others = _rows_of(file)
    images = rows.images
    if not images.ids:
        raise InputError(f"{file} lists no images, and so is no COCO file of pictures and boxes")
    info = others.get("info")
    if composed := isinstance(info, dict) and info.get("description") == COMPOSED:
        del others["info"]
    for name in sorted(others.keys() - {"categories"}):
        rows.unread[f"{name} (the file's)"] += 1
    name = file_name(file, seen)
    used = rows.box_column("class")
    listed = listed_in(others.get("categories"), str(file))
    categories = categories_in(listed, rows, set(_different(used).tolist()))
    used = with_names(used, categories, rows.texts["class"])
    split = split_of_file(file, seen)
    ids = np.array(images.ids, np.int64)
    pictures = _positions(ids, rows.box_column("image"), file)
    stated = rows.fill_boxes()
    boxed = ~np.isnan(stated).all(1)
    known = (pictures >= 0) & boxed
    faults = _faults_of(rows, name, ids, used, categories, without_box=int((~boxed).sum()))
    rows.unread["annotations of images that are not listed"] += int((pictures < 0).sum())
    rows.unread["annotations without a box of four numbers"] += int((~boxed).sum())
    renumbered = np.cumsum(known) - 1
    box_ids = rows.box_column("id")[known]
    box = stated[known]
    with np.errstate(over="ignore", invalid="ignore"):  # infinities: the tidying drops them
        ends = box[:, :2] + box[:, 2:]
    folders = _folders(file, seen.root, split)
    located = locate(images.names, folders, seen.pictures, near=folders[0], where=str(file))
    return CocoFile(
        name=name,
        split=split,
        categories=categories,
        paths=located.paths,
        ids=ids,
        sizes=np.array([images.widths, images.heights], np.int64).T,
        groups=images.groups,
        pictures=pictures[known],
        corners=np.concatenate([box[:, :2], ends], axis=1),
        box_classes=used[known],
        used=frozenset(_different(used[known]).tolist()) & categories.keys(),
        box_ids=box_ids
        if box_ids.any() and not rows.texts["box"]
        else np.arange(1, len(box_ids) + 1),
        crowd=rows.box_column("crowd")[known] != 0,
        difficult=rows.box_column("difficult")[known] != 0,
        areas=rows.box_column("area").astype(np.float64)[known],
        segmentations={
            int(renumbered[row]): outline
            for row, outline in rows.segmentations.items()
            if known[row]
        },
        tracks={int(renumbered[row]): track for row, track in rows.tracks.items() if known[row]},
        unread=+rows.unread,
        located=located,
        from_outlines=rows.from_outlines,
        composed=composed,
        named=frozenset(kind for kind, texts in rows.texts.items() if texts),
        groups_of_classes=groups_in(listed),
        faults=[*faults, *_unclear(name, located)],
    )  # fmt: skip


def _rows_of(file: Path) -> tuple[AnnotationRows, dict[str, object]]:
    """A file's pictures and annotations, and its other members."""
    rows = AnnotationRows(str(file))
    typed = TypedRows(rows)
    try:
        take_typed = {"images": typed.take_images, "annotations": typed.take_annotations}
        return rows, read_typed_json(file, take_typed)
    except NotPlain:
        rows = AnnotationRows(str(file))
        take = {"images": rows.take_images, "annotations": rows.take_annotations}
        return rows, read_large_json(file, take)


def _refuse_list(file: Path) -> None:
    if beginning(file).lstrip().startswith("["):
        raise InputError(
            f"{file} holds a list, as a detector's results do, and no images, annotations and "
            "categories: give COCO's labels themselves"
        )


def _faults_of(
    rows: AnnotationRows,
    name: str,
    ids: NDArray[np.int64],
    used: NDArray[np.int64],
    categories: dict[int, str],
    *,
    without_box: int,
) -> list[Fault]:
    """What is wrong with a file by itself: `ids` of its images, and the classes `used` by boxes."""
    return [
        *_unlisted(name, "image", rows.box_column("image"), ids),
        *_unlisted(name, "category", used, np.array(list(categories), np.int64)),
        *_without_box(name, without_box),
        *_without_outline(name, rows.unread),
        *same_names(name, categories, set(_different(used).tolist())),
    ]


def _unclear(name: str, located: Located) -> list[Fault]:
    if not located.unclear:
        return []
    first, same = located.unclear[0]
    detail = f"it lists {first:.80}, which may be {' or '.join(same[:3]):.160}"
    if more := len(located.unclear) - 1:
        detail += f" (and {more:,} more such names)"
    fix = "write the folder into the name, as in file_name: " + f"{same[0]:.80}"
    return [Fault("two-pictures", name, detail, fix, blocking=True)]


def _unlisted(
    name: str, kind: str, used: NDArray[np.int64], listed: NDArray[np.int64]
) -> list[Fault]:
    """Annotations whose numbers of images or categories the file does not list."""
    missing = ~np.isin(used, listed)
    if not missing.any():
        return []
    be = "is" if missing.sum() == 1 else "are"
    detail = f"{int(missing.sum()):,} of its {counted(len(used), 'annotation')} {be} of "
    detail += "images" if kind == "image" else "categories"
    detail += " that it does not list"
    different = np.unique(used)
    for step, what in ((1, "one less than"), (-1, "one more than")):
        if np.isin(different + step, listed).all():
            detail += f": their {kind}_id is {what} the number meant, it seems"
            return [Fault("off-by-one", name, detail, f"correct {kind}_id", blocking=True)]
    return [Fault(f"unlisted-{kind}", name, detail, "export the file again")]


def _without_box(name: str, count: int) -> list[Fault]:
    if not count:
        return []
    detail = f"{counted(count, 'annotation')} without a box of four numbers, passed over"
    return [Fault("no-box", name, detail, "remove them, or draw boxes")]


def _without_outline(name: str, unread: Mapping[str, int]) -> list[Fault]:
    return [
        Fault("no-outline", name, f"{_segmentations(unread[what], what)}, passed over",
              "remove them, or draw them again")
        for what in NO_OUTLINES
        if unread.get(what)
    ]  # fmt: skip


def _segmentations(count: int, what: str) -> str:
    """`1 segmentation with …`, `2 segmentations with …`."""
    noun, rest = what.split(" ", 1)
    return f"{counted(count, noun.removesuffix('s'))} {rest}"


def _different(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers that occur, ascending: of few, repeated often, quicker than `np.unique`."""
    if len(numbers) and numbers.min() >= 0 and numbers.max() < _LARGEST_TABLE:
        return np.flatnonzero(np.bincount(numbers))
    return np.unique(numbers)


def _positions(ids: NDArray[np.int64], wanted: NDArray[np.int64], file: Path) -> NDArray[np.int64]:
    """Where each of `wanted` stands in `ids`, or -1."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        number = int(ordered[twice[0]])
        raise InputError(f"{file}: two images have the same number, {number}: give each its own")
    return look_up(wanted, ordered, order)


def look_up(
    wanted: NDArray[np.int64], keys: NDArray[np.int64], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The value of each wanted key, or -1; `keys` ascend."""
    if not len(keys) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    first, last = int(keys[0]), int(keys[-1])
    if last - first < _LARGEST_TABLE:
        # A table is four times as fast as a search, for numbers that are not too far apart.
        table = np.full(last - first + 2, -1, np.int64)
        table[keys - first] = values
        inside = (wanted >= first) & (wanted <= last)
        return table[np.where(inside, wanted - first, last - first + 1)]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], -1)


def split_of_file(file: Path, seen: Survey) -> int:
    """The split that the file's name speaks of, else the innermost of its folders to name one."""
    name = file_name(file, seen).split("/") if file.is_relative_to(seen.root) else [file.name]
    return split_of_parts(name)


def file_name(file: Path, seen: Survey) -> str:
    return file.relative_to(seen.root).as_posix() if file.is_relative_to(seen.root) else str(file)


def _folders(file: Path, root: Path, split: int) -> list[str]:
    """Where a file's pictures may lie, the likeliest first."""
    beside = file.parent.relative_to(root).as_posix() if file.parent.is_relative_to(root) else ""
    token = file.stem.removeprefix("instances_")
    folders = [f"images/{token}", token]
    if split >= 0:
        words = (SPLITS[split], "valid", "validation") if split == 1 else (SPLITS[split],)
        folders += [f"{top}{word}" for word in words for top in ("images/", "")]
    folders += ["images", "data", "JPEGImages", ""]
    # Of several sets below one folder each has its own pictures.
    home = beside.rpartition("/")[0] if beside.lower().endswith("annotations") else beside
    own = [f"{home}/{folder}" for folder in folders] if home not in ("", ".") else []
    return [beside, *own, *folders]
