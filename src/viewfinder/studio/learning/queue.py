"""Which picture to do next: an order that the worker finds, and the server goes by while it is on.

It is `viewfinder order` of this folder: typical and different pictures first, later also those that
the detector doubts, and a fifth drawn at random. Whoever follows it needs no other until there is
another detector; what is done meanwhile is passed over.
"""

import contextlib
import itertools
import json
import threading
from collections.abc import Sequence

from viewfinder.errors import InputError
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.proposing import ended, ids_of
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Filter, Store

KEY = "queue"
_ORDER = ("-m", "viewfinder.studio.learning", "order")
_PATIENCE = 10.0


class Queue:
    """The order of one store's pictures, from any thread."""

    def __init__(self, store: Store, run: str) -> None:
        """
        Args:
            run: of a detector whose doubt counts, or empty.
        """
        self._store, self._worker = store, Worker()
        self._on, self._error, self._run = store.meta(KEY) == "on", "", run
        self._ids: list[int] = []
        self._places: dict[int, int] = {}
        self._paths: dict[str, int] = {}
        self._lock = threading.RLock()
        self._work: threading.Thread | None = None
        self._again = False
        if self._on:
            self._begin()

    def state(self) -> dict[str, object]:
        """What the page shows: whether it is on, being found, how many it has, and what failed."""
        with self._lock:
            return {
                "on": self._on,
                "busy": self._busy(),
                "ready": len(self._ids),
                "error": self._error,
            }

    def switch(self, on: bool) -> None:
        """Turn it on, which finds the order anew, or off.

        Raises:
            InputError: it cannot be had here.
        """
        if on and self._store.kind() == "masks":
            raise InputError("files of masks are shown in their own order")
        with self._lock:
            self._on, self._error = on, ""
            self._ids = []
            if on:
                self._begin()
            else:
                self._worker.stop()
        self._store.set_meta(KEY, "on" if on else "off")

    def learnt(self, run: str) -> None:
        """There is another detector, whose doubt counts from now on."""
        with self._lock:
            self._run = run
            if self._on:
                self._begin()

    def following(self, after: int | None, chosen: Filter, count: int) -> list[int] | None:
        """The next pictures to do, behind a picture's place; None where the order says nothing of
        what is asked."""
        with self._lock:
            if not self._on or not self._ids or chosen != Filter(state="todo", text=chosen.text):
                return None
            place = self._places.get(-1 if after is None else after, -1)
            waiting = self._ids[place + 1 :] + self._ids[: max(place, 0)]
        fitting = (one for one in waiting if one != after and self._fits(one, chosen))
        # What came into the folder since is not in the order: it comes when nothing else is left.
        return list(itertools.islice(fitting, count)) or None

    def sorted(self, paths: Sequence[str]) -> list[str]:
        """Paths in this order, those that it does not know behind the others."""
        with self._lock:
            places = dict(self._paths) if self._on and self._ids else {}
        return sorted(paths, key=lambda path: places.get(path, len(places)))

    def close(self) -> None:
        """Stop, and wait until nothing is at work any more."""
        with self._lock:
            self._again = False
            work = self._work
        self._worker.stop()
        if work is not None:
            work.join(_PATIENCE)
            if work.is_alive():
                self._worker.kill()
                work.join()

    def _fits(self, picture: int, chosen: Filter) -> bool:
        with contextlib.suppress(InputError):
            found = self._store.picture(picture).picture
            text = (chosen.text or "").casefold()
            return found.state == "todo" and not found.missing and text in found.path.casefold()
        return False

    def _busy(self) -> bool:
        return self._work is not None and self._work.is_alive()

    def _begin(self) -> None:
        self._again = self._busy()
        if self._again:
            self._worker.stop()
            return
        self._worker.stopping = False
        self._work = threading.Thread(target=self._careful, name="order", daemon=True)
        self._work.start()

    def _careful(self) -> None:
        while True:
            try:
                self._find()
            except InputError as error:
                self._error = str(error)
            except Exception as error:
                self._error = f"the order could not be found: {error!r}"
            with self._lock:
                if not self._again:
                    self._work = None
                    return
                self._again = self._worker.stopping = False

    def _find(self) -> None:
        self._store.wait()
        words, found, course, said = [*_ORDER, str(self._store.data.absolute())], "", Course(), ""
        words += [self._run] if self._run else []
        for line in self._worker.lines(words, environment=self._store.environment()):
            found = line if line.startswith("[") else found
            said, course = line.strip() or said, heard(course, line)
        if self._worker.stopping:
            return
        if self._worker.status != 0:
            raise InputError(course.error or f"it {ended(self._worker.status)}: {said[:200]}")
        ids = ids_of(self._store)
        paths = [path for path in json.loads(found) if path in ids]
        with self._lock:
            if self._on:
                self._ids, self._error = [ids[path] for path in paths], ""
                self._places = {one: place for place, one in enumerate(self._ids)}
                self._paths = {path: place for place, path in enumerate(paths)}
