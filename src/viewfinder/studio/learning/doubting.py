"""Finding labels that may be wrong: the worker compares all crops, and the page shows them."""

import json
import threading
from collections.abc import Iterator

from viewfinder.errors import InputError
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.proposing import ended
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Box, Store

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

    def look(self) -> None:
        """Begin to compare all boxes that there are now; nothing where that is under way."""
        with self._lock:
            if self._work is not None and self._work.is_alive():
                return
            self._crops, self._error, self._says = [], "", "reading labels"
            self._worker.stopping = False
            self._work = threading.Thread(target=self._careful, name="doubting", daemon=True)
            self._work.start()

    def found(self) -> dict[str, object]:
        """Crops, those doubted most in front, each with the likeliest other class."""
        with self._lock:
            busy = self._work is not None and self._work.is_alive()
            says = {"busy": busy, "says": self._says if busy else "", "error": self._error}
            return {**says, "crops": self._crops}

    def close(self) -> None:
        """Stop, and wait until nothing is at work any more."""
        self._worker.stop()
        if self._work is not None:
            self._work.join(_PATIENCE)
            if self._work.is_alive():
                self._worker.kill()
                self._work.join()

    def _careful(self) -> None:
        try:
            self._find()
        except InputError as error:
            self._error = str(error)
        except Exception as error:
            self._error = f"the labels could not be compared: {error!r}"

    def _find(self) -> None:
        boxes = {each.id: (path, each) for path, each in _boxes(self._store)}
        asked = [[id, path, each.corners, each.label] for id, (path, each) in boxes.items()]
        answer, course, said = "", Course(), ""
        words = [*_DOUBT, str(self._store.data.absolute())]
        for line in self._worker.lines(words, json.dumps(asked)):
            answer = line if line.startswith("[") else answer
            said, course = line.strip() or said, heard(course, line)
            self._says = course.says
        if self._worker.stopping:
            return
        if self._worker.status != 0:
            raise InputError(course.error or f"it {ended(self._worker.status)}: {said[:200]}")
        crops = [
            {
                "box": id,
                "picture": boxes[id][1].picture,
                "path": boxes[id][0],
                "corners": boxes[id][1].corners,
                "label": boxes[id][1].label,
                "other": other,
                "amount": amount,
            }
            for id, other, amount in json.loads(answer)[:MOST]
        ]
        with self._lock:
            self._crops = crops


def _boxes(store: Store) -> Iterator[tuple[str, Box]]:
    """Every box that shows one object, and the path of its picture."""
    start, total = 0, 1
    while start < total:
        page = store.pictures(start=start, count=1000)
        for each in page.pictures:
            if each.boxes and not each.missing and not each.trouble:
                found = store.picture(each.id)
                yield from ((each.path, box) for box in found.boxes if not box.crowd)
        start, total = start + 1000, page.total
