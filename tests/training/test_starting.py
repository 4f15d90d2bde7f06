"""Weights of others to start from: whose colours, behind what prefix, and what stops it."""

from pathlib import Path

import pytest
import torch

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.normalisation import IMAGENET
from viewfinder.training.preparing import start_net

CLASSES = ("one", "two")


def published(name: str, **options: object) -> dict[str, torch.Tensor]:
    """Weights in the layout that torchvision publishes, all of them 0.01, which takes no time."""
    with torch.device("meta"):
        layout = nets.create(name, **options).state_dict()
    return {
        n: torch.full(t.shape, 0.01).expand(t.shape) if t.is_floating_point() else torch.tensor(0)
        for n, t in layout.items()
    }


@pytest.mark.parametrize(
    ("name", "mean"), [("resnet18", IMAGENET.mean), ("googlenet", (0.5, 0.5, 0.5))]
)
@pytest.mark.parametrize("prefix", ["", "module.model."])
def test_torchvisions_file_by_path_is_init_imagenet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, mean: object, prefix: str
) -> None:
    file = tmp_path / f"{name}.pth"
    weights = published(name)
    torch.save({f"{prefix}{n}": tensor for n, tensor in weights.items()}, file)
    recipe = ClassifyRecipe(net=name, init=str(file))
    net, start = start_net(find("classify"), recipe, CLASSES, {})
    assert start.colours is not None
    assert start.colours.mean == mean
    assert "for the 1000 classes of ImageNet" in capsys.readouterr().err
    assert torch.equal(next(net.parameters()), next(iter(weights.values())))


def test_weights_for_other_classes_take_the_sets_own_colours(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    torch.save({"net": published("resnet18", classes=10)}, file)
    recipe = ClassifyRecipe(net="resnet18", init=str(file))
    assert start_net(find("classify"), recipe, CLASSES, {})[1].colours is None


def test_a_prefix_before_a_backbones_weights_is_left_away(tmp_path: Path) -> None:
    from viewfinder.tasks.saliency.recipe import SaliencyRecipe

    file = tmp_path / "vgg16.pth"
    weights = published("vgg16")
    kept = {n: t for n, t in weights.items() if n.startswith("features.")}
    torch.save({f"backbone.{n}": tensor for n, tensor in kept.items()}, file)
    recipe = SaliencyRecipe(net="a2dele", init=str(file))
    _, start = start_net(find("saliency"), recipe, ("subject",), {})
    assert "conv1_1.weight" in start.loaded


def test_weights_that_are_no_numbers_stop_it(tmp_path: Path) -> None:
    weights = nets.create("lenet").state_dict()
    weights["conv2.bias"] = torch.full_like(weights["conv2.bias"], float("inf"))
    torch.save(weights, tmp_path / "a.pth")
    recipe = ClassifyRecipe(net="lenet", init=str(tmp_path / "a.pth"))
    with pytest.raises(InputError, match=r"NaN or infinite numbers, in conv2\.bias"):
        start_net(find("classify"), recipe, CLASSES, {})
