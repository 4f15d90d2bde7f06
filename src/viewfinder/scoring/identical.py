"""Methods that answer every picture alike, as one does that stands there under two names."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Another runtime's sums, as of a model's ONNX file, differ by less.
_ROUNDING = 1e-4


def identical_notes(
    answers: Mapping[str, tuple[Hashable, ArrayLike]], *, what: str, pictures: int
) -> list[str]:
    """In words, which methods have the same answers.

    Args:
        answers: of each method what is equal where its answers are, and numbers that are so but for
            rounding.
        what: the answers, such as maps.
        pictures: of how many they are.
    """
    of = "the one picture compared" if pictures == 1 else f"all {pictures:,} pictures compared"
    groups: list[tuple[Hashable, NDArray[np.float64], list[str]]] = []
    for name, (said, given) in answers.items():
        own = np.asarray(given, np.float64)
        names = next((n for word, first, n in groups if word == said and _alike(first, own)), None)
        if names is None:
            groups.append((said, own, [name]))
        else:
            names.append(name)
    return [
        f"{_listed(names)} have the same {what} in {of}: one method under {len(names):,} names?"
        for *_, names in groups
        if len(names) > 1
    ]


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    if one.shape != other.shape:
        return False
    return np.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
