"""What a data folder holds, by the readers that `train` has, before it is taken into a store."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import usable
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.class_folders.reading import is_class_folders, open_class_folders
from viewfinder.datasets.formats.other_tools import refuse_other_tools
from viewfinder.datasets.formats.rgbd.reading import read_saliency
from viewfinder.datasets.opening import read_box_files, usable_boxes
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.memory import give_back_freed
from viewfinder.pictures.finding import pictures_below
from viewfinder.studio.store.records import Kind


@dataclass(frozen=True, eq=False)
class Found:
    """What a folder holds.

    Attributes:
        kind: what is labelled.
        dataset: as `train` reads it; None of a folder without labels.
        paths: the pictures relative to the folder: the dataset's, in its order, then the others.
        trouble: by path, why a picture's labels are not used.
        below: the dataset's own folder, relative to this one, if it is another.
    """

    kind: Kind
    dataset: Dataset | None
    paths: tuple[str, ...]
    trouble: Mapping[str, str]
    below: str
    notes: tuple[str, ...]

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
    boxes = None
    with _no_labels_is_fine(data):
        boxes = read_box_files(data)
    if boxes is not None:
        fitted = usable_boxes(boxes)
        give_back_freed()
        left = set(boxes.paths) - set(fitted.paths)
        why = "the picture is of another shape than its labels say"
        below = _below(data, fitted.root)
        own = [_inner(below, path) for path in fitted.paths]
        rest = [_inner(below, path) for path in boxes.paths if path in left]
        beside = survey(fitted.root).beside(boxes.paths)
        extra = [_inner(below, path) for path in beside]
        return Found(
            "boxes", fitted, (*own, *rest, *extra), dict.fromkeys(rest, why), below, _notes(fitted)
        )
    masks = read_saliency(data) if not kind else None
    dataset = masks
    if masks is None:
        # Folders of pictures may be no classes, as one folder beside other pictures is.
        with _no_labels_is_fine(data):
            dataset = open_class_folders(data, deal=False) if is_class_folders(data) else None
    if dataset is None:
        return Found(kind or "boxes", None, tuple(pictures_below(data)), {}, "", ())
    below = _below(data, dataset.root)
    paths = tuple(_inner(below, path) for path in dataset.paths)
    return Found(
        kind or ("masks" if masks else "classes"), dataset, paths, {}, below, _notes(dataset)
    )


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
            f"the labels list {path}, which lies outside of the folder: `viewfinder convert` the "
            "set first, which puts all its pictures into one"
        )
    return f"{below}/{path}" if below else path


def _notes(dataset: Dataset) -> tuple[str, ...]:
    return (*dataset.notes, *map(str, dataset.faults))
