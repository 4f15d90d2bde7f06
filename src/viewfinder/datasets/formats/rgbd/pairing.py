"""Which mask and which depth map belong to a picture: by the names of folders and files.

The public saliency sets keep pictures, masks and depth maps in folders of their own, under names
that differ from set to set and from copy to copy: `RGB`, `GT` and `depth` (SIP, NJU2K, STERE),
`Image`, `Mask`, `Depth`; `train_images`, `train_masks`, `train_depth_negation` (DUT-RGBD);
`DUTS-TR-Image`, `DUTS-TR-Mask`; `imgs`, `gts`, `depths`; `images`, `ground_truth_mask` (ECSSD);
`pixelwiseGT-new-PNG` (DUT-OMRON). A folder's kind is known by the words in its name, whatever their
case, and so is its split; below it, files are paired by their place and stem, without endings such
as `_GT` or `-depth`. `kind_folders` finds the folders, `kind_names` knows the words.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from viewfinder.datasets.formats.rgbd.folders import (
    Folder,
    Kinds,
    Listing,
    fit_together,
    group_folders,
    list_files,
    look_like,
    partners,
    plainest,
)
from viewfinder.datasets.kind_names import KINDS, bare, is_plain, kind_of
from viewfinder.datasets.split_names import split_of_path
from viewfinder.errors import InputError

_NAMES = {"mask": "mask", "depth": "depth map"}


@dataclass(frozen=True)
class Triple:
    """A picture with its mask and, or as empty text, its depth map; relative to the set's folder.

    Attributes:
        split: an index into `SPLITS`, or -1 where no name says it.
        depth_folder: the folder whose depth maps are all of one making, or empty text.
    """

    picture: str
    mask: str
    depth: str
    split: int
    depth_folder: str


@dataclass(frozen=True)
class Pairing:
    """What a folder of pictures, masks and depth maps holds.

    Attributes:
        alone: files that are left over or lack a partner, each as its path and what is the matter.
        unused: folders that hold what none of the triples is made of.
        unread: how many files of a folder of masks or depth maps are of a format that is not read,
            though they are named as the pictures are, such as `depth/*.exr`.
    """

    triples: tuple[Triple, ...]
    alone: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]
    unread: dict[str, int]


def find_triples(root: Path) -> Pairing | None:
    """The triples below `root`, or None where it holds no pictures with masks.

    Raises:
        InputError: there are folders of pictures and of masks, and no two files share a name; or
            there are depth maps with masks or with pictures, but the third is missing.
    """
    files, others = list_files(root)
    groups = group_folders(root, files)
    whole = [kinds for kinds in groups if kinds["picture"] and kinds["mask"]]
    if not whole:
        _refuse_parts(root, groups)
        return None
    triples: list[Triple] = []
    alone: list[tuple[str, str]] = []
    used: set[str] = set()
    for kinds in whole:
        chosen = {kind: plainest(folders) for kind, folders in kinds.items()}
        used |= {folder.path for folder in chosen.values() if folder is not None}
        _pair(chosen, triples, alone)
    if not triples:
        raise InputError(
            f"{root} has pictures and masks, and no two share a name: {alone[0][0]} needs a "
            "partner of the same name, as RGB/1.jpg has in GT/1.png"
        )
    triples.sort(key=lambda triple: triple.picture)
    unused = _unused(files, groups, used)
    return Pairing(tuple(triples), tuple(sorted(alone)), unused, _unread(others, triples))


def _refuse_parts(root: Path, groups: Iterable[Kinds]) -> None:
    """Masks, depth maps and pictures are no classes, though each lie in a folder of their own."""
    for kinds in groups:
        pictures, depths = plainest(kinds["picture"]), plainest(kinds["depth"])
        if pictures is not None and depths is not None and fit_together(pictures, depths):
            raise InputError(
                f"{root} has pictures in {pictures.path or '.'} and depth maps in {depths.path}, "
                "but no masks of their subjects: put them into a folder GT beside these"
            )
        maps = sorted([*kinds["mask"], *kinds["depth"]], key=lambda folder: folder.path)
        for one, other in pairwise(maps):
            plain = any(is_plain(PurePosixPath(folder.path).name) for folder in (one, other))
            if fit_together(one, other) and (
                plain or all(look_like(root, f) for f in (one, other))
            ):
                raise InputError(
                    f"{root} has the same names in {one.path} and in {other.path}, which are no "
                    "classes but maps of pictures, and no pictures of these names: put them into "
                    "a folder RGB beside these"
                )


def _unused(files: Listing, groups: Iterable[Kinds], used: set[str]) -> tuple[str, ...]:
    """Folders of which nothing is read: those of a kind as one, all others as they lie."""
    kinds = {folder.path for group in groups for folders in group.values() for folder in folders}
    left = set(files) - {""}
    for path in kinds:
        left -= {place for place in left if f"{place}/".startswith(f"{path}/")}
    return tuple(sorted(left | (kinds - used - {""})))


def _unread(others: Listing, triples: Iterable[Triple]) -> dict[str, int]:
    """Files of unknown formats in folders of masks or depth, named as the set's pictures are."""
    stems = {bare(PurePosixPath(triple.picture).stem) for triple in triples}
    counted: Counter[str] = Counter()
    for place, names in others.items():
        if not {kind_of(part) for part in PurePosixPath(place).parts} & {"mask", "depth"}:
            continue
        for name in names:
            path = PurePosixPath(name)
            # Behind a name may stand two endings, such as `.npy.gz`.
            ends = "".join(path.suffixes[-2:])
            if bare(path.stem) in stems or bare(name.removesuffix(ends)) in stems:
                counted[f"{place}/*{path.suffix or ''}"] += 1
    return dict(sorted(counted.items()))


def _pair(
    chosen: dict[str, Folder | None], triples: list[Triple], alone: list[tuple[str, str]]
) -> None:
    """Add the triples of one group of folders, and the files that have no partner."""
    pictures, masks, depths = (chosen[kind] for kind in KINDS)
    assert pictures is not None
    assert masks is not None
    mask_of = partners(pictures, masks)
    depth_of = {} if depths is None else partners(pictures, depths)
    for place, path in pictures.files.items():
        if place not in mask_of:
            alone.append((path, "this picture has no mask"))
            continue
        depth = depth_of.get(place, "")
        if depths is not None and not depth:
            alone.append((path, "this picture has no depth map"))
        split = split_of_path(path)
        folder = (depths.path or ".") if depths is not None and depth else ""
        triples.append(Triple(path, mask_of[place], depth, split, folder))
    for other, used in ((masks, mask_of), (depths, depth_of)):
        if other is not None:
            left = set(other.files.values()) - set(used.values())
            alone += [(path, f"this {_NAMES[other.kind]} has no picture") for path in left]
    for one in (pictures, masks, depths):
        if one is not None:
            alone += [(path, "another file here has the same name") for path in one.again]
