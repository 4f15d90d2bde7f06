"""Of a run's right answers, the share whose heat maps pass the deletion test.

  uv run python benchmarks/heat_map_trials.py RUN DATA [SPLIT] [MOST PICTURES] [MOST OF EACH]

Right is a class that is the picture's, and a box that overlaps one of its class by half. Beside it
stand controls, which are put to the same test: a blob in the middle of the picture or on the box,
drawn without asking the net, and the map of the same layer in a net whose weights are scrambled.
Maps are the network's own. Where one fails, a page shows that of occlusion if it passes: how many
then do is told at the end.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from viewfinder import open_run
from viewfinder.attribution.asking import ExplainedNet, ask_of
from viewfinder.attribution.heat import HeatMap, blurred, occlusion
from viewfinder.attribution.integrated import same_kind
from viewfinder.attribution.reason import Reasons
from viewfinder.attribution.summary import summary_of
from viewfinder.attribution.trials import deletion
from viewfinder.attribution.why import Wanted, reason_of
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.framing import frame_matrix
from viewfinder.datasets.opening import open_dataset
from viewfinder.devices import pick_device
from viewfinder.inference.answers import Predictor
from viewfinder.pictures.geometry import iou, transform_boxes
from viewfinder.pictures.reading import read_header
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.question import Question

_SAME = 0.5


@dataclass
class Controls:
    """How many maps that were not made by asking the net pass all the same."""

    blobs: int = 0
    scrambled: int = 0
    tested: int = 0
    compared: int = 0
    instead: int = 0

    def occlude(self, asked: ExplainedNet, found: Reasons) -> None:
        """What is shown where the network's own map fails."""
        picture = as_shares(torch.from_numpy(found.picture).permute(2, 0, 1)[None].contiguous())
        for reason in found.reasons:
            tested = reason.deletion
            if tested is not None and tested.tells and not tested.passed:
                heat = occlusion(asked, picture, reason.question)
                self.instead += deletion(asked, picture, reason.question, heat).passed

    def add(self, asked: ExplainedNet, scrambled: ExplainedNet, found: Reasons) -> None:
        picture = as_shares(torch.from_numpy(found.picture).permute(2, 0, 1)[None].contiguous())
        for reason in found.reasons:
            question = reason.question
            blob = deletion(asked, picture, question, _blob(found.picture.shape, question))
            self.tested += blob.tells
            self.blobs += blob.passed
            own = reason.heat
            if reason.likeness is None or own is None:
                continue
            other = same_kind(scrambled, picture, question, own)
            if other is not None:
                trial = deletion(asked, picture, question, other)
                self.compared += trial.tells
                self.scrambled += trial.passed

    @property
    def says(self) -> str:
        return (
            f"controls: {self.blobs} of {self.tested} blobs passed, {self.scrambled} of "
            f"{self.compared} maps of a scrambled net"
        )


def _blob(shape: tuple[int, ...], question: Question) -> HeatMap:
    height, width = shape[:2]
    x1, y1, x2, y2 = question.box or (0, 0, width, height)
    rows, columns = np.mgrid[:height, :width] + 0.5
    across = (columns - (x1 + x2) / 2) / max(1, x2 - x1)
    down = (rows - (y1 + y2) / 2) / max(1, y2 - y1)
    return HeatMap("none", "a blob", np.exp(-8 * (across**2 + down**2)), (width, height))


def main() -> int:
    """Ask about every picture, and tell."""
    run, data, *rest = sys.argv[1:]
    split, most = rest[0] if rest else "test", int(rest[1]) if len(rest) > 1 else 100
    each_most = int(rest[2]) if len(rest) > 2 else 1000
    predictor = Predictor(open_run(run).model, device=pick_device("auto"))
    whole = open_dataset(data)
    dataset = whole if split == "all" else whole.split(split)
    random = np.random.default_rng(0)
    asked = ask_of(predictor)
    scrambled, controls, found = asked.scrambled(), Controls(), []
    for done, number in enumerate(random.permutation(len(dataset.paths))[:most].tolist()):
        found.append(_reasons(predictor, asked, scrambled, dataset, number, each_most))
        controls.add(asked, scrambled, found[-1])
        controls.occlude(asked, found[-1])
        if done % 20 == 19:
            print(done + 1, "pictures:", summary_of(found).lines()[0], flush=True)
    print(controls.says)
    for line in summary_of(found).lines():
        print(line)
    print(f"of those that failed, {controls.instead} pass as shown, by occlusion")
    return 0


def _reasons(
    predictor: Predictor,
    asked: ExplainedNet,
    scrambled: ExplainedNet,
    dataset: Dataset,
    number: int,
    most: int,
) -> Reasons:
    """Of right answers to a picture, of more than so many some that are drawn."""
    prepared = predictor.prepare_file(dataset.file(number))
    pixels = prepared.pixels[None]
    (reply,) = predictor.task.reply(predictor.net, pixels, asked.config, asked.device)
    questions = predictor.task.questions(reply, asked.config, threshold=predictor.threshold)
    right = _right(questions if dataset.boxes else questions[:1], dataset, number, asked.config)
    drawn = np.random.default_rng(number).permutation(len(right))[:most].tolist()
    picture = as_shares(pixels)
    own, soft = Wanted(quick=True), blurred(picture)
    reasons = [reason_of(asked, scrambled, picture, right[each], own, soft=soft) for each in drawn]
    shown = (255 * picture[0]).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Reasons(prepared.source, shown, tuple(reasons), len(questions))


def _right(
    questions: list[Question], dataset: Dataset, number: int, config: ModelConfig
) -> list[Question]:
    """Those whose answers are right."""
    classes = [
        dataset.classes.index(name) if name in dataset.classes else -1 for name in config.classes
    ]
    if dataset.boxes is None:
        return [q for q in questions if classes[q.label or 0] == int(dataset.labels[number])]
    rows = dataset.boxes.of(number)
    size = read_header(Path(dataset.file(number))).size
    way = frame_matrix(config.framing, size, config.size)
    boxes = transform_boxes(way, dataset.boxes.corners[rows].astype(np.float32))
    labels = dataset.boxes.classes[rows]
    right = []
    for question in questions:
        own = boxes[labels == classes[question.label or 0]]
        if len(own) and iou(np.array([question.box], np.float32), own).max() >= _SAME:
            right.append(question)
    return right


if __name__ == "__main__":
    sys.exit(main())
