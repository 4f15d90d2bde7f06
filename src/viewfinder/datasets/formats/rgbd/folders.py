"""Which folders hold a set's pictures, its masks and its depth maps.

A folder's kind is known by the words in its name. Where none is named like pictures, the pictures
lie in the folder beside masks or depth maps whose files have the same names, as `left_view` does
beside `GT` in STERE; and where no folder is named at all, pictures and masks may lie in one folder,
as `1.jpg` with `1_gt.png`, or `1.jpg` with `1.png` in MSRA. What only a name suggests is then held
against what the files show: masks are black and white, depth is grey.
"""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path, PurePosixPath

import numpy as np

from viewfinder.datasets.kind_names import (
    KINDS,
    bare,
    is_plain,
    kind_of,
    kind_of_file,
    kind_words,
)
from viewfinder.datasets.split_names import split_of
from viewfinder.errors import InputError
from viewfinder.pictures.arrays import is_array
from viewfinder.pictures.finding import is_picture, pictures_below, walk
from viewfinder.pictures.reading import read_depth

Listing = dict[str, list[str]]
"""The names of files by the folder that they lie in."""
Kinds = dict[str, list["Folder"]]
"""Folders by their kind, all with the same parent and split."""

# A set lies no deeper than this.
_DEEPEST = 8
# Files that are looked at where a name leaves open what they are.
_LOOKS = 6
# Of more classes nobody takes masks for one; and so many files must share their names.
_MOST_CLASSES, _FEWEST, _NEARLY_ALL = 4, 3, 0.9
# Share of a mask's pixels that are black or white but for this much.
_TWO_VALUED, _GREY = 0.9, 0.15


@dataclass(frozen=True)
class Folder:
    """A folder and the files of one kind below it, by their place in it.

    Attributes:
        files: by place and stem, without the folders that all files have in common.
        again: files of the same place and stem as another.
    """

    path: str
    kind: str
    files: dict[str, str]
    again: tuple[str, ...]


def list_files(root: Path) -> tuple[Listing, Listing]:
    """The files below a folder that can be read as pictures or grids of numbers; and all others."""
    read: Listing = {}
    others: Listing = {}
    for place in walk(root, deepest=_DEEPEST):
        known = [name for name in place.files if is_picture(name) or _is_map(place.path, name)]
        if known:
            read[place.path] = known
        if left := sorted(set(place.files) - set(known)):
            others[place.path] = left
    return read, others


def group_folders(root: Path, files: Listing) -> list[Kinds]:
    """The folders of each kind that belong together: of one parent, and of one split."""
    groups: dict[tuple[str, int], Kinds] = defaultdict(lambda: {kind: [] for kind in KINDS})
    for folder in _named_folders(files):
        path = PurePosixPath(folder.path)
        groups[str(path.parent), split_of(path.name)][folder.kind].append(folder)
    for (parent, split), kinds in groups.items():
        if not kinds["picture"]:
            kinds["picture"] = _pictures_beside(root, files, parent, split, kinds)
    if not any(kinds["picture"] and kinds["mask"] for kinds in groups.values()):
        return [*groups.values(), *_flat(root, files)]
    return list(groups.values())


def files_of(root: Path, kind: str) -> list[str] | None:
    """The files below a folder that are pictures, or depth maps, where other kinds lie beside them.

    None where nothing tells the kinds apart.
    """
    listed = group_folders(root, list_files(root)[0])
    groups = [kinds for kinds in listed if sum(map(bool, kinds.values())) > 1]
    if not any(kinds[kind] for kinds in groups):
        return None
    if kind != "picture":
        chosen = (plainest(kinds[kind]) for kinds in groups)
        return sorted(path for folder in chosen if folder for path in folder.files.values())
    maps = {
        path
        for kinds in groups
        for folder in (*kinds["mask"], *kinds["depth"])
        for path in (*folder.files.values(), *folder.again)
    }
    return [path for path in pictures_below(root) if path not in maps]


def masks_among(root: Path, classes: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """Two folders that were taken for classes and are pictures and their masks, it seems: nearly
    all files of the one have the names of the other's, and the other's alone are black and white.

    Args:
        classes: the paths of each class's pictures.
    """
    if not 1 < len(classes) <= _MOST_CLASSES:
        return None
    places = {
        name: {_without(name, path): path for path in paths} for name, paths in classes.items()
    }
    for one, other in permutations(classes, 2):
        shared = places[one].keys() & places[other].keys()
        if len(shared) < max(_FEWEST, _NEARLY_ALL * len(places[one])):
            continue
        files = {
            name: Folder(name, "mask", {place: places[name][place] for place in sorted(shared)}, ())
            for name in (one, other)
        }
        if look_like(root, files[other]) and not look_like(root, files[one]):
            return one, other
    return None


def _without(name: str, path: str) -> str:
    """A path without the folder of this name, and without its file's suffix."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    parts.remove(name)
    return "/".join(parts)


def plainest(folders: Iterable[Folder]) -> Folder | None:
    """The folder with the fewest words in its name: `GT` before `GT_edge`."""

    def key(folder: Folder) -> tuple[int, str]:
        return len(kind_words(PurePosixPath(folder.path).name)), folder.path

    return min(folders, key=key, default=None)


def partners(pictures: Folder, others: Folder) -> dict[str, str]:
    """For each picture's place the file that belongs to it: of its name, else of its bare name."""
    exact = {unicodedata.normalize("NFC", place): path for place, path in others.files.items()}
    by_bare: dict[str, list[str]] = defaultdict(list)
    for place, path in others.files.items():
        by_bare[bare(place)].append(path)
    found: dict[str, str] = {}
    for place in pictures.files:
        if own := exact.get(unicodedata.normalize("NFC", place)):
            found[place] = own
    taken = set(found.values())
    for place in pictures.files:
        candidates = [path for path in by_bare[bare(place)] if path not in taken]
        if place not in found and len(candidates) == 1:
            found[place] = candidates[0]
            taken.add(candidates[0])
    return found


def fit_together(one: Folder, other: Folder) -> bool:
    """Whether at least half of the smaller folder's files have a partner in the other."""
    return 2 * len(partners(one, other)) >= min(len(one.files), len(other.files)) > 0


def look_like(root: Path, folder: Folder) -> bool:
    """Whether some of a folder's files are grey, and black and white if they should be masks."""
    paths = list(folder.files.values())
    seen = False
    for path in paths[:: max(1, len(paths) // _LOOKS)][:_LOOKS]:
        if is_array(Path(path)):
            return True
        try:
            values = read_depth(root / path)
        except InputError as error:
            if "in colour" in str(error):
                return False
            continue
        black, white = values < _GREY, values > 1 - _GREY
        if folder.kind == "mask" and (black | white).mean() < _TWO_VALUED:
            return False
        # A file that is the same everywhere tells nothing.
        different = black.any() and white.any() if folder.kind == "mask" else np.ptp(values) > 0
        seen = seen or bool(different)
    return seen


def _is_map(place: str, name: str) -> bool:
    """Whether a grid of numbers may be a map, and not the boxes that annotations often are."""
    return is_array(Path(name)) and "annotation" not in place.lower()


def _named_folders(files: Listing) -> list[Folder]:
    """The outermost folders whose names tell a kind, and that hold no folders of other kinds."""
    kinds_below: dict[str, set[str]] = defaultdict(set)
    for place in files:
        path = PurePosixPath(place)
        for inner, outer in ((p, q) for p in (path, *path.parents) for q in p.parents):
            kinds_below[str(outer)].add(kind_of(inner.name))
    found: dict[str, list[str]] = defaultdict(list)
    for place, names in files.items():
        path = PurePosixPath(place)
        for folder in [*reversed(path.parents), path]:
            whole_set = {"picture", "mask"} <= kinds_below[str(folder)]
            kind = kind_of(folder.name) if folder.name and not whole_set else ""
            if kind:
                found[str(folder)] += [
                    f"{place}/{name}" for name in names if kind != "picture" or is_picture(name)
                ]
                break
    made = (
        _folder(path, kind_of(PurePosixPath(path).name), paths)
        for path, paths in sorted(found.items())
    )
    return [folder for folder in made if folder.files]


def _pictures_beside(
    root: Path, files: Listing, parent: str, split: int, kinds: Mapping[str, Sequence[Folder]]
) -> list[Folder]:
    """The folder of another name beside masks or depth maps whose pictures have their names."""
    maps = plainest(kinds["mask"]) or plainest(kinds["depth"])
    if maps is None:
        return []
    start = "" if parent == "." else f"{parent}/"
    inside: dict[str, list[str]] = defaultdict(list)
    for place, names in files.items():
        if not f"{place}/".startswith(start):
            continue
        below = place[len(start) :].split("/") if f"{place}/" != start and place else []
        if any(kind_of(name) in ("mask", "depth") for name in below):
            continue
        # Pictures may lie beside the folder of masks itself.
        top = f"{start}{below[0]}" if below else place
        inside[top] += [f"{place}/{name}" if place else name for name in filter(is_picture, names)]
    fitting = []
    for path, paths in inside.items():
        name = PurePosixPath(path).name
        folder = _folder(path, "picture", paths)
        if split in (-1, split_of(name)) and fit_together(folder, maps):
            if look_like(root, replace(folder, kind="mask")):
                continue  # Edges of subjects, say, have the same names too.
            right = "right" in kind_words(name)
            fitting.append((-len(partners(folder, maps)), right, path, folder))
    if not fitting or not (is_plain(PurePosixPath(maps.path).name) or look_like(root, maps)):
        return []
    return [min(fitting, key=lambda each: each[:3])[3]]


def _flat(root: Path, files: Listing) -> list[Kinds]:
    """Pictures and their masks in one folder, told apart by their names and by what they show."""
    found = []
    for place, names in files.items():
        by_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
        stems: dict[str, list[str]] = defaultdict(list)
        for name in names:
            kind = kind_of_file(name)
            if kind:
                by_kind[kind].append(name)
            elif is_picture(name):
                stems[PurePosixPath(name).stem].append(name)
        for same in stems.values():
            photos = [name for name in same if name.lower().endswith((".jpg", ".jpeg"))]
            others = [name for name in same if name not in photos]
            twins = len(photos) == len(others) == 1
            by_kind["picture"] += photos if twins else same
            by_kind["mask"] += others if twins else []
        # Else there is nothing to tell apart, however many pictures there are.
        if not (by_kind["picture"] and by_kind["mask"]):
            continue
        kinds = {
            kind: [_folder(place, kind, [f"{place}/{n}" if place else n for n in chosen])]
            for kind, chosen in by_kind.items()
            if chosen
        }
        (pictures,), (masks,) = kinds["picture"], kinds["mask"]
        if fit_together(pictures, masks) and look_like(root, masks):
            found.append({kind: kinds.get(kind, []) for kind in KINDS})
    return found


def _folder(path: str, kind: str, paths: Sequence[str]) -> Folder:
    """A folder's files by their places; of two with the same, the first."""
    places = [PurePosixPath(file).relative_to(path).with_suffix("") for file in paths]
    shared = os.path.commonpath([place.parent for place in places]) if places else ""
    files: dict[str, str] = {}
    again = []
    for place, file in zip(places, paths, strict=True):
        if files.setdefault(str(place.relative_to(shared or ".")), file) != file:
            again.append(file)
    return Folder(path, kind, files, tuple(again))
