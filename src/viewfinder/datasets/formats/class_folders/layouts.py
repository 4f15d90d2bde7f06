"""How people lay out pictures of classes: what is read, what is said, and what is refused.

Read through: a folder that holds nothing but the one folder with the set in it, as archives unpack.
Said: folders that are passed over, class names that differ in case alone, files of other formats.
Refused, with what to do: folds in place of classes, and classes that only file names or a table
tell, for nothing but a guess would sort those.
"""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from viewfinder.datasets.kind_names import kind_of
from viewfinder.datasets.split_names import split_named, split_of, words_of
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.pictures.finding import (
    folded,
    folders_in,
    has_picture,
    is_picture,
    pictures_in,
    walk,
)
from viewfinder.reading import open_file


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMED = 3
"""So many of a long list are named, and the rest counted."""

# So many folders are looked at to tell what a set looks like.
_PLACES = 60
_FOLD_WORDS = _words("fold folds kfold split part cv partition subset batch chunk shard")
# A name that ends in a number, as in `cat.0`, `cat_001` and `cat (3)`.
_NUMBERED = re.compile(r"(.*?)[-_. ]*\(?\d+\)?", re.DOTALL)
# Names that cameras and programs give, which are no classes.
_CAMERA = _words(
    "img image dsc dscn dscf pxl p pic picture photo frame vid mvi screenshot file scan"
)
_FILE_COLUMNS = _words("file filename image img path id name imageid imgid imagename")
_CLASS_COLUMNS = _words("class label labels category target breed species classname choice")
# Files that lie beside pictures and are nobody's pictures.
_BESIDE = _words(
    ".txt .csv .tsv .json .jsonl .xml .md .yaml .yml .toml .ini .db .html .htm .py .ipynb .log "
    ".pdf .rst .url .lnk .cfg .names .npy .npz .mat .h5 .pt .pth .sha256 .md5"
)


class Layout(NamedTuple):
    """Where the folders of classes lie.

    Attributes:
        root: the set's folder, within the ones that hold nothing else.
        tops: the folders whose folders are classes, each with its split; of a set without splits
            `root` itself.
        has_splits: whether the set has splits.
        notes: what is to be said of it.
    """

    root: Path
    tops: dict[Path, int]
    has_splits: bool
    notes: tuple[str, ...]


def layout_of(root: Path) -> Layout:
    """Where a set's class folders lie.

    Raises:
        InputError: its folders are folds of one set, or splits without classes in them.
    """
    top = _unwrapped(root)
    notes = [] if top == root else [f"read from {top.relative_to(root)}, the one folder in {root}"]
    filled = [folder for folder in folders_in(top) if has_picture(folder)]
    if splits := _splits_among(filled):
        return Layout(top, splits, True, tuple(notes))
    _refuse_splits(top, filled)
    notes += _nested(top, filled)
    return Layout(top, {top: TRAIN}, False, tuple(notes))


def some_of(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def alike_classes(classes: Iterable[str]) -> list[list[str]]:
    """Class names that differ in case, accents or the space between words alone."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        plain = unicodedata.normalize("NFKD", name.casefold())
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        by_key[re.sub(r"[-_\s]+", " ", plain).strip()].append(name)
    return [names for names in by_key.values() if len(names) > 1]


def passed_over(paths: Iterable[str], read: Iterable[str]) -> dict[str, list[str]]:
    """The pictures that are not read, by the folder beside classes or splits that holds them."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in sorted(set(paths) - set(read)):
        by_folder[path.split("/")[0] if "/" in path else "."].append(path)
    return by_folder


def unread_suffixes(names: Iterable[str]) -> Counter[str]:
    """How many files end in what, of those that may be meant as pictures and are not read."""
    endings = (PurePosixPath(name).suffix.lower() for name in names if not is_picture(name))
    return Counter(ending for ending in endings if ending and ending not in _BESIDE)


def known_otherwise(root: Path) -> str:
    """What a folder without class folders looks like and what to do about it, or empty text."""
    places = list(islice(walk(root, deepest=2), _PLACES))
    for place in places:
        for name in place.files:
            if name.lower().endswith(".csv") and (columns := _columns(root / place.within(name))):
                return (
                    f"{root / place.within(name)} looks like a table of classes, with the columns "
                    f"{columns[0]} and {columns[1]}, which is not read: put each class's pictures "
                    "into a folder with its name"
                )
    for place in places:
        if starts := _starts(place.files):
            folder = root / place.path
            example = " and ".join(str(folder / name) for name in starts[:2])
            return (
                f"the names of the pictures in {folder} begin with {some_of(starts)}: if these are "
                f"the classes, put each one's pictures into a folder of its own, such as {example}"
            )
    return ""


def _unwrapped(root: Path) -> Path:
    """The folder that a set really lies in: an archive often holds it within one or two others."""
    top = root
    for _ in range(4):
        if not _only_folders(top):
            return top
        filled = [folder for folder in folders_in(top) if has_picture(folder)]
        if len(filled) != 1 or split_named(filled[0].name) >= 0:
            return top
        (inner,) = filled
        within = [folder for folder in folders_in(inner) if has_picture(folder)]
        wraps = len(within) > 1 or any(
            _is_split(folder) or _only_folders(folder) for folder in within
        )
        if not _only_folders(inner) or not wraps:
            return top
        top = inner
    return top


def _only_folders(folder: Path) -> bool:
    """Whether a folder holds pictures in folders alone."""
    return not pictures_in(folder)


def _is_split(folder: Path) -> bool:
    return split_named(folder.name) >= 0 and any(map(has_picture, folders_in(folder)))


def _splits_among(filled: Sequence[Path]) -> dict[Path, int]:
    """The folders whose folders are classes, each with its split; nothing where there are none.

    A name of other words too, as `seg_train`, is a split's where several hold the same classes.
    """
    found = {folder: split_named(folder.name) for folder in filled if _is_split(folder)}
    if not found:
        spoken = {folder: split_of(folder.name) for folder in filled}
        classes = {f: {c.name for c in folders_in(_within(f)) if has_picture(c)} for f in filled}
        trained = set().union(*(classes[f] for f in filled if spoken[f] == TRAIN))
        if len(trained) > 1:
            same = [
                f for f in filled if spoken[f] >= 0 and 2 * len(classes[f] & trained) > len(trained)
            ]
            found = {f: spoken[f] for f in same}
        if len(set(found.values())) < 2:
            return {}
    learnt = {
        c.name for f, split in found.items() if split == TRAIN for c in folders_in(_within(f))
    }
    return {
        _within(folder): split
        for folder, split in found.items()
        if not learnt or split == TRAIN or not _unsorted(_within(folder), learnt)
    }


def _unsorted(split: Path, learnt: set[str]) -> bool:
    """Whether the one folder in a split is called after pictures, and no class that is learnt.

    Tiny ImageNet's `val/images` holds pictures of every class.
    """
    filled = [folder.name for folder in folders_in(split) if has_picture(folder)]
    return len(filled) == 1 and filled[0] not in learnt and kind_of(filled[0]) == "picture"


def _within(split: Path) -> Path:
    """A split's folder, or the one of its name that alone lies in it, as in `train/train/cat`."""
    filled = [folder for folder in folders_in(split) if has_picture(folder)]
    if len(filled) != 1 or not _only_folders(split) or not _only_folders(filled[0]):
        return split
    name = filled[0].name
    return filled[0] if folded(name) == folded(split.name) or split_of(name) >= 0 else split


def _refuse_splits(root: Path, filled: Sequence[Path]) -> None:
    """Folders that are folds or splits are no classes, though each hold pictures."""
    if filled and all(split_named(folder.name) >= 0 for folder in filled):
        names = some_of([folder.name for folder in filled])
        raise InputError(
            known_otherwise(root)
            or f"{root} has its pictures in {names} and not in folders of classes: put those of "
            f"each class into a folder with its name, such as {filled[0] / 'cat'}"
        )
    starts = {re.sub(r"[-_. ]*\d+$", "", folder.name).lower() for folder in filled}
    numbered = len(filled) > 1 and len(starts) == 1 and starts != {filled[0].name.lower()}
    if numbered and _FOLD_WORDS & set(words_of(starts.pop())) and (same := _same_inside(filled)):
        names = some_of([folder.name for folder in filled])
        raise InputError(
            f"{root} holds the folds {names}, each with the folders {some_of(same)}: give one of "
            "them, or put them into train/, val/ and test/"
        )


def _nested(root: Path, filled: Sequence[Path]) -> list[str]:
    """A note where it may not be clear which folders are the classes."""
    if same := _same_inside(filled):
        names = [folder.name for folder in filled]
        return [
            f"each of {some_of(names)} holds the folders {some_of(same)}: the former are taken for "
            "the classes"
        ]
    holding = [folder for folder in filled if len(classes_within(folder)) > 1]
    if not holding:
        return []
    first = holding[0]
    return [
        f"{some_of([folder.name for folder in holding])} hold pictures in folders alone, which are "
        f"taken for one class each: if {some_of(classes_within(first))} are classes, give {first}"
    ]


def classes_within(folder: Path) -> list[str]:
    """The folders with pictures in a folder that has no pictures of its own."""
    if not _only_folders(folder):
        return []
    return [inner.name for inner in folders_in(folder) if has_picture(inner)]


def _same_inside(folders: Sequence[Path]) -> list[str]:
    """The folders that each of these holds, if they are two or more and the same, and all."""
    if len(folders) < 2:
        return []
    within = list(map(classes_within, folders))
    same = all(names == within[0] for names in within)
    return within[0] if same and len(within[0]) > 1 else []


def _columns(file: Path) -> tuple[str, str] | None:
    """The columns of a table that name a picture and its class."""
    try:
        with io.TextIOWrapper(open_file(file), encoding="utf-8-sig", errors="replace") as lines:
            row = next(csv.reader([lines.readline(4096)]), [])
    except (OSError, csv.Error):
        return None

    def first(known: frozenset[str]) -> str | None:
        return next((c for c in row if re.sub(r"[\W_]", "", c).lower() in known), None)

    if len(row) == 2 and is_picture(row[0]):
        return row[0][:40], row[1][:40]
    pictures, classes = first(_FILE_COLUMNS), first(_CLASS_COLUMNS)
    return (pictures, classes) if pictures and classes else None


def _starts(files: Iterable[str]) -> list[str]:
    """What the names of a folder's own pictures begin with, if a few words are before numbers."""
    names = list(filter(is_picture, files))
    found = [_NUMBERED.fullmatch(PurePosixPath(name).stem) for name in names]
    starts = Counter(match[1].strip() for match in found if match)
    often = [name for name, count in starts.items() if name and count > 1]
    camera = any(set(words_of(name)) & _CAMERA for name in often)
    enough = sum(starts[name] for name in often) >= 0.9 * len(names)
    return sorted(often) if len(often) > 1 and enough and not camera else []
