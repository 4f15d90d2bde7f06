"""A person who labels beside another, over HTTP, in a process of their own.

    pair_person.py URL NAME SECONDS PAUSE OUT

takes the pictures that the studio hands out, draws in each, says that it is done, and goes on;
where none is left, one of their own is reopened. Between them, 1 is added to the width of a box
that all share, from what it was when it was last read, and again if another was quicker. URL is a
file with the studio's address. What was held from when to when, by this machine's one monotonic
clock, and all that was acknowledged, is written to OUT as JSON.
"""

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from faults_client import Client

SHARED = "shared"


class Labeller(Client):
    """One of two."""

    def __init__(self, address: Path, name: str, pause: float) -> None:
        super().__init__(lambda: address.read_text().strip(), [], sum(map(ord, name)))
        self.headers = {"X-Viewfinder-Person": name}
        self.session, self.pause = uuid.uuid4().hex, pause
        self.held: list[tuple[int, float, float]] = []
        self.drawn: dict[str, tuple[int, float]] = {}
        self.added = self.conflicts = self.handed_done = 0
        self._mine: list[int] = []
        self._left = 0.0

    def sit(self, picture: int | None, count: int | None = 3) -> list[int]:
        """Say where this page is, and be handed what is next."""
        asked = {"session": self.session, "picture": picture, "after": picture, "count": count}
        status, answer = self.until_answered("POST", "/api/seat", asked)
        assert status == 200, answer
        return list(answer["ahead"])

    def label_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        ahead, here, since = self.sit(None), None, 0.0
        while time.monotonic() < end:
            got = time.monotonic()
            if here is not None:
                # The seat that was asked for last gave the one before back: it was held until then.
                self.held.append((here, since, self._left))
            if not ahead:
                self._reopen()
                here, ahead = None, self._after_leaving(None)
                time.sleep(self.pause or 0.005)
                continue
            here, since = ahead[0], got
            self._label(here)
            self._share()
            time.sleep(self.pause)
            # The page shows the next one, which it holds, and is then handed more.
            ahead = self._after_leaving(ahead[1] if len(ahead) > 1 else None, ahead[1:2])
        if here is not None:
            self.held.append((here, since, self._left))
        self.until_answered("POST", "/api/seat", {"session": self.session, "leave": True})

    def _after_leaving(self, picture: int | None, then: list[int] | None = None) -> list[int]:
        self._left = time.monotonic()
        return [*(then or []), *self.sit(picture)]

    def _label(self, picture: int) -> None:
        one = self.read(picture)
        self.handed_done += one["picture"]["state"] != "todo"
        ids = [str(uuid.uuid4()) for _ in range(2)]
        for id in ids:
            self._draw(picture, id, 0)
        self._draw(picture, self._random.choice(ids), 1)
        self._set(picture, "done", one["picture"]["revision"])
        self._mine.append(picture)

    def _draw(self, picture: int, id: str, base: int) -> None:
        width = self._random.uniform(2, 30)
        put = {"do": "PutBox", "id": id, "picture": picture, "label": "k", "base": base}
        if self._post("/api/operations", {"changes": [put | {"corners": [0, 0, width, 5]}]}):
            self.drawn[id] = picture, width

    def _set(self, picture: int, state: str, base: int) -> None:
        change = {"do": "SetState", "picture": picture, "state": state, "base": base}
        self._post("/api/operations", {"changes": [change]})

    def _reopen(self) -> None:
        if self._mine:
            picture = self._mine.pop(0)
            found = self.read(picture)["picture"]
            if found["state"] == "done":
                self._set(picture, "todo", found["revision"])

    def _share(self) -> None:
        """Add 1 to what all share, as often as it takes."""
        while True:
            box = next(each for each in self.read(1)["boxes"] if each["id"] == SHARED)
            x1, y1, x2, y2 = box["corners"]
            put = {"do": "PutBox", "id": SHARED, "picture": 1, "label": "k"}
            put |= {"base": box["revision"], "corners": [x1, y1, x2 + 1, y2]}
            document: dict[str, Any] = {"id": str(uuid.uuid4()), "changes": [put]}
            status, answer = self.until_answered("POST", "/api/operations", document)
            if status == 200:
                self.added += 1
                return
            assert status == 409, answer
            self.conflicts += 1


def faults(told: list[dict[str, Any]], boxes: dict[str, float], shared: float) -> dict[str, int]:
    """What went wrong, of what each of two said and of the boxes that there are, by id.

    Args:
        boxes: the width of each.
        shared: by how much what all share has grown.
    """
    ours, theirs = (each["held"] for each in told)
    twice = sum(a[0] == b[0] and a[1] < b[2] and b[1] < a[2] for a in ours for b in theirs)
    drawn = {id: width for each in told for id, (_, width) in each["drawn"].items()}
    return {
        "held by both": twice,
        "handed though done": sum(each["handed_done"] for each in told),
        "lost": sum(abs(boxes.get(id, -1) - width) > 1e-6 for id, width in drawn.items()),
        "from nowhere": len(set(boxes) - set(drawn) - {SHARED}),
        "lost of what all share": round(sum(each["added"] for each in told) - shared),
        "refused": sum(len(each["refused"]) for each in told),
    }


def main() -> None:
    address, name, seconds, pause, out = sys.argv[1:]
    person = Labeller(Path(address), name, float(pause))
    person.label_for(float(seconds))
    names = ("held", "drawn", "added", "conflicts", "handed_done", "refused")
    told = {each: getattr(person, each) for each in names}
    Path(out).write_text(json.dumps(told | {"operations": len(person.acknowledged)}))


if __name__ == "__main__":
    main()
