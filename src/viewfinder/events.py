"""What happens, as it happens: code says it as events, and whoever listens shows or keeps them.

Nothing but the listeners and the command line prints. A listener is any function of one event.
Without a choice it is the terminal's (`viewfinder.listeners`); `listening` chooses others:

    with viewfinder.listening(print):
        viewfinder.train("classify", "photos", out="runs/photos")

The choice belongs to a context (`contextvars`), so that two threads of a server can each have their
own; a thread begins without one. Processes that share a training report to the one that started
them (`training/relay.py`).
"""

import contextlib
import itertools
import math
import os
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TypeVar

from viewfinder.wording import duration

Item = TypeVar("Item")
# Seconds between two events of one progress: ten times a second is as often as an eye can follow.
OFTEN = 0.1


class Event:
    """Something that happened; each kind is a frozen dataclass of plain values."""


@dataclass(frozen=True)
class Note(Event):
    """One line for a person."""

    text: str


@dataclass(frozen=True)
class Advice(Event):
    """A sentence or more for a person, to be broken at words."""

    text: str


@dataclass(frozen=True)
class ProgressBegan(Event):
    """Work of which it is known how far it is.

    Attributes:
        work: tells it from all other work.
        total: how many things there are to do, if that is known.
    """

    work: str
    name: str
    total: int | None


@dataclass(frozen=True)
class Progressed(Event):
    """So many things are done; said every `OFTEN` seconds at most."""

    work: str
    done: int


@dataclass(frozen=True)
class ProgressEnded(Event):
    """The work has ended, with all things done or not."""

    work: str
    done: int


@dataclass(frozen=True)
class JobsChanged(Event):
    """Of several trainings one began or ended.

    Attributes:
        running: the names of those that run now.
        begun: the one that began just now, if one did.
        done, total: how many are finished, and how many there are.
        seconds_left: about how long the rest takes, once one has ended.
    """

    running: tuple[str, ...]
    begun: str | None
    done: int
    total: int
    seconds_left: float | None

    @property
    def so_far(self) -> str:
        """`3 of 12 done, about 4 min left`."""
        said = f"{self.done} of {self.total} done"
        if self.seconds_left is not None:
            said += f", about {duration(self.seconds_left)} left"
        return said


@dataclass(frozen=True)
class JobsEnded(Event):
    """The trainings are over, finished or stopped."""


@dataclass(frozen=True)
class TrainingBegan(Event):
    """A training begins, or goes on.

    Attributes:
        run: its folder.
        figure: the name of the figure that its best weights are chosen by.
        epochs, minutes: how long it goes on; one of them is None.
        steps: of an epoch.
        batch: pictures in a step.
        few: how many pictures the figure is of, where these are too few to tell nets apart.
    """

    run: str
    figure: str
    epochs: int | None
    minutes: float | None
    steps: int
    batch: int
    few: int | None = None


@dataclass(frozen=True)
class StepTaken(Event):
    """How far a training is; said every `OFTEN` seconds at most.

    Attributes:
        epoch: the epoch of now, from 1.
        done: steps since the training's start.
        loss: the mean over the epoch so far.
        seconds_left: as far as can be known.
    """

    run: str
    epoch: int
    done: int
    loss: float
    seconds_left: float | None


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch's row of `history.csv`."""

    run: str
    row: Mapping[str, float]


@dataclass(frozen=True)
class TrainingEnded(Event):
    """The last step was taken, or the training was stopped."""

    run: str


@dataclass(frozen=True)
class FitJudged(Event):
    """The verdict on a finished training, and what to try next, the best first.

    Attributes:
        commands: so many whole commands are told after it, which are to be tried too.
    """

    run: str
    kind: str
    says: str
    tries: tuple[str, ...]
    commands: int = 0


@dataclass(frozen=True)
class RunDone(Event):
    """A run is whole: its scores, as in `scores.json`, and its report are written."""

    run: str
    scores: Mapping[str, object]


Listener = Callable[[Event], None]

_chosen: ContextVar[tuple[Listener, ...] | None] = ContextVar("listeners", default=None)
_works = itertools.count()


def listeners() -> tuple[Listener, ...]:
    """Those who listen here."""
    chosen = _chosen.get()
    if chosen is None:
        from viewfinder.listeners.terminal import USUAL

        return (USUAL,)
    return chosen


@contextlib.contextmanager
def listening(*chosen: Listener) -> Iterator[None]:
    """While this lasts, these listen and nobody else; without any, nobody does."""
    before = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(before)


@contextlib.contextmanager
def saying_once() -> Iterator[None]:
    """While this lasts, no note is said twice: trainings that are alike say much alike."""
    hearing, said = listeners(), set[str]()

    def pass_on(event: Event) -> None:
        if isinstance(event, Note):
            if event.text in said:
                return
            said.add(event.text)
        for listener in hearing:
            listener(event)

    with listening(pass_on):
        yield


def emit(event: Event) -> None:
    """Tell every listener."""
    for listener in listeners():
        listener(event)


def note(text: str) -> None:
    """Say one line to the person who looks on."""
    emit(Note(text))


def track(items: Iterable[Item], *, total: int | None, description: str) -> Iterator[Item]:
    """The items, one by one, while listeners hear how many are done."""
    if total == 0:
        yield from items  # what was known before: nothing is to be seen
        return
    with counting(total=total, description=description) as one_more:
        try:
            for item in items:
                yield item
                one_more()
        finally:
            if isinstance(items, Generator):
                items.close()


@contextlib.contextmanager
def counting(*, total: int | None, description: str) -> Iterator[Callable[[], None]]:
    """Within, listeners hear how many things are done: each time what is given is called, one more.

    For work that is no walk through items; else `track`.
    """
    work, done, said = f"{os.getpid()}-{next(_works)}", 0, time.monotonic()

    def one_more() -> None:
        nonlocal done, said
        done += 1
        if (now := time.monotonic()) - said >= OFTEN:
            said = now
            emit(Progressed(work, done))

    emit(ProgressBegan(work, description, total))
    try:
        yield one_more
    finally:
        emit(ProgressEnded(work, done))


def document(event: Event) -> dict[str, object]:
    """An event as JSON has it: `event` says which, and its attributes follow.

    Numbers that JSON does not have become null.
    """
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
    values = {field.name: getattr(event, field.name) for field in fields(event)}  # type: ignore[arg-type]
    return {"event": kind} | {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
