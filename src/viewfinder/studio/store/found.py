"""What a data folder holds, by the readers that `train` has, before it is taken into a store."""

import contextlib
from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import usable
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.class_folders.reading import is_class_folders, open_class_folders
from viewfinder.datasets.formats.other_tools import refuse_other_tools
from viewfinder.datasets.formats.rgbd.reading import read_saliency
from viewfinder.datasets.opening import read_box_files, usable_boxes
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.memory import give_back_freed
from viewfinder.pictures.finding import pictures_below
from viewfinder.pictures.reading import read_header
from viewfinder.studio.store.proposed_kind import (
    proposed_for,
    stands_among,
    why_boxes,
    with_boxes,
)
from viewfinder.studio.store.records import Kind
from viewfinder.wording import counted


@dataclass(frozen=True)
class Unread:
    """What could not be read of a file of labels, or of a picture whose size its labels need.

    Attributes:
        pictures: their paths.
        why: a sentence.
        labels: of a picture its file of labels, which wait for it.
    """

    pictures: tuple[str, ...]
    why: str
    labels: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """What a folder holds.

    Attributes:
        kind: what is labelled.
        dataset: as `train` reads it; None of a folder without labels.
        paths: the pictures relative to the folder: the dataset's, in its order, then the others.
        trouble: by path, why a picture's labels are not used.
        unread: by file of labels, relative to the folder, what could not be read of it; and by
            picture, where that cannot be read and its labels are shares of its size.
        files: by picture, its file of labels, where each picture has one of its own.
        below: the dataset's own folder, relative to this one, if it is another.
    """

    kind: Kind
    dataset: Dataset | None
    paths: tuple[str, ...]
    trouble: Mapping[str, str]
    below: str
    notes: tuple[str, ...]
    unread: Mapping[str, "Unread"] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def waiting(self) -> frozenset[str]:
        """The pictures whose labels could not be read."""
        return frozenset(path for each in self.unread.values() for path in each.pictures)

    @cached_property
    def places(self) -> list[int]:
        """Where each picture stands in the list: the order of `paths`, with those that only wait
        for their labels among the dataset's, by name."""
        count = 0 if self.dataset is None else len(self.dataset)
        order = list(range(count))
        late = [i for i, path in enumerate(self.paths) if i >= count and path in self.waiting]
        for index in sorted(late, key=lambda i: self.paths[i]):
            order.insert(bisect(order, self.paths[index], key=self.paths.__getitem__), index)
        order += sorted(set(range(count, len(self.paths))) - set(late))
        places = [0] * len(self.paths)
        for place, index in enumerate(order):
            places[index] = place
        return places

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """Which rows of the boxes are boxes."""
        assert self.dataset is not None
        assert self.dataset.boxes is not None
        return usable(self.dataset.boxes)


def look(data: Path, kind: Kind | None) -> Found:
    """What a folder holds, by the readers that `train` has.

    Raises:
        InputError: as they do, but not where there are pictures and no labels.
    """
    boxes, proposed = None, proposed_for(data)
    with _no_labels_is_fine(data):
        boxes = read_box_files(data)
    if boxes is not None:
        if kind == "classes":
            raise InputError(f"{data} has files of boxes: what is labelled there is boxes")
        return _of_boxes(data, boxes, proposed)
    masks = read_saliency(data) if not kind else None
    dataset = masks
    if masks is None:
        # Folders of pictures may be no classes, as one folder beside other pictures is.
        with _no_labels_is_fine(data):
            dataset = open_class_folders(data, deal=False) if is_class_folders(data) else None
    if dataset is None:
        return Found(kind or "boxes", None, _to_label(data, proposed), {}, "", ())
    below = _below(data, dataset.root)
    if masks is None and (kind == "boxes" or (kind is None and len(proposed))):
        notes = () if kind else (why_boxes(data),)
        boxes = with_boxes(dataset, proposed, below)
        paths = tuple(_inner(below, path) for path in boxes.paths)
        paths += _to_label(data, proposed, but=paths)
        return Found("boxes", boxes, paths, {}, below, notes)
    paths = tuple(_inner(below, path) for path in dataset.paths)
    if masks is None:
        known = set(paths)
        paths += tuple(path for path in pictures_below(data) if path not in known)
    return Found(
        kind or ("masks" if masks else "classes"), dataset, paths, {}, below, _notes(dataset)
    )


def _to_label(data: Path, proposed: Proposals, but: Iterable[str] = ()) -> tuple[str, ...]:
    """The pictures below a folder, without those of empty stands, and without others."""
    paths, known = tuple(pictures_below(data)), {*but}
    known |= stands_among(paths, proposed)
    return tuple(path for path in paths if path not in known)


def _of_boxes(data: Path, boxes: Dataset, proposed: Proposals) -> Found:
    """What a set of boxes holds, without what is wrong in the labels of single pictures."""
    below = _below(data, boxes.root)
    unread = _unread(below, boxes.faults)
    unread |= _unseen(below, boxes, {path for each in unread.values() for path in each.pictures})
    boxes = replace(boxes, faults=tuple(each for each in boxes.faults if not each.labels))
    own_files = zip(boxes.paths, boxes.label_files, strict=False)
    files = {_inner(below, path): _inner(below, of) for path, of in own_files if of}
    fitted = usable_boxes(boxes)
    give_back_freed()
    left = set(boxes.paths) - set(fitted.paths)
    own = [_inner(below, path) for path in fitted.paths]
    rest = [_inner(below, path) for path in boxes.paths if path in left]
    waiting = {path: each.why for each in unread.values() for path in each.pictures}
    # Of a Pascal VOC file that cannot be read, the set does not know the picture.
    known = {*own, *rest}
    alone = sorted(path for path in waiting if path not in known)
    seen = survey(boxes.root)
    beside = [_inner(below, path) for path in seen.beside(boxes.paths)]
    passed = stands_among(beside, proposed) | waiting.keys()
    extra = [*alone, *(path for path in beside if path not in passed)]
    why = "the picture is of another shape than its labels say"
    trouble = dict.fromkeys(rest, why) | waiting
    paths = (*own, *rest, *extra)
    return Found("boxes", fitted, paths, trouble, below, _notes(fitted), unread, files)


def _unread(below: str, faults: Sequence[Fault]) -> dict[str, Unread]:
    """What is wrong in files of labels that are of one picture each, by file."""
    by_file: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        if fault.labels:
            by_file[_inner(below, fault.labels)].append(fault)
    found = {}
    for file, all_ in by_file.items():
        pictures = dict.fromkeys(_inner(below, each.picture) for each in all_ if each.picture)
        more = len(all_) // max(1, len(pictures)) - 1
        also = f" (and {counted(more, 'further line')})" if more else ""
        found[file] = Unread(tuple(pictures), f"{all_[0]}{also}")
    return found


def _unseen(below: str, boxes: Dataset, waiting: Collection[str]) -> dict[str, Unread]:
    """The pictures that cannot be read and have labels that are shares of their sizes."""
    assert boxes.boxes is not None
    assert boxes.sizes is not None
    if boxes.layout != "YOLO":  # the other layouts count in pixels
        return {}
    unseen = (boxes.sizes <= 0).any(1) & (np.diff(boxes.boxes.offsets) > 0)
    found = {}
    for index in np.flatnonzero(unseen).tolist():
        path = _inner(below, boxes.paths[index])
        if path not in waiting:
            why = f"{path}: {_why_unseen(boxes.file(index))}"
            found[path] = Unread((path,), why, _inner(below, boxes.label_files[index] or ""))
    return found


def _why_unseen(file: Path) -> str:
    """Why a picture cannot be read, and what to do."""
    try:
        read_header(file)
    except (InputError, OSError) as error:
        said = str(error).replace(str(file), file.name)
    else:
        said = "it could not be read a moment ago"
    fix = "put the picture there again, or one of its name in a format that is read"
    return f"its labels wait, as the picture cannot be read: {said}; {fix}"


@contextlib.contextmanager
def _no_labels_is_fine(data: Path) -> Iterator[None]:
    """Pass over that a folder is no data set, if it just has no labels yet."""
    try:
        yield
    except InputError:
        seen = survey(data)
        if has_boxes(seen):
            raise
        refuse_other_tools(seen)


def _below(data: Path, root: Path) -> str:
    """A set's own folder relative to the one that was opened.

    Raises:
        InputError: it lies elsewhere.
    """
    try:
        below = root.absolute().relative_to(data.absolute()).as_posix()
    except ValueError:
        raise InputError(f"the pictures of {data} lie in {root}: open that folder") from None
    return "" if below == "." else below


def _inner(below: str, path: str) -> str:
    """A path relative to the opened folder.

    Raises:
        InputError: it leads out of it.
    """
    if path.startswith("/") or ".." in path.split("/"):
        raise InputError(
            f"the labels list {path}, which lies outside of the folder: open the folder that holds "
            "pictures and labels, or `viewfinder convert` the set first, which puts all into one"
        )
    return f"{below}/{path}" if below else path


def _notes(dataset: Dataset) -> tuple[str, ...]:
    return (*dataset.notes, *map(str, dataset.faults))
