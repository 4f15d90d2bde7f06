"""The pictures below a folder: which files are pictures by their names, and where they lie.

Folders are walked in one order on every machine, links to folders too; one that leads back to a
folder that it lies in is passed over, and so are hidden folders and what computers put beside
pictures (`.DS_Store`, `__MACOSX`, `._1.jpg`).
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from viewfinder.errors import InputError

_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".mpo"}
    # These are not read, but said: a phone's photographs must not be passed over in silence.
    | {".heic", ".heif", ".jp2", ".j2k"}
)
# A folder that several links lead to is read under each of their names, but not without end.
_MOST_VISITS = 8


class Place(NamedTuple):
    """A folder's path relative to the one where a walk began, and what is visible in it, by name.

    Attributes:
        folders: a walk goes on into these; whoever takes some out passes them over.
    """

    path: str
    files: list[str]
    folders: list[str]

    def within(self, name: str) -> str:
        """The path of a file of this folder, relative to where the walk began."""
        return f"{self.path}/{name}" if self.path else name


def walk(root: Path, *, deepest: int = 32) -> Iterator[Place]:
    """Every visible folder from `root` on down, itself first, in the order of their names.

    Raises:
        InputError: a folder cannot be read.
    """
    yield from _walk(str(root), "", deepest, (), Counter())


def is_picture(name: str) -> bool:
    """Whether a file is a picture by the end of its name."""
    dot = name.rfind(".")
    # A dot that all begins with is no suffix's.
    return name[dot:].lower() in _SUFFIXES and bool(name[:dot].strip("."))


def files_in(folder: Path) -> list[Path]:
    """The visible files of a folder, not of those in it, in order.

    Raises:
        InputError: the folder cannot be read.
    """
    return [folder / name for place in walk(folder, deepest=0) for name in place.files]


def pictures_in(folder: Path) -> list[Path]:
    """The visible pictures of a folder, not of those in it, in order.

    Raises:
        InputError: the folder cannot be read.
    """
    return [file for file in files_in(folder) if is_picture(file.name)]


def folders_in(folder: Path) -> list[Path]:
    """The visible folders in a folder, in order.

    Raises:
        InputError: the folder cannot be read.
    """
    return [folder / name for place in walk(folder, deepest=0) for name in place.folders]


def has_picture(folder: Path) -> bool:
    """Whether there is a picture at any depth."""
    return next(pictures_below(folder), None) is not None


def pictures_below(root: Path) -> Iterator[str]:
    """Every visible picture at any depth, relative to `root`, with forward slashes, in order."""
    for place in walk(root):
        yield from (place.within(name) for name in place.files if is_picture(name))


def folded(name: str) -> str:
    """A name as it is compared: whatever its case, and however its accents are composed."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def is_visible(name: str) -> bool:
    """Whether a file or folder is somebody's own, and not hidden or a computer's."""
    return not name.startswith((".", "__"))


def _walk(
    root: str, path: str, deepest: int, above: tuple[tuple[int, int], ...], visits: Counter[object]
) -> Iterator[Place]:
    here = f"{root}/{path}" if path else root
    try:
        status = os.stat(here)  # noqa: PTH116
        files: list[str] = []
        inner: list[str] = []
        with os.scandir(here) as entries:
            for entry in entries:
                if is_visible(entry.name):
                    (inner if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        raise InputError(f"cannot read {here}: {error.strerror or error}") from None
    identity = (status.st_dev, status.st_ino)
    visits[identity] += 1
    if identity in above or visits[identity] > _MOST_VISITS:
        return
    files.sort()
    inner.sort()
    yield Place(path, files, inner)
    if len(above) < deepest:
        for name in inner:
            below = f"{path}/{name}" if path else name
            yield from _walk(root, below, deepest, (*above, identity), visits)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
