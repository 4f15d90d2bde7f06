"""Trains on what is done, in a process of its own, and keeps what the detector then proposes.

The process is `viewfinder train` itself, of low priority and on all cores but one, so that whoever
labels meanwhile does not wait. Its run lies where the server was started, in `runs/`, and is one as
any other. What is needed to go on after the server's end is kept beside the labels.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from viewfinder.cpu import cpu_features
from viewfinder.datasets.formats.label_store import store_file
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.labelling.proposals import read_proposals
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.state import Stage, begun_from, kept
from viewfinder.studio.store import Counts, Filter, Store
from viewfinder.studio.store.records import Kind

RUN = "learning"
"""In whose name it proposes, whichever training that was: what a person refused stays refused."""
LEAST = 5
"""Pictures that are done before it begins by itself, and further ones before it learns anew."""
KEY = "learning"
_LONGEST = 24 * 60.0
_EVERY = 3.0
_PATIENCE = 30.0
# For few labels: objects pasted into other pictures, and small pictures first.
_RECIPE = ("--small", "0.6", "--copy-paste", "0.3")


class Teacher:
    """One training at a time for a store's folder, from any thread."""

    def __init__(self, store: Store, *, runs: Path | None = None) -> None:
        """
        Args:
            runs: where runs are written; `runs` in the working directory if None.
        """
        self._store = store
        self._runs = (runs or Path("runs")).absolute()
        self._now, self._course = kept(store.meta(KEY)), Course()
        self._lock, self._ended = threading.RLock(), threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._work: threading.Thread | None = None
        self._stopping = False
        self._watch = threading.Thread(target=self._by_itself, name="learning", daemon=True)
        self._watch.start()

    def state(self) -> dict[str, object]:
        """What the page shows."""
        with self._lock:
            return {**asdict(self._now), "course": asdict(self._course)}

    def cannot(self, kind: Kind | None, counts: Counts) -> str:
        """Why nothing can be learnt now, of the store's kind and counts, in a sentence; or
        nothing."""
        if kind == "classes":
            return (
                "it learns to find boxes, and here whole pictures have classes: "
                f"viewfinder train classify {self._store.data}"
            )
        if kind != "boxes":
            return "it learns to find boxes, and there are none here"
        if store_file(self._store.data) is None:
            return "it learns from labels beside the pictures, and these are in a server's database"
        if sum(counts.boxes.values()) < 2:
            return f"it learns from pictures with boxes: {LEAST} that are done are a good beginning"
        return ""

    def begin(self, minutes: float, first: int | None = None) -> None:
        """Learn anew from what is done now, beginning with what the last training knew.

        Args:
            minutes: how long the training takes, without what comes before and after it.
            first: the picture to propose for before all others.

        Raises:
            InputError: it is at work already, or there is nothing to learn from.
        """
        if not 0.1 <= minutes <= _LONGEST:
            raise InputError("a training takes from 0.1 minutes to a day")
        with self._lock:
            counts = self._store.counts()
            if why := self.cannot(self._store.kind(), counts):
                raise InputError(why)
            self._refuse_busy()
            run, done, labelled = self._free(), counts.states["done"], self._store.snapshot()
            learnt = 0 if labelled is None else len(labelled)
            self._now = replace(self._now, run=str(run), minutes=minutes, learnt=learnt, done=done)
            known = Path(self._now.finished)
            start = known if known.parent == self._runs and known.is_dir() else None
            self._start(self._words(run, str(start or "")), first)

    def go_on(self, first: int | None = None) -> None:
        """Go on with a training that was stopped.

        Raises:
            InputError: there is none.
        """
        with self._lock:
            self._refuse_busy()
            run = Path(self._now.run)
            # What is kept beside the labels may be a stranger's: it names no place but ours.
            own = run.is_dir() and run.parent == self._runs
            if self._now.stage not in ("stopped", "failed") or not own:
                raise InputError("there is no training that was stopped")
            words = self._words(run, begun_from(run))
            self._start([*words, "--resume"], first)

    def keep(self, on: bool) -> None:
        """Whether it learns anew by itself whenever enough pictures more are done."""
        with self._lock:
            self._now = replace(self._now, keep=on)
            self._note()

    def stop(self) -> None:
        """Stop what is at work; a training keeps what it needs to go on."""
        with self._lock:
            self._stopping = True
            if self._process is not None:
                self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Stop, and wait until nothing is at work any more."""
        self._ended.set()
        if self._work is not None and self._work.is_alive():
            note("the training stops; it can go on when the studio runs again")
        self.stop()
        if self._work is not None:
            self._work.join(_PATIENCE)
            if self._work.is_alive() and self._process is not None:
                self._process.kill()
                self._work.join()
        self._watch.join()

    # At work.

    def _refuse_busy(self) -> None:
        if self._work is not None and self._work.is_alive():
            raise InputError("it is at work already")

    def _words(self, run: Path, begin_from: str) -> list[str]:
        start = ["--init", begin_from] if begin_from else []
        words = ["train", "detect", str(self._store.data.absolute()), "--out", str(run), *start]
        words += ["--minutes", f"{self._now.minutes:g}", *_RECIPE, "--json", "--json-lines"]
        return [sys.executable, "-m", "viewfinder", *words]

    def _free(self) -> Path:
        name, number = self._store.data.resolve().name, 1
        while (self._runs / f"{name}-studio-{number}").exists():
            number += 1
        return self._runs / f"{name}-studio-{number}"

    def _start(self, words: Sequence[str], first: int | None) -> None:
        self._stopping = False
        self._course = Course()
        self._now = replace(self._now, stage="training", looked=0, total=0, proposed=0, error="")
        self._note()
        self._work = threading.Thread(target=self._careful, args=(words, first), name="training")
        self._work.start()

    def _careful(self, words: Sequence[str], first: int | None) -> None:
        try:
            self._learn(words, first)
        except InputError as error:
            self._end("failed", str(error))
        except Exception as error:
            self._end("failed", f"learning failed: {error!r}")

    def _learn(self, words: Sequence[str], first: int | None) -> None:
        with self._at_work(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stderr is not None
            for line in process.stderr:
                self._course = heard(self._course, line)
            status = process.wait()
        if self._stopping:
            self._end("stopped")
            return
        if status != 0:
            raise InputError(self._course.error or f"the training ended with status {status}")
        with self._lock:
            self._now = replace(self._now, stage="proposing", finished=self._now.run)
            self._note()
        self._propose(first)
        self._end("stopped" if self._stopping else "done")

    def _propose(self, first: int | None) -> None:
        paths = self._to_do(first)
        self._now = replace(self._now, total=len(paths))
        if not paths:
            return
        with (
            tempfile.TemporaryDirectory(prefix="viewfinder-") as place,
            tempfile.TemporaryFile("w+") as said,
        ):
            words = ["viewfinder.studio.learning.looking", str(self._store.data.absolute())]
            words += [self._now.run, place]
            asked = [sys.executable, "-m", *words]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            with self._at_work(asked, stderr=said, **pipes) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                    json.dump(paths, stdin)
                for line in process.stdout:
                    self._take(Path(place) / line.strip())
                status = process.wait()
            said.seek(0)
            lines = said.read().strip().splitlines() or [f"status {status}"]
        if status != 0 and not self._stopping:
            raise InputError(lines[-1].removeprefix("error: ").strip())

    def _take(self, folder: Path) -> None:
        proposals = read_proposals(folder)
        shutil.rmtree(folder, ignore_errors=True)
        new = self._store.propose(RUN, proposals)
        with self._lock:
            looked = self._now.looked + len(proposals.paths)
            self._now = replace(self._now, looked=looked, proposed=self._now.proposed + new)

    def _to_do(self, first: int | None) -> list[str]:
        """Pictures without a box that are to do, in their order from one of them on."""
        found: list[tuple[int, str]] = []
        start, total = 0, 1
        while start < total:
            page = self._store.pictures(Filter(state="todo"), start=start, count=1000)
            found += [
                (each.id, each.path)
                for each in page.pictures
                if not each.boxes and not each.missing and not each.trouble
            ]
            start, total = start + 1000, page.total
        here = next((place for place, (id, _) in enumerate(found) if id == first), 0)
        return [path for _, path in found[here:] + found[:here]]

    @contextlib.contextmanager
    def _at_work(self, words: Sequence[str], **pipes: object) -> Iterator[subprocess.Popen[str]]:
        """A process of low priority, which leaves a core to the server and the browser."""
        threads = max(1, cpu_features().threads - 1)
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        with self._lock:
            process = subprocess.Popen(  # type: ignore[call-overload]
                words, text=True, env=environment, start_new_session=True, **pipes
            )
            self._process = process
            if self._stopping:
                process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        try:
            with process:
                yield process
        finally:
            self._process = None

    def _end(self, stage: Stage, error: str = "") -> None:
        with self._lock:
            self._now = replace(self._now, stage=stage, error=error)
            self._note()

    def _note(self) -> None:
        self._store.set_meta(KEY, json.dumps(asdict(self._now)))

    def _by_itself(self) -> None:
        while not self._ended.wait(_EVERY):
            with contextlib.suppress(InputError), self._lock:
                now = self._now
                busy = self._work is not None and self._work.is_alive()
                if now.keep and not busy and now.stage not in ("stopped", "failed"):
                    done = self._store.counts().states["done"]
                    if done >= max(now.done + LEAST, round(1.2 * now.done)):
                        self.begin(now.minutes)
