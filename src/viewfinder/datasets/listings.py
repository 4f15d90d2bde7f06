"""In which split a picture is that several lists of a set name, and what is said of lists at odds.

One rule, for every layout. A list is a folder, a text file or a file of labels that names pictures
for a split. A picture that two lists name belongs to the split that is further from learning (val
before train, test before val), unless this would leave the other list with no picture at all: a
`val` that is the whole of `train` is no validation, and is passed over. Where any list has a split,
a picture that none with a split names is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.splits import TEST, TRAIN, VAL
from viewfinder.wording import counted, some


@dataclass(frozen=True)
class Listing:
    """One list of pictures.

    Attributes:
        name: what a person knows it by, such as `data.yaml: val` or `ImageSets/Main/train.txt`.
        split: an index into `SPLITS`, or -1 where nothing says it.
        rows: the numbers of its pictures in the set.
        absent: what it names that is no picture of the set.
        reserve: a list of which only those count that no other names, as VOC's `trainval`.
    """

    name: str
    split: int
    rows: tuple[int, ...]
    absent: tuple[str, ...] = ()
    reserve: bool = False


@dataclass(frozen=True)
class ListedSplits:
    """Where each picture is, and what the lists are at odds about.

    Attributes:
        splits: N int8, an index into `SPLITS`; -1 for all where no list has a split, and else for
            those that are left out.
    """

    splits: NDArray[np.int8]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]


def splits_of(count: int, listings: Sequence[Listing]) -> ListedSplits:
    """The split of each of `count` pictures."""
    named = {split: _named(listings, split) for split in (TRAIN, VAL, TEST)}
    for listing in (one for one in listings if one.reserve and one.split >= 0):
        others = set().union(*named.values())
        named[listing.split] = named[listing.split] | (set(listing.rows) - others)
    notes, faults = _overlaps(named, listings)
    splits = np.full(count, -1, np.int8)
    for split, rows in named.items():
        splits[sorted(rows)] = split
    for listing in listings:
        if listing.absent or not listing.rows:
            faults.append(_absent(listing))
    out = np.flatnonzero(splits < 0)
    if any(named.values()) and len(out):
        notes.append(f"{counted(len(out), 'picture')} on no list of a split left out")
        silent = [one for one in listings if one.split < 0 and set(one.rows) & set(out.tolist())]
        if silent:
            detail = f"{counted(len(out), 'picture')} in no list of train, val or test, left out"
            fix = "let its name say a split, such as train, or list them in one that does"
            faults.append(Fault("no-side", silent[0].name, detail, fix))
    return ListedSplits(splits, tuple(notes), tuple(faults))


def _named(listings: Sequence[Listing], split: int) -> set[int]:
    return {row for one in listings if one.split == split and not one.reserve for row in one.rows}


def _overlaps(
    named: dict[int, set[int]], listings: Sequence[Listing]
) -> tuple[list[str], list[Fault]]:
    """Take pictures that two splits name from one of them; says so."""
    notes: list[str] = []
    faults: list[Fault] = []
    for near, far in ((TRAIN, VAL), (TRAIN, TEST), (VAL, TEST)):
        both = named[near] & named[far]
        if not both:
            continue
        one, other = SPLITS[near], SPLITS[far]
        loser = far if both == named[near] else near
        named[loser] = named[loser] - both
        detail = f"{counted(len(both), 'picture')} both in {one} and in {other}"
        if not named[loser]:
            detail += f": {SPLITS[loser]} has no other, and is passed over"
        else:
            detail += f": taken for {SPLITS[near if loser == far else far]} alone"
        notes.append(detail)
        lists = ", ".join(listing.name for listing in listings if listing.split in (near, far))
        fix = "keep each picture in one split: what was learnt from cannot judge a net"
        faults.append(Fault("overlap", lists, detail, fix))
    return notes, faults


def _absent(listing: Listing) -> Fault:
    if not listing.absent:
        return Fault("empty-list", listing.name, "it names no picture", "check its paths")
    all_of_it = counted(len(listing.absent) + len(listing.rows), "name")
    be = "is" if len(listing.absent) == 1 else "are"
    detail = (
        f"{len(listing.absent):,} of the {all_of_it} in it {be} of no labelled picture of the set: "
        f"{some(listing.absent):.200}"
    )
    return Fault("not-found", listing.name, detail, "bring them back, or take them off the list")
