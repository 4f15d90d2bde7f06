"""Pictures far larger than those that a detector learnt from, in which objects may be too small."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.measuring import object_shares
from viewfinder.events import note
from viewfinder.inference.answers import Answer
from viewfinder.runs.run import RunFolder
from viewfinder.tasks import find
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.tiling.tiles import tiles_of
from viewfinder.tasks.model import Model

# Times the longer side of nearly all pictures that were learnt from.
_FAR = 2
# Objects are smaller than learnt ones if they are smaller than nearly all, and than the usual one
# by so many times: found ones, which a net finds best at sizes that it knows, look larger than all.
_SMALLER = 1.5

Sized = tuple[int, NDArray[np.float64]]
"""A picture's longer side in pixels, and the shares of it that objects in it take."""


def sized_answers(answers: Sequence[Answer]) -> Iterator[Sized]:
    """How large a detector's pictures are, and what is surely found in them."""
    for answer in answers:
        found, longer = answer.value, max(answer.size)
        assert isinstance(found, Detections), "`tell_of_larger` asks detectors alone"
        yield longer, object_shares(found.boxes[found.scores >= THRESHOLD], longer)


def tell_of_larger(
    model: Model, run: RunFolder | None, pictures: Callable[[], Iterable[Sized]]
) -> None:
    """Say once of all pictures that are far larger than those learnt from that tiles may help.

    Nothing is said where objects take as much of the pictures as of those learnt from, which are
    then only finer; of what answers in tiles; and of runs that do not know what they learnt from.

    Args:
        model: as it was asked.
        pictures: that were answered; asked for only where it counts.
    """
    if run is None or tiles_of(model.config) is not None:
        return
    sides, usual = (run.manifest.data.get("longer_side"), run.manifest.data.get("object_share"))
    if sides is None or usual is None or not find(model.config.task).finds_boxes:
        return
    sized = list(pictures())
    larger = [each for each in sized if each[0] > _FAR * sides["most"]]
    if not larger:
        return
    shares = np.concatenate([each for _, each in larger])
    share = float(np.median(shares)) if len(shares) else None
    if share is not None and share >= min(usual["low"], usual["median"] / _SMALLER):
        return
    one = len(larger) == 1
    which = f"{len(larger):,} of {len(sized):,} pictures" if len(sized) > 1 else "this picture"
    it, its = ("it", "its") if one else ("them", "their")
    objects = (
        f"no object is found in {it}"
        if share is None
        else f"boxes in {it} take {share:.1%} of {its} longer side where those learnt from take "
        f"{usual['median']:.1%}"
    )
    note(
        f"{which} {'is' if one else 'are'} far larger than those learnt from "
        f"({'up to ' * (not one)}{max(side for side, _ in larger):,} pixels where these have "
        f"{sides['median']:,}), and {objects}, so that objects may look too small to be found: add "
        f"--tiles {sides['median']} to answer {it} in parts of that size"
    )
