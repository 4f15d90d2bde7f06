"""Pictures sorted into a folder for each class: `train/cat/1.jpg`, or just `cat/1.jpg`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.class_folders.layouts import (
    NAMED,
    alike_classes,
    classes_within,
    known_otherwise,
    layout_of,
    passed_over,
    some_of,
    unread_suffixes,
)
from viewfinder.datasets.frame_list import frame_groups
from viewfinder.datasets.splits import TEST, TRAIN, VAL, by_group, stratified, usual_val_share
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folders_in, has_picture, is_picture, walk
from viewfinder.reading import broken_link
from viewfinder.wording import counted

TEST_SHARE = 0.15


def is_class_folders(root: Path) -> bool:
    """Whether `root` holds folders with pictures in them, directly or under its splits."""
    return any(has_picture(folder) for folder in folders_in(root))


def open_class_folders(root: Path, *, val_share: float | None = None, deal: bool = True) -> Dataset:
    """Read a folder of class folders.

    With `train/`, `val/`, `test/` (and the names that `splits` knows for these) the splits are as
    they lie; without any, 15 % of each class become test. Where there is no `val`,
    a share `val_share` of each class's training pictures becomes it, as many as
    `splits.usual_val_share` says if it is None. Frames of one video, as
    `frames.json` beside them tells, stay in one split. Without `deal` no picture is given a split.
    `class_layouts` tells what else is known.

    Raises:
        InputError: no pictures, fewer than two classes, or folders that are folds and no classes.
    """
    layout = layout_of(root)
    root, tops = layout.root, layout.tops
    sorted_out = _sorted_out(root, tops)
    rows = sorted_out.rows
    classes = tuple(sorted({row.name for row in rows}))
    paths = tuple(row.path for row in rows)
    numbers = {name: index for index, name in enumerate(classes)}
    labels = np.array([numbers[row.name] for row in rows], np.int64)
    splits = np.array([row.split for row in rows], np.int8)
    groups = frame_groups(root, paths)
    if not layout.has_splits:
        splits[:] = -1
    notes = (*layout.notes, *_alike(classes), *_left(sorted_out), *_empty(tops, classes))
    unread = {f"*{ending}": count for ending, count in sorted_out.unread.items()}
    dataset = Dataset(
        root,
        "class folders",
        classes,
        paths,
        labels,
        splits,
        groups=groups,
        notes=notes,
        unread=unread,
        faults=tuple(_broken_links(root, tops)),
    )
    return dealt(dataset, val_share) if deal else dataset


def dealt(dataset: Dataset, val_share: float | None = None) -> Dataset:
    """The same pictures of classes, every one in a split, as `open_class_folders` says."""
    has_splits = bool((dataset.splits >= 0).any())
    # Of a set with splits, a picture that came later is one to learn from.
    splits = np.where(dataset.splits < 0, TRAIN, dataset.splits).astype(np.int8)
    share = usual_val_share(len(dataset)) if val_share is None else val_share
    shares: list[tuple[int, float]] = []
    if not has_splits:
        shares = [(TEST, TEST_SHARE), (VAL, share)]
    elif not (splits == VAL).any():
        # A folder with only a `test/` is still a set to evaluate on.
        shares = [(VAL, share if (splits == TRAIN).any() else 0.0)]
    chosen = np.flatnonzero(splits == TRAIN) if shares else np.zeros(0, np.int64)
    paths = [dataset.paths[i] for i in chosen]
    groups = [dataset.groups[i] for i in chosen if dataset.groups]
    splits[chosen] = _dealt(paths, dataset.labels[chosen], groups, shares)
    alone = [
        name
        for number, name in enumerate(dataset.classes)
        if dataset.groups
        and any(part for _, part in shares)
        and (splits[dataset.labels == number] == TRAIN).all()
    ]
    return replace(
        dataset,
        splits=splits,
        val_dealt=any(split == VAL for split, _ in shares),
        test_dealt=not has_splits,
        notes=(*dataset.notes, *_notes_on_alone(alone)),
    )


def _broken_links(root: Path, tops: Iterable[Path]) -> Iterator[Fault]:
    """A fault for each link that leads to nothing where a class's folder would stand."""
    for top in tops:
        for each in sorted(top.iterdir()):
            if not each.name.startswith(".") and broken_link(each) == each:
                yield Fault(
                    "broken-link",
                    each.relative_to(root).as_posix(),
                    "this link leads to nothing, so that what it stands for is left out",
                    "see where that has gone, or remove the link",
                )


class _Row(NamedTuple):
    """One picture, its class and its split."""

    path: str
    name: str
    split: int


class _Sorted(NamedTuple):
    """What lies below a set's folder: pictures of classes, other pictures, and other endings."""

    rows: list[_Row]
    loose: list[str]
    unread: Counter[str]


def _sorted_out(root: Path, tops: Mapping[Path, int]) -> _Sorted:
    """Every file below the set's folder, by what it is to the set.

    Raises:
        InputError: no pictures in class folders, or fewer than two classes.
    """
    splits = {top.relative_to(root).parts: split for top, split in tops.items()}
    found = _Sorted([], [], Counter())
    for place in walk(root):
        parts = tuple(place.path.split("/")) if place.path else ()
        depth = next((n for n in range(len(parts)) if parts[:n] in splits), None)
        pictures = [place.within(name) for name in place.files if is_picture(name)]
        if depth is None:
            found.loose.extend(pictures)
            continue
        found.rows.extend(_Row(path, parts[depth], splits[parts[:depth]]) for path in pictures)
        found.unread.update(unread_suffixes(place.files))
    _refuse_too_few(root, found.rows)
    return found


def _refuse_too_few(root: Path, rows: Sequence[_Row]) -> None:
    names = {row.name for row in rows}
    if len(names) > 1:
        return
    if rows:
        parts = rows[0].path.split("/")
        only = root.joinpath(*parts[: parts.index(rows[0].name) + 1])
        if len(inner := classes_within(only)) > 1:
            raise InputError(
                f"{root} has one class only, {rows[0].name!r}: if {some_of(inner)} are the "
                f"classes, give {only}"
            )
    if looks := known_otherwise(root):
        raise InputError(f"{root} has no class folders: {looks}")
    if not rows:
        raise InputError(
            f"{root} has no pictures in class folders: put each class's pictures into a folder "
            f"with the class's name, such as {root / 'cat' / '1.jpg'}"
        )
    raise InputError(
        f"{root} has one class only, {rows[0].name!r}: at least two are needed to tell apart; "
        "add a folder of pictures that are something else"
    )


def _dealt(
    paths: list[str],
    labels: NDArray[np.int64],
    groups: list[str],
    shares: list[tuple[int, float]],
) -> NDArray[np.int8]:
    """The split of each picture: each class has its shares, and a group stays in one split."""
    if not groups:
        return stratified(paths, labels, shares=shares)
    splits = np.full(len(paths), TRAIN, np.int8)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        own = [paths[i] for i in members]
        together = [groups[i] or paths[i] for i in members]
        splits[members] = by_group(own, together, shares=shares)
    return splits


def _notes_on_alone(alone: list[str]) -> tuple[str, ...]:
    if not alone:
        return ()
    return (
        f"all pictures of {', '.join(alone)} are to train on, for too many are frames of one "
        "video: film each object more than once, to have others to judge by",
    )


def _alike(classes: Sequence[str]) -> Iterator[str]:
    """A note on each class that may be another one written in another way."""
    for names in alike_classes(classes):
        yield f"the classes {' and '.join(names)} differ in case, accents or spaces alone"


def _left(found: _Sorted) -> Iterator[str]:
    """Notes on what is passed over."""
    places = passed_over(found.loose, ())
    for place, paths in islice(places.items(), NAMED):
        where = "" if place == "." else f" of {place}"
        number = counted(len(paths), "picture")
        yield f"{number}{where} in no class's folder: {some_of(paths)}"
    if len(places) > NAMED:
        yield f"so do those of {len(places) - NAMED:,} more folders"
    if found.unread:
        endings = [f"{ending} ({count:,})" for ending, count in found.unread.items()]
        yield f"of a format that is not read: {some_of(endings)}"


def _empty(tops: Iterable[Path], classes: Sequence[str]) -> Iterator[str]:
    """A note on folders that are named as classes would be, of which there is no picture at all."""
    others = [folder for top in tops for folder in folders_in(top) if folder.name not in classes]
    names = sorted({folder.name for folder in others if not has_picture(folder)})
    if names:
        yield f"learnt without {some_of(names)}: no pictures in the folder of that name"


def empty_class_folders(root: Path) -> list[Path]:
    """Folders that stand where a class's would, without a picture in them."""
    tops = layout_of(root).tops
    return [folder for top in tops for folder in folders_in(top) if not has_picture(folder)]


def class_folders_of(root: Path) -> list[Path]:
    """Every folder that stands for a class, under each of the splits."""
    tops = layout_of(root).tops
    return [folder for top in tops for folder in folders_in(top) if has_picture(folder)]
