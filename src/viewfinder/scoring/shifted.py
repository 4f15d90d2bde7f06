"""Maps that fit the masks of other pictures, as those whose files are numbered from another: told,
and scored as they are."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.evaluation.sampling import Values
from viewfinder.pictures.reading import read_map
from viewfinder.scoring.masks import read_scored
from viewfinder.scoring.measured import Measured
from viewfinder.scoring.saliency import Judged
from viewfinder.scoring.saliency_scores import area_of

# Maps of which the area under the ROC curve is greater belong to their masks, and of which it is
# less are black where they should be white.
_TURNED, _PLAINLY = 0.3, 0.9
# Masks that are so like the ones beside them tell nothing.
_ALIKE = 0.8
# So many maps of a method are looked at, so small; of fewer than these nothing is told.
_LOOKS, _SIDE, _FEW = 24, 48, 6
# Of them so many fit the other mask better, and the mean correlation is greater by this much.
_MOST, _FAR = 0.8, 0.2
# Of fewer than these it is chance alone that they are no better with their own masks; and so many
# standard errors apart is no chance.
_ENOUGH, _ERRORS = 12, 2


def shifted_notes(judged: Judged) -> list[str]:
    """What must be known of methods whose maps fit the masks before or behind their own far better,
    or their own no better than those."""
    order = sorted(judged.contest.truth.masks, key=_by_number)
    masks: dict[str, NDArray[np.float32]] = {}
    said = []
    for answers in judged.contest.answers:
        found = judged.measured[answers.method]
        area = area_of(found)
        chosen = _chosen(order, found)
        if area is None or not _TURNED <= area < _PLAINLY or len(chosen) < _FEW:
            continue
        for k in (k + step for k in chosen for step in (-1, 0, 1)):
            if order[k] not in masks:
                masks[order[k]] = _small_mask(judged.contest.truth.root / order[k])
        maps = [_small(read_map(answers.file(order[k]))) for k in chosen]
        if np.mean([_likeness(masks[order[k]], masks[order[k + 1]]) for k in chosen]) > _ALIKE:
            continue
        pairs = list(zip(chosen, maps, strict=True))
        before, own, behind = (
            np.array([_likeness(map_, masks[order[k + step]]) for k, map_ in pairs])
            for step in (-1, 0, 1)
        )
        if line := _told(before, own, behind):
            said.append(f"{answers.method}: {line}")
    return said


def _told(before: Values, own: Values, behind: Values) -> str:
    """In words, where maps belong by how they correlate with three masks each; else nothing."""
    count = len(own)
    for place, other in (("before", before), ("behind", behind)):
        better = int((other > own).sum())
        if better >= _MOST * count and other.mean() - own.mean() > _FAR:
            return (
                f"of {count} of its maps {better} fit another mask better than their own, the one "
                f"{place} it in the order of names (correlation {other.mean():.2f} and not "
                f"{own.mean():.2f}): see from where its files are numbered"
            )
    apart = own - (before + behind) / 2
    if count >= _ENOUGH and apart.mean() < _ERRORS * apart.std(ddof=1) / count**0.5:
        return (
            f"{count} of its maps fit their own masks no better than the masks beside these in the "
            f"order of names (correlation {own.mean():.2f} and {(before + behind).mean() / 2:.2f}):"
            " see that they are of these pictures"
        )
    return ""


def _chosen(order: Sequence[str], found: Mapping[str, Measured]) -> list[int]:
    """Places of pictures from all over the list that have a subject, a map and two neighbours."""
    there = [
        k
        for k in range(1, len(order) - 1)
        if order[k] in found and found[order[k]].of.counts.wanted and not found[order[k]].even
    ]
    wanted = min(_LOOKS, len(there))
    return [there[k * len(there) // wanted] for k in range(wanted)]


def _by_number(name: str) -> list[tuple[int, str]]:
    """Names in the order of the numbers in them: 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if k % 2 else (0, part) for k, part in enumerate(parts)]


def _small_mask(file: Path) -> NDArray[np.float32]:
    try:
        return _small(read_scored(file).astype(np.float32))
    except InputError:  # One that has no map of its own.
        return np.zeros(_SIDE * _SIDE, np.float32)


def _small(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """N, less the mean."""
    whole = np.asarray(values, np.float32)
    small = cv2.resize(whole, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel()
    return np.asarray(small - small.mean(), np.float32)


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Their correlation; 0 where either is even."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length > 0 else 0.0
