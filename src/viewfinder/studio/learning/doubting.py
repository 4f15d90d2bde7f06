"""Finding labels that may be wrong: the worker compares all crops, and the page shows them."""

import json
import threading
from collections.abc import Iterator

from viewfinder.errors import InputError
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.mistaking import Doubt, mistaken
from viewfinder.studio.learning.proposing import ended
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Box, Picture, Store

MOST = 2000
"""Crops that a page is given: those that are doubted most."""
_DOUBT = ("-m", "viewfinder.studio.learning", "doubt")
_PATIENCE = 10.0


class Doubting:
    """What is doubted of one store's labels, from any thread."""

    def __init__(self, store: Store) -> None:
        self._store, self._worker, self._lock = store, Worker(), threading.Lock()
        self._work: threading.Thread | None = None
        self._crops: list[dict[str, object]] = []
        self._error, self._says = "", ""
        # By which run they are compared now; by which they are to be as soon as that has stopped.
        self._by: str | None = None
        self._next: str | None = None

    def look(self, run: str = "") -> None:
        """Begin to compare all boxes that there are now.

        Where that is under way in the same way it goes on; in another way, it is stopped first.

        Args:
            run: of a detector that looks at them again; else they are compared with each other.
        """
        with self._lock:
            if self._by is None:
                self._by = run
                self._begin()
                self._work = threading.Thread(target=self._careful, name="doubting", daemon=True)
                self._work.start()
            elif run != self._by or self._next is not None:
                self._next = run
                self._worker.stop()

    def _begin(self) -> None:
        self._crops, self._error, self._says = [], "", "reading labels"
        self._worker.stopping = False

    def found(self) -> dict[str, object]:
        """Crops, those doubted most in front, each with the likeliest other class."""
        with self._lock:
            busy = self._by is not None
            says = {"busy": busy, "says": self._says if busy else "", "error": self._error}
            return {**says, "crops": self._crops}

    def close(self) -> None:
        """Stop, and wait until nothing is at work any more."""
        with self._lock:
            self._next = None
            self._worker.stop()
        if self._work is not None:
            self._work.join(_PATIENCE)
            if self._work.is_alive():
                self._worker.kill()
                self._work.join()

    def _careful(self) -> None:
        """Compare, and once more in another way where that is asked for meanwhile."""
        while (run := self._by) is not None:
            crops, error = [], ""
            try:
                crops = self._find(run)
            except InputError as problem:
                error = str(problem)
            except Exception as problem:
                error = f"the labels could not be compared: {problem!r}"
            with self._lock:
                self._by, self._next = self._next, None
                if self._by is None:
                    self._crops, self._error = crops, error
                else:
                    self._begin()

    def _find(self, run: str) -> list[dict[str, object]]:
        boxes = {each.id: (path, each) for path, each in _boxes(self._store)}
        if run:
            of: dict[str, list[Box]] = {}
            for path, each in boxes.values():
                of.setdefault(path, []).append(each)
            found = mistaken(self._store, self._worker, run, of)
        else:
            found = self._compared(boxes)
        return [
            {
                "box": id,
                "picture": boxes[id][1].picture,
                "path": boxes[id][0],
                "corners": boxes[id][1].corners,
                "label": boxes[id][1].label,
                "other": other,
                "amount": amount,
            }
            for id, other, amount in found[:MOST]
        ]

    def _compared(self, boxes: dict[str, tuple[str, Box]]) -> list[Doubt]:
        """What looks more like another class, by features of a net that knows many photographs."""
        asked = [[id, path, each.corners, each.label] for id, (path, each) in boxes.items()]
        answer, course, said = "", Course(), ""
        words = [*_DOUBT, str(self._store.data.absolute())]
        for line in self._worker.lines(words, json.dumps(asked)):
            answer = line if line.startswith("[") else answer
            said, course = line.strip() or said, heard(course, line)
            self._says = course.says
        if self._worker.stopping:
            return []
        if self._worker.status != 0:
            raise InputError(course.error or f"it {ended(self._worker.status)}: {said[:200]}")
        return [(str(id), str(other), float(amount)) for id, other, amount in json.loads(answer)]


def _boxes(store: Store) -> Iterator[tuple[str, Box]]:
    """Every box that shows one object, and the path of its picture; where pictures as wholes have
    classes, each as a box around all of it."""
    start, total, whole = 0, 1, store.kind() == "classes"
    while start < total:
        page = store.pictures(start=start, count=1000)
        for each in page.pictures:
            if whole and each.label and each.width and not each.missing:
                yield each.path, _around(each)
            if each.boxes and not each.missing and not each.trouble:
                found = store.picture(each.id)
                yield from ((each.path, box) for box in found.boxes if not box.crowd)
        start, total = start + 1000, page.total


def _around(picture: Picture) -> Box:
    corners = (0.0, 0.0, float(picture.width), float(picture.height))
    return Box(
        f"picture-{picture.id}",
        picture.id,
        picture.label or "",
        corners,
        mask=None,
        track=None,
        key_frame=False,
        difficult=False,
        crowd=False,
        source="file",
        score=None,
        person="",
        at=0.0,
        revision=picture.revision,
    )
