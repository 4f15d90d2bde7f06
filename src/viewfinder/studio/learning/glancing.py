"""What a training gives before its end: proposals from its weights so far; and what it has seen."""

import threading
from collections.abc import Callable
from pathlib import Path

from viewfinder.datasets.formats.stored_dataset import LEARNT
from viewfinder.errors import InputError
from viewfinder.runs.pictures import learnt_paths
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.studio.learning.proposing import ids_of, propose, to_do
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Store

EVERY = 120.0
"""Seconds of a training between two glances at what it has learnt so far."""
# Pictures to do at each: the training shares the processor with it.
_MOST = 32
_WEIGHTS = "weights.safetensors"


class Glance:
    """Proposes now and then from the weights of a run that is being trained, beside it.

    Of the next pictures to do those are left alone that somebody has before them. Whatever fails is
    passed over: when the training has ended it proposes for all.
    """

    def __init__(
        self,
        store: Store,
        run: Path,
        report: Callable[[int], None],
        in_hand: Callable[[], list[int]],
        order: Callable[[list[str]], list[str]],
        *,
        as_of: int,
    ) -> None:
        """
        Args:
            as_of: the operation after which classes had the names that the run knows.
            report: is told how many proposals are new.
            in_hand: gives the pictures that people have before them.
            order: of pictures to do.
        """
        self._store, self._run, self._report = store, run, report
        self._in_hand, self._order, self._as_of = in_hand, order, as_of
        self._worker, self._ended = Worker(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="glancing", daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        """It began when it was made."""

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until nothing is at work any more."""
        self._ended.set()
        self._worker.stop()
        self._thread.join()

    def _work(self) -> None:
        known = self._weights()
        while not self._ended.wait(EVERY):
            now = self._weights()
            if now is not None and now != known:
                known = now
                try:
                    self._look()
                except (InputError, OSError):  # such as weights that give place to better ones
                    continue

    def _weights(self) -> int | None:
        try:
            return (self._run / _WEIGHTS).stat().st_mtime_ns
        except OSError:
            return None

    def _look(self) -> None:
        held = {self._store.picture(each).picture.path for each in self._in_hand()}
        paths = [each for each in to_do(self._store, None, self._order) if each not in held]
        asked = ProposerRequest("learnt", str(self._run), as_of=self._as_of)
        propose(self._store, self._worker, asked, paths[:_MOST], lambda _, new: self._report(new))


def keep_learnt(store: Store, run: Path | None) -> None:
    """Keep which pictures a run learnt from, so that none of them is a test picture of another."""
    data = store.snapshot()
    if run is None or data is None:
        return
    try:
        below = data.root.relative_to(store.data).as_posix()
        paths = learnt_paths(run)
    except (InputError, ValueError):  # it saw nothing, or nothing of ours
        return
    ids = ids_of(store)
    named = (path if below == "." else f"{below}/{path}" for path in paths)
    before = bits = int(store.meta(LEARNT) or "0", 16)
    for path in named:
        if path in ids:
            bits |= 1 << ids[path]
    if bits != before:
        store.set_meta(LEARNT, f"{bits:x}")
