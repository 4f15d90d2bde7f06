"""Maps that are taken as they are, and are nearly black by how they were written: told."""

from collections.abc import Mapping

import numpy as np

from viewfinder.scoring.measured import HALF, Measured
from viewfinder.tasks.saliency.curves import LEVELS


def dim_notes(methods: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """What must be known of methods of whose maps none reaches half of the range anywhere.

    Args:
        methods: of each method the measurement of each mask's map, not spread over the range.
    """
    said = []
    for name, found in methods.items():
        levels = [_brightest(one) for one in found.values() if one.of.counts.wanted]
        if levels and max(levels) < HALF:
            most = (max(levels) + 1) / LEVELS
            said.append(
                f"{name}: no value of its maps is above {most:.1%} of what their files can hold, "
                "and they are taken as they are: maps of 0 to 1, or of 8 bits in files of 16, are "
                "nearly black so; write them over the whole range"
            )
    return said


def _brightest(one: Measured) -> int:
    """The greatest of 256 levels that a pixel has."""
    return int(np.flatnonzero(one.of.counts.taken[:LEVELS])[-1])
