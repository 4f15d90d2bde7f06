"""The process that looks at pictures with a detector, so that the server never imports torch.

    python -m viewfinder.studio.learning.looking DATA RUN OUT < pictures.json

Standard input is a JSON list of pictures of DATA. After every few of them, a folder below OUT has
what is proposed for them, as `viewfinder propose` leaves it, and its name is printed.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from viewfinder import events
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.inference.thresholds import best_thresholds
from viewfinder.interrupts import stops_interrupt
from viewfinder.labelling.by_model import propose_by_detector
from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.runs.run import RunFolder, open_run
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


def main() -> int:
    """Do it for the command line's words."""
    data, run, out = map(Path, sys.argv[1:])
    paths = [str(path) for path in json.load(sys.stdin)]
    try:
        with events.listening(), stops_interrupt():
            for number, proposals in enumerate(look(data, open_run(run), paths)):
                write_proposals(out / str(number), proposals)
                print(number, flush=True)
    except InputError as error:
        print(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
