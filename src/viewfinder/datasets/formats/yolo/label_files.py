"""Where the YOLO labels of each picture lie, and which files list a set's classes."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from viewfinder.datasets.locating import PictureIndex, nearest, without_upload
from viewfinder.datasets.split_names import split_of_path
from viewfinder.datasets.survey import Survey, is_yolo_labels
from viewfinder.pictures.finding import folded, is_picture

CLASS_LIST = "classes.txt"
# A set's classes, one a line, without a data.yaml: LabelImg's and Roboflow's, then Darknet's.
_CLASS_LISTS = (CLASS_LIST, "_darknet.labels", "obj.names")
# What stands in a folder's name in place of its pictures' word.
_PICTURE_WORD = re.compile(r"(?:jpeg)?(images|image|imgs|img|pictures|photos)")
_LABEL_WORDS = {"image": "label", "img": "label"}


def is_class_list(name: str) -> bool:
    """Whether a file lists classes, by its name."""
    return name.lower() in _CLASS_LISTS


@dataclass(frozen=True)
class LabelFiles:
    """Which file of labels belongs to each picture.

    Attributes:
        of: for each picture its file, relative to the set's root, or None.
        alone: files of labels that belong to no picture.
        shared: those that would belong to several pictures, with these.
        guessed: those in another folder than is usual, found by their names alone.
    """

    of: tuple[str | None, ...]
    alone: tuple[str, ...]
    shared: tuple[tuple[str, tuple[str, ...]], ...]
    guessed: tuple[tuple[str, str], ...] = ()


def label_files(seen: Survey, pictures: Sequence[str]) -> LabelFiles:
    """Find the labels of each picture: `labels/` for `images/` in its path, or the file beside it.

    Names are compared whatever their case and the composition of their accents; `a.jpg.txt` is the
    file of `a.jpg` as `a.txt` is.
    """
    found = own_files(seen, pictures)
    users: dict[str, list[str]] = defaultdict(list)
    for picture, own in zip(pictures, found, strict=True):
        if own is not None:
            users[own].append(picture)
    alone = [
        path
        for path in seen.of(".txt")
        if path not in users
        and not is_class_list(PurePosixPath(path).name)
        and is_yolo_labels(seen.root / path)
    ]
    guessed = _by_names(alone, pictures, found)
    for number, own in guessed.items():
        found[number] = own
    taken = set(guessed.values())
    shared = ((file, tuple(of)) for file, of in users.items() if len(of) > 1)
    return LabelFiles(
        tuple(found),
        tuple(path for path in alone if path not in taken),
        tuple(shared),
        tuple((own, pictures[number]) for number, own in guessed.items()),
    )


def own_files(seen: Survey, pictures: Sequence[str]) -> list[str | None]:
    """For each picture the file of labels that lies where its own should, or None."""
    texts = {folded(path): path for path in seen.of(".txt")}
    found: list[str | None] = []
    for picture in pictures:
        inside = not picture.startswith("/")
        own = next(
            (
                texts[folded(place)] if inside else place
                for place in _places(picture)
                if (folded(place) in texts if inside else (seen.root / place).is_file())
            ),
            None,
        )
        found.append(own)
    return found


def _by_names(
    alone: Sequence[str], pictures: Sequence[str], found: Sequence[str | None]
) -> dict[int, str]:
    """Files that belong to no picture, for those pictures of their names that have none."""
    bare = {path: number for number, path in enumerate(pictures) if found[number] is None}
    if not alone or not bare:
        return {}
    index = PictureIndex(bare)
    users: dict[str, list[str]] = defaultdict(list)
    for path in alone:
        pure = PurePosixPath(path)
        of_it = index.of_stem(pure.stem) or index.of_stem(without_upload(pure.stem))
        same = nearest(of_it, str(pure.parent))
        split = split_of_path(path)
        if len(same) == 1 and (split < 0 or split_of_path(same[0]) in (-1, split)):
            users[same[0]].append(path)
    return {bare[path]: own[0] for path, own in users.items() if len(own) == 1}


def _places(picture: str) -> Iterator[str]:
    """Where a picture's labels may lie, the likeliest first."""
    folder, _, name = picture.rpartition("/")
    stem = os.path.splitext(name)[0]  # noqa: PTH122
    stems = [stem, name]
    while is_picture(stem):  # Roboflow's a.JPG.jpg was once a.JPG
        stem = os.path.splitext(stem)[0]  # noqa: PTH122
        stems.append(stem)
    parts = folder.split("/") if folder else []
    folders = []
    for place in range(len(parts) - 1, -1, -1):
        if word := _PICTURE_WORD.search(parts[place].lower()):
            label = _LABEL_WORDS.get(word[1], "labels")
            swapped = parts[place].lower().replace(word[0], label)
            folders.append("/".join([*parts[:place], swapped, *parts[place + 1 :]]))
    folders += ["/".join(parts), "/".join([*parts, "labels"]), "/".join(["labels", *parts])]
    for folder in folders:
        for stem in stems:
            yield f"{folder}/{stem}.txt" if folder else f"{stem}.txt"
