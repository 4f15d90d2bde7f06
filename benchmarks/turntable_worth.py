"""How many scenes labelled by hand the turntable is worth, and which net few of them suit.

    uv run viewfinder demo --out DEMO
    uv run python benchmarks/turntable_worth.py DEMO [COUNT …]     10, 40, 80, 160
    uv run python benchmarks/turntable_worth.py DEMO 10 --init coco --seeds 0 1 2
    uv run python benchmarks/turntable_worth.py DEMO 10 40 --net yolov3-lite0 --init imagenet \\
        --share 0.72 --keep RUNS
    uv run python benchmarks/turntable_worth.py DEMO 10 40 --init coco --second-opinion 0.3

DEMO is what `viewfinder demo` wrote: a detector that learnt of no drawn box, and unseen scenes. If
it is not there, the same scenes are rendered into it, and there is no detector to compare with.
The same net takes as many steps on COUNT other cluttered scenes whose boxes are all true, as if
a careful person had drawn them, with the default recipe: mosaics, and pictures in full size all the
time; and all are scored on the demonstration's scenes. It begins at random, or from given weights:
the demonstration's began from `coco`. Another net may take a share of the steps, for as much
processor time: each line has what its training took. A second opinion on classes is fitted on a
share of the COUNT scenes, which the net then does not learn from; it is scored without it too.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.demo.setting import DemoSetting
from viewfinder.evaluation.judging import judge_examples
from viewfinder.runs.places import holds_run
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.tasks.calibration import with_own_scores
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.model import Model, without_habit
from viewfinder.training.train import train

# Of the labelled scenes; the demonstration's are of another.
SEED = 100
SETTING = DemoSetting()


def unseen_scenes(demo: Path) -> Dataset:
    """The demonstration's, rendered if they are not there."""
    if not (demo / "scenes").exists():
        write_scenes(
            demo / "scenes",
            counts=SplitCounts(train=0, val=0, test=SETTING.unseen),
            seed=SETTING.seed,
            options=SceneOptions(size=SETTING.size),
        )
    return open_dataset(demo / "scenes").split("test")


def taught_by_hand(count: int, seed: int, place: Path, given: argparse.Namespace) -> RunFolder:
    """The demonstration's net, or another, trained on `count` labelled scenes."""
    write_scenes(
        place / "scenes",
        counts=SplitCounts(train=count, val=0, test=0),
        seed=SEED + seed,
        options=SceneOptions(size=SETTING.size),
    )
    epochs = max(1, round(given.share * SETTING.epochs * SETTING.composed / count))
    recipe = DetectRecipe(
        net=given.net,
        size=SETTING.size,
        epochs=epochs,
        seed=seed,
        init=given.init,
        second_opinion=given.second_opinion is not None,
        val_share=given.second_opinion,
    )
    return train("detect", place / "scenes", recipe, out=place / "run")


def tell(name: str, model: Model, unseen: Dataset) -> None:
    """A line of figures, and one without a second opinion where there is one."""
    scores = judge_examples(model, unseen, device=torch.device("cpu")).scores
    shown = f"{name:<44} mAP50 {scores.ap50:.3f}  AP {scores.ap:.3f}  of {len(unseen)} scenes"
    print(shown, flush=True)
    if OPINION in model.config.habits:
        alone = with_own_scores(without_habit(model, OPINION))
        tell(f"{name}, without the opinion", alone, unseen)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("demo", type=Path)
    parser.add_argument("counts", type=int, nargs="*", default=[10, 40, 80, 160])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="scenes and training")
    parser.add_argument("--init", default="random")
    parser.add_argument("--net", default="yolov3-tiny")
    parser.add_argument("--share", type=float, default=1.0, help="of the demonstration's steps")
    parser.add_argument("--second-opinion", type=float, help="share of the scenes to fit it on")
    parser.add_argument("--keep", type=Path, help="a folder for the runs, which else are removed")
    given = parser.parse_args()
    unseen = unseen_scenes(given.demo)
    if holds_run(given.demo / "run"):
        tell("turntable", open_run(given.demo / "run").model, unseen)
    for count in given.counts:
        for seed in given.seeds:
            with tempfile.TemporaryDirectory() as rest:
                place = given.keep / f"{count}-{seed}" if given.keep else Path(rest)
                begun = time.process_time()
                run = taught_by_hand(count, seed, place, given)
                seconds = time.process_time() - begun
                name = f"{count} labelled scenes, seed {seed}, {seconds:.0f} s of CPU"
                tell(name, open_run(run.folder).model, unseen)


if __name__ == "__main__":
    main()
