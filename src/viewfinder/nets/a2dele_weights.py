"""Weights for A2dele that others made: the authors' checkpoints, and VGG-16's for the backbone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from torch import Tensor

from viewfinder.errors import InputError
from viewfinder.nets.a2dele import STAGES, A2dele, A2deleDepth
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.checkpoints import load_matching
from viewfinder.nets.weight_files import read_weights


def stream_of(state: Mapping[str, Tensor]) -> Literal["rgb", "depth"] | None:
    """Which of A2dele's streams these weights are, by their names; None for another net's."""
    if not {"conv1_1.weight", "bn5_3.weight", "agg1.conv5.weight"} <= state.keys():
        return None
    if {"rfb2_1.weight", "att_1.weight"} <= state.keys():
        return "rgb"
    return "depth" if "rfb2_1.branch2.3.conv.weight" in state else None


def read_checkpoint(path: str | Path) -> A2dele | A2deleDepth:
    """The stream in a checkpoint of the authors' program, as that program computes it.

    The net has the profile "upstream" and is in evaluation mode.

    Raises:
        InputError: the file cannot be read, holds another net's weights, or not all of this one's.
    """
    with shapes_alone():
        streams = A2dele(profile="upstream"), A2deleDepth(profile="upstream")
    state = read_weights(path, *streams)
    stream = stream_of(state)
    if stream is None:
        raise InputError(
            f"{path} does not hold A2dele's weights: their names begin with conv1_1, bn1_1, "
            f"rfb2_1 and agg1; choose the net that the file was made for"
        )
    net = A2dele(profile="upstream") if stream == "rgb" else A2deleDepth(profile="upstream")
    report = load_matching(net, state)
    # Files older than torch 0.4.1 don't count batches, and nothing here reads the count.
    missing = [name for name in report.missing if not name.endswith("num_batches_tracked")]
    if report.different or missing or report.unexpected:
        raise InputError(f"{path} is not a whole checkpoint of A2dele's {stream} stream: {report}")
    return net.eval()


def backbone_weights(vgg16: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of `vgg16`, under the names that both streams have for the same layers.

    They are for `checkpoints.load_matching`. The norms' running statistics come along, which
    upstream leaves behind.

    Args:
        vgg16: a state dict of `nets.create("vgg16")`, and so of torchvision's `vgg16_bn`.

    Raises:
        InputError: it is not such a state dict.
    """
    ours = _names_in_vgg16()
    renamed = {}
    for name, tensor in vgg16.items():
        layer, _, kind = name.rpartition(".")
        if layer in ours:
            renamed[f"{ours[layer]}.{kind}"] = tensor
    if not {f"{layer}.weight" for layer in ours.values()} <= renamed.keys():
        raise InputError(
            "these weights are not those of VGG-16 with batch norms, whose layers are called "
            "features.0 to features.41; those of nets.create('vgg16') and of torchvision's "
            "vgg16_bn are"
        )
    return renamed


def _names_in_vgg16() -> dict[str, str]:
    """The name of each of our layers by the name that VGG-16 has for it."""
    ours: dict[str, str] = {}
    number = 0
    for stage, (_, depth) in enumerate(STAGES, start=1):
        for place in range(1, depth + 1):
            ours[f"features.{number}"] = f"conv{stage}_{place}"
            ours[f"features.{number + 1}"] = f"bn{stage}_{place}"
            number += 3  # A ReLU stands third.
        number += 1  # A pool ends the stage.
    return ours
