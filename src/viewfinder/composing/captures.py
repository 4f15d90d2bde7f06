"""Cut-outs from what a person has: sets with outlines, or captures of single objects with masks.

A capture is a folder with `masks/` (PNG, white where the object is) beside `frames/`, whose files
have the same stems, or beside one video, whose frames the masks' numbers count from 0. Its class is
the folder of the root that it lies in: `captures/mug/blue/masks/…` and `captures/mug/masks/…` show
mugs. A folder of the root may be a COCO set as well, `captures/mug/annotations/…`, or have outlines
in the studio, with classes of its own; sets and captures of one class are one class.

What is in the splits `val` and `test` stays there: no object of theirs is cut out. Nor is one whose
mask reaches the picture's edge.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.composing.cutouts import CutOut, cut_out, fitted, is_cut_off
from viewfinder.composing.labelled import PER_CLASS, cutouts_from, evenly
from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.reading import find_coco
from viewfinder.datasets.formats.label_server import served_at
from viewfinder.datasets.formats.label_store import read_label_store
from viewfinder.datasets.formats.labels_above import has_labels, refuse_within
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.split_names import split_named
from viewfinder.datasets.splits import TEST, TRAIN, VAL
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.events import listening, note, track
from viewfinder.pictures.finding import folders_in, has_picture, pictures_in, walk
from viewfinder.pictures.kinds import videos_in
from viewfinder.pictures.reading import read_mask, read_picture
from viewfinder.pictures.video import read_video
from viewfinder.wording import counted, likest

_FRAME_FOLDERS = ("frames", "images")
_HELD_OUT = (VAL, TEST)


@dataclass(frozen=True, eq=False)
class Captures:
    """What there is to compose of.

    Attributes:
        classes: names of the classes, in order.
        cutouts: of each class at most `PER_CLASS`.
        datasets: the sets they come from, all splits of them; none where all are captures.
    """

    classes: tuple[str, ...]
    cutouts: tuple[CutOut, ...]
    datasets: tuple[Dataset, ...] = ()


def open_captures(source: Path, *, longest: int | None = None) -> Captures:
    """Read the cut-outs that COCO sets with outlines, or captures, hold.

    Args:
        source: a COCO set or its file, or a folder of sets and captures.
        longest: scale larger cut-outs down until their longer side is this many pixels.

    Raises:
        InputError: nothing of either kind is there, or a file cannot be read.
    """
    root = source.expanduser()
    if not root.exists():
        raise InputError(f"there is no folder {root}: give a COCO set with outlines, or captures")
    if not root.is_dir() or _is_set(root):
        return _of_set(root, longest)
    folders, sets = _parts(root)
    for folder in (root, *(folder for _, folder in folders)):
        served_at(folder)
        refuse_within(folder)
    if not folders and not sets:
        raise InputError(
            f"{root} holds nothing to cut out: give a COCO set whose objects have outlines, or "
            f"captures, such as {root / 'mug' / 'frames'} and {root / 'mug' / 'masks'}"
        )
    _note_passed_over(root, [folder for _, folder in folders] + sets)
    found = [_of_set(folder, longest) for folder in sets]
    if folders:
        found.append(_of_captures(root, folders, longest))
    return _together(found)


def refuse_unknown(source: Path, known: Sequence[str]) -> None:
    """Refuse captures of other classes than a training set's, before anything is cut out.

    Raises:
        InputError: there are some; or nothing can be cut out, as `open_captures` says.
    """
    root = source.expanduser()
    folders, sets = _parts(root) if root.is_dir() and not _is_set(root) else ([], [root])
    with listening():  # whoever cuts out says what is to be said
        found = [name for folder in sets for name in open_dataset(folder).classes]
    require_known(sorted({*found, *(name for name, _ in folders)}), known, str(source))


def require_known(classes: Sequence[str], known: Sequence[str], source: str) -> None:
    """Raises InputError where captures are of a class that a training set does not have."""
    if unknown := [name for name in classes if name not in known]:
        raise InputError(
            f"--compose {source} has captures of {unknown[0]!r}, a class that the training set "
            f"does not have{likest(unknown[0], known)}: its classes are {', '.join(known)}"
        )


def _of_set(source: Path, longest: int | None) -> Captures:
    dataset = open_dataset(source)
    return Captures(dataset.classes, tuple(cutouts_from(dataset, longest=longest)), (dataset,))


def _of_captures(root: Path, folders: Sequence[tuple[str, Path]], longest: int | None) -> Captures:
    classes = tuple(sorted({name for name, _ in folders}))
    held = Counter(name for name, _ in folders)
    cutouts: list[CutOut] = []
    cut_off: Counter[str] = Counter()
    for name, folder in track(folders, total=len(folders), description="cutting out"):
        most = max(1, PER_CLASS // held[name])
        for found in _cut_from_capture(folder, classes.index(name), most):
            if found is None:
                cut_off[name] += 1
            else:
                cutouts.append(found if longest is None else fitted(found, longest))
    if cut_off:
        each = ", ".join(f"{count:,} of {name}" for name, count in cut_off.items())
        note(f"{root}: left out {each}, since their masks reach the picture's edge")
    _require_all(classes, cutouts, root, cut_off)
    return Captures(classes, tuple(cutouts))


def _together(parts: Sequence[Captures]) -> Captures:
    """All parts as one, classes joined by name, of each class at most `PER_CLASS` cut-outs."""
    if len(parts) == 1:
        return parts[0]
    classes = tuple(sorted({name for part in parts for name in part.classes}))
    of_class: defaultdict[int, list[CutOut]] = defaultdict(list)
    for part in parts:
        for cutout in part.cutouts:
            label = classes.index(part.classes[cutout.label])
            # Two sets may hold pictures of one name.
            root = f"{part.datasets[0].root}/" if part.datasets else ""
            source = f"{root}{cutout.source}"
            of_class[label].append(replace(cutout, label=label, source=source))
    return Captures(
        classes,
        tuple(
            cutout for label in sorted(of_class) for cutout in evenly(of_class[label], PER_CLASS)
        ),
        tuple(dataset for part in parts for dataset in part.datasets),
    )


def _parts(root: Path) -> tuple[list[tuple[str, Path]], list[Path]]:
    """Each capture below `root`, with the name of its class, and each COCO set; none held out."""
    captures: list[tuple[str, Path]] = []
    sets: list[Path] = []
    dealt = any(split_named(folder.name) == TRAIN for folder in folders_in(root))
    for place in walk(root):
        folder, parts = root / place.path, Path(place.path).parts
        split = split_named(parts[0]) if dealt and parts else -1
        if split in _HELD_OUT:
            place.folders.clear()
        elif parts and _outlined(folder):
            sets.append(folder)
            place.folders.clear()
        elif "masks" in place.folders:
            named = parts[1:] if split == TRAIN else parts
            captures.append((named[0] if named else root.resolve().name, folder))
        elif parts and _is_coco(folder):
            sets.append(folder)
            place.folders.clear()
    return captures, sets


def _outlined(folder: Path) -> bool:
    """Whether the studio keeps outlines of objects in a folder's pictures."""
    stored = read_label_store(folder) if has_labels(folder) else None
    return stored is not None and stored.boxes is not None and bool(stored.boxes.segmentations)


def _is_set(folder: Path) -> bool:
    """Whether a folder is a set with outlines itself, COCO's or the studio's."""
    return _outlined(folder) or _is_coco(folder)


def _is_coco(folder: Path) -> bool:
    """Whether a folder is a COCO set itself, and not one that holds some."""
    return any(folder in (file.parent, file.parent.parent) for file in find_coco(survey(folder)))


def _note_passed_over(root: Path, used: Sequence[Path]) -> None:
    """Name the folders of `root` whose pictures have neither masks nor labels."""
    taken = {folder.relative_to(root).parts[:1] for folder in used}
    for folder in folders_in(root):
        if split_named(folder.name) in _HELD_OUT or (folder.name,) in taken or () in taken:
            continue
        if has_picture(folder):
            note(
                f"{folder} has pictures, but neither labels with outlines nor masks, so no scene "
                "shows what is on them: propose and accept some first"
            )


def _cut_from_capture(folder: Path, label: int, most: int) -> Iterator[CutOut | None]:
    """The object of each frame, or None where the frame's edge cuts it."""
    masks = _by_stem(folder / "masks")
    frames = next((folder / name for name in _FRAME_FOLDERS if (folder / name).is_dir()), None)
    pairs = (
        _pairs(masks, _by_stem(frames), most)
        if frames is not None
        else _video_pairs(masks, _only_video(folder), most)
    )
    for picture, file in pairs:
        mask = read_mask(file)
        if mask.any():
            try:
                found = cut_out(picture, mask, label, str(folder))
                yield None if is_cut_off(mask) else found
            except InputError as error:
                raise InputError(f"{file}: {error}") from error


def _pairs(
    masks: dict[str, Path], frames: dict[str, Path], most: int
) -> Iterator[tuple[NDArray[np.uint8], Path]]:
    bits = bits_of(list(frames.values()))
    _note_without_frames([masks[stem] for stem in sorted(masks.keys() - frames.keys())])
    for stem in evenly(sorted(masks.keys() & frames.keys()), most):
        yield read_picture(frames[stem], bits=bits), masks[stem]


def _note_without_frames(masks: Sequence[Path]) -> None:
    if masks:
        note(
            f"{masks[0].parent}: {counted(len(masks), 'mask')} of frames that are not there, such "
            f"as {masks[0].name}: name each as its frame, or by its number in the video, from 0 on"
        )


def _video_pairs(
    masks: dict[str, Path], video: Path, most: int
) -> Iterator[tuple[NDArray[np.uint8], Path]]:
    numbered = {int(n[0]): masks[stem] for stem in masks if (n := re.findall(r"\d+$", stem))}
    wanted = set(evenly(sorted(numbered), most))
    for frame in read_video(video):
        if frame.index in wanted:
            wanted.remove(frame.index)
            yield frame.picture, numbered[frame.index]
        if not wanted:
            break
    _note_without_frames([numbered[index] for index in sorted(wanted)])


def _only_video(folder: Path) -> Path:
    videos = videos_in(folder)
    if len(videos) != 1:
        raise InputError(
            f"{folder} has masks/, and neither frames/ nor one video beside it: put the pictures "
            "that the masks belong to into frames/, with the same names"
        )
    return videos[0]


def _by_stem(folder: Path) -> dict[str, Path]:
    """The visible pictures of a folder by their stems."""
    return {file.stem: file for file in pictures_in(folder)}


def _require_all(
    classes: Sequence[str], cutouts: Iterable[CutOut], root: Path, cut_off: Counter[str]
) -> None:
    there = {cutout.label for cutout in cutouts}
    for label, name in enumerate(classes):
        if label not in there and cut_off[name]:
            raise InputError(
                f"{root / name}: every mask reaches its picture's edge, so that nothing is seen "
                "whole: film it with room around it"
            )
        if label not in there:
            raise InputError(
                f"{root / name}: no frame and mask belong together there, or every mask is empty: "
                "give them the same names, such as frames/001.jpg and masks/001.png"
            )
