"""Looking at pictures with a detector that was trained from the page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.inference.thresholds import best_thresholds
from viewfinder.labelling.by_model import propose_by_detector
from viewfinder.labelling.proposals import Proposals
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.model import Threshold

AT_ONCE = 16
# A wrong proposal costs a glance and a missing one a box: some are shown that the run, judged by
# F1, would leave out. Of few held-out pictures that score may be anything.
_SHARE, _LEAST, _MOST = 0.7, 0.1, 0.5
_USUAL = 0.25


def look(data: Path, run: RunFolder, paths: Sequence[str]) -> Iterator[Proposals]:
    """Proposals for a few pictures at a time; those that cannot be read are passed over.

    Raises:
        InputError: the run is no detector's, or no picture can be read.
    """
    device, threshold = pick_device("auto"), proposed_from(run)
    looked, refused = 0, None
    for start in range(0, len(paths), AT_ONCE):
        part = paths[start : start + AT_ONCE]
        try:
            proposed = propose_by_detector(
                data, part, model=run.model, names={}, threshold=threshold, device=device
            )
        except InputError as error:  # none of these few can be read, or none at all
            refused = error
            continue
        looked += len(part)
        yield proposed.proposals
    if refused is not None and not looked:
        raise refused


def proposed_from(run: RunFolder) -> Threshold:
    """For each class the least score that is proposed, from what the run scored best with."""
    try:
        best = best_thresholds(run.model, run)
    except InputError:  # no picture was held out, or nothing right is found yet
        return _USUAL
    return tuple(min(_MOST, max(_LEAST, _SHARE * each)) for each in best)
