"""The demonstration's last stages: from pictures with labels to a detector and its score.

composed/   scenes of the cut-outs, to learn from
run/        what was learnt
scenes/     cluttered tables with other things of the same classes, to be judged by
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from viewfinder.composing.composed_set import write_composed
from viewfinder.composing.composition import Composition
from viewfinder.cpu import cpu_features
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import TABLETOP, open_dataset
from viewfinder.demo.setting import DemoSetting
from viewfinder.devices import pick_device
from viewfinder.evaluation.detect.judged import DetectJudgement
from viewfinder.evaluation.judging import judge_examples
from viewfinder.runs.run import RunFolder
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.tasks.calibration import with_own_scores
from viewfinder.tasks.detect.opinion.judging import why_unjudged
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.model import without_habit
from viewfinder.tasks.recipe import Precision
from viewfinder.training.batches import steps_per_epoch
from viewfinder.training.train import train
from viewfinder.wording import counted

COMPOSITION = Composition(
    objects=(3, 9), scale=(0.1, 0.42), light=0.6, hidden=0.7, blur=1.2, noise=5.0
)
"""What is known of cluttered tables beforehand: many things, mostly small, and a poor camera."""


@dataclass(frozen=True, eq=False)
class Unseen:
    """How well unseen scenes are answered.

    Attributes:
        alone: by the detector by itself.
        judged: with its second opinion on classes; the same as `alone` where it has none.
    """

    alone: DetectJudgement
    judged: DetectJudgement

    def says(self) -> str:
        """What the second opinion is worth, in a sentence."""
        if self.alone is self.judged:
            return "It has no second opinion on classes: one is kept where held-out scenes gain."
        before, after = (each.scores.ap50 or 0.0 for each in (self.alone, self.judged))
        return (
            "A second opinion on what each thing is, by features of ImageNet, takes mAP50 here "
            f"from {before:.3f} to {after:.3f}."
        )


def compose(place: Path, setting: DemoSetting) -> Dataset:
    """Compose scenes of the accepted cut-outs on rendered tables into `composed/`."""
    return write_composed(
        place / "frames",
        place / "composed",
        backgrounds=TABLETOP,
        count=setting.composed,
        size=(setting.size, setting.size),
        settings=COMPOSITION,
        seed=setting.seed,
    )


def recipe(setting: DemoSetting) -> DetectRecipe:
    """How the detector learns: counted in epochs, so that no clock decides what comes out."""
    return DetectRecipe(
        size=setting.size,
        init="coco",
        batch=8,
        epochs=setting.epochs,
        # Weights that know things already would be thrown away by the rate of a fresh start.
        learning_rate=1e-3,
        # Some hundred steps: a longer average would still hold their beginning.
        average=0.995,
        precision=arithmetic(),
        seed=setting.seed,
        small=0.6,
        # Held-out scenes show the same things as the others: a few are enough to draw the curve.
        val_share=0.03,
        # Composed scenes differ in place, size and neighbours already; colours must tell nothing.
        mosaic=0.0,
        scale=0.2,
        hue=0.15,
        saturation=0.6,
        value=0.4,
        # Which of two kinds a thing is of, features of ImageNet know better than 320 things tell.
        second_opinion=True,
    )


def arithmetic() -> Precision:
    """bfloat16 where the processor multiplies in it, else float32.

    Told by what the machine is rather than timed: the same machine always answers alike.
    """
    if pick_device("auto").type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    return "bf16" if cpu_features().bf16 else "32"


def learn(place: Path, setting: DemoSetting) -> RunFolder:
    """Train a detector on the composed scenes alone; returns its run, `run/`."""
    how = recipe(setting)
    scenes = open_dataset(place / "composed", val_share=how.val_share)
    # Of a few scenes none hold enough out to judge a second opinion.
    how = replace(how, second_opinion=not why_unjudged(scenes))
    return train("detect", place / "composed", how, out=place / "run", opened=scenes)


def trained(run: RunFolder) -> str:
    """How long and from what the detector learnt, in words."""
    manifest = run.manifest
    steps = steps_per_epoch(manifest.data["images"]["train"], manifest.recipe.batch)
    epochs = counted(len(run.history()), "epoch")
    return f"{epochs} of {counted(steps, 'step')}, from weights of the 80 classes of COCO"


def judge_unseen(place: Path, run: RunFolder, setting: DemoSetting) -> Unseen:
    """Score the detector on cluttered tables, `scenes/`, whose things it has never seen."""
    write_scenes(
        place / "scenes",
        counts=SplitCounts(train=0, val=0, test=setting.unseen),
        seed=setting.seed,
        options=SceneOptions(size=setting.size),
    )
    unseen = open_dataset(place / "scenes").split("test")
    device = pick_device("auto")
    judged = judge_examples(run.model, unseen, device=device)
    if OPINION not in run.model.config.habits:
        return Unseen(judged, judged)
    alone = with_own_scores(without_habit(run.model, OPINION))
    return Unseen(judge_examples(alone, unseen, device=device), judged)
