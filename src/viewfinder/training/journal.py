"""What a training reports while it goes on: its plan, its steps, its epochs, the time left."""

import math
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import torch

from viewfinder.crowding import ONE_THREAD
from viewfinder.events import (
    OFTEN,
    EpochEnded,
    StepTaken,
    TrainingBegan,
    TrainingEnded,
    emit,
    note,
)
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.forecast import Forecast
from viewfinder.training.progress import TrainingProgress
from viewfinder.wording import counted, figure_name, in_words

# After so many seconds the time of a step is known well enough to say how long all will take.
_SURE = 3.0


class Journal:
    """Turns what the loop does into events; of several processes one reports for all."""

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        steps: int,
        *,
        pictures: int,
        figure: str,
        few: int | None = None,
        forecast: Forecast | None = None,
        now: TrainingProgress | None = None,
        reports: bool,
    ) -> None:
        """
        Args:
            steps, pictures: of an epoch.
            figure: that by which the best weights are chosen.
            few: how many pictures it is of, where these are too few to tell nets apart.
            forecast: about how long it takes, where that is known before it begins.
            now: how far it is, of one that goes on.
            reports: whether this process is the one that does.
        """
        self._recipe, self._steps, self._pictures = recipe, steps, pictures
        self._figure, self._few, self._reports = figure, few, reports
        self._forecast, self._begun = forecast, now or TrainingProgress()
        self._after = forecast.after if forecast else 0.0
        # What is told before the first step.
        self._told = forecast.of() if forecast else None
        if self._begun.updates:
            self._told = self._expected(self._begun)
        self._run = str(run.folder)
        self._said = 0.0
        # Of this sitting: the steps done when its first one ended, the time then, and in seconds
        # what is left of a training by the clock.
        self._first: tuple[int, float, float] | None = None
        self._planned = False

    def __enter__(self) -> Self:
        if self._reports:
            recipe = self._recipe
            note(self._plan())
            epochs = None if recipe.minutes else recipe.epochs
            emit(
                TrainingBegan(
                    run=self._run,
                    figure=self._figure,
                    epochs=epochs,
                    minutes=recipe.minutes,
                    steps=self._steps,
                    batch=recipe.batch,
                    few=self._few,
                )
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reports:
            emit(TrainingEnded(self._run))

    def step(self, now: TrainingProgress) -> None:
        """A step was taken."""
        if not self._reports:
            return
        clock, done = time.perf_counter(), now.epoch * self._steps + now.step
        if self._first is None:
            self._first = done, clock, 60 * (self._recipe.minutes or 0.0) - now.seconds
        left, passed = self._left(done, clock), clock - self._first[1]
        if passed <= _SURE and self._told is not None:
            left = max(self._after, self._told - passed)
        elif left is not None and passed > _SURE and not self._planned:
            self._planned = True
            note(f"{in_words(left)} left")
        if clock - self._said >= OFTEN:
            self._said = clock
            loss = now.sums.get("loss", 0.0) / max(1, now.seen)
            emit(StepTaken(self._run, now.epoch + 1, done, loss, left))

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch has ended and its row stands in the history."""
        if self._reports:
            emit(EpochEnded(self._run, row))

    def end(self, now: TrainingProgress, form: str, kept: str) -> None:
        """Say which weights are kept, where that is not as usual.

        Args:
            form: how the figure is written that weights are chosen by.
            kept: a sentence, or nothing.
        """
        if not self._reports or not kept:
            return
        if now.first_score > -math.inf:
            name = figure_name(self._figure)
            rose = now.best_score > now.first_score
            later = f"at best {now.best_score:{form}} later" if rose else "never more later"
            kept += f" Their {name} was {now.first_score:{form}} before the first step, {later}."
        note(kept)

    def pace(self, times: float) -> None:
        """Steps take so many times as long as when their arithmetic was measured."""
        if not self._reports:
            return
        why = "is another program busy here?" if times > 1 else "another program was busy then."
        long = f"{times:.1f}" if times >= 0.1 else f"{times:.1g}"
        slower = times > 1 and torch.get_num_threads() > 1
        crowded = f"; as long as it is busy, {ONE_THREAD} may be faster" if slower else ""
        note(
            f"steps take {long} times as long as when their arithmetic was measured: {why} "
            "What is learnt stays the same, and the next training measures anew"
            f"{crowded}"
        )

    def _plan(self) -> str:
        """What is about to be done, and about how long it takes."""
        recipe, now = self._recipe, self._begun
        if now.ended:
            return f"all of it is trained: judged and reported {in_words(self._after)} from now"
        if now.updates:
            return f"goes on {self._place()}: {in_words(self._told or 0.0)} left"
        epoch = f"{counted(self._pictures, 'picture')} in {counted(self._steps, 'step')}"
        whole = in_words(self._forecast.of()) if self._forecast is not None else ""
        if recipe.minutes:
            ends = f"; judged and reported {whole} from now" if whole else ""
            return f"training for {recipe.minutes:g} min; an epoch is {epoch}{ends}"
        takes = f": {whole}" if whole else ""
        return f"training for {counted(recipe.epochs, 'epoch')}, each of {epoch}{takes}"

    def _place(self) -> str:
        """Where a training goes on."""
        now, minutes = self._begun, self._recipe.minutes
        epoch = f"epoch {now.epoch + 1}" + ("" if minutes else f" of {self._recipe.epochs}")
        within = f", after step {now.step} of {self._steps}" if now.step else ""
        spent = f" after {now.seconds / 60:.1f} of {minutes:g} min" if minutes else ""
        return f"in {epoch}{within}{spent}"

    def _expected(self, now: TrainingProgress) -> float:
        """Seconds until the run is reported, by those of all steps so far."""
        if self._recipe.minutes:
            return max(0.0, 60 * self._recipe.minutes - now.seconds) + self._after
        done = now.epoch * self._steps + now.step
        left = self._steps * self._recipe.epochs - done
        return left * now.seconds / max(1, done) + self._after

    def _left(self, done: int, clock: float) -> float | None:
        """Seconds until the run is reported as far as is known; None before a second step."""
        if self._first is None:
            return None
        first, begun, budget = self._first
        if self._recipe.minutes:
            return max(0.0, budget - (clock - begun)) + self._after
        if done <= first:
            return None
        left = (self._steps * self._recipe.epochs - done) * (clock - begun) / (done - first)
        return left + self._after
