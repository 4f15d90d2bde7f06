"""Saliency sets: pictures, masks of their subjects and, for RGB-D sets, depth maps.

`pairing` tells which files belong together, `depth` what the numbers in depth maps mean. Where no
`depth.toml` says which way depth goes, the masks do: a subject is nearer than most of what is
around it, so a set whose subjects are darker than their surroundings has near = dark. The set's
notes tell what was found, and how to state it.

Of a set written by `viewfinder render --kind scenes --subject`, `manifest.csv` is read too, which
tells the scenes whose depth is wrong.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.depth import SIDE_FILE, DepthScale, nearest_scale
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.datasets.formats.rgbd.pairing import Pairing, Triple, find_triples
from viewfinder.datasets.formats.rgbd.stored import (
    brightest,
    looks_inverted,
    stored_depth,
    stored_mask,
)
from viewfinder.datasets.split_names import without_split
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_header

CLASSES = ("background", "salient")
# Depth maps that are looked at to tell which way a set's depth goes.
_SAMPLE = 32
# Share of them that must agree, and how far apart subject and surroundings must lie to count.
_AGREE, _APART = 0.6, 0.02
# Sides of a picture and its mask may differ by this share, for rounding where one was scaled.
_ASPECT = 0.02
_NAMED = 3
# Masks that are looked at to tell whether they are inverted.
_MASKS_SEEN = 12
_MANIFEST, _MANIFEST_COLUMNS = "manifest.csv", {"name", "split", "depth", "classes"}
_RENDERED = DepthScale(near_is_bright=True, lowest=0, highest=np.iinfo(np.uint16).max)


def read_saliency(root: Path) -> Dataset | None:
    """A saliency set as it lies, -1 where a picture has no split; None where `root` is no such set.

    Classes are `background` and `salient`. Pictures without a mask are left out; what lacks a
    partner is reported in the notes.

    Raises:
        InputError: no picture shares its name with a mask, there are depth maps and no masks, or a
            `depth.toml` or `manifest.csv` is damaged.
    """
    pairing = find_triples(root)
    if pairing is None:
        return None
    triples = pairing.triples
    depths = tuple(triple.depth for triple in triples)
    states = _manifest(root)
    notes = [*_notes(pairing), *_inverted(root, triples)]
    scales = _depth_scales(root, triples, notes, rendered=states is not None)
    return Dataset(
        root=root,
        layout="RGB-D saliency" if any(depths) else "saliency",
        classes=CLASSES,
        paths=tuple(triple.picture for triple in triples),
        labels=np.full(len(triples), -1, np.int64),
        splits=np.array([triple.split for triple in triples], np.int8),
        masks=tuple(triple.mask for triple in triples),
        depths=depths if any(depths) else (),
        depth_scales=tuple(scales[triple.depth_folder] for triple in triples) if scales else (),
        depth_faults=tuple(states.get(PurePosixPath(t.picture).stem, "") for t in triples)
        if states
        else (),
        notes=tuple(notes),
        unread=pairing.unread,
    )


def read_subject(dataset: Dataset, index: int) -> NDArray[np.bool_]:
    """H×W, true where picture `index` shows its subject.

    Raises:
        InputError: the mask cannot be read, is of another shape than the picture, or is dark grey
            where it should be white.
    """
    file = dataset.root / dataset.masks[index]
    mask = stored_mask(file)
    _check_shape(dataset, index, file, mask.shape, "mask")
    if not mask.any() and (share := brightest(file)) > 0:
        raise InputError(
            f"{file} is nowhere brighter than {share:.1%} of white: a mask is white where "
            "the subject is: multiply its values until that is 255"
        )
    return mask


def read_nearness(dataset: Dataset, index: int) -> NDArray[np.float32]:
    """H×W depth of picture `index` in [0, 1], near = bright; its file need not be of its size.

    Raises:
        InputError: the depth map cannot be read, or is of another shape than the picture.
    """
    file = dataset.root / dataset.depths[index]
    values = stored_depth(file)
    _check_shape(dataset, index, file, values.shape, "depth map")
    return dataset.depth_scales[index].apply(values)


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are of one shape, but for the rounding of a picture that was scaled."""
    wide, narrow = one[0] * other[1], other[0] * one[1]
    return abs(wide - narrow) <= _ASPECT * max(wide, narrow)


def _check_shape(
    dataset: Dataset, index: int, file: Path, shape: tuple[int, ...], what: str
) -> None:
    size, other = read_header(dataset.file(index)).size, (shape[1], shape[0])
    if not same_shape(size, other):
        raise InputError(
            f"{dataset.file(index)} is {size[0]}×{size[1]} and its {what} {file} "
            f"{other[0]}×{other[1]}, of another shape: `viewfinder check` names all such files"
        )


def _notes(pairing: Pairing) -> list[str]:
    """What is left out, a few by name, and how many there are."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for path, reason in pairing.alone:
        by_reason[reason].append(path)
    notes = [
        f"{_of_several(why) if len(paths) > 1 else why} ({len(paths):,}): {_named(paths)}"
        for why, paths in by_reason.items()
    ]
    if pairing.unused:
        notes.append(f"not read: {_named(pairing.unused)}")
    if pairing.unread:
        files = (f"{name} ({count:,})" for name, count in pairing.unread.items())
        notes.append(
            f"of a format that is not read: {_named(list(files))}; store them as 16-bit PNG or .npy"
        )
    return notes


def _of_several(why: str) -> str:
    """What is said of one file, of several."""
    what, has, lacks = why.removeprefix("this ").partition(" has ")
    return f"these {what}s have {lacks}" if has and why.startswith("this ") else why


def _inverted(root: Path, triples: Sequence[Triple]) -> Iterator[str]:
    """A note where most of a few masks seem to show the background."""
    seen = []
    for number in _spread(len(triples), _MASKS_SEEN):
        # Files that cannot be read are found by a check, and by whoever needs them.
        with suppress(InputError):
            seen.append(looks_inverted(stored_mask(root / triples[number].mask)))
    if seen and 2 * sum(seen) > len(seen):
        yield (
            f"in {sum(seen)} of {len(seen)} masks the subject covers most of the picture and all "
            "of its border: they look inverted, and should be white where the subject is"
        )


def _spread(count: int, most: int) -> list[int]:
    """Numbers from 0 to `count`, evenly spread, no more than `most`."""
    return sorted(set(np.linspace(0, count - 1, most).round().astype(int).tolist()))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _manifest(root: Path) -> dict[str, str] | None:
    """What a rendered set says of each scene's depth, empty text where it is good; else None."""
    file = root / _MANIFEST
    if not file.is_file():
        return None
    reader = csv.DictReader(read_text(file).splitlines())
    try:
        if not _MANIFEST_COLUMNS.issubset(reader.fieldnames or ()):
            return None
        rows = [(row["name"], row["depth"]) for row in reader]
    except csv.Error as error:
        raise InputError(f"{file} is no table in CSV ({error}): render the set again") from None
    return {name: "" if state in (None, "good") else state for name, state in rows}


@dataclass(frozen=True)
class _Votes:
    """How many subjects are brighter than their surroundings, and how many darker."""

    brighter: int
    darker: int

    @property
    def near_is_bright(self) -> bool:
        return self.brighter >= self.darker

    @property
    def sure(self) -> bool:
        count = self.brighter + self.darker
        return max(self.brighter, self.darker) > _AGREE * count


def _depth_scales(
    root: Path, triples: Sequence[Triple], notes: list[str], *, rendered: bool
) -> dict[str, DepthScale]:
    """What depth means in each folder of depth maps, and in none; guesses are added to `notes`."""
    folders = sorted({triple.depth_folder for triple in triples} - {""})
    scales = {folder: _stated(root, folder, rendered=rendered) for folder in folders}
    # A set's train and test are of one making: together they tell more.
    guessed: dict[str, list[str]] = defaultdict(list)
    for folder, scale in scales.items():
        if scale.near_is_bright is None:
            guessed[without_split(folder)].append(folder)
    for alike in guessed.values():
        rows = [triple for triple in triples if triple.depth_folder in alike]
        votes = _vote(root, rows, scales)
        for folder in alike:
            scales[folder] = replace(scales[folder], near_is_bright=votes.near_is_bright)
        notes.append(_direction_in_words(root, alike, votes))
    return scales | {"": DepthScale(near_is_bright=True)} if scales else {}


def _stated(root: Path, folder: str, *, rendered: bool) -> DepthScale:
    """The nearest side file's scale, else that of rendered sets, else nothing known."""
    path = PurePosixPath(folder)
    stated = nearest_scale(root, [Path(place) for place in (path, *path.parents)])
    return stated or (_RENDERED if rendered else DepthScale())


def _vote(root: Path, rows: Sequence[Triple], scales: dict[str, DepthScale]) -> _Votes:
    """Look at a few subjects, evenly spread over a set."""
    brighter = darker = 0
    for number in _spread(len(rows), _SAMPLE):
        triple = rows[number]
        try:
            # Files that cannot be read are found by a check, and by whoever needs them.
            mask = stored_mask(root / triple.mask)
            scale = replace(scales[triple.depth_folder], near_is_bright=True)
            depth = scale.apply(stored_depth(root / triple.depth))
        except InputError:
            continue
        if not same_shape(mask.shape, depth.shape):
            continue
        if mask.shape != depth.shape:
            # A sensor of depth has fewer pixels than a camera.
            mask = _nearest(mask, depth.shape)
        if mask.any() and not mask.all():
            lead = float(depth[mask].mean() - depth[~mask].mean())
            brighter += lead > _APART
            darker += lead < -_APART
    return _Votes(brighter, darker)


def _nearest(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask at another size: of each pixel of it, the one at its middle."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for new, old in zip(shape, mask.shape, strict=True)
    )
    smaller: NDArray[np.bool_] = mask[rows[:, None], columns]
    return smaller


def _direction_in_words(root: Path, folders: Sequence[str], votes: _Votes) -> str:
    """What was found about the direction of depth, and how to state it."""
    looked, where = votes.brighter + votes.darker, " and ".join(folders)
    said = "bright" if votes.near_is_bright else "dark"
    if votes.sure:
        agree = max(votes.brighter, votes.darker)
        found = f"near is {said}, since in {agree} of {looked} depth maps the subject is {said}er"
    else:
        found = (
            f"near is taken to be {said}, though the masks hardly tell: of {looked} subjects "
            f"{votes.brighter} are brighter than their surroundings and {votes.darker} darker"
        )
    value = str(votes.near_is_bright).lower()
    file = root / SIDE_FILE
    return f"{where}: {found} (to state it, write `near_is_bright = {value}` into {file})"
