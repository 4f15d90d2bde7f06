"""Which mask and which depth map belong to a picture: by the names of folders and files.

The public saliency sets keep pictures, masks and depth maps in folders of their own, under names
that differ from set to set and from copy to copy: `RGB`, `GT` and `depth` (SIP, NJU2K, STERE),
`Image`, `Mask`, `Depth`; `train_images`, `train_masks`, `train_depth_negation` (DUT-RGBD);
`DUTS-TR-Image`, `DUTS-TR-Mask`; `imgs`, `gts`, `depths`; `images`, `ground_truth_mask` (ECSSD);
`pixelwiseGT-new-PNG` (DUT-OMRON). A folder's kind is told by the words in its name, whatever their
case, and so is its side; below it, files are paired by their place and stem, without endings such
as `_GT` or `-depth`.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from viewfinder.datasets.splits import TEST, TRAIN, VAL
from viewfinder.errors import InputError
from viewfinder.pictures.finding import PICTURE_SUFFIXES

KINDS = ("picture", "mask", "depth")
_NAMES = {"mask": "mask", "depth": "depth map"}

# Words of a folder's name; where several say different things, the first kind here is meant.
_WORDS = {
    "depth": "depth depths depthmap depthmaps dep disparity disparities disp",
    "mask": "gt gts mask masks groundtruth groundtruths truth annotation annotations pixelwisegt",
    "picture": "rgb rgbs image images img imgs im ims picture pictures pic pics photo photos color "
    "colour jpegimages",
}
_KIND_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_SIDES = (
    (TRAIN, re.compile(r"tr|train\w*")),
    (VAL, re.compile(r"val|valid\w*")),
    (TEST, re.compile(r"te|test\w*")),
)
# What files' names add to the stem that they share.
_ADDED = "rgb|image|img|color|colour|left|depth|dep|disp|disparity|gt|mask|ground_?truth|ann"
_PREFIX = re.compile(rf"(?:{_ADDED})[-_. ]+(?=.)")
_ENDING = re.compile(rf"(?<=.)(?:[-_. ]+|(?<=\d))(?:{_ADDED})$|\.(?:jpe?g|png|bmp|tiff?)$")
# A set lies no deeper than this; it ends a loop of links too.
_DEEPEST = 8


@dataclass(frozen=True)
class Triple:
    """A picture with its mask and, or as empty text, its depth map; relative to the set's folder.

    Attributes:
        side: an index into `SPLITS`, or -1 where no name says it.
        depth_folder: the folder whose depth maps are all of one making, or empty text.
    """

    picture: str
    mask: str
    depth: str
    side: int
    depth_folder: str


@dataclass(frozen=True)
class Pairing:
    """What a folder of pictures, masks and depth maps holds.

    Attributes:
        alone: files that are left over or lack a partner, each as its path and what is the matter.
        unused: folders that hold what none of the triples is made of.
    """

    triples: tuple[Triple, ...]
    alone: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class _Folder:
    """A folder of one kind and the picture files below it, by their place in it."""

    path: str
    kind: str
    files: dict[str, str]  # by place and stem, without the folders that all files have in common
    again: tuple[str, ...]  # files of the same place and stem as another


def find_triples(root: Path) -> Pairing | None:
    """The triples below `root`, or None where its folders are not named like pictures and masks.

    Raises:
        InputError: there are such folders, and no picture shares its name with a mask; or there
            are pictures with depth maps, and no masks at all.
    """
    files = dict(_picture_files(root, "", 0))
    groups: dict[tuple[str, int], dict[str, list[_Folder]]] = defaultdict(
        lambda: {kind: [] for kind in KINDS}
    )
    unused = set(files) - {""}
    for folder in _kind_folders(files):
        path = PurePosixPath(folder.path)
        groups[str(path.parent), _side_of([path.name])][folder.kind].append(folder)
        unused -= {place for place in files if f"{place}/".startswith(f"{folder.path}/")}
    whole = [kinds for kinds in groups.values() if kinds["picture"] and kinds["mask"]]
    if not whole:
        _refuse_depth_alone(root, groups.values())
        return None
    triples: list[Triple] = []
    alone: list[tuple[str, str]] = []
    for kinds in whole:
        chosen = {kind: _plainest(folders) for kind, folders in kinds.items()}
        unused |= {f.path for kind, fs in kinds.items() for f in fs if f is not chosen[kind]}
        _pair(chosen, triples, alone)
    if not triples:
        raise InputError(
            f"{root} has pictures and masks, and no two share a name: {alone[0][0]} needs a "
            "partner of the same name, as RGB/1.jpg has in GT/1.png"
        )
    order = sorted(triples, key=lambda triple: triple.picture)
    return Pairing(tuple(order), tuple(sorted(alone)), tuple(sorted(unused)))


def _refuse_depth_alone(root: Path, groups: Iterable[dict[str, list[_Folder]]]) -> None:
    """Pictures with depth maps and no masks are no classes, though each lie in a folder."""
    for kinds in groups:
        pictures, depths = _plainest(kinds["picture"]), _plainest(kinds["depth"])
        if pictures is not None and depths is not None and _partners(pictures, depths):
            raise InputError(
                f"{root} has pictures in {pictures.path} and depth maps in {depths.path}, but no "
                "masks of their subjects: put them into a folder GT beside these"
            )


def without_side(folder: str) -> str:
    """A folder's path without the words that name a side, the same for a set's train and test."""
    words = [word for word in _words(folder) if _side_word(word) < 0]
    return " ".join(words)


def _picture_files(folder: Path, place: str, depth: int) -> Iterator[tuple[str, list[str]]]:
    """Each folder below, by its path relative to the first, and its visible picture files."""
    names, below = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "__")):
                    continue
                if entry.is_dir() and not _leads_back(entry):
                    below.append(entry.name)
                elif PurePosixPath(entry.name).suffix.lower() in PICTURE_SUFFIXES:
                    names.append(entry.name)
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from None
    if names:
        yield place, sorted(names)
    if depth < _DEEPEST:
        for name in sorted(below):
            yield from _picture_files(
                folder / name, f"{place}/{name}" if place else name, depth + 1
            )


def _leads_back(entry: os.DirEntry[str]) -> bool:
    """Whether a link points to a folder that it lies in."""
    place = Path(entry.path)
    return entry.is_symlink() and place.resolve() in place.parent.resolve().joinpath("x").parents


def _kind_folders(files: dict[str, list[str]]) -> list[_Folder]:
    """The outermost folders whose names tell a kind, and that hold no folders of other kinds."""
    kinds_below: dict[str, set[str]] = defaultdict(set)
    for place in files:
        path = PurePosixPath(place)
        for inner, outer in ((p, q) for p in (path, *path.parents) for q in p.parents):
            kinds_below[str(outer)].add(_kind_of(inner.name))
    found: dict[str, list[str]] = defaultdict(list)
    for place, names in files.items():
        path = PurePosixPath(place)
        for folder in [*reversed(path.parents), path]:
            whole_set = {"picture", "mask"} <= kinds_below[str(folder)]
            if folder.name and _kind_of(folder.name) and not whole_set:
                found[str(folder)] += [f"{place}/{name}" for name in names]
                break
    return [_folder(path, paths) for path, paths in sorted(found.items())]


def _folder(path: str, paths: Sequence[str]) -> _Folder:
    """A folder's files by their places; of two with the same, the first."""
    places = [PurePosixPath(file).relative_to(path).with_suffix("") for file in paths]
    shared = os.path.commonpath([place.parent for place in places])
    files: dict[str, str] = {}
    again = []
    for place, file in zip(places, paths, strict=True):
        if files.setdefault(str(place.relative_to(shared or ".")), file) != file:
            again.append(file)
    return _Folder(path, _kind_of(PurePosixPath(path).name), files, tuple(again))


def _pair(
    chosen: dict[str, _Folder | None], triples: list[Triple], alone: list[tuple[str, str]]
) -> None:
    """Add the triples of one group of folders, and the files that have no partner."""
    pictures, masks, depths = (chosen[kind] for kind in KINDS)
    assert pictures is not None
    assert masks is not None
    mask_of = _partners(pictures, masks)
    depth_of = {} if depths is None else _partners(pictures, depths)
    for place, path in pictures.files.items():
        if place not in mask_of:
            alone.append((path, "this picture has no mask"))
            continue
        depth = depth_of.get(place, "")
        if depths is not None and not depth:
            alone.append((path, "this picture has no depth map"))
        side = _side_of(PurePosixPath(path).parent.parts)
        folder = depths.path if depths is not None and depth else ""
        triples.append(Triple(path, mask_of[place], depth, side, folder))
    for other, used in ((masks, mask_of), (depths, depth_of)):
        if other is not None:
            left = set(other.files.values()) - set(used.values())
            alone += [(path, f"this {_NAMES[other.kind]} has no picture") for path in left]
    for one in (pictures, masks, depths):
        if one is not None:
            alone += [(path, "another file here has the same name") for path in one.again]


def _partners(pictures: _Folder, others: _Folder) -> dict[str, str]:
    """For each picture's place the file that belongs to it: of its name, else of its bare name."""
    exact = {unicodedata.normalize("NFC", place): path for place, path in others.files.items()}
    bare: dict[str, list[str]] = defaultdict(list)
    for place, path in others.files.items():
        bare[_bare(place)].append(path)
    found: dict[str, str] = {}
    for place in pictures.files:
        if own := exact.get(unicodedata.normalize("NFC", place)):
            found[place] = own
    taken = set(found.values())
    for place in pictures.files:
        candidates = [path for path in bare[_bare(place)] if path not in taken]
        if place not in found and len(candidates) == 1:
            found[place] = candidates[0]
            taken.add(candidates[0])
    return found


def _bare(place: str) -> str:
    """A place without what the stem of its file's name adds, whatever the case."""
    folder, _, stem = unicodedata.normalize("NFC", place).casefold().rpartition("/")
    stem = _ENDING.sub("", _ENDING.sub("", stem))
    return f"{folder}/{_PREFIX.sub('', stem, count=1)}"


def _plainest(folders: Iterable[_Folder]) -> _Folder | None:
    """The folder with the fewest words in its name: `GT` before `GT_edge`."""

    def key(folder: _Folder) -> tuple[int, str]:
        return len(_words(PurePosixPath(folder.path).name)), folder.path

    return min(folders, key=key, default=None)


def _kind_of(name: str) -> str:
    """The kind of file that a folder's name speaks of, or empty text."""
    kinds = {_KIND_OF_WORD.get(word, "") for word in _words(name)}
    if {"ground", "truth"} <= set(_words(name)):
        kinds.add("mask")
    return next((kind for kind in _WORDS if kind in kinds), "")


def _side_of(names: Iterable[str]) -> int:
    """The side that the last of these folders to name one names, an index into `SPLITS`, or -1."""
    for name in reversed(list(names)):
        sides = {_side_word(word) for word in _words(name)} - {-1}
        if len(sides) == 1:
            return sides.pop()
    return -1


def _side_word(word: str) -> int:
    return next((side for side, pattern in _SIDES if pattern.fullmatch(word)), -1)


def _words(name: str) -> list[str]:
    """The words of a name, in small letters; RGB-D is one of them."""
    return re.findall(r"[^\W\d_]+", re.sub(r"rgb[-_ ]d(?![^\W\d_])", "rgbd", name.lower()))
