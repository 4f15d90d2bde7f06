"""Which pictures a net learns from, which choose its best moment, and which judge it."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS

TRAIN, VAL, TEST = range(len(SPLITS))


def usual_val_share(pictures: int) -> float:
    """The share of so many training pictures that is held out, unless another is asked for.

    A tenth; of more than about 1,200 less, 3.5 pictures for the root of their number: what is held
    out is not learnt from, and 250 pictures of 5,000 choose as well as 500 do.
    """
    return min(0.1, 3.5 / math.sqrt(max(1, pictures)))


def stratified(
    paths: Sequence[str], labels: NDArray[np.int64], *, shares: Sequence[tuple[int, float]]
) -> NDArray[np.int8]:
    """Deal pictures to splits so that every class has the same shares of each.

    The order is that of a hash of each picture's path: the same folder is always dealt the same
    way, on every machine, whatever the seed of a training, and a picture added later moves few
    of the others. What no share claims goes to `train`; a class gives at least one picture to
    every split as long as `train` keeps at least half of it.

    Args:
        learnt: the pictures that something was learnt from: no group of one becomes test.
        shares: `(split, share)`, the splits as indices into `SPLITS`.

    Returns:
        N int8, an index into `SPLITS` for each path.
    """
    order = np.array([_hash_of(path) for path in paths])
    splits = np.full(len(paths), TRAIN, np.int8)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(order[members], kind="stable")]
        taken = 0
        for split, share in shares:
            wanted = max(1, round(share * len(members))) if share > 0 else 0
            wanted = min(wanted, len(members) // 2 - taken)
            splits[members[taken : taken + max(0, wanted)]] = split
            taken += max(0, wanted)
    return splits


def by_group(
    paths: Sequence[str],
    groups: Sequence[str],
    *,
    shares: Sequence[tuple[int, float]],
    shown: Sequence[Collection[int]] = (),
    learnt: Collection[int] = (),
) -> NDArray[np.int8]:
    """Deal whole groups to splits, so that no two pictures of one group are in different splits.

    The order is that of a hash of each group's first path, as in `stratified`. A split takes groups
    as long as they fit into its share of the pictures; where even the smallest does not, it takes
    that one, as long as `train` keeps more than half of the pictures, and of every class a group.

    Args:
        groups: a name for each path; pictures with the same name stay together.
        shown: for each path the classes that are seen there, where that is known.
        shares: `(split, share)`, the splits as indices into `SPLITS`.

    Returns:
        N int8, an index into `SPLITS` for each path.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(paths)), key=lambda index: paths[index]):
        members[groups[index]].append(index)
    waiting = sorted(members.values(), key=lambda rows: _hash_of(paths[rows[0]]))
    splits = np.full(len(paths), TRAIN, np.int8)
    spare = len(paths) // 2
    held = {id(rows): {c for row in rows if shown for c in shown[row]} for rows in waiting}
    left = Counter(c for classes in held.values() for c in classes)

    def give(rows: list[int], split: int) -> None:
        splits[rows] = split
        left.subtract(held[id(rows)])
        waiting.remove(rows)

    def spared(rows: list[int]) -> bool:
        return all(left[c] > 1 for c in held[id(rows)])

    known = set(learnt)
    seen = {id(rows) for rows in waiting if not known.isdisjoint(rows)}
    for split, share in shares:
        free = [rows for rows in waiting if split != TEST or id(rows) not in seen]
        room = max(1, round(share * len(paths))) if share > 0 else 0
        taken = 0
        for rows in free:
            if len(rows) <= min(room, spare) - taken and spared(rows):
                give(rows, split)
                taken += len(rows)
        smallest = min(filter(spared, free), key=len, default=[])
        if room and not taken and 0 < len(smallest) <= spare:
            give(smallest, split)
            taken = len(smallest)
        spare -= taken
    return splits


def sample(kinds: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many rows, ascending, of which each kind has its share, and at least one as long as there
    are rows for all kinds; always the same ones.

    Args:
        kinds: what each of N rows is of.
    """
    drawn = np.random.default_rng(0).permutation(len(kinds))
    order = drawn[np.argsort(kinds[drawn], kind="stable")]
    _, first, counts = np.unique(kinds[order], return_index=True, return_counts=True)
    # How much of its kind is taken before a row: nothing before the first of each.
    before = (np.arange(len(kinds)) - np.repeat(first, counts)) / np.repeat(counts, counts)
    return np.sort(order[np.lexsort((drawn, before))[:count]])


def _hash_of(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
