"""What a second opinion on classes gains, on pictures that neither it nor the detector has seen.

    uv run python benchmarks/second_opinion.py RUN DATA              half of DATA's test pictures
    uv run python benchmarks/second_opinion.py RUN DATA --held 20    or so many, to fit the weight
    uv run python benchmarks/second_opinion.py RUN DATA --on SCENES --side val

The layer is learnt from the pictures that RUN learnt from, its weight is fitted on the first
pictures of a side, and the others are scored with it and without: AP50, AP, and how many objects
found at a score above 0.25 have their class and how many another. `--on` takes that side of another
set. Whether it would be kept is said first.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import picture_digests
from viewfinder.datasets.opening import open_dataset
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks import find
from viewfinder.tasks.detect.measures.matching import Kind, match
from viewfinder.tasks.detect.opinion.forming import FramedSplit, form_opinion, open_split
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.model import ModelConfig

CPU, SHOWN = torch.device("cpu"), 0.25
TASK = find("detect")


def learnt(run: RunFolder, dataset: Dataset) -> Dataset:
    """The pictures that the run learnt from."""
    sides, digests = read_pictures(run.folder), picture_digests(dataset)
    return dataset.select([row for row, each in enumerate(digests) if sides.get(each) == "train"])


def known(dataset: Dataset, config: ModelConfig) -> Dataset:
    return replace(dataset.with_classes(config.classes), bits=config.bits)


def side(dataset: Dataset, config: ModelConfig) -> FramedSplit:
    read = known(dataset, config)
    examples = TASK.open_eval(read, config, keep="auto")
    return open_split(examples.pixels, read.boxes, examples.sizes, config)


def tell(name: str, net: torch.nn.Module, dataset: Dataset, config: ModelConfig) -> None:
    read = known(dataset, config)
    answers = TASK.answers(net, TASK.open_eval(read, config, keep="auto"), config, CPU)
    scores, matching = TASK.score(answers, read), match(answers, read.boxes)
    seen = matching.found.scores > SHOWN
    right, confused = (int((seen & (matching.kinds == k)).sum()) for k in (Kind.RIGHT, Kind.CLASS))
    told = f"AP50 {scores.ap50:.3f}  AP {scores.ap:.3f}  right {right}  of another class {confused}"
    print(f"{name:<8} {told}, of {len(read)} pictures", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--held", type=int, help="pictures to fit the weight on; else half")
    parser.add_argument("--on", type=Path, help="another set to fit and to score on")
    parser.add_argument("--side", default="test")
    given = parser.parse_args()
    run, dataset = open_run(given.run), open_dataset(given.data)
    config = replace(run.model.config, habits={})
    net = run.model.load_on(CPU)
    judges = (open_dataset(given.on) if given.on else dataset).split(given.side)
    held = given.held or len(judges) // 2
    formed = form_opinion(
        side(learnt(run, dataset), config),
        side(judges.select(range(held)), config),
        config.classes,
        lambda pictures: TASK.reply(net, pictures, config, CPU),
        CPU,
    )
    print(formed.says, flush=True)
    rest = judges.select(range(held, len(judges)))
    tell("without", net, rest, config)
    if formed.opinion is not None:
        tell("with", net, rest, replace(config, habits={OPINION: formed.opinion}))


if __name__ == "__main__":
    main()
