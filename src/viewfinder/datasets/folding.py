"""Dealing a set to the folds of a cross-validation: which part judges each training."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import classes_shown
from viewfinder.datasets.similarity import together
from viewfinder.datasets.splits import TEST, TRAIN, VAL, by_group, usual_val_share
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted

# A share that is this much less than the one asked for is another.
_NOTICEABLE = 0.1


def dealt(pool: Dataset, count: int, *, val_share: float | None, least_val: int) -> list[Dataset]:
    """The set `count` times, each time with another part of it as `test`.

    Pictures of one group, and pictures that look alike, are in one part; each class is spread
    evenly over the parts. What is no test is dealt to `train` and `val`.

    Args:
        val_share: of the training pictures; if None, as many as `splits.usual_val_share` says, and
            none if that would be fewer than `least_val`.

    Raises:
        InputError: there are more folds than pictures, or groups of them, of a class or in all.
    """
    groups = together(pool)
    shown: list[set[int]] = classes_shown(pool)
    if (pool.labels >= 0).any():
        shown = [{label} for label in pool.labels.tolist()]
    refuse_too_many(pool, count, groups)
    # Pictures are spread evenly too, whatever boxes they have.
    kinds = shown if pool.boxes is None else [{-1, *classes} for classes in shown]
    folds = in_folds(groups, count, shown=kinds)
    alike = sum(size for size in Counter(groups).values() if size > 1)
    if alike:
        note(f"{counted(alike, 'picture')} look like others or are of one video: kept together")
    share = usual_val_share(len(pool)) if val_share is None else val_share
    if val_share is None and share * len(pool) * (count - 1) / count < least_val:
        share = 0.0
        note("too few pictures to choose weights by: each fold learns from all but its own")
    parts = []
    for fold in range(count):
        splits = np.where(folds == fold, TEST, TRAIN).astype(np.int8)
        if share:
            _choose_val(splits, pool, groups, shown, share)
        parts.append(replace(pool, splits=splits, val_dealt=share > 0))
    if val_share is not None and share:
        _note_lowered(parts, share)
    return parts


def _note_lowered(parts: Sequence[Dataset], share: float) -> None:
    """Say so where less is held out for validation than was asked for, as something must be left to
    learn from."""
    held = [np.mean(each.splits[each.splits != TEST] == VAL) for each in parts]
    if share - max(held) > _NOTICEABLE:
        note(
            f"--val-share {share:g} leaves too little to learn from: folds hold out "
            f"{max(held):.2f} of their training pictures instead"
        )


def in_folds(
    groups: Sequence[str], count: int, *, shown: Sequence[Collection[int]] = ()
) -> NDArray[np.int64]:
    """Deal whole groups to `count` folds, so that each class is spread evenly over them.

    The largest groups are dealt first, then those of rare classes, else in the order of a hash of
    their names; each goes where there is least of what it shows, and of such folds to the smallest.
    Where every picture is a group and has one class, no fold has two more of a class than another.

    Args:
        groups: a name for each picture; pictures with the same name stay together.
        shown: for each picture the classes that are seen there, where that is known.

    Returns:
        N int64, a fold from 0 for each picture.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    totals = Counter(c for classes in shown for c in classes)
    held = {
        name: Counter(c for row in rows if shown for c in shown[row])
        for name, rows in members.items()
    }

    def turn(name: str) -> tuple[int, int, bytes]:
        rarest = min((totals[c] for c in held[name]), default=0)
        return -len(members[name]), rarest, _hash_of(name)

    folds = np.zeros(len(groups), np.int64)
    sizes, had = [0] * count, [Counter[int]() for _ in range(count)]
    for name in sorted(members, key=turn):

        def burden(fold: int, kinds: Counter[int] = held[name]) -> tuple[float, int, int]:
            alike = sum(n * had[fold][c] / totals[c] for c, n in kinds.items())
            return alike, sizes[fold], fold

        fold = min(range(count), key=burden)
        folds[members[name]] = fold
        sizes[fold] += len(members[name])
        had[fold].update(held[name])
    return folds


def _choose_val(
    splits: NDArray[np.int8],
    pool: Dataset,
    groups: Sequence[str],
    shown: Sequence[set[int]],
    share: float,
) -> None:
    """Put a share of the training pictures, of each class where pictures have one, on `val`."""
    for label in np.unique(pool.labels):
        rows = np.flatnonzero((splits == TRAIN) & (pool.labels == label)).tolist()
        splits[rows] = by_group(
            [pool.paths[row] for row in rows],
            [groups[row] for row in rows],
            shares=[(VAL, share)],
            shown=[shown[row] for row in rows] if pool.boxes is not None else (),
        )


def refuse_too_many(pool: Dataset, count: int, groups: Sequence[str] | None = None) -> None:
    """Refuse more folds than there are groups, of the class that has fewest where there are any.

    Args:
        groups: a name for each picture, as of `in_folds`; where they are not known yet, the
            pictures are counted.

    Raises:
        InputError: there are fewer.
    """
    groups, by_class = pool.paths if groups is None else groups, bool((pool.labels >= 0).any())
    names: dict[str, set[str]] = defaultdict(set)
    sizes = Counter[str]()
    for group, label in zip(groups, pool.labels.tolist(), strict=True):
        name = pool.classes[label] if by_class else ""
        names[name].add(group)
        sizes[name] += 1
    fewest = min(names, key=lambda name: len(names[name]))
    has, pictures = len(names[fewest]), sizes[fewest]
    if has >= count:
        return
    of = f"{pool.root} has {counted(pictures, 'picture')}{fewest and f' of {fewest}'}"
    alone = has == pictures
    but = "" if alone else f", which look alike or are of a video, but for {counted(has, 'group')}"
    fewer = f"give --folds {has} or less, or add" if has > 1 else "add"
    add = "more" if alone else "others"
    raise InputError(f"--folds {count}: {of}{but}: {fewer} {add}")


def _hash_of(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()


def folded_part(dataset: Dataset) -> Dataset:
    """The pictures that folds let judge: all but a test split of the set's own."""
    if dataset.test_dealt:
        return dataset
    return dataset.select(np.flatnonzero(dataset.splits != TEST))
