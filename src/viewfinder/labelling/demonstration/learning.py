"""The demonstration's last stages: from pictures with labels to a detector and its score.

composed/   scenes of the cut-outs, to learn from
run/        what was learnt
scenes/     cluttered tables with other things of the same classes, to be judged by
"""

from pathlib import Path

from viewfinder.datasets.composing import Composition, write_composed
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import TABLETOP, open_dataset
from viewfinder.datasets.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.devices import pick_device
from viewfinder.evaluation.judging import Judgement, judge_examples
from viewfinder.labelling.demonstration.setting import Setting
from viewfinder.runs.run import Run
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training.train import train

COMPOSITION = Composition(
    objects=(3, 9), scale=(0.1, 0.42), light=0.6, hidden=0.7, blur=1.2, noise=5.0
)
"""What is known of cluttered tables beforehand: many things, mostly small, and a poor camera."""


def compose(place: Path, setting: Setting) -> Dataset:
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


def learn(place: Path, setting: Setting) -> Run:
    """Train a detector on the composed scenes alone; returns its run, `run/`."""
    recipe = DetectRecipe(
        size=setting.size,
        batch=8,
        minutes=setting.minutes,
        seed=setting.seed,
        small=0.6,
        # Composed scenes differ in place, size and neighbours already; colours must tell nothing.
        mosaic=0.0,
        scale=0.2,
        hue=0.15,
        saturation=0.6,
        value=0.4,
    )
    return train("detect", place / "composed", recipe, out=place / "run")


def judge_unseen(place: Path, run: Run, setting: Setting) -> Judgement:
    """Score the detector on cluttered tables, `scenes/`, whose things it has never seen."""
    write_scenes(
        place / "scenes",
        counts=SplitCounts(train=0, val=0, test=setting.unseen),
        seed=setting.seed,
        options=SceneOptions(size=setting.size),
    )
    unseen = open_dataset(place / "scenes").split("test")
    return judge_examples(run, unseen, device=pick_device("auto"))
