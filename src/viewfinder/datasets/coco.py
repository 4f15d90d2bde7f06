"""COCO's object detection: one JSON file for each side, as in `annotations/instances_train.json`.

A box is `[x, y, width, height]` in pixels from the picture's top left corner, so `x1 = x` and
`x2 = x + width`. Numbers of pictures, boxes and classes are kept as they are, however sparse,
where they are different; classes stand in the order of the file. A picture that several files list,
or one file several times, is one picture. See https://cocodataset.org/#format-data.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Segmentation, finite, gather_boxes
from viewfinder.datasets.coco_rows import NO_OUTLINES, Rows
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.finding import locate
from viewfinder.datasets.joining import joined, unique_numbers
from viewfinder.datasets.json_columns import identities, text_of
from viewfinder.datasets.large_json import Objects, read_large_json
from viewfinder.datasets.listings import Listing, sides_of
from viewfinder.datasets.meaning import Meaning, other_meaning
from viewfinder.datasets.sides import side_of
from viewfinder.datasets.survey import Survey, speaks_of
from viewfinder.errors import InputError
from viewfinder.wording import counted, some

# Files of the same folder that tell of other things than boxes.
_OTHER_KINDS = re.compile(r"captions|keypoints|panoptic|stuff|image_info|deleted", re.IGNORECASE)
_USUAL = re.compile(r"(?:instances.*|annotations|coco|labels)\.json", re.IGNORECASE)
_LARGEST_TABLE = 4_000_000
_ROBOFLOW = "_annotations.coco.json"
_BOX = Meaning("corner and size", "pixels")


def find_coco(seen: Survey) -> list[Path]:
    """The JSON files of a COCO set: those in the most usual of places; none where it is none."""
    files = [path for path in seen.of(".json") if path.count("/") <= 3]
    in_folder = [path for path in files if "annotations" in path.lower().split("/")[:-1]]
    instances = [p for p in in_folder if p.lower().rpartition("/")[2].startswith("instances")]
    if instances:
        return [seen.root / path for path in instances]
    others = [path for path in in_folder if not _OTHER_KINDS.search(path)]
    roboflow = [path for path in files if path.endswith(_ROBOFLOW)]
    usual = [path for path in files if _USUAL.fullmatch(path.rpartition("/")[2])]
    plain = [path for path in files if not _OTHER_KINDS.search(path)]
    # Files of such names may be of any kind.
    for places in (others, roboflow, usual, plain):
        found = [
            path for path in places if speaks_of(seen.root / path, '"images"', '"annotations"')
        ]
        if found:
            return [seen.root / path for path in found]
    return []


def read_coco(seen: Survey, files: Sequence[Path]) -> Dataset:
    """Read the files of a set, whose pictures lie somewhere below its root.

    A file's side is told by a word of its name, such as `train` or `val2017`, or of its folder's.

    Raises:
        InputError: a file is damaged, or does not say what COCO's must.
    """
    parts = [_read_part(file, seen) for file in sorted(files, key=lambda file: _order(file, seen))]
    categories: dict[str, int] = {}
    for part in parts:
        for number, name in part.categories.items():
            categories.setdefault(name, number)
    classes = tuple(categories)
    seen_fields: Counter[str] = Counter()
    for part in parts:
        seen_fields.update(part.unread)
    dataset, rows = joined(_gathered(seen.root, parts, categories, classes))
    starts = np.cumsum([0, *(len(part.paths) for part in parts)])
    listings = [
        Listing(
            part.name,
            part.side,
            tuple(dict.fromkeys(rows[start : start + len(part.paths)].tolist())),
        )
        for part, start in zip(parts, starts.tolist(), strict=False)
    ]
    sides = sides_of(len(dataset), listings)
    faults = [fault for part in parts for fault in part.faults]
    if meant := _other_meaning(parts):
        detail = f"the numbers of its boxes look like {meant}, where COCO has {_BOX}"
        faults.append(Fault("meaning", parts[0].name, detail, "export the labels again", True))
    dataset = replace(dataset, splits=sides.splits, unread=dict(seen_fields))
    dataset = unique_numbers(dataset)
    return replace(
        dataset,
        notes=(*dataset.notes, *_notes(seen, dataset, parts), *sides.notes),
        faults=(*faults, *sides.faults),
    )


def _gathered(
    root: Path, parts: "list[_Part]", categories: dict[str, int], classes: tuple[str, ...]
) -> Dataset:
    """The files' columns one after the other."""
    starts = np.cumsum([0, *(len(part.paths) for part in parts)])
    groups = [group for part in parts for group in part.groups]
    rows = np.cumsum([0, *(len(part.box_ids) for part in parts)])
    count = int(starts[-1])
    ids = np.concatenate([part.ids for part in parts])
    numbers, named = tuple(categories.values()), {kind for part in parts for kind in part.named}
    return Dataset(
        root=root,
        layout="COCO",
        classes=classes,
        paths=tuple(path for part in parts for path in part.paths),
        labels=np.full(count, -1, np.int64),
        splits=np.full(count, -1, np.int8),
        boxes=gather_boxes(
            np.concatenate([p.pictures + s for p, s in zip(parts, starts, strict=False)]),
            count,
            corners=np.concatenate([part.corners for part in parts]),
            classes=np.concatenate([_class_indices(part, classes) for part in parts]),
            ids=np.concatenate([part.box_ids for part in parts]),
            crowd=np.concatenate([part.crowd for part in parts]),
            difficult=np.concatenate([part.difficult for part in parts]),
            areas=np.concatenate([part.areas for part in parts]),
            segmentations={
                row + int(start): outline
                for part, start in zip(parts, rows, strict=False)
                for row, outline in part.segmentations.items()
            },
        ),
        sizes=np.concatenate([part.sizes for part in parts]),
        image_ids=None if "image" in named else ids,
        class_ids=None if "class" in named else numbers,
        groups=tuple(groups) if any(groups) else (),
    )


@dataclass
class _Part:
    """One file, as columns."""

    name: str
    side: int
    categories: dict[int, str]
    paths: list[str]
    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    groups: list[str]
    pictures: NDArray[np.int64]
    corners: NDArray[np.float64]
    box_classes: NDArray[np.int64]
    box_ids: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    areas: NDArray[np.float64]
    segmentations: dict[int, Segmentation]
    unread: Counter[str]
    guessed: list[tuple[str, str]]
    named: frozenset[str]  # what has texts for numbers: images, boxes, classes
    faults: list[Fault]


def _read_part(file: Path, seen: Survey) -> _Part:
    rows = Rows(str(file))
    take: dict[str, Callable[[Objects], None]] = {
        "images": rows.take_images,
        "annotations": rows.take_annotations,
    }
    others = read_large_json(file, take)
    if not rows.images:
        raise InputError(f"{file} lists no images, and so is no COCO file of pictures and boxes")
    for name in sorted(others.keys() - {"categories"}):
        rows.unread[f"{name} (the file's)"] += 1
    name = _name(file, seen)
    used = rows.box_column("class")
    categories = _categories(others.get("categories"), rows, set(np.unique(used).tolist()))
    side = _side(file, seen)
    ids = np.array(rows.images["id"], np.int64)
    pictures = _positions(ids, rows.box_column("image"), file)
    stated = rows.fill_boxes()
    boxed = ~np.isnan(stated).all(1)
    known = (pictures >= 0) & boxed
    faults = [
        *_unlisted(name, "image", rows.box_column("image"), ids),
        *_unlisted(name, "category", used, np.array(list(categories), np.int64)),
        *_without_box(name, int((~boxed).sum())),
        *_without_outline(name, rows.unread),
        *_same_name(name, categories, set(np.unique(used).tolist())),
    ]
    rows.unread["annotations of images that are not listed"] += int((pictures < 0).sum())
    rows.unread["annotations without a box of four numbers"] += int((~boxed).sum())
    renumbered = np.cumsum(known) - 1
    box_ids = rows.box_column("id")[known]
    box = stated[known]
    with np.errstate(over="ignore", invalid="ignore"):  # infinities: the tidying drops them
        ends = box[:, :2] + box[:, 2:]
    paths, guessed = locate(
        rows.images["name"], _folders(file, seen.root, side), seen.pictures, where=str(file)
    )
    return _Part(
        name=name,
        side=side,
        categories=categories,
        paths=paths,
        ids=ids,
        sizes=np.array([rows.images["width"], rows.images["height"]], np.int64).T,
        groups=rows.images["group"],
        pictures=pictures[known],
        corners=np.concatenate([box[:, :2], ends], axis=1),
        box_classes=used[known],
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
        unread=+rows.unread,
        guessed=guessed,
        named=frozenset(kind for kind, texts in rows.texts.items() if texts),
        faults=faults,
    )  # fmt: skip


def _unlisted(
    name: str, kind: str, used: NDArray[np.int64], listed: NDArray[np.int64]
) -> list[Fault]:
    """Annotations whose numbers of images or categories the file does not list."""
    missing = ~np.isin(used, listed)
    if not missing.any():
        return []
    detail = f"{int(missing.sum()):,} of its {len(used):,} annotations are of "
    detail += "images" if kind == "image" else "categories"
    detail += " that it does not list"
    different = np.unique(used)
    for step, what in ((1, "one less than"), (-1, "one more than")):
        if np.isin(different + step, listed).all():
            detail += f": their {kind}_id is {what} the number meant, it seems"
            return [Fault("off-by-one", name, detail, f"correct {kind}_id", blocking=True)]
    return [Fault(f"unlisted-{kind}", name, detail, "export the file again")]


def _same_name(name: str, categories: dict[int, str], used: set[int]) -> list[Fault]:
    """Categories with boxes that share their name, and so are one class."""
    counts = Counter(category for number, category in categories.items() if number in used)
    return [
        Fault("same-name", name, f"{count} of its categories are called {category!r}, and are read "
              "as one class", "give each its own name, or one number")
        for category, count in counts.items()
        if count > 1
    ]  # fmt: skip


def _without_box(name: str, count: int) -> list[Fault]:
    if not count:
        return []
    detail = f"{count:,} of its annotations have no box of four numbers"
    return [Fault("no-box", name, f"{detail}, and are passed over", "remove them, or draw boxes")]


def _without_outline(name: str, unread: Mapping[str, int]) -> list[Fault]:
    return [
        Fault("no-outline", name, f"{unread[what]:,} {what}, which are passed over",
              "remove them, or draw them again")
        for what in NO_OUTLINES
        if unread.get(what)
    ]  # fmt: skip


def _other_meaning(parts: "list[_Part]") -> Meaning | None:
    corners = np.concatenate([part.corners for part in parts])
    corners = np.where(finite(corners)[:, None], corners, np.nan)
    numbers = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    sizes = np.concatenate([part.sizes[part.pictures] for part in parts])
    return other_meaning(numbers, sizes, _BOX)


def _notes(seen: Survey, dataset: Dataset, parts: "list[_Part]") -> list[str]:
    """What lies there and is in no file, and what a file says that is not there."""
    notes = []
    bare = seen.beside(dataset.paths)
    if bare:
        those = counted(len(bare), "picture")
        notes.append(f"{those} in no file of labels ({some(bare, 2):.120})")
    if guessed := [pair for part in parts for pair in part.guessed]:
        name, path = guessed[0]
        what = f"{name:.60} is {path:.60}"
        notes.append(f"{counted(len(guessed), 'picture')} found by the name alone: {what}")
    read = {part.name for part in parts}
    others = [
        path
        for path in seen.of(".json")
        if path not in read
        and not _OTHER_KINDS.search(path)
        and speaks_of(seen.root / path, '"images"', '"annotations"')
    ]
    if others:
        notes.append(f"{', '.join(others):.120} holds boxes too and is not read")
    return notes


def _categories(listed: Any, rows: Rows, used: set[int]) -> dict[int, str]:
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise InputError(f"{rows.where} has no list of categories, so its boxes have no classes")
    rows.count_unread(listed, {"id", "name"}, "categories")
    where = f"{rows.where}: a category"
    ids = identities(listed, "id", where, rows.texts["class"]).tolist()
    names = [text_of(item, "name", where).strip() for item in listed]
    twice = [number for number, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(
            f"{rows.where}: two categories have the same number, {twice[0]!r}: give each its own"
        )
    # Two categories of one name are one class. Roboflow, for one, lists its classes' group first,
    # often by the name of a class, and has no box of it: the number that boxes have comes first.
    pairs = sorted(zip(ids, names, strict=True), key=lambda pair: pair[0] not in used)
    order = {name: place for place, name in reversed(list(enumerate(names)))}
    return dict(sorted(pairs, key=lambda pair: order[pair[1]]))


def _positions(ids: NDArray[np.int64], wanted: NDArray[np.int64], file: Path) -> NDArray[np.int64]:
    """Where each of `wanted` stands in `ids`, or -1."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        number = int(ordered[twice[0]])
        raise InputError(f"{file}: two images have the same number, {number}: give each its own")
    return _look_up(wanted, ordered, order)


def _class_indices(part: _Part, classes: tuple[str, ...]) -> NDArray[np.int64]:
    index = {name: position for position, name in enumerate(classes)}
    known = sorted((number, index[name]) for number, name in part.categories.items())
    numbers, places = np.array(known, np.int64).reshape(-1, 2).T
    return _look_up(part.box_classes, numbers, places)


def _look_up(
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


def _name(file: Path, seen: Survey) -> str:
    return file.relative_to(seen.root).as_posix() if file.is_relative_to(seen.root) else str(file)


def _side(file: Path, seen: Survey) -> int:
    """The side that the file's name speaks of, else the innermost of its folders to name one."""
    name = _name(file, seen).split("/") if file.is_relative_to(seen.root) else [file.name]
    return next((side for part in reversed(name) if (side := side_of(part)) >= 0), -1)


def _order(file: Path, seen: Survey) -> tuple[int, str]:
    side = _side(file, seen)
    return (side if side >= 0 else 3), str(file)


def _folders(file: Path, root: Path, side: int) -> list[str]:
    """Where a file's pictures may lie, the likeliest first."""
    beside = file.parent.relative_to(root).as_posix() if file.parent.is_relative_to(root) else ""
    token = file.stem.removeprefix("instances_")
    folders = [f"images/{token}", token]
    if side >= 0:
        words = (SPLITS[side], "valid", "validation") if side == 1 else (SPLITS[side],)
        folders += [f"{top}{word}" for word in words for top in ("images/", "")]
    folders += ["images", "data", "JPEGImages", ""]
    # Of several sets below one folder each has its own pictures.
    home = beside.rpartition("/")[0] if beside.lower().endswith("annotations") else beside
    own = [f"{home}/{folder}" for folder in folders] if home not in ("", ".") else []
    return [beside, *own, *folders]
