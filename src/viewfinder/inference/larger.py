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
        are = "is" if len(larger) == 1 else "are"
        note(
            f"{len(larger):,} of {len(sides):,} {are} far larger than the pictures learnt from, up "
            f"to {max(larger):,} pixels where these have {learnt['median']:,}, and shrunk as small "
            f"as they: where objects have as many pixels as there, add --tiles {learnt['median']}"
        )
