"""The training loop: what happens in a step, at an epoch's end, and when something goes wrong.

One file to read from top to bottom. Lightning Fabric places the net on its devices and sums numbers
over processes, which `processes.py` starts; all else is here.

    viewfinder train classify photos --device cpu                one process, all cores
    viewfinder train classify photos --device cpu --devices 2    two processes, half the cores each
    viewfinder train classify photos --device cuda               one GPU
    viewfinder train classify photos --device cuda --devices 4   four GPUs of this machine

A training stays on one machine and starts its processes itself: `torchrun` is refused. Two machines
take a training each:

    one$ viewfinder train classify photos --seed 0 --out runs/0
    two$ viewfinder train classify photos --seed 1 --out runs/1
"""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from viewfinder.datasets.decoded import ahead
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.interrupts import late_interrupts
from viewfinder.memory import keep_freed
from viewfinder.tasks import find
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.loss import total
from viewfinder.tasks.parts import TaskBatch
from viewfinder.training import advice, optimise, rounding, timing
from viewfinder.training.batches import Batch, Share, batches, deal, mixed
from viewfinder.training.best import BestWeights, epochs_between
from viewfinder.training.choosing import forget
from viewfinder.training.compiling import compile_if_quicker
from viewfinder.training.holding import Held
from viewfinder.training.job import Job
from viewfinder.training.journal import Journal
from viewfinder.training.pace import Pace
from viewfinder.training.precision import seconds_of_step
from viewfinder.training.progress import TrainingProgress
from viewfinder.training.state import Parts, read_state, write_state
from viewfinder.training.statistics import share_statistics
from viewfinder.training.sums import StepSums, add_gradients, over_processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Seconds between two writings of what is needed to go on: what `kill -9` can cost. Of a net so
# large that one writing takes longer than the second figure, in proportion more.
_SAVE_EVERY = 15.0
_CHEAP = _SAVE_EVERY / 20
# A GPU is given a step's work while it does that of the step before, whose sums are read then; and
# has the pictures of the next made meanwhile. On the CPU both would only share its cores.
_BEHIND, _AHEAD = {"cuda": 1}, {"cuda": 1}


def fit(fabric: "Fabric", job: Job) -> None:
    """Train until the recipe's end; the run's folder then holds the best weights.

    Raises:
        InputError: the loss stopped being a number.
    """
    Fit(fabric, job).work()


class Fit:
    """One process's training: the tensors it changes and the steps that change them."""

    def __init__(self, fabric: "Fabric", job: Job) -> None:
        # Each step asks for the same large blocks of memory again.
        keep_freed()
        self.fabric, self.job, self.recipe = fabric, job, job.run.manifest.recipe
        self.device = fabric.device
        self.share = Share(fabric.global_rank, fabric.world_size)
        self.task, self.setup = find(job.run.manifest.task), job.run.setup()
        # A net sent to several processes arrives in memory that they share; each trains its own.
        net = copy.deepcopy(job.net).to(self.device, memory_format=job.arrangement.memory_format)  # type: ignore[call-overload]
        self.task.settle(net, self.setup)
        # Before batch norms are shared: the average answers in one process alone.
        self.average = optimise.make_average(net)
        self.best = BestWeights(fabric, job, self.average)
        self.loss = self.task.make_loss(net, self.setup, self.device)
        if self.share.world > 1:
            net = share_statistics(net, self.device)
        self.net = fabric.setup_module(net)
        self.held = Held(self.net.module, job.frozen, self.recipe.freeze)
        self.optimiser = optimise.make_optimiser(net, self.recipe)
        # Small gradients vanish in float16, and not in bfloat16, whose range is float32's.
        scaled = job.arrangement.arithmetic == "16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.progress = TrainingProgress()
        self.pace = Pace(job.promise.seconds if job.promise else None)
        self.numbers, self._add = 0, partial(over_processes, fabric)
        self.last: TaskBatch | None = None
        self.started = self.saved = time.perf_counter()
        self.save_cost = 0.0
        self.sums = StepSums(self._add, behind=_BEHIND.get(self.device.type, 0))
        self.asked_to_stop: Callable[[], bool] = lambda: False
        if job.resume and job.run.state_file.exists():
            self.progress = read_state(job.run, self._parts(), self.device)
            if self.share.rank == 0:
                # Rows that a killed process wrote after its last state are written again.
                job.run.keep_history(self.progress.epoch)
        elif self.share.rank == 0:
            job.run.keep_history(0)
        self.measure_every = epochs_between(self.task, job.splits, self.recipe)
        self.dealt = self._deal()
        # Of every epoch. Some pictures may not be learnt from, as those without what a net sees.
        self.steps = len(self.dealt)
        if self.recipe.compile:
            compile_if_quicker(self.net.module, self._seconds_of_step)

    def _seconds_of_step(self, prepare: Callable[[nn.Module], object]) -> float:
        """Of the next step, forward and backward, on a copy of the net."""
        inputs = next(self.batches_left()).inputs.to(self.device)
        return seconds_of_step(
            self.net.module,
            [inputs],
            self.job.arrangement,
            loss=self.loss,
            colours=self.setup.config.normalisation,
            settle=lambda net: self.task.settle(net, self.setup),
            prepare=prepare,
        )

    def work(self) -> None:
        now = self.progress
        figure, first = self.best.figure, self.share.rank == 0
        pictures = sum(len(each) for each in self.dealt)
        kept = Journal(
            *(self.job.run, self.recipe, self.steps),
            pictures=pictures,
            figure=figure,
            few=self.best.few,
            forecast=self.job.forecast,
            now=now,
            reports=first,
        )
        # Half a step, or half an epoch's end, would be nothing to go on from. Of several processes,
        # the one that started them answers whoever insists.
        late = late_interrupts(insisting=self.share.world == 1)
        with kept as journal, late as let_interrupt:
            self.asked_to_stop = let_interrupt.waiting
            if not now.updates:
                self._begin()
                self._read_clock()
            while not now.ended:
                self.net.train()
                self.task.settle(self.net.module, self.setup)
                for batch in self.batches_left():
                    self.account(batch, self.step(batch))
                    journal.step(now)
                    self._report_pace(journal)
                    if self._save_is_due():
                        self._save()
                    let_interrupt(self._save, asked=self.sums.stopping)
                if now.step < len(self.dealt):
                    self._read_clock()
                if now.step == len(self.dealt) or now.time_up:
                    journal.epoch(self.end_epoch())
            form = dict(self.task.headline).get(figure.removeprefix("val_"), ".3f")
            journal.end(now, form, self.best.says(now))

    def _begin(self) -> None:
        """Where the net that steps begin with can answer already, see how well it does."""
        if self.share.rank == 0 and (useless := self.best.says_of_patience()):
            note(useless)
        if self.recipe.tunes and self.job.splits.val is not None:
            self.best.begin(self.progress)

    def batches_left(self) -> Iterator[Batch]:
        """This process's part of the steps that remain of the epoch, or of its lap."""
        train, now = self.job.splits.train, self.progress
        made = batches(
            self.task,
            train,
            self.setup,
            self.dealt,
            epoch=now.epoch,
            steps=range(now.step, timing.lap_ends(now, self.recipe, len(self.dealt))),
            share=self.share,
            progress_at=timing.progress_at(now, self.recipe, self.steps),
        )
        depth = _AHEAD.get(self.device.type, int(train.waits))
        if not depth:
            return made
        sent = (replace(batch, inputs=batch.inputs.to(self.device)) for batch in made)
        return ahead(sent, depth=depth)

    def forward(self, pictures: Tensor) -> NetOutput:
        """The net's outputs for N×3×H×W pictures in [0, 1], in the arithmetic that was chosen."""
        self.numbers += pictures.numel()
        return self.job.arrangement.forward(self.net, pictures, self.setup.config.normalisation)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Forward, backward, and one step of the optimiser.

        Returns:
            this process's part of the loss and its terms, times the pictures of the whole step.
        """
        now, recipe = self.progress, self.recipe
        # Dropout draws from the global generator, so that it too depends on the step alone.
        torch.manual_seed(mixed(recipe.seed, now.epoch, batch.step, self.share.rank, "dropout"))
        optimise.set_learning_rate(self.optimiser, batch.done, recipe)
        inputs, self.numbers = batch.inputs.to(self.device), 0
        self.optimiser.zero_grad()
        self.held.before_step(batch.done)
        self.last = inputs
        begun = time.perf_counter()
        # Gradients are summed below, once and in one order.
        with self.fabric.no_backward_sync(self.net, enabled=self.share.world > 1):
            terms = self.loss(self.forward, inputs, self._add)
            loss = total(terms)
            self.fabric.backward(self.scaler.scale(loss))
        add_gradients(self.fabric, self.net.module)
        self.pace.took(time.perf_counter() - begun, self.numbers)
        self._update(batch.done)
        optimise.update_average(
            self.average, self.net.module, step=now.updates, decay=recipe.average
        )
        # Of a loss of one term, the term says nothing more.
        shown = {"loss": loss} | (terms if len(terms) > 1 else {})
        return {name: value.detach() * batch.total for name, value in shown.items()}

    def _report_pace(self, journal: Journal) -> None:
        """Report once that steps take much longer, or less long, than when they were timed."""
        # The arithmetic is kept nevertheless: with another, steps would end in other weights.
        if self.job.promise is not None and (times := self.pace.news()):
            journal.pace(times)
            forget(self.job.promise.file)

    def _update(self, done: float) -> None:
        """Step, and count a step that was skipped."""
        self.held.before_update(done)
        clip, net = self.recipe.clip, self.net
        self.progress.skipped += optimise.take_step(self.optimiser, self.scaler, net, clip=clip)

    def account(self, batch: Batch, terms: dict[str, Tensor]) -> None:
        """Count a step that was taken."""
        now = self.progress
        self.sums.add(batch, now.updates, terms, asked=self.asked_to_stop())
        now.seen += batch.total
        now.step = batch.step + 1
        now.updates += 1
        self.read_sums(all_of_them=False)

    def read_sums(self, *, all_of_them: bool = True) -> None:
        """Add up the sums of steps that were taken; stop at a loss that is no number."""
        wrong = self.sums.read(self.progress.sums, all_of_them=all_of_them)
        if wrong is not None:
            inputs = wrong.batch.inputs.to(self.device)
            then = replace(self.progress, updates=wrong.updates)
            raise InputError(
                advice.not_finite(
                    self.job, self.net.module, self.loss, inputs, then, wrong.batch.step
                )
            )

    def _deal(self) -> tuple[Tensor, ...]:
        """What each step of the epoch of now shows."""
        train, epoch = self.job.splits.train, self.progress.epoch
        return deal(self.task, train, self.recipe, epoch=epoch, processes=self.share.world)

    def _read_clock(self) -> None:
        """With `minutes`, see whether the time is up: the one reading, of one process for all."""
        if self.recipe.minutes is not None:
            seconds = self.fabric.broadcast(self._seconds())
            timing.begin_lap(self.progress, self.recipe.minutes, seconds)

    def _seconds(self) -> float:
        return self.progress.seconds + time.perf_counter() - self.started

    def end_epoch(self) -> dict[str, float]:
        """Measure the averaged weights, keep them if they are the best, write everything down.

        Returns:
            the epoch's row in the history.
        """
        self.read_sums()
        now, trained = self.progress, self._seconds()
        row = now.end_epoch(trained, learning_rate=self.optimiser.param_groups[0]["lr"])
        row |= self._rounding()
        due = now.epoch % self.measure_every == 0
        if due:
            row |= self.best.choose(now)
        now.ended = self._is_over()
        if now.ended and not due:
            row |= self.best.choose(now)
        # Before the state: a row too many is cut off when a run is resumed; one too few stays lost.
        if self.share.rank == 0:
            self.job.run.append_history(row)
        now.epoch_seconds = self._seconds()
        self.dealt = self._deal()
        # A quick epoch need not be written at once: it is quick to repeat.
        if now.ended or self._save_is_due():
            self._save()
        return row

    def _rounding(self) -> dict[str, float]:
        """What few bits do to the last step, now and then; told if it is unusual."""
        now, arranged = self.progress, self.job.arrangement
        if self.last is None or self.share.rank or not rounding.is_due(arranged, now.epoch):
            return {}
        scale, colours = self.scaler.get_scale(), self.setup.config.normalisation
        seen = rounding.measure(
            self.net.module, self.last, arranged, loss=self.loss, colours=colours, scale=scale
        )
        return seen.told(now.skipped, now.updates)

    def _is_over(self) -> bool:
        """Whether the epoch that has just been counted was the last; asked once of each."""
        now, recipe = self.progress, self.recipe
        if recipe.minutes is not None and not now.time_up:
            self._read_clock()
        if recipe.patience and now.epoch - 1 - now.risen_epoch >= recipe.patience:
            return True
        return now.time_up if recipe.minutes is not None else now.epoch >= recipe.epochs

    def _save_is_due(self) -> bool:
        """Whether it is time; so seldom that no more than a twentieth of the time goes there."""
        since = time.perf_counter() - self.saved
        return since > _SAVE_EVERY * max(1.0, self.save_cost / _CHEAP)

    def _save(self) -> None:
        """Write what is needed to go on from here exactly."""
        begun = time.perf_counter()
        self.read_sums()
        if self.share.rank == 0:
            progress = self.progress.as_json(seconds=self._seconds())
            write_state(self.job.run, self._parts(), progress)
        self.saved = time.perf_counter()
        self.save_cost = self.saved - begun

    def _parts(self) -> Parts:
        """All that changes and is no number of `Progress`."""
        return {
            "net": self.net.module,
            "average": self.average,
            "optimiser": self.optimiser,
            "scaler": self.scaler,
        }
