"""Classifiers that no file of ours holds: the user's, in memory, or torchvision's, by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from viewfinder.errors import InputError
from viewfinder.nets.facts import TORCHVISION
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.normalisation import IMAGENET, Normalisation
from viewfinder.wording import counted, likest


@dataclass(frozen=True, eq=False)
class HandedNet:
    """`tasks.model.Weights` that lie in memory already.

    Attributes:
        file: that they are from, or what messages call them.
    """

    file: Path
    net: nn.Module

    def load(self, config: ModelConfig) -> nn.Module:
        """The net itself, in evaluation mode."""
        return self.net.eval()


def model_of_net(
    net: nn.Module,
    *,
    classes: Sequence[str],
    size: Size = (224, 224),
    normalisation: Normalisation = IMAGENET,
    called: str | None = None,
) -> Model:
    """A classifier as a model that answers.

    Args:
        net: N×3×H×W normalised pictures to N×C logits.
        classes: C names, in the order of the logits.
        size: width and height of what it is given.
        called: what messages call it; its class, if not given.

    Raises:
        InputError: it gives no logits for such pictures, or as many as there are names.
    """
    name = called or type(net).__name__
    width, height = size
    try:
        with torch.no_grad():
            device = next((each.device for each in net.parameters()), torch.device("cpu"))
            logits = net.eval()(torch.zeros(2, 3, height, width, device=device))
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{name} takes no 2×3×{height}×{width} pictures: {error}") from error
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, len(classes)):
        gives = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InputError(
            f"{name} gives {gives} for 2 pictures, and {counted(len(classes), 'class')} "
            f"are named: give N×{len(classes)} logits, or the names of all classes"
        )
    config = ModelConfig("classify", name, tuple(classes), size, normalisation)
    return Model(Path(name), HandedNet(Path(name), net), config)


def open_torchvision(name: str) -> Model:
    """A classifier of torchvision's with its best weights, from where torch keeps them.

    Args:
        name: as `torchvision:resnet50`.

    Raises:
        InputError: torchvision has none of that name, or its weights are not on this machine.
    """
    from torchvision import models

    short = name.removeprefix(TORCHVISION)
    known = models.list_models(module=models)
    if short not in known:
        raise InputError(f"torchvision has no classifier {short}{likest(short, known)}")
    weights = models.get_model_weights(short).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not file.is_file():
        raise InputError(
            f"{name} needs the weights {file.name}: get them once from {weights.url} "
            f"into {file.parent}"
        )
    net = models.get_model(short)
    try:
        net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:
        raise InputError(f"{file} are no weights of {short}: {error}") from error
    seen = weights.transforms()
    (side,) = seen.crop_size
    normalisation = Normalisation(tuple(seen.mean), tuple(seen.std))
    classes = tuple(weights.meta["categories"])
    model = model_of_net(
        net, classes=classes, size=(side, side), normalisation=normalisation, called=name
    )
    return replace(model, weights=HandedNet(file, net))
