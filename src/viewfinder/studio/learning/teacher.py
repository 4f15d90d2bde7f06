"""Trains on what is done, in a process of its own, and keeps what the detector then proposes.

The process is `viewfinder train` itself. It reads the labels in one moment, so that it learns from
a set that was whole. Its run lies where the server was started, in `runs/`, and is one as any
other. What is needed to go on after the server's end is kept beside the labels.
"""

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from viewfinder.datasets.formats.label_store import IN_HAND
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.studio.learning.choices import choices
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.doubting import Doubting
from viewfinder.studio.learning.glancing import Glance, keep_learnt
from viewfinder.studio.learning.judging import LEAST, cannot_learn, worse
from viewfinder.studio.learning.proposing import ended, propose, to_do
from viewfinder.studio.learning.queue import Queue
from viewfinder.studio.learning.state import Stage, begun_from, kept
from viewfinder.studio.learning.trainings import Trainings
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Counts, Store
from viewfinder.studio.store.records import Kind

KEY = "learning"
_AT_WORK = ("training", "proposing")
_LONGEST = 24 * 60.0
_EVERY = 3.0
_PATIENCE = 30.0


class Teacher:
    """One training at a time for a store's folder, from any thread."""

    queue: Queue
    """Which picture to do next."""
    doubting: Doubting
    """Which labels may be wrong."""

    def __init__(self, store: Store, *, runs: Path | None = None) -> None:
        """
        Args:
            runs: where runs are written; `runs` in the working directory if None.
        """
        self._store = store
        self._runs = Trainings(store.data, runs)
        self._now, self._course = kept(store.meta(KEY)), Course()
        self._lock, self._ended = threading.RLock(), threading.Event()
        self._worker = Worker()
        self._work: threading.Thread | None = None
        self.queue, self.doubting = Queue(store, self.learnt()), Doubting(store)
        self._watch = threading.Thread(target=self._by_itself, name="learning", daemon=True)
        self._watch.start()

    def state(self) -> dict[str, object]:
        """What the page shows."""
        with self._lock:
            return {
                **asdict(self._now),
                "course": asdict(self._course),
                "queue": self.queue.state(),
            }

    def cannot(self, kind: Kind | None, counts: Counts) -> str:
        """Why nothing can be learnt now, of the store's kind and counts, in a sentence; or
        nothing."""
        return cannot_learn(self._store.data, kind, counts)

    def begin(self, minutes: float, first: int | None = None, *, alone: bool = False) -> None:
        """Learn anew from what is done now, beginning with what the last training knew.

        Args:
            minutes: how long the training takes, without what comes before and after it.
            first: the picture to propose for before all others.
            alone: nobody asked for this one.

        Raises:
            InputError: it is at work already, or there is nothing to learn from.
        """
        if not 0.05 <= minutes <= _LONGEST:
            raise InputError("a training takes from 0.05 minutes to a day")
        with self._lock:
            self._refuse_busy()
            self._now = replace(self._now, minutes=minutes)
            self._begin_from(self._runs.own(self._now.finished), first, alone=alone)

    def go_on(self, first: int | None = None) -> None:
        """Go on with a training that was stopped; where labels are others now, from what it knew.

        Raises:
            InputError: there is none.
        """
        with self._lock:
            self._refuse_busy()
            run = self._runs.own(self._now.run)
            if self._now.stage not in ("stopped", "failed") or run is None:
                raise InputError("there is no training that was stopped")
            if self._newest() != self._now.seq:
                known = (run / "weights.safetensors").is_file()
                self._begin_from(run if known else self._runs.own(self._now.finished), first)
                return
            words = [*self._words(run, begun_from(run)), "--resume"]
            self._start("training", lambda: self._learn(words, first, alone=False))

    def learnt(self) -> str:
        """The run of the last training that came to its end, or nothing."""
        return str(self._runs.own(self._now.finished) or "")

    def propose(self, asked: ProposerRequest, first: int | None = None) -> None:
        """Let another than the last training propose for what is to do.

        Args:
            first: the picture to look at before all others.

        Raises:
            InputError: it is at work already.
        """
        with self._lock:
            self._refuse_busy()
            before = self._now.stage

            def work() -> None:
                self._propose(asked, first)
                self._end(before)

            self._start("proposing", work, failed=before)

    def keep(self, on: bool) -> None:
        """Whether it learns anew by itself whenever enough pictures more are done."""
        with self._lock:
            self._now = replace(self._now, keep=on)
            self._note()

    def stop(self) -> None:
        """Stop what is at work, and begin nothing by itself; a training keeps what it needs to go
        on."""
        self.keep(False)
        self._worker.stop()

    def close(self) -> None:
        """Stop, and wait until nothing is at work any more."""
        self._ended.set()
        if self._work is not None and self._work.is_alive():
            note("the training stops; it can go on when the studio runs again")
        self._worker.stop()
        if self._work is not None:
            self._work.join(_PATIENCE)
            if self._work.is_alive():
                self._worker.kill()
                self._work.join()
        self._watch.join()
        self.queue.close()
        self.doubting.close()

    # At work.

    def _refuse_busy(self) -> None:
        if self._ended.is_set() or self._now.stage in _AT_WORK:
            raise InputError("it is at work already")

    def _newest(self) -> int:
        newest = self._store.history(count=1)
        return newest[0].seq if newest else 0

    def _begin_from(self, known: Path | None, first: int | None, *, alone: bool = False) -> None:
        counts = self._store.counts()
        if why := self.cannot(self._store.kind(), counts):
            raise InputError(why)
        keep_learnt(self._store, self._runs.own(self._now.run))  # its server may have been killed
        held = self._in_hand(first)
        seq, labelled = self._newest(), self._store.snapshot(in_hand=held)
        run, learnt = self._runs.free(), 0 if labelled is None else len(labelled)
        now = replace(self._now, run=str(run), learnt=learnt, seq=seq, in_hand=tuple(held))
        self._now = replace(now, done=counts.states["done"])
        words = self._words(run, str(known or ""))
        self._start("training", lambda: self._learn(words, first, alone=alone))

    def _in_hand(self, first: int | None = None) -> list[int]:
        """Pictures that people are drawing in: half of their boxes may be missing."""
        seats = {each.picture for each in self._store.seats.there()} | {first}
        return sorted(each for each in seats if each is not None)

    def _words(self, run: Path, begin_from: str) -> list[str]:
        now = self._now
        told = choices(minutes=now.minutes, pictures=now.learnt, begin_from=begin_from)
        return self._runs.words(run, told)

    def _start(self, stage: Stage, work: Callable[[], None], failed: Stage = "failed") -> None:
        self._worker.stopping = False
        if stage == "training":
            self._course = Course()
        self._now = replace(
            self._now, stage=stage, looked=0, total=0, proposed=0, error="", notes=""
        )
        self._note()
        self._work = threading.Thread(target=self._careful, args=(work, failed), name="learning")
        self._work.start()

    def _careful(self, work: Callable[[], None], failed: Stage) -> None:
        try:
            work()
        except InputError as error:
            self._end(failed, str(error))
        except Exception as error:
            self._end(failed, f"it failed: {error!r}")

    def _learn(self, words: Sequence[str], first: int | None, *, alone: bool) -> None:
        run = self._now.run
        as_of = self._now.seq
        glance = (self._store, Path(run), self._glanced, self._in_hand, self.queue.sorted)
        with Glance(*glance, as_of=as_of):
            # Known to this process alone: a mark beside the labels would outlive a server that is
            # killed, and have others pass over pictures.
            held = {IN_HAND: json.dumps(self._now.in_hand)}
            for line in self._worker.lines(words, environment=self._store.environment() | held):
                self._course = heard(self._course, line)
        keep_learnt(self._store, self._runs.own(run))
        if self._worker.stopping:
            self._end("stopped")
            return
        if self._worker.status != 0:
            raise InputError(self._course.error or f"the training {ended(self._worker.status)}")
        if why := worse(Path(run), self._runs.own(self._now.finished)):
            if alone:
                shutil.rmtree(run, ignore_errors=True)
            raise InputError(why)
        self._finished(alone)
        self.queue.learnt(self._now.finished)
        self._propose(ProposerRequest("learnt", self._now.finished, as_of=as_of), first)
        self._end("done")

    def _glanced(self, new: int) -> None:
        with self._lock:
            self._now = replace(self._now, proposed=self._now.proposed + new)

    def _finished(self, alone: bool) -> None:
        """The run is the last that came to its end. One before it that nobody asked for goes:
        each has 170 MB."""
        with self._lock:
            before = self._runs.own(self._now.finished) if self._now.alone else None
            now = replace(self._now, stage="proposing", finished=self._now.run, alone=alone)
            self._now = now
            self._note()
        if before is not None and str(before) != now.run:
            shutil.rmtree(before, ignore_errors=True)

    def _propose(self, asked: ProposerRequest, first: int | None) -> None:
        paths = to_do(self._store, first, self.queue.sorted)
        self._now = replace(self._now, total=len(paths), by=asked.run, proposed=0)

        def report(looked: int, new: int) -> None:
            with self._lock:
                now = self._now
                self._now = replace(now, looked=now.looked + looked, proposed=now.proposed + new)
                # What is due does not wait for pictures far ahead: it proposes for them itself.
                if asked.by == "learnt" and self._due():
                    self._worker.stop()

        notes = propose(self._store, self._worker, asked, paths, report)
        self._now = replace(self._now, notes=" ".join(f"{each}." for each in notes)[:1000])

    def _end(self, stage: Stage, error: str = "") -> None:
        with self._lock:
            self._now = replace(self._now, stage=stage, error=error)
            self._note()

    def _note(self) -> None:
        # Where the disk is full it is not kept, and goes on all the same.
        with contextlib.suppress(InputError):
            self._store.set_meta(KEY, json.dumps(asdict(self._now)))

    def _by_itself(self) -> None:
        while not self._ended.wait(_EVERY):
            with contextlib.suppress(InputError), self._lock:
                now = self._now
                if not now.keep or now.stage in _AT_WORK:
                    continue
                if now.stage == "stopped":  # by the server's end alone
                    self.go_on()
                    continue
                if self._due():
                    self.begin(now.minutes, alone=True)

    def _due(self) -> bool:
        """Whether enough pictures more are done to begin anew by itself."""
        now, done = self._now, self._store.counts().states["done"]
        return now.keep and done >= max(now.done + LEAST, round(1.2 * now.done))
