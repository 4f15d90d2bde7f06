"""What lies in a folder: its pictures and the files that may be labels, found in one walk."""

import mmap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from viewfinder.datasets.frame_list import FRAME_LIST, has_frames, without_empty_stands
from viewfinder.datasets.locating import PictureIndex
from viewfinder.pictures.finding import is_picture, walk
from viewfinder.reading import open_file

# Enough of a text file to see what it is.
_BEGINNING = 4096


@dataclass(frozen=True)
class Survey:
    """The visible files below a folder.

    Attributes:
        root: the folder that all paths start from.
        pictures: those of them that are pictures by their names.
        files: the others, by their suffix in lower case.
    """

    root: Path
    pictures: PictureIndex
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, *suffixes: str) -> list[str]:
        """The files of some suffixes, in the order of their paths."""
        return sorted(path for suffix in suffixes for path in self.files.get(suffix, ()))

    def beside(self, chosen: Iterable[str]) -> list[str]:
        """Pictures that somebody may have forgotten, in order: those in the folders of the chosen
        ones, and frames of videos in any, that are none of them and no empty stand.

        What lies in other folders, such as masks, is none of these.

        Raises:
            InputError: a list of frames beside a picture called `empty` is damaged.
        """
        known = set(chosen)
        folders = {path.rpartition("/")[0] for path in known}
        lists = (path.rpartition("/") for path in self.of(".json"))
        here = {folder for folder, _, name in lists if name == FRAME_LIST} - folders
        folders |= {folder for folder in here if has_frames(self.root / folder)}
        rest = self.pictures.paths - known
        beside = sorted(path for path in rest if path.rpartition("/")[0] in folders)
        return without_empty_stands(self.root, beside)


def survey(root: Path) -> Survey:
    """Look at every visible folder below `root`, through links too.

    Raises:
        InputError: a folder cannot be read.
    """
    pictures: list[str] = []
    files: dict[str, list[str]] = defaultdict(list)
    for place in walk(root):
        folder = place.within("")
        for name in place.files:
            if is_picture(name):
                pictures.append(folder + name)
            else:
                files[PurePosixPath(name).suffix.lower()].append(folder + name)
    return Survey(root, PictureIndex(pictures), {key: tuple(all_) for key, all_ in files.items()})


def beginning(file: Path) -> str:
    """The first few thousand characters of a file; nothing of one that cannot be read."""
    try:
        with open_file(file) as opened:
            return opened.read(_BEGINNING).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def speaks_of(file: Path, *words: str) -> bool:
    """Whether a file holds all these texts, wherever in it."""
    try:
        with open_file(file) as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
            return all(m.find(word.encode()) >= 0 for word in words)
    except (OSError, ValueError):  # ValueError: the file is empty
        return False


def is_yolo_labels(file: Path) -> bool:
    """Whether a text file's first line is one of YOLO's: a class and four or more numbers."""
    first = next((line for line in beginning(file).splitlines() if line.strip()), "")
    words = first.replace(",", " ").split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        return False
    return len(values) >= 5 and values[0].is_integer() and values[0] >= 0
