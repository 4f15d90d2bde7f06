"""The training loop: what happens in a step, at an epoch's end, and when something goes wrong.

One file to read from top to bottom. Lightning Fabric places the net on its devices and adds up
gradients between processes; all else is here.
"""

import copy
import io
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from viewfinder.datasets.loading import ahead
from viewfinder.errors import InputError
from viewfinder.files import write_bytes
from viewfinder.interrupts import late_interrupts
from viewfinder.memory import keep_freed
from viewfinder.runs.run import Run
from viewfinder.tasks import find
from viewfinder.tasks.task import total
from viewfinder.training import advice, optimise
from viewfinder.training.batches import Batch, Share, batches, mixed, steps_per_epoch
from viewfinder.training.journal import Journal
from viewfinder.training.precision import Arrangement
from viewfinder.training.preparing import Sides
from viewfinder.training.progress import Progress

# Fabric announces every process that it starts; the journal tells what matters.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)

# Seconds between two writings of what is needed to go on: what `kill -9` can cost.
_SAVE_EVERY = 15.0


@dataclass(frozen=True)
class Job:
    """All that a process needs to take part in a training; it travels to other processes whole.

    Attributes:
        frozen: the parameters that `recipe.freeze` holds still for a while.
    """

    run: Run
    net: nn.Module
    sides: Sides
    arrangement: Arrangement
    resume: bool
    frozen: frozenset[str] = frozenset()


def fit(fabric: Fabric, job: Job) -> Progress:
    """Train until the recipe's end; the run's folder then holds the best weights.

    Raises:
        InputError: the loss stopped being a number.
    """
    return Fit(fabric, job).work()


class Fit:
    """One process's training: the tensors it changes and the steps that change them."""

    def __init__(self, fabric: Fabric, job: Job) -> None:
        keep_freed()
        self.fabric, self.job, self.recipe = fabric, job, job.run.manifest.recipe
        self.device = fabric.device
        self.share = Share(fabric.global_rank, fabric.world_size)
        self.task, self.setting = find(job.run.manifest.task), job.run.setting()
        # A net sent to several processes arrives in memory that they share; each trains its own.
        net = copy.deepcopy(job.net).to(self.device, memory_format=job.arrangement.memory_format)  # type: ignore[call-overload]
        self.average = optimise.make_average(net)
        self.loss = self.task.make_loss(net, self.setting, self.device)
        self.net = fabric.setup_module(net)
        self.optimiser = optimise.make_optimiser(net, self.recipe)
        scaled = job.arrangement.arithmetic == "16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.progress, self.done = Progress(), 0.0
        self.started = self.saved = time.perf_counter()
        if job.resume and job.run.state_file.exists():
            self._load()
        self.steps = steps_per_epoch(len(job.sides.train), self.recipe.batch)
        measured = len(job.sides.probe) + len(job.sides.val or ())
        self.measure_every = max(1, round(measured / (self.task.measured * len(job.sides.train))))

    def work(self) -> Progress:
        now = self.progress
        best = f"val_{self.task.best}"
        shown = self.share.rank == 0
        told = Journal(self.job.run, self.recipe, self.steps, score=best, shown=shown)
        # Half a step, or half an epoch's end, would be nothing to go on from.
        with told as journal, late_interrupts() as let_interrupt:
            while not self._finished():
                self.net.train()
                for batch in self.batches_left():
                    self.account(batch, self.step(batch))
                    journal.step(now)
                    if self._time_is_up():
                        break
                    if time.perf_counter() - self.saved > _SAVE_EVERY:
                        self._save()
                    let_interrupt(self._save)
                self.end_epoch()
                journal.epoch(now)
        return now

    def batches_left(self) -> Iterator[Batch]:
        """This process's part of the steps that remain of the epoch."""
        train, now = self.job.sides.train, self.progress
        made = batches(
            self.task,
            train,
            self.setting,
            epoch=now.epoch,
            first_step=now.step,
            share=self.share,
            done=lambda: self.done,
        )
        return ahead(made) if train.waits else made

    def forward(self, pictures: Tensor) -> Any:
        """The net's outputs for N×3×H×W pictures in [0, 1], in the arithmetic that was chosen."""
        return self.job.arrangement.forward(self.net, pictures, self.setting.normalisation)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Forward, backward, and one step of the optimiser.

        Returns:
            the loss and its terms, summed over this process's pictures.
        """
        now, recipe = self.progress, self.recipe
        # Dropout draws from the global generator, so that it too depends on the step alone.
        torch.manual_seed(mixed(recipe.seed, now.epoch, batch.step, self.share.rank, "dropout"))
        self.done = self._share_done()
        for group in self.optimiser.param_groups:
            group["lr"] = optimise.learning_rate(self.done, recipe)
        terms = self.loss(self.forward, batch.inputs.to(self.device))
        loss = total(terms)
        # Processes average their gradients; weighting by their pictures makes that the gradient
        # of the whole batch, however unevenly it was dealt.
        count = len(batch.inputs)
        weighted = loss * (count * self.share.world / batch.total)
        self.optimiser.zero_grad()
        self.fabric.backward(self.scaler.scale(weighted))
        self._update()
        optimise.update_average(
            self.average, self.net.module, step=now.updates, decay=recipe.average
        )
        # Of a loss of one term, the term says nothing more.
        told = {"loss": loss} | (terms if len(terms) > 1 else {})
        return {name: value.detach() * count for name, value in told.items()}

    def _update(self) -> None:
        """Clip the true gradients and step; a float16 step that overflowed is skipped."""
        if self.done < self.recipe.freeze:
            for name, parameter in self.net.module.named_parameters():
                if name in self.job.frozen:
                    parameter.grad = None
        self.scaler.unscale_(self.optimiser)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip, foreach=True)
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.progress.skipped += self.scaler.get_scale() < before

    def account(self, batch: Batch, terms: dict[str, Tensor]) -> None:
        """Count a step that was taken, and stop at a loss that is no number."""
        now = self.progress
        values = torch.stack([value.float() for value in terms.values()])
        if self.share.world > 1:
            values = cast(Tensor, self.fabric.all_reduce(values, reduce_op="sum"))
        for name, value in zip(terms, values.tolist(), strict=True):
            now.sums[name] = now.sums.get(name, 0.0) + value
        if not math.isfinite(now.sums["loss"]):
            raise InputError(self._not_finite(batch))
        now.seen += batch.total
        now.step = batch.step + 1
        now.updates += 1

    def _not_finite(self, batch: Batch) -> str:
        """What became of the training, and what helps."""
        run = self.job.run
        kept = (
            f"the best weights so far are kept in {run.folder}"
            if run.weights_file.exists()
            else "no epoch had ended, so nothing was kept"
        )
        mend = advice.mend(
            self.recipe,
            self.job.arrangement,
            self.net.module,
            updates=self.progress.updates,
            plain_loss=lambda: self._plain_loss(batch),
        )
        return (
            f"the loss became NaN or infinite at step {batch.step + 1} of epoch "
            f"{self.progress.epoch + 1}; {kept}. {mend}"
        )

    @torch.no_grad()
    def _plain_loss(self, batch: Batch) -> float:
        """The loss of this process's part of a step in float32, with the weights of now."""
        plain = Arrangement("32", self.job.arrangement.layout)
        net = self.net.module.float()

        def forward(pictures: Tensor) -> Any:
            return plain.forward(net, pictures, self.setting.normalisation)

        return float(total(self.loss(forward, batch.inputs.to(self.device))))

    def _share_done(self) -> float:
        """How much of the training is done, from 0 to 1: in steps, or in time."""
        if self.recipe.minutes is None:
            # An epoch that repeats rare pictures is longer than most.
            within = min(1.0, self.progress.step / self.steps)
            return (self.progress.epoch + within) / self.recipe.epochs
        elapsed: float = self.fabric.broadcast(self._seconds())
        return min(1.0, elapsed / (60 * self.recipe.minutes))

    def _time_is_up(self) -> bool:
        return self.recipe.minutes is not None and self._share_done() >= 1

    def _finished(self) -> bool:
        now, recipe = self.progress, self.recipe
        if recipe.patience and now.epoch - 1 - now.risen_epoch >= recipe.patience:
            return True
        if recipe.minutes is not None:
            return self._time_is_up()
        return now.epoch >= recipe.epochs

    def _seconds(self) -> float:
        return self.progress.seconds + time.perf_counter() - self.started

    def end_epoch(self) -> None:
        """Measure the averaged weights, keep them if they are the best, write everything down."""
        now, run = self.progress, self.job.run
        trained = self._seconds()
        row: dict[str, Any] = {
            "epoch": now.epoch + 1,
            "seconds": trained,
            "images_per_s": now.seen / max(1e-9, trained - now.epoch_seconds),
            **{name.removeprefix("_"): value / now.seen for name, value in now.sums.items()},
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "skipped_steps": now.skipped,
        }
        now.epoch, now.step, now.sums, now.seen = now.epoch + 1, 0, {}, 0
        if now.epoch % self.measure_every == 0 or self._finished():
            if self.share.rank == 0:
                row |= self._measure()
            row = self.fabric.broadcast(row)
            self._keep(row)
        now.rows.append(row)
        if self.share.rank == 0:
            run.save_history(now.rows)
        now.epoch_seconds = self._seconds()
        # A quick epoch need not be written at once: it is quick to repeat.
        if self._finished() or time.perf_counter() - self.saved > _SAVE_EVERY:
            self._save()

    def _keep(self, row: dict[str, Any]) -> None:
        """Keep the averaged weights of now if they are as good as any, as far as one can tell.

        The highest score of many epochs is high by chance too; of those within what chance makes,
        the latest weights have the most training behind them.
        """
        now, val = self.progress, self.job.sides.val
        score = row.get(f"val_{self.task.best}", float(now.epoch))
        if score > now.best_score:
            now.best_score, now.risen_epoch = score, now.epoch - 1
        tolerance = self.task.tolerance(now.best_score, len(val)) if val else 0.0
        if score >= now.best_score - tolerance:
            now.kept_epoch = now.epoch - 1
            if self.share.rank == 0:
                self.job.run.save_weights(self.average.state_dict())

    def _measure(self) -> dict[str, float]:
        """The averaged weights' figures on pictures that are not augmented."""
        figures: dict[str, float] = {}
        for name, examples in (("train", self.job.sides.probe), ("val", self.job.sides.val)):
            if examples is not None:
                answers = self.task.answers(self.average, examples, self.setting, self.device)
                scores = self.task.score(answers, examples.truth)
                figures |= {f"{name}_{key}": value for key, value in scores.figures().items()}
        return figures

    def _save(self) -> None:
        """Write what is needed to go on from here exactly."""
        self.saved = time.perf_counter()
        if self.share.rank != 0:
            return
        progress = asdict(self.progress) | {"seconds": self._seconds()}
        state = {
            "net": self.net.module.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "progress": progress,
        }
        data = io.BytesIO()
        torch.save(state, data)
        write_bytes(self.job.run.state_file, data.getvalue())

    def _load(self) -> None:
        """Go on from what `_save` wrote."""
        file = self.job.run.state_file
        try:
            state = torch.load(file, map_location=self.device, weights_only=True)
            self.net.module.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.scaler.load_state_dict(state["scaler"])
            self.progress = Progress(**state["progress"])
        except Exception as error:
            raise InputError(
                f"{file} is damaged and cannot be gone on from: remove {self.job.run.folder} and "
                "train anew"
            ) from error
