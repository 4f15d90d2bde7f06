"""Which split each picture of a set is in, where its files say nothing."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from viewfinder.datasets.box_files import split_name
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.class_folders.reading import (
    TEST_SHARE,
    dealt,
)
from viewfinder.datasets.formats.stored_dataset import LAYOUT
from viewfinder.datasets.frame_list import frame_groups
from viewfinder.datasets.similarity import together
from viewfinder.datasets.splits import TEST, TRAIN, VAL, by_group, usual_val_share
from viewfinder.errors import InputError
from viewfinder.wording import counted

FEW = 40
"""Pictures that are labelled in the studio from which on some are set aside as test."""


def deal_class_set(dataset: Dataset, val_share: float | None) -> Dataset:
    """The studio's pictures of classes, every one in a split.

    Raises:
        InputError: fewer than two classes.
    """
    shown = set(dataset.labels.tolist())
    if len(shown) < 2:
        raise InputError(
            f"{dataset.root} has pictures of {counted(len(shown), 'class')} that count, and two "
            "are needed to tell them apart: give more pictures a class in the studio"
        )
    return dealt(dataset, val_share)


def listed_only(dataset: Dataset) -> Dataset:
    """The set without the pictures that its lists of splits leave out."""
    in_a_split = dataset.splits >= 0
    if in_a_split.all() or not in_a_split.any():
        return dataset
    return dataset.select(np.flatnonzero(in_a_split))


def grouped_by_video(dataset: Dataset) -> Dataset:
    """The same set; of pictures for which it names no group, the video is one that they are of."""
    videos = frame_groups(dataset.root, dataset.paths)
    if not videos:
        return dataset
    named = dataset.groups or ("",) * len(dataset)
    groups = (own or video for own, video in zip(named, videos, strict=True))
    return replace(dataset, groups=tuple(groups))


def deal_to_splits(dataset: Dataset, val_share: float | None) -> Dataset:
    """The same set, every picture in a split."""
    if val_share is None:
        val_share = usual_val_share(len(dataset))
    undealt = np.flatnonzero(dataset.splits < 0)
    has_val = dataset.has_split("val")
    dataset = replace(dataset, val_dealt=not has_val)
    # While a person is labelling, every picture counts, and one or two judge nothing.
    begun = dataset.layout == LAYOUT and len(dataset) < FEW
    shares = [(TEST, TEST_SHARE)] if len(undealt) == len(dataset) and not begun else []
    if not len(undealt) and (has_val or not dataset.has_split("train") or not val_share):
        return dataset
    if not len(undealt):
        undealt = np.flatnonzero(dataset.splits == TRAIN)
    if not has_val:
        shares.append((VAL, val_share))
    chosen = dataset.select(undealt)
    splits = dataset.splits.copy()
    splits[undealt] = by_group(
        chosen.paths,
        together(chosen),
        shares=shares,
        shown=classes_shown(chosen),
        learnt=() if chosen.learnt is None else np.flatnonzero(chosen.learnt).tolist(),
    )
    return replace(dataset, splits=splits, test_dealt=any(side == TEST for side, _ in shares))


def classes_shown(dataset: Dataset) -> list[set[int]]:
    """For each picture the classes of its boxes; nothing for a set without boxes."""
    if dataset.boxes is None:
        return []
    shown: list[set[int]] = [set() for _ in range(len(dataset))]
    of = dataset.boxes.pictures().tolist()
    for picture, label in zip(of, dataset.boxes.classes.tolist(), strict=True):
        shown[picture].add(label)
    return shown


def told_splits(dataset: Dataset, numbers: Iterable[int]) -> list[str]:
    """In which splits these pictures are, each once, and of one that was dealt from what."""
    splits = {int(dataset.splits[number]) for number in numbers}
    return sorted(split_name(each) + _dealt_from(dataset, each) for each in splits)


def one_split(dataset: Dataset, numbers: Iterable[int]) -> str:
    """What to do about pictures of one scene in several splits."""
    splits = {int(dataset.splits[number]) for number in numbers}
    # What was dealt from the training pictures lies among them.
    lie_in = {TRAIN if _dealt_from(dataset, split) else split for split in splits}
    if len(lie_in) > 1:
        return "keep them in one split"
    return "keep one of them, or deal the set to splits of its own, with them in one"


def _dealt_from(dataset: Dataset, split: int) -> str:
    if split == TEST and dataset.test_dealt:
        return " (dealt from all)"
    if split == VAL and dataset.val_dealt:
        return " (dealt from all)" if dataset.test_dealt else " (dealt from train)"
    return ""
