"""The training loop: what happens in a step, at an epoch's end, and when something goes wrong.

One file to read from top to bottom. Lightning Fabric places the net on its devices and adds up
gradients between processes; all else is here.
"""

import copy
import io
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from viewfinder.datasets import augment
from viewfinder.datasets.loading import Pixels, ahead
from viewfinder.errors import InputError
from viewfinder.files import write_bytes
from viewfinder.inference.predictor import Normalisation, probabilities
from viewfinder.runs.run import Run
from viewfinder.tasks import classify
from viewfinder.training import optimise
from viewfinder.training.batches import Batch, Share, batches, mixed, steps_per_epoch
from viewfinder.training.journal import Journal
from viewfinder.training.precision import Arrangement

# Fabric announces every process that it starts; the journal tells what matters.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)

# Seconds between two writings of what is needed to go on: what `kill -9` can cost.
_SAVE_EVERY = 15.0


@dataclass(frozen=True)
class Sides:
    """Decoded pictures and their classes: to learn from, to choose by, and to compare with.

    Attributes:
        probe: some training pictures, never augmented, as many as there are in `val`.
    """

    train: Pixels
    train_labels: Tensor
    val: Pixels | None
    val_labels: Tensor
    probe: Pixels
    probe_labels: Tensor


@dataclass(frozen=True)
class Job:
    """All that a process needs to take part in a training; it travels to other processes whole."""

    run: Run
    net: nn.Module
    sides: Sides
    arrangement: Arrangement
    resume: bool


@dataclass
class Progress:
    """How far a training is: all of its state that is not tensors.

    Attributes:
        epoch, step: the next step to take, both from 0.
        updates: steps taken since the start.
        seconds: time spent training, over all sittings.
        loss_sum, seen: of the epoch so far.
        skipped: float16 steps whose gradients overflowed.
        best_score, best_epoch: of the weights that are kept, the latest of equals.
        risen_epoch: when the score last rose, which is what patience counts from.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    loss_sum: float = 0.0
    seen: int = 0
    skipped: int = 0
    best_score: float = -1.0
    best_epoch: int = -1
    risen_epoch: int = -1
    rows: list[dict[str, Any]] = field(default_factory=list)


def fit(fabric: Fabric, job: Job) -> Progress:
    """Train until the recipe's end; the run's folder then holds the best weights.

    Raises:
        InputError: the loss stopped being a number.
    """
    return Fit(fabric, job).work()


class Fit:
    """One process's training: the tensors it changes and the steps that change them."""

    def __init__(self, fabric: Fabric, job: Job) -> None:
        self.fabric, self.job, self.recipe = fabric, job, job.run.manifest.recipe
        self.device = fabric.device
        self.share = Share(fabric.global_rank, fabric.world_size)
        manifest = job.run.manifest
        self.normalisation = Normalisation(manifest.mean, manifest.std)
        # A net sent to several processes arrives in memory that they share; each trains its own.
        net = copy.deepcopy(job.net).to(self.device, memory_format=job.arrangement.memory_format)  # type: ignore[call-overload]
        self.average = optimise.make_average(net)
        self.net = fabric.setup_module(net)
        self.optimiser = optimise.make_optimiser(net, self.recipe)
        scaled = job.arrangement.arithmetic == "16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.progress = Progress()
        self.started = self.saved = time.perf_counter()
        if job.resume and job.run.state_file.exists():
            self._load()
        self.steps = steps_per_epoch(len(job.sides.train), self.recipe.batch)

    def work(self) -> Progress:
        now = self.progress
        with Journal(self.job.run, self.recipe, self.steps, shown=self.share.rank == 0) as journal:
            while not self._finished():
                self.net.train()
                try:
                    for batch in self.batches_left():
                        loss = self.step(batch)
                        self.account(batch, loss)
                        journal.step(now)
                        if self._time_is_up():
                            break
                        if time.perf_counter() - self.saved > _SAVE_EVERY:
                            self._save()
                except KeyboardInterrupt:
                    self._save()
                    raise
                self.end_epoch()
                journal.epoch(now)
        return now

    def batches_left(self) -> Iterator[Batch]:
        """This process's part of the steps that remain of the epoch."""
        sides, now = self.job.sides, self.progress
        made = batches(
            sides.train,
            sides.train_labels,
            self.recipe,
            epoch=now.epoch,
            first_step=now.step,
            share=self.share,
        )
        return ahead(made) if sides.train.waits else made

    def step(self, batch: Batch) -> Tensor:
        """Forward, backward, and one step of the optimiser."""
        now, recipe = self.progress, self.recipe
        # Dropout draws from the global generator, so that it too depends on the step alone.
        torch.manual_seed(mixed(recipe.seed, now.epoch, batch.step, self.share.rank, "dropout"))
        for group in self.optimiser.param_groups:
            group["lr"] = optimise.learning_rate(self._share_done(), recipe)
        pictures = batch.pictures.to(self.device, non_blocking=True).float() / 255
        pictures = self.normalisation.apply(augment.apply(pictures, batch.changes))
        pictures = pictures.contiguous(memory_format=self.job.arrangement.memory_format)
        labels = batch.labels.to(self.device, non_blocking=True)
        with self.job.arrangement.autocast(self.device):
            outputs = self.net(pictures)
        loss = classify.loss(outputs, labels, label_smoothing=recipe.label_smoothing)
        # Processes average their gradients; weighting by their pictures makes that the gradient
        # of the whole batch, however unevenly it was dealt.
        weighted = loss * (len(labels) * self.share.world / batch.total)
        self.optimiser.zero_grad()
        self.fabric.backward(self.scaler.scale(weighted))
        self._update()
        optimise.update_average(
            self.average, self.net.module, step=now.updates, decay=recipe.average
        )
        return loss.detach() * len(labels)

    def _update(self) -> None:
        """Clip the true gradients and step; a float16 step that overflowed is skipped."""
        self.scaler.unscale_(self.optimiser)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip, foreach=True)
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.progress.skipped += self.scaler.get_scale() < before

    def account(self, batch: Batch, loss: Tensor) -> None:
        """Count a step that was taken, and stop at a loss that is no number."""
        now = self.progress
        if self.share.world > 1:
            loss = cast(Tensor, self.fabric.all_reduce(loss, reduce_op="sum"))
        value = float(loss)
        if value != value or value in (float("inf"), float("-inf")):
            raise InputError(self._nan_advice(batch.step))
        now.loss_sum += value
        now.seen += batch.total
        now.step = batch.step + 1
        now.updates += 1

    def _nan_advice(self, step: int) -> str:
        run, recipe = self.job.run, self.recipe
        kept = (
            f"the best weights so far are kept in {run.folder}"
            if run.weights_file.exists()
            else "no epoch had ended, so nothing was kept"
        )
        tries = [f"--learning-rate {recipe.learning_rate / 5:g}"]
        if self.job.arrangement.arithmetic != "32":
            tries.append("--precision 32")
        if not recipe.clip:
            tries.append("--clip 1")
        return (
            f"the loss became NaN or infinite at step {step + 1} of epoch "
            f"{self.progress.epoch + 1}; {kept}. Try {', or '.join(tries)}"
        )

    def _share_done(self) -> float:
        """How much of the training is done, from 0 to 1: in steps, or in time."""
        if self.recipe.minutes is None:
            return self.progress.updates / (self.steps * self.recipe.epochs)
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
            "loss": now.loss_sum / now.seen,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "skipped_steps": now.skipped,
        }
        if self.share.rank == 0:
            row |= self._measure()
        row = self.fabric.broadcast(row)
        now.rows.append(row)
        score = row.get("val_accuracy", float(now.epoch))
        if score > now.best_score:
            now.risen_epoch = now.epoch
        if score >= now.best_score:
            now.best_score, now.best_epoch = score, now.epoch
            if self.share.rank == 0:
                run.save_weights(self.average.state_dict())
        if self.share.rank == 0:
            run.save_history(now.rows)
        now.epoch, now.step, now.loss_sum, now.seen = now.epoch + 1, 0, 0.0, 0
        now.epoch_seconds = self._seconds()
        # A quick epoch need not be written at once: it is quick to repeat.
        if self._finished() or time.perf_counter() - self.saved > _SAVE_EVERY:
            self._save()

    def _measure(self) -> dict[str, float]:
        """Loss and accuracy of the averaged weights on pictures that are not augmented."""
        sides, figures = self.job.sides, {}
        for name, pixels, labels in (
            ("train", sides.probe, sides.probe_labels),
            ("val", sides.val, sides.val_labels),
        ):
            if pixels is not None:
                answers = probabilities(self.average, pixels, self.normalisation, self.device)
                scores = classify.score(answers, labels.numpy())
                figures[f"{name}_loss"] = scores.loss
                figures[f"{name}_accuracy"] = scores.accuracy
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
