"""A net with ImageNet weights is a file and an entry: made up here, registered so, and trained."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.nets.blocks import Feature
from viewfinder.nets.facts import IMAGENET, PLAIN, SIGNED, Backbone, Package, Pretrained
from viewfinder.nets.yolo import BOX_VALUES, YOLO, Anchors, Masks, draw_predictors, scales_of
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import find
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training.preparing import start_net
from viewfinder.training.train import train


class Little(nn.Module):
    """N×3×H×W pictures to N×classes logits."""

    feature_info = (Feature(16, 8), Feature(32, 8))

    def __init__(self, *, classes: int = 1000) -> None:
        super().__init__()
        self.conv16 = nn.Conv2d(3, 8, 16, stride=16)
        self.conv32 = nn.Conv2d(8, 8, 2, stride=2)
        self.fc = nn.Linear(8, classes)

    def feature_maps(self, x: Tensor) -> tuple[Tensor, Tensor]:  # N×3×H×W
        x16 = self.conv16(x).relu()  # N×8×H/16×W/16
        return x16, self.conv32(x16).relu()  # N×8×H/32×W/32

    def forward(self, x: Tensor) -> Tensor:  # N×3×H×W
        *_, x = self.feature_maps(x)
        logits: Tensor = self.fc(x.mean((2, 3)))  # N×classes
        return logits


class LittleYOLO(YOLO):
    """YOLO's maps on those of `Little`."""

    def __init__(
        self,
        *,
        classes: int = 80,
        anchors: Anchors = ((10, 10), (40, 40)),
        masks: Masks = ((1,), (0,)),
        reach: float = 1.0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = Little(classes=1)
        info = self.backbone.feature_info[::-1]
        self.scales = scales_of(tuple(each.stride for each in info), anchors, masks, reach)
        self.heads = nn.ModuleList(
            nn.ModuleDict(
                {"predict": nn.Conv2d(channels, len(scale.anchors) * (BOX_VALUES + classes), 1)}
            )
            for (_, channels), scale in zip(info, self.scales, strict=True)
        )
        draw_predictors(self)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # N×3×H×W
        maps = self.backbone.feature_maps(x)[::-1]
        return tuple(head["predict"](x) for head, x in zip(self.heads, maps, strict=True))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Registers both, and a package with weights of `Little`, which it gives."""
    file = types.ModuleType("viewfinder.nets.little")
    file.little, file.little_yolo = Little, LittleYOLO
    monkeypatch.setitem(sys.modules, file.__name__, file)
    package = Package("little-weights", "little_weights", "models/little.pth", 0, "")
    for name, entry in {
        "little": nets._Entry("little", 32, imagenet=Pretrained(package, SIGNED)),
        "little-yolo": nets._Entry(
            "little", 64, task="detect", imagenet=Backbone("little", module="backbone")
        ),
    }.items():
        monkeypatch.setitem(nets._NETS, name, entry)
    (tmp_path / "little_weights/models").mkdir(parents=True)
    (tmp_path / "little_weights/__init__.py").touch()
    state = Little().state_dict()
    torch.save(state, tmp_path / "little_weights/models/little.pth")
    monkeypatch.syspath_prepend(tmp_path)
    return state


def test_a_pretrained_net_trains_from_its_weights_in_their_colours(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    for side, count in (("train", 4), ("val", 2)):
        for number in range(count):
            for name, level in (("dark", 40), ("light", 200)):
                picture = random.integers(level - 20, level + 20, (32, 32, 3), dtype=np.uint8)
                write_picture(tmp_path / "data" / side / name / f"{number}.png", picture)
    recipe = ClassifyRecipe(
        net="little", init="imagenet", epochs=1, freeze=1.0, precision="32", average=0.0
    )
    run = train("classify", tmp_path / "data", recipe, out=tmp_path / "run")
    assert (run.manifest.mean, run.manifest.std) == SIGNED
    found = run.net().state_dict()
    # Frozen to the end, so that they are still those of the package.
    assert torch.equal(found["conv16.weight"], weights["conv16.weight"])
    assert found["fc.weight"].shape == (2, 8)


def test_a_detector_starts_from_the_weights_of_its_backbone(weights: dict[str, Tensor]) -> None:
    recipe = DetectRecipe(net="little-yolo", init="imagenet")
    net, start = start_net(find("detect"), recipe, ("cat", "dog"), {})
    assert (start.colours.mean, start.colours.std) == SIGNED
    assert {name for name in start.loaded if ".fc." not in name} == {
        f"backbone.{name}" for name in weights if not name.startswith("fc.")
    }
    assert torch.equal(net.backbone.conv32.weight, weights["conv32.weight"])


def test_a_file_of_the_backbone_is_known(weights: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({f"module.{name}": each for name, each in weights.items()}, tmp_path / "a.pth")
    recipe = DetectRecipe(net="little-yolo", init=str(tmp_path / "a.pth"))
    net, start = start_net(find("detect"), recipe, ("cat", "dog"), {})
    assert start.colours.mean == SIGNED.mean
    assert torch.equal(net.backbone.conv16.weight, weights["conv16.weight"])


def test_the_facts_are_asked_by_name() -> None:
    assert nets.colours("resnet18") == IMAGENET
    assert nets.colours("a2dele") == IMAGENET
    assert nets.colours("a2dele-depth") == PLAIN
    assert nets.colours("lenet") is None
    assert nets.backbone("a2dele").net == "vgg16"
    assert nets.backbone("vgg16") is None
    assert nets.pretrained("a2dele") is None
