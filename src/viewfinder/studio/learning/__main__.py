"""What the studio has computed in a process of its own, so that its server never imports torch.

    python -m viewfinder.studio.learning look DATA OUT < asked.json

Standard input is JSON: who proposes, as `asked_of` reads it, and the `paths` of pictures of DATA.
After every few of them, a folder below OUT has what is proposed for them, as `viewfinder propose`
leaves it, and its name is printed; before it what could not be done, as events.

    python -m viewfinder.studio.learning order DATA [RUN]

prints a JSON list of the pictures that wait for labels, those to label first in front.

    python -m viewfinder.studio.learning doubt DATA < boxes.json

Standard input is a JSON list of boxes, `[id, path, corners, class]` each. Printed is a list of
`[id, other class, amount]`, those that are doubted most in front.

    python -m viewfinder.studio.learning impress

Each line of standard input is a picture's path, as JSON; each is answered by a line, its map as
`impressions` has it, or why there is none, until the input ends.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from viewfinder import events
from viewfinder.errors import InputError
from viewfinder.interrupts import stops_interrupt


def main() -> int:
    """Do it for the command line's words."""
    try:
        with events.listening(_say), stops_interrupt():
            _JOBS[sys.argv[1]](*map(Path, sys.argv[2:]))
    except InputError as error:
        print(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _say(event: events.Event) -> None:
    if isinstance(event, events.ProgressBegan):
        print(json.dumps(events.document(event)), flush=True)


def _look(data: Path, out: Path) -> None:
    from viewfinder.labelling.proposals import write_proposals
    from viewfinder.studio.learning.asked import asked_of
    from viewfinder.studio.learning.looking import look

    document = json.load(sys.stdin)
    paths = [str(path) for path in document["paths"]]
    for number, proposed in enumerate(look(data, asked_of(document), paths)):
        for text in proposed.notes:
            print(json.dumps(events.document(events.Note(text))), flush=True)
        write_proposals(out / str(number), proposed.proposals)
        print(number, flush=True)


def _order(data: Path, run: Path | None = None) -> None:
    from viewfinder.devices import pick_device
    from viewfinder.labelling.asking import next_to_label
    from viewfinder.runs.run import open_run

    by = None if run is None else open_run(run).model
    order = next_to_label(data, by=by, device=pick_device("auto"))
    print(json.dumps([each.path for each in order.asked]), flush=True)


def _doubt(data: Path) -> None:
    import numpy as np

    from viewfinder.features.describing import Part, describe_readable
    from viewfinder.labelling.doubting import doubts

    given = json.load(sys.stdin)
    parts = [Part(data / path, (x1, y1, x2, y2)) for _, path, (x1, y1, x2, y2), _ in given]
    vectors, readable = describe_readable(parts) if parts else (np.zeros((0, 1), np.float32), [])
    given = [given[number] for number in readable]
    names = list(dict.fromkeys(label for *_, label in given))
    labels = np.array([names.index(label) for *_, label in given], np.int64)
    corners = np.array([each[2] for each in given], np.float64).reshape(-1, 4)
    found = doubts(vectors, corners, labels)
    order = np.argsort(-found.amounts, kind="stable").tolist()
    answer = [
        [given[n][0], names[int(found.others[n])], round(float(found.amounts[n]), 4)] for n in order
    ]
    print(json.dumps(answer), flush=True)


def _impress() -> None:
    from viewfinder.studio.learning.impressions import impression

    for line in sys.stdin:
        try:
            found = {"map": impression(Path(json.loads(line)))}
        except InputError as error:
            found = {"refused": str(error)}
        print(json.dumps(found), flush=True)


_JOBS: Mapping[str, Callable[..., None]] = {
    "look": _look,
    "order": _order,
    "doubt": _doubt,
    "impress": _impress,
}

if __name__ == "__main__":
    sys.exit(main())
