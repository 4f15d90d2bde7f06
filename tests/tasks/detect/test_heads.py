"""A second family of heads has a place: one without anchors is made up here, and trained."""

import sys
import types
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.inference.export import export_onnx
from viewfinder.nets.checkpoints import load_matching
from viewfinder.tasks import find
from viewfinder.tasks.answering import Answering
from viewfinder.tasks.detect import heads
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.loss import alone
from viewfinder.training.train import train_on

QUICK = {"epochs": 30, "batch": 6, "precision": "32", "keep": "memory", "mosaic": 0.0}


def squares(count: int) -> tuple[list, list]:
    """Grey pictures with a red square each, and their boxes."""
    random, pictures, boxes = np.random.default_rng(0), [], []
    for _ in range(count):
        picture = random.integers(90, 150, (64, 64, 3), dtype=np.uint8)
        x, y = random.integers(0, 40, 2).tolist()
        picture[y : y + 24, x : x + 24] = (220, 40, 40)
        pictures.append(picture)
        boxes.append([(x, y, x + 24, y + 24)])
    return pictures, boxes


class Centres(nn.Module):
    """N×3×H×W pictures to N×(4 + classes)×H/16×W/16: sides of a cell's box, and its classes."""

    head_family: ClassVar[str] = "centres"

    def __init__(self, *, classes: int = 80, side: float = 8.0) -> None:
        super().__init__()
        self.classes, self.side = classes, side
        self.body = nn.Sequential(nn.Conv2d(3, 16, 16, stride=16), nn.BatchNorm2d(16), nn.ReLU())
        self.predict = nn.Conv2d(16, 4 + classes, 1)

    def forward(self, x: Tensor) -> Tensor:  # N×3×H×W
        made: Tensor = self.predict(self.body(x))
        return made


class CentresHead:
    """`heads.Head`: a cell that an object's centre lies in says how far the box's edges are."""

    stride: ClassVar[int] = 16
    terms: ClassVar = {"edges": "edges", "classes": "classes"}

    def net_options(self, recipe, dataset, size):
        return {"side": float(size[0]) / 4} | recipe.net_options()

    def make_loss(self, net, recipe):
        def of(outputs, truth, ignored, *, add=alone):
            middle = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2
            column, row = (middle / self.stride).long().unbind(1)
            found = outputs[truth.pictures, :, row, column]
            edges = self._boxes(outputs, net.side)[truth.pictures, :, row, column]
            wanted = torch.zeros_like(outputs[:, 4:])
            wanted[truth.pictures, truth.labels, row, column] = 1
            count = add(torch.tensor(float(max(1, len(found)))))
            entropy = binary_cross_entropy_with_logits(outputs[:, 4:], wanted, reduction="sum")
            edge = (edges - truth.boxes).abs().sum() / net.side
            return {"edges": edge / count, "classes": entropy / count}

        return of

    def decoded(self, net):
        return Decoded(net, self._boxes)

    def outputs(self, net):
        return ("cells",)

    def load(self, net, state, names, classes):
        return load_matching(net, state)

    def read_foreign(self, file, net):
        return None

    def _boxes(self, outputs: Tensor, side: float) -> Tensor:
        """N×4×H×W, x1, y1, x2, y2."""
        rows, columns = (torch.arange(n) * self.stride + self.stride / 2 for n in outputs.shape[2:])
        middle = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
        reach = side * outputs[:, :4].exp()
        return torch.cat([middle - reach[:, :2], middle + reach[:, 2:]], dim=1)


class Decoded(Answering):
    def __init__(self, net, boxes):
        super().__init__()
        self.net, self.boxes = net, boxes

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        made = self.net(pictures)
        boxes = self.boxes(made, self.net.side).flatten(2).transpose(1, 2)
        return boxes, made[:, 4:].sigmoid().flatten(2).transpose(1, 2)


def test_a_family_without_anchors_learns_answers_and_exports(boxes_set, tmp_path, monkeypatch):
    file = types.ModuleType("viewfinder.nets.centres")
    file.centres = Centres
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setitem(nets._NETS, "centres", nets._Entry("centres", 64, task="detect"))
    monkeypatch.setattr(heads, "HEADS", {**heads.HEADS, "centres": CentresHead()})
    data = boxes_set(*squares(8))
    run = train_on(
        find("detect"),
        replace(data, splits=np.array([0, 0, 0, 0, 0, 0, 1, 1], np.int8)),
        DetectRecipe(net="centres", size=64, **QUICK),
        out=tmp_path / "run",
        source="squares",
    )
    assert {"loss", "edges", "classes"} <= run.history()[-1].keys()
    assert run.history()[-1]["edges"] < run.history()[0]["edges"]
    assert max(row.get("val_ap50", 0) for row in run.history()) > 0.2
    assert run.manifest.size == (64, 64)
    files = sorted(data.root.glob("*.png"))
    for answers, names in (("raw", {"cells"}), ("decoded", {"boxes", "scores"})):
        proof = export_onnx(run.model, tmp_path / "net.onnx", answers=answers, pictures=files)
        assert proof.differences.keys() == names


def test_a_net_that_is_no_detector_has_no_head():
    with pytest.raises(InputError, match="lenet is no detector; these are: yolov3"):
        heads.head_of("lenet")
