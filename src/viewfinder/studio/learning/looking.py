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
from viewfinder.labelling.by_model import propose_by_detector
from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.runs.run import open_run

AT_ONCE = 16
THRESHOLD = 0.25


def look(data: Path, run: Path, paths: Sequence[str]) -> Iterator[Proposals]:
    """Proposals for a few pictures at a time; those that cannot be read are passed over.

    Raises:
        InputError: the run is no detector's, or no picture can be read.
    """
    model, device = open_run(run).model, pick_device("auto")
    looked, refused = 0, None
    for start in range(0, len(paths), AT_ONCE):
        part = paths[start : start + AT_ONCE]
        try:
            proposed = propose_by_detector(
                data, part, model=model, names={}, threshold=THRESHOLD, device=device
            )
        except InputError as error:  # none of these few can be read, or none at all
            refused = error
            continue
        looked += len(part)
        yield proposed.proposals
    if refused is not None and not looked:
        raise refused


def main() -> int:
    """Do it for the command line's words."""
    data, run, out = map(Path, sys.argv[1:])
    paths = [str(path) for path in json.load(sys.stdin)]
    try:
        with events.listening():
            for number, proposals in enumerate(look(data, run, paths)):
                write_proposals(out / str(number), proposals)
                print(number, flush=True)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
