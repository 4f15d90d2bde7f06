"""Masks as the field's programs take them, and masks that hold something else."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_levels
from viewfinder.wording import counted, some

# Masks that are looked at for numbers of classes, and the greatest that is taken for one.
_SAMPLE, _LAST_CLASS = 8, 100


def read_scored(path: Path) -> NDArray[np.bool_]:
    """H×W, the subject: of 8 bits what is above 128, as in PySODMetrics, else above half.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = read_levels(path)
    return values > (128 if values.dtype == np.uint8 else np.iinfo(values.dtype).max // 2)


def faint_notes(root: Path, scored: Collection[str], empty: Sequence[str]) -> list[str]:
    """What must be known of masks that are empty, and whose files yet hold values above 0.

    Args:
        scored: masks of which there are maps, relative to the root.
        empty: those without a subject.

    Raises:
        InputError: no mask has a subject, or some are files without loss, and yet they hold values,
            as masks of 0 and 1 do.
    """
    greatest = {mask: int(read_levels(root / mask).max()) for mask in empty}
    faint = [mask for mask, value in greatest.items() if value]
    if not faint:
        return []
    count, one = counted(len(faint), "mask"), len(faint) == 1
    # What is stored with loss may be a little above 0 where nothing is.
    exact = [mask for mask in faint if not mask.lower().endswith((".jpg", ".jpeg", ".webp"))]
    if exact or len(empty) == len(scored):
        raise InputError(
            f"{root}: {count} of {len(scored):,} {'has' if one else 'have'} no value above half of "
            f"the range, but values up to {max(greatest.values())} ({some(faint)}): write subjects "
            "as 255 (of 16 bits as 65535) and the rest as 0; of 0 and 1, multiply by 255, and of "
            "instance numbers write each above 0 as 255"
        )
    return [
        f"{count} {'has' if one else 'have'} values above 0, but none above half of the range, and "
        f"{'counts' if one else 'count'} as without a subject: {some(faint)}"
    ]


def border_notes(root: Path, scored: Collection[str]) -> list[str]:
    """What must be known of masks of classes with a border of 255, as Pascal VOC's are."""
    seen = [np.unique(read_levels(root / mask)) for mask in sorted(scored)[:_SAMPLE]]
    levels = np.unique(np.concatenate([np.empty(0, int), *seen]))
    small = levels[(levels > 0) & (levels <= _LAST_CLASS)]
    if not small.size or levels[-1] != 255 or ((levels > _LAST_CLASS) & (levels < 255)).any():
        return []
    told = ", ".join(map(str, small[:5].tolist()))
    return [
        f"masks hold {told} and 255, and 255 alone is scored as the subject: if they are Pascal "
        "VOC's, 255 is a border and the others are classes, so write those as 255 and the rest as 0"
    ]
