"""How many scenes labelled by hand the turntable is worth.

    uv run viewfinder demo --out DEMO
    uv run python benchmarks/turntable_worth.py DEMO [COUNT …]     10, 40, 80, 160
    uv run python benchmarks/turntable_worth.py DEMO 10 --init yolov3-tiny.weights

DEMO is what `viewfinder demo` wrote: a detector that learnt of no drawn box, and unseen scenes.
The same net takes as many steps on COUNT other cluttered scenes whose boxes are all true, as if
a careful person had drawn them, with the default recipe: mosaics, and pictures in full size all the
time; and all are scored on the demonstration's scenes. It begins at random, or from given weights:
the demonstration's began from `coco`.
"""

import argparse
import tempfile
from pathlib import Path

import torch

from viewfinder.datasets.opening import open_dataset
from viewfinder.demo.setting import DemoSetting
from viewfinder.evaluation.judging import judge_examples
from viewfinder.runs.run import Run, open_run
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training.train import train

# Of the labelled scenes; the demonstration's are of another.
SEED = 100


def taught_by_hand(count: int, place: Path, setting: DemoSetting, *, init: str) -> Run:
    """The demonstration's net, trained on `count` labelled scenes."""
    write_scenes(
        place / "scenes",
        counts=SplitCounts(train=count, val=0, test=0),
        seed=SEED,
        options=SceneOptions(size=setting.size),
    )
    epochs = max(1, round(setting.epochs * setting.composed / count))
    recipe = DetectRecipe(size=setting.size, epochs=epochs, seed=setting.seed, init=init)
    return train("detect", place / "scenes", recipe, out=place / "run")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("demo", type=Path)
    parser.add_argument("counts", type=int, nargs="*", default=[10, 40, 80, 160])
    parser.add_argument("--init", default="random")
    given = parser.parse_args()
    setting = DemoSetting()
    unseen = open_dataset(given.demo / "scenes").split("test")
    cpu = torch.device("cpu")
    told = {
        "turntable": judge_examples(open_run(given.demo / "run").model, unseen, device=cpu).scores
    }
    for count in given.counts:
        with tempfile.TemporaryDirectory() as place:
            run = taught_by_hand(count, Path(place), setting, init=given.init)
            told[f"{count} labelled scenes"] = judge_examples(run.model, unseen, device=cpu).scores
    for name, scores in told.items():
        print(f"{name:<22} mAP50 {scores.ap50:.3f}  AP {scores.ap:.3f}  of {len(unseen)} scenes")


if __name__ == "__main__":
    main()
