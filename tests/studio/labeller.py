"""A process that labels: each operation that was acknowledged is a line of its output.

labeller.py DATA URL NAME COUNT
"""

import sys
from pathlib import Path

from viewfinder.studio.store import Operation, PutBox, PutClass, open_store


def main() -> None:
    data, url, name, count = sys.argv[1:]
    with open_store(Path(data), url=url or None, wait=True) as store:
        if not store.classes():
            store.apply(Operation("class", (PutClass("k", "K", 0),), name))
        for number in range(int(count)):
            id = f"{name}-{number}"
            # Every third track has no key in the second picture, between two that it has.
            moving = {"track": f"{name}-{number // 2}", "key_frame": True}
            box = PutBox(id, 1 + number % 3, "k", (0, 0, 1 + number, 5), 0, **moving)
            done = store.apply(Operation(id, (box,), name))
            print(id, done.seq, flush=True)


if __name__ == "__main__":
    main()
