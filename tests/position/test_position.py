"""Position sensitivity: what must be exactly zero, what must not, and that nothing is touched."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

import viewfinder
from viewfinder.cli.explain import Flags, run
from viewfinder.console import WIDTH
from viewfinder.errors import InputError
from viewfinder.explain.explaining import explain
from viewfinder.pictures.writing import write_picture
from viewfinder.position.chart import ChartLine, chart
from viewfinder.position.sensitivity import ComparedStage, measure_position, shifted
from viewfinder.position.sensitivity_page import page
from viewfinder.position.sensitivity_text import PositionSetting, document, lines
from viewfinder.position.stages import MOST_STAGES, choose_stages

STAGES = (ComparedStage("0", (2.0, 2.0)), ComparedStage("2", (4.0, 4.0)))
SETTING = PositionSetting("net", None, "noise")


def circular() -> nn.Sequential:
    """Stride 4, periodic, and pooled over the whole map: made to ignore moves by 4 pixels."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1, padding_mode="circular"),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1, padding_mode="circular"),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def subjects(count: int = 4, side: int = 32) -> Tensor:
    """Noise in the middle of an even ground: to move it is to roll it, whatever the border."""
    pictures = torch.full((count, 3, side, side), 0.3)
    pictures[:, :, 10:20, 9:21] = torch.rand(count, 3, 10, 12)
    return pictures


def test_a_move_takes_the_border_along() -> None:
    picture = torch.arange(12.0).view(1, 1, 3, 4)
    assert shifted(picture, 1, "right")[0, 0, 0].tolist() == [1, 0, 1, 2]
    assert shifted(picture, 2, "down")[0, 0, :, 0].tolist() == [8, 4, 0]
    assert torch.equal(shifted(picture, 0, "down"), picture)


@pytest.mark.parametrize("shift", [-1, 3, 40])
def test_a_move_out_of_the_picture(shift: int) -> None:
    with pytest.raises(InputError, match=f"a shift of {shift} pixels does not fit pictures of 4×3"):
        shifted(torch.zeros(1, 3, 3, 4), shift, "down")


def test_a_periodic_pooled_net_ignores_whole_strides_and_nothing_else() -> None:
    found = measure_position(circular().double(), subjects().double(), stages=STAGES, largest=8)
    for step in found.steps:
        if step.shift % 4 == 0:
            assert step.output == pytest.approx(0, abs=1e-6)
            assert step.flips == 0
        else:
            assert step.output > 1e-3


def test_features_follow_by_whole_strides_and_only_then_are_compared() -> None:
    found = measure_position(circular(), subjects(), stages=STAGES, largest=8)
    for step in found.steps:
        for stage, change in zip(STAGES, step.features, strict=True):
            assert stage.stride is not None
            if step.shift % stage.stride[0]:
                assert change.along is None
            else:
                assert change.along == pytest.approx(0, abs=1e-6)
            assert (change.in_place > 0.01) == (step.shift > 0)


def test_a_linear_layer_on_pixels_does_not_ignore_any_move() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    found = measure_position(net, subjects(), stages=[ComparedStage("0", None)], largest=8)
    assert found.steps[0].output == 0
    assert all(step.output > 0.01 for step in found.steps[1:])
    assert all(step.features[0].along is None for step in found.steps)


def test_the_figures_are_those_of_the_definition() -> None:
    net, pictures = circular().eval(), torch.rand(5, 3, 32, 32)
    labels = torch.tensor([0, 1, 2, 3, 4])
    step = measure_position(net, pictures, stages=STAGES[:1], largest=2, labels=labels).steps[2]
    with torch.no_grad():
        moved = torch.cat([shifted(pictures, 2, "right"), shifted(pictures, 2, "down")])
        before, after = net(pictures).repeat(2, 1), net(moved)
        old, new = net[0](pictures), net[0](moved)
    answers = after.argmax(1)
    assert step.output == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-5)
    assert step.flips == float((answers != before.argmax(1)).float().mean())
    assert step.accuracy == pytest.approx(float((answers == labels.repeat(2)).float().mean()))
    share = (after.softmax(1) - before.softmax(1)).abs().sum(1).mean() / 2
    assert step.probability == pytest.approx(float(share), rel=1e-4)
    apart = [new[:5, ..., 1:] - old[..., :-1], new[5:, :, 1:] - old[:, :, :-1]]
    known = [old[..., :-1], old[:, :, :-1]]
    along = sum(float(a.square().sum()) for a in apart) / sum(
        float(k.square().sum()) for k in known
    )
    assert step.features[0].along == pytest.approx(along**0.5, rel=1e-4)


class Restless(nn.Module):
    """Batch statistics, dropout that never rests, and an activation that overwrites its input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.conv(x)))
        return self.head(nn.functional.dropout(x.mean((2, 3))))


def test_the_module_is_afterwards_as_it_was() -> None:
    net = Restless().train()
    net.norm.eval()
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    pictures, random = torch.rand(3, 3, 16, 16), torch.get_rng_state()
    stages = [ComparedStage("conv", (1.0, 1.0)), ComparedStage("norm", (1.0, 1.0))]
    found = measure_position(net, pictures, stages=stages, largest=2)
    assert torch.equal(torch.get_rng_state(), random)
    assert [net.training, net.norm.training, net.conv.training] == [True, False, True]
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
    assert not any(child._forward_hooks for child in net.modules())
    assert all(parameter.grad is None for parameter in net.parameters())
    # The same dropout falls in every pass, and no move is no change.
    assert found.steps[0].output == 0
    assert all(change.in_place == 0 for change in found.steps[0].features)


def test_chunks_add_up() -> None:
    net, pictures = circular(), torch.rand(70, 3, 32, 32)
    whole = measure_position(net, pictures, stages=STAGES, largest=1).steps[1]
    with torch.no_grad():
        before = net.eval()(pictures).repeat(2, 1)
        after = net(torch.cat([shifted(pictures, 1, "right"), shifted(pictures, 1, "down")]))
    assert whole.output == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-4)


def test_stages_of_a_residual_net() -> None:
    net, pictures = torchvision.models.resnet18().eval(), torch.rand(1, 3, 64, 64)
    stages = choose_stages(net, explain(net, tuple(pictures.shape)), pictures)
    assert [(stage.name, stage.stride and stage.stride[0]) for stage in stages] == [
        *[("conv1", 2), ("bn1", 2), ("maxpool", 4), ("layer1", 4)],
        *[("layer2.0.conv1", 8), ("layer2", 8), ("layer3.0.conv1", 16), ("layer3", 16)],
        *[("layer4.0.conv1", 32), ("layer4", 32), ("avgpool", None)],
    ]
    found = measure_position(net, pictures, stages=stages, largest=1)
    assert len(found.steps[1].features) == len(stages)


@pytest.mark.parametrize("name", ["swin_t", "mobilenet_v3_small", "densenet121", "vit_b_32"])
def test_stages_of_any_net_are_few_and_can_be_measured(name: str) -> None:
    net, pictures = torchvision.models.get_model(name).eval(), torch.rand(1, 3, 224, 224)
    stages = choose_stages(net, explain(net, tuple(pictures.shape)), pictures)
    assert 1 <= len(stages) <= MOST_STAGES
    found = measure_position(net, pictures, stages=stages, largest=1)
    assert found.steps[0].output == 0


def test_the_table_fits_and_the_page_is_whole() -> None:
    for largest, labels in ((0, None), (8, None), (30, torch.zeros(4).long())):
        found = measure_position(
            circular(), subjects(), stages=STAGES, largest=largest, labels=labels
        )
        printed = lines(found, SETTING)
        assert max(line.cell_len for line in printed) <= WIDTH
        assert any("Weights are random" in line.plain for line in printed)
        text = page(found, PositionSetting("<script>alert(1)</script>", "a run", "b"))
        assert "<script" not in text
        assert not re.search(r"https?://|@import|url\((?!#)", text)
        for drawing in re.findall(r"<svg.*?</svg>", text, re.S):
            ET.fromstring(drawing)
        told = json.loads(json.dumps(document(found, SETTING), allow_nan=False))
        assert len(told["steps"]) == largest + 1


def test_the_chart_stays_inside_its_frame() -> None:
    for values in ((0.0,), (0.0, 0.0, 0.0), (0.0, 3.0, 250.0), (0.0, None, 99.0)):
        drawing = ET.fromstring(chart([ChartLine("a & <b>", values, 0)], label='"quoted"'))
        circles = [one for one in drawing if one.tag == "circle"]
        assert len(circles) == sum(value is not None for value in values)
        assert all(0 <= float(one.attrib["cy"]) <= 330 for one in circles)
        assert all(0 <= float(one.attrib["cx"]) <= 560 for one in circles)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "один é.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    write_picture(path, noise)
    return str(path)


def test_the_command_with_a_picture(
    picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "page.html"
    assert run(Flags("lenet", shift=2, on=picture, json=True, html=told)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "viewfinder.position/1"
    assert document["weights"] is None
    assert document["pictures"] == 1
    assert [step["shift"] for step in document["steps"]] == [0, 1, 2]
    assert [stage["name"] for stage in document["stages"]][:2] == ["conv1", "down1"]
    assert document["steps"][2]["features"][0]["along"] == pytest.approx(0, abs=1e-6)
    assert "Weights are random" in told.read_text(encoding="utf-8")


def test_the_command_with_a_run_and_a_data_set(
    small_run: Path, small_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Flags(shift=2, weights=small_run, on=str(small_set))) == 0
    printed = capsys.readouterr().out
    assert "right answers" in printed
    assert f"Weights of {small_run}"[:60] in printed
    assert run(Flags("lenet", shift=1, weights=small_run, on=str(small_set), json=True)) == 0
    found = json.loads(capsys.readouterr().out)
    scores = viewfinder.open_run(small_run).evaluate(small_set, split="test", device="cpu")
    assert found["pictures"] == scores["images"]
    assert found["steps"][0]["accuracy"] == pytest.approx(scores["accuracy"])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (Flags(), "say which net: viewfinder explain resnet50"),
        (Flags(shift=3, on="{picture}"), "say which net: viewfinder explain lenet --shift 8"),
        (Flags("lenet", on="tabletop"), "--on goes with --shift"),
        (Flags("lenet", weights=Path("runs/a")), "--weights goes with --shift"),
        (Flags("lenet", shift=3, on="nowhere"), "there is no folder nowhere"),
        (Flags("lenet", shift=-1, on="{picture}"), "a shift of -1 pixels does not fit"),
        (Flags("lenet", shift=32, on="{picture}"), "a shift of 32 pixels does not fit"),
        (Flags("lenet", shift=3, batch=2), "--shift takes no --batch"),
        (Flags("lenet", shift=3, input=("1x28x28",)), "--shift moves square colour pictures"),
        (Flags("lenet", shift=3, on="{picture}", input=("3x64x64",)), "fc1 expects 800 features"),
        (Flags("resnet18", shift=3, weights=Path("{run}")), "holds a lenet, not resnet18"),
        (Flags(shift=3, weights=Path("{run}"), input=("3x64x64",)), "leave --input out"),
    ],
)
def test_what_cannot_be_measured(flags: Flags, words: str, picture: str, small_run: Path) -> None:
    from dataclasses import replace

    if flags.on:
        flags = replace(flags, on=flags.on.format(picture=picture))
    if str(flags.weights) == "{run}":
        flags = replace(flags, weights=small_run)
    with pytest.raises(InputError) as caught:
        run(flags)
    assert words in str(caught.value)


def test_the_package_can_be_called_and_does_not_wait_for_torch() -> None:
    net = nn.Linear(3, 4)
    assert viewfinder.explain(net, (1, 3), name="a") == explain(net, (1, 3), name="a")
    assert viewfinder.explain.explain is explain
    code = (
        "import sys, viewfinder; assert 'torch' not in sys.modules\n"
        "import torch, viewfinder.explain.targets\n"
        "from viewfinder.explain import explain\n"
        "from viewfinder import explain as called\n"
        "assert called(torch.nn.Identity(), (1, 3)).mistake is None\n"
        "assert explain(torch.nn.Identity(), (1, 3)).mistake is None\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
