"""How many scenes labelled by hand the turntable is worth.

    uv run viewfinder demo --out DEMO
    uv run python benchmarks/turntable_worth.py DEMO [COUNT …]     10, 40, 80, 160
    uv run python benchmarks/turntable_worth.py DEMO 10 --init yolov3-tiny.weights
    uv run python benchmarks/turntable_worth.py DEMO 10 40 --net yolov3-lite0 --init imagenet \\
        --share 0.72 --keep RUNS

DEMO is what `viewfinder demo` wrote: a detector that learnt of no drawn box, and unseen scenes.
The same net takes as many steps on COUNT other cluttered scenes whose boxes are all true, as if
a careful person had drawn them, with the default recipe: mosaics, and pictures in full size all the
time; and all are scored on the demonstration's scenes. It begins at random, or from given weights:
the demonstration's began from `coco`. Another net may take a share of the steps, for as much
processor time: each line has what its training took.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from viewfinder.datasets.opening import open_dataset
from viewfinder.demo.setting import DemoSetting
from viewfinder.evaluation.judging import judge_examples
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.scores import DetectScores
from viewfinder.training.train import train

# Of the labelled scenes; the demonstration's are of another.
SEED = 100


def taught_by_hand(
    count: int, place: Path, setting: DemoSetting, given: argparse.Namespace
) -> RunFolder:
    """The demonstration's net, or another, trained on `count` labelled scenes."""
    write_scenes(
        place / "scenes",
        counts=SplitCounts(train=count, val=0, test=0),
        seed=SEED,
        options=SceneOptions(size=setting.size),
    )
    epochs = max(1, round(given.share * setting.epochs * setting.composed / count))
    recipe = DetectRecipe(
        net=given.net,
        size=setting.size,
        epochs=epochs,
        seed=setting.seed,
        init=given.init,
        second_opinion=given.second_opinion,
    )
    return train("detect", place / "scenes", recipe, out=place / "run")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("demo", type=Path)
    parser.add_argument("counts", type=int, nargs="*", default=[10, 40, 80, 160])
    parser.add_argument("--init", default="random")
    parser.add_argument("--net", default="yolov3-tiny")
    parser.add_argument("--share", type=float, default=1.0, help="of the demonstration's steps")
    parser.add_argument("--second-opinion", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the runs, which else are removed")
    given = parser.parse_args()
    setting = DemoSetting()
    unseen = open_dataset(given.demo / "scenes").split("test")
    cpu = torch.device("cpu")
    told = {
        "turntable": judge_examples(open_run(given.demo / "run").model, unseen, device=cpu).scores
    }
    for count in given.counts:
        with tempfile.TemporaryDirectory() as rest:
            place = given.keep / str(count) if given.keep else Path(rest)
            begun = time.process_time()
            run = taught_by_hand(count, place, setting, given)
            name = f"{count} labelled scenes, {time.process_time() - begun:.0f} s"
            told[name] = judge_examples(run.model, unseen, device=cpu).scores
        tell(name, told[name], len(unseen))
    for name, scores in told.items():
        tell(name, scores, len(unseen))


def tell(name: str, scores: DetectScores, pictures: int) -> None:
    """A line of figures; seconds are the processor's."""
    shown = f"{name:<30} mAP50 {scores.ap50:.3f}  AP {scores.ap:.3f}  of {pictures} scenes"
    print(shown, flush=True)


if __name__ == "__main__":
    main()
