"""Pictures far larger than those that a detector learnt from, in which objects may be too small."""

from collections.abc import Callable, Sequence

from viewfinder.events import note
from viewfinder.runs.run import RunFolder
from viewfinder.tasks import find
from viewfinder.tasks.detect.tiling.tiles import tiles_of
from viewfinder.tasks.model import Model

# Times the longer side of nearly all pictures that were learnt from.
_FAR = 2


def tell_of_larger(
    model: Model, run: RunFolder | None, longer_sides: Callable[[], Sequence[int]]
) -> None:
    """Say once of all pictures that are far larger than those learnt from that tiles may help.

    Nothing is said of what answers in tiles, and of runs that do not know what they learnt from.

    Args:
        model: as it was asked.
        longer_sides: of the pictures that were answered, in pixels; asked for only where it counts.
    """
    if run is None or tiles_of(model.config) is not None:
        return
    learnt = run.manifest.data.get("longer_side")
    if learnt is None or not find(model.config.task).finds_boxes:
        return
    sides = longer_sides()
    larger = [side for side in sides if side > _FAR * learnt["most"]]
    if larger:
        many = len(sides) > 1
        which = f"{len(larger):,} of {len(sides):,} pictures" if many else "this picture"
        is_one = len(larger) == 1
        note(
            f"{which} {'is' if is_one else 'are'} far larger than those learnt from "
            f"({'up to ' * (not is_one)}{max(larger):,} pixels where these have "
            f"{learnt['median']:,}), so that objects may look too small to be found: add --tiles "
            f"{learnt['median']} to answer {'it' if is_one else 'them'} in parts of that size"
        )
