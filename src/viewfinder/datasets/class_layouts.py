"""How people lay out pictures of classes: what is read, what is said, and what is refused.

Read through: a folder that holds nothing but the one folder with the set in it, as archives unpack.
Said: folders that are passed over, class names that differ in case alone, files of other formats.
Refused, with what to do: folds in place of classes, and classes that only file names or a table
tell, for nothing but a guess would sort those.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from viewfinder.datasets.sides import side_named, words_of
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.pictures.finding import is_picture, is_visible, pictures_below


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMED = 3
"""So many of a long list are named, and the rest counted."""

_FOLD_WORDS = _words("fold folds kfold split part cv partition subset batch chunk shard")
# A name that ends in a number, as in `cat.0`, `cat_001` and `cat (3)`.
_NUMBERED = re.compile(r"(.*?)[-_. ]*\(?\d+\)?", re.DOTALL)
# Names that cameras and programs give, which are no classes.
_CAMERA = _words(
    "img image dsc dscn dscf pxl p pic picture photo frame vid mvi screenshot file scan"
)
_FILE_COLUMNS = _words("file filename image img path id name imageid imgid imagename")
_CLASS_COLUMNS = _words("class label labels category target breed species classname")
# Files that lie beside pictures and are nobody's pictures.
_BESIDE = _words(
    ".txt .csv .tsv .json .jsonl .xml .md .yaml .yml .toml .ini .db .html .htm .py .ipynb .log "
    ".pdf .rst .url .lnk .cfg .names .npy .npz .mat .h5 .pt .pth .sha256 .md5"
)


class Layout(NamedTuple):
    """Where the folders of classes lie.

    Attributes:
        root: the set's folder, within the ones that hold nothing else.
        tops: the folders whose folders are classes, each with its side; of a set without sides
            `root` itself.
        sided: whether the set has sides.
        notes: what is to be said of it.
    """

    root: Path
    tops: dict[Path, int]
    sided: bool
    notes: tuple[str, ...]


def layout_of(root: Path) -> Layout:
    """Where a set's class folders lie.

    Raises:
        InputError: its folders are folds of one set, or sides without classes in them.
    """
    top = _unwrapped(root)
    notes = [] if top == root else [f"read from {top.relative_to(root)}, the one folder in {root}"]
    filled = [folder for folder in folders_in(top) if has_picture(folder)]
    sides = {folder: side_named(folder.name) for folder in filled if _is_side(folder)}
    if sides:
        notes += _beside_sides(top, [folder for folder in filled if folder not in sides])
        return Layout(top, sides, True, tuple(notes))
    _refuse_sides(top, filled)
    notes += _nested(top, filled)
    return Layout(top, {top: TRAIN}, False, tuple(notes))


def folders_in(root: Path) -> list[Path]:
    """The visible folders in `root`, sorted by name."""
    return sorted(
        folder for folder in root.iterdir() if folder.is_dir() and is_visible(folder.name)
    )


def has_picture(folder: Path) -> bool:
    """Whether there is a picture at any depth."""
    return next(pictures_below(folder), None) is not None


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
    """The pictures that are not read, by the folder beside the classes or sides that holds them."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in sorted(set(paths) - set(read)):
        by_folder[path.split("/")[0] if "/" in path else "."].append(path)
    return by_folder


def unread_suffixes(names: Iterable[str]) -> Counter[str]:
    """How many files end in what, of those that may be meant as pictures and are not read."""
    endings = (PurePosixPath(name).suffix.lower() for name in names if not is_picture(name))
    return Counter(ending for ending in endings if ending and ending not in _BESIDE)


def told_otherwise(root: Path) -> str:
    """What a folder without class folders looks like and what to do about it, or empty text."""
    for folder in (root, *islice(folders_in(root), 20)):
        for file in sorted(folder.glob("*.csv"))[:20]:
            if columns := _columns(file):
                return (
                    f"{file} looks like a table of classes, with the columns {columns[0]} and "
                    f"{columns[1]}, which is not read: put each class's pictures into a folder "
                    "with its name"
                )
    for folder in (root, *islice(folders_in(root), 20)):
        if starts := _starts(folder):
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
        if any(is_picture(entry.name) for entry in top.iterdir() if is_visible(entry.name)):
            return top
        filled = [folder for folder in folders_in(top) if has_picture(folder)]
        if len(filled) != 1 or side_named(filled[0].name) >= 0:
            return top
        (inner,) = filled
        names = [entry.name for entry in inner.iterdir() if is_visible(entry.name)]
        within = [folder for folder in folders_in(inner) if has_picture(folder)]
        wraps = len(within) > 1 or any(
            _is_side(folder) or _only_folders(folder) for folder in within
        )
        if any(map(is_picture, names)) or not wraps:
            return top
        top = inner
    return top


def _only_folders(folder: Path) -> bool:
    """Whether a folder holds pictures in folders alone."""
    return not any(is_picture(entry.name) for entry in folder.iterdir())


def _is_side(folder: Path) -> bool:
    return side_named(folder.name) >= 0 and any(map(has_picture, folders_in(folder)))


def _beside_sides(root: Path, others: Sequence[Path]) -> list[str]:
    """What lies beside the sides' folders, and is not read."""
    if not others:
        return []
    names = [folder.relative_to(root).as_posix() for folder in others]
    return [
        f"not read: {some_of(names)}, whose name{'s are' if len(names) > 1 else ' is'} no side's "
        "(train, val and test are)"
    ]


def _refuse_sides(root: Path, filled: Sequence[Path]) -> None:
    """Folders that are folds or sides are no classes, though each hold pictures."""
    if filled and all(side_named(folder.name) >= 0 for folder in filled):
        names = some_of([folder.name for folder in filled])
        raise InputError(
            told_otherwise(root)
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
    same = _same_inside(filled)
    if not same:
        return []
    names = [folder.relative_to(root).as_posix() for folder in filled]
    return [
        f"each of {some_of(names)} holds the folders {some_of(same)}: the former are taken for the "
        "classes"
    ]


def _same_inside(folders: Sequence[Path]) -> list[str]:
    """The folders that each of these holds, if they are two or more and the same, and all."""
    if len(folders) < 2 or not all(map(_only_folders, folders)):
        return []
    within = [[inner.name for inner in folders_in(f) if has_picture(inner)] for f in folders]
    same = all(names == within[0] for names in within)
    return within[0] if same and len(within[0]) > 1 else []


def _columns(file: Path) -> tuple[str, str] | None:
    """The columns of a table that name a picture and its class."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            row = next(csv.reader([lines.readline(4096)]), [])
    except (OSError, csv.Error):
        return None

    def first(known: frozenset[str]) -> str | None:
        return next((c for c in row if re.sub(r"[\W_]", "", c).lower() in known), None)

    pictures, classes = first(_FILE_COLUMNS), first(_CLASS_COLUMNS)
    return (pictures, classes) if pictures and classes else None


def _starts(folder: Path) -> list[str]:
    """What the names of a folder's own pictures begin with, if a few words are before numbers."""
    names = sorted(
        entry.name
        for entry in folder.iterdir()
        if is_visible(entry.name) and is_picture(entry.name)
    )
    found = [_NUMBERED.fullmatch(PurePosixPath(name).stem) for name in names]
    starts = Counter(match[1].strip() for match in found if match)
    often = [name for name, count in starts.items() if name and count > 1]
    camera = any(set(words_of(name)) & _CAMERA for name in often)
    enough = sum(starts[name] for name in often) >= 0.9 * len(names)
    return sorted(often) if len(often) > 1 and enough and not camera else []
