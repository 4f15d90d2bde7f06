"""Maps or masks that seem to have the background in white: told, and scored as they are."""

from collections.abc import Mapping

import numpy as np

from viewfinder.scoring.measured import Measured
from viewfinder.scoring.saliency_scores import area_of
from viewfinder.wording import counted, some

# The area under the ROC curve of a map that is turned over is 1 less its own: chance has 0.5, and
# a method this far below it is right the other way round.
_TURNED = 0.3
# A map that misses its subject has an area of half or a little less, and is right about most of the
# background; one that is turned over is wrong about nearly everything.
_NOT_BY_MISSING, _FAR_OFF = 0.1, 0.7
# Of more of a method's maps nothing is said one by one.
_FEW = 0.5
# Subjects of most sets fill less than a third of their pictures.
_MOSTLY_WHITE = 0.6


def turned_notes(methods: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """What must be known of methods whose maps fit the masks far better turned over, and of masks
    that are mostly white.

    Args:
        methods: of each method the measurement of each mask's map.
    """
    return [*_of_methods(methods), *_of_maps(methods)]


def _of_maps(methods: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """Single maps that are nearly their masks turned over, among others that are not."""
    said = []
    for name, found in methods.items():
        turned = [
            mask
            for mask, one in found.items()
            if one.of.mae > _FAR_OFF and (own := area_of({mask: one})) is not None
            if own < _NOT_BY_MISSING
        ]
        if turned and len(turned) < _FEW * len(found):
            count = counted(len(turned), "map")
            said.append(
                f"{name}: {count} of {len(found):,} would fit far better with black and white "
                f"exchanged: {some(turned)}"
            )
    return said


def _of_methods(methods: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """Of all of a method's maps, and of all masks."""
    found = {name: area_of(own) for name, own in methods.items()}
    areas = {name: area for name, area in found.items() if area is not None}
    turned = [name for name, area in areas.items() if area < _TURNED]
    white = _white_share(methods)
    if turned and len(turned) < len(areas):
        return [f"{_far_better(turned, areas)}: in these maps white seems to be the background"]
    if turned:
        of_masks = f", which are {white:.0%} white" if white > _MOSTLY_WHITE else ""
        return [
            f"{_far_better(turned, areas)}: white seems to be the background in them, or in the "
            f"masks{of_masks}"
        ]
    if white > _MOSTLY_WHITE:
        return [
            f"masks are {white:.0%} white, which is scored as the subject: see that it is not the "
            "background"
        ]
    return []


def _far_better(turned: list[str], areas: Mapping[str, float]) -> str:
    area = float(np.mean([areas[name] for name in turned]))
    return (
        f"maps of {some(turned)} fit the masks far better with black and white exchanged (AUC "
        f"{1 - area:.2f} and not {area:.2f})"
    )


def _white_share(methods: Mapping[str, Mapping[str, Measured]]) -> float:
    """What share of the masks is white, the mean over those that were scored; 0 of none."""
    of_masks = {
        mask: each.of.counts.wanted / each.of.counts.pixels
        for found in methods.values()
        for mask, each in found.items()
    }
    return float(np.mean(list(of_masks.values()))) if of_masks else 0.0
