"""Which pictures a net learns from, which choose its best moment, and which judge it."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS

TRAIN, VAL, TEST = range(len(SPLITS))


def stratified(
    paths: Sequence[str], labels: NDArray[np.int64], *, shares: Sequence[tuple[int, float]]
) -> NDArray[np.int8]:
    """Deal pictures to sides so that every class has the same shares of each.

    The order is that of a hash of each picture's path: the same folder is always dealt the same
    way, on every machine, whatever the seed of a training, and a picture added later moves few
    of the others. What no share claims goes to `train`; a class gives at least one picture to
    every side as long as `train` keeps at least half of it.

    Args:
        shares: `(side, share)`, the sides as indices into `SPLITS`.

    Returns:
        N int8, an index into `SPLITS` for each path.
    """
    order = np.array([hashlib.sha256(p.encode("utf-8", "surrogateescape")).digest() for p in paths])
    sides = np.full(len(paths), TRAIN, np.int8)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(order[members], kind="stable")]
        taken = 0
        for side, share in shares:
            wanted = max(1, round(share * len(members))) if share > 0 else 0
            wanted = min(wanted, len(members) // 2 - taken)
            sides[members[taken : taken + max(0, wanted)]] = side
            taken += max(0, wanted)
    return sides
