"""What `explain --shift` does: finds net, weights and pictures, and measures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import prepare
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.explain.explaining import explain
from viewfinder.explain.explanation import Explanation
from viewfinder.explain.targets import find_net
from viewfinder.inference.opening import open_model
from viewfinder.position.sensitivity import Sensitivity, measure_position
from viewfinder.position.sensitivity_text import PositionSetting
from viewfinder.position.stages import choose_stages
from viewfinder.tasks.normalisation import Normalisation

# A few tens of seconds on one core: LeNet takes the whole test side, ResNet-50 a few pictures.
_MOST_MACS = 4e11
_FEWEST_PICTURES = 8
# Of ImageNet's pictures, as every published weight expects them.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class MeasuredNet:
    """A net made ready: the side of its pictures, their normalisation, its classes if known.

    `bits` are how many the values of 16-bit pictures fill.
    """

    name: str
    net: nn.Module
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    weights: str | None
    classes: tuple[str, ...] | None
    bits: int = 16


@dataclass(frozen=True)
class MeasuredPictures:
    """N×3×H×W in [0, 1], and the data set that they are, if they are one."""

    pixels: Tensor
    data: Dataset | None


def measure(
    target: str | None, *, weights: Path | None, on: str, largest: int, side: int | None
) -> tuple[Sensitivity, PositionSetting]:
    """Move the pictures of `on` by up to `largest` pixels, and compare.

    Args:
        target: a net, as `explain` takes it; with `weights`, the run's own or nothing.
        weights: a run; without one the weights are drawn at random, from a fixed seed.
        on: a picture, a data set, or `tabletop`.
        side: of the square that pictures are brought to; the net's own if None.

    Raises:
        InputError: anything of these that cannot be used, or a net that takes no colour picture.
    """

    subject = subject_of_run(weights, target, side) if weights else _of_target(target, side)
    explanation = explained(subject)
    pictures = load_pictures(on, subject.size, affordable(explanation, largest), bits=subject.bits)
    pixels, labels = ready(pictures, subject)
    found = measure_position(
        subject.net,
        pixels,
        stages=choose_stages(subject.net, explanation, pixels[:1]),
        largest=largest,
        labels=labels,
    )
    return found, PositionSetting(subject.name, subject.weights, on)


def explained(subject: MeasuredNet) -> Explanation:
    """The subject's arithmetic.

    Raises:
        InputError: it takes no colour picture of its size.
    """

    explanation = explain(subject.net, (1, 3, subject.size, subject.size), name=subject.name)
    if explanation.mistake is not None:
        raise InputError(
            f"{subject.name} does not take a 3×{subject.size}×{subject.size} picture: "
            f"{explanation.mistake.rule} (give the size as --input 3x64x64, or see the whole table "
            "without --shift)"
        )
    return explanation


def affordable(explanation: Explanation, largest: int) -> int:
    """How many pictures can be moved so far in a few tens of seconds."""
    passes = 1 + 2 * (largest + 1)
    return max(_FEWEST_PICTURES, int(_MOST_MACS / (passes * max(1, explanation.totals.macs))))


def subject_of_run(
    weights: Path, target: str | None = None, side: int | None = None
) -> MeasuredNet:
    """What a training left, which must be of this target and side where they are given.

    Raises:
        InputError: no run, or another net or size.
    """

    model = open_model(weights)
    config = model.config
    if target not in (None, config.net):
        raise InputError(
            f"--weights {weights} holds a {config.net}, not {target}: leave the target out"
        )
    if side not in (None, config.size[0]):
        raise InputError(
            f"--weights {weights} was trained on pictures of {config.size[0]}×"
            f"{config.size[1]}: leave --input out"
        )
    mean, std = config.normalisation.mean, config.normalisation.std
    where, classes = str(weights), config.classes
    side, bits = config.size[0], config.bits
    return MeasuredNet(config.net, model.load(), side, mean, std, where, classes, bits)


def _of_target(target: str | None, side: int | None) -> MeasuredNet:

    if target is None:
        raise InputError("say which net: viewfinder explain lenet --shift 8, or --weights RUN")
    # The same random weights every time, so that two answers can be compared.
    torch.manual_seed(0)
    net, usual = find_net(target)
    return MeasuredNet(target, net.eval(), side or (usual or (224,))[0], _MEAN, _STD, None, None)


def load_pictures(
    on: str, size: int, most: int | None = None, *, bits: int = 16
) -> MeasuredPictures:
    """A picture, or a data set's test side, all of it or at most so many, at this size.

    Raises:
        InputError: there is none, or it cannot be read.
    """

    data = None
    if Path(on).is_file():
        files = [Path(on)]
    else:
        data = open_dataset(on)
        data = data.split(next(s for s in ("test", "val", "train") if data.has_split(s)))
        # Spread over the classes, which lie one after another.
        count = min(most or len(data), len(data))
        data = data.select(np.linspace(0, len(data) - 1, count).round().astype(int))
        files = [data.file(index) for index in range(len(data))]
    # Copied, since a decoder may lend its own memory, which torch must not write to.
    read = [torch.tensor(prepare(file, (size, size), bits=bits)) for file in files]
    pixels = torch.stack(read)
    return MeasuredPictures(pixels.permute(0, 3, 1, 2) / 255, data)


def ready(pictures: MeasuredPictures, subject: MeasuredNet) -> tuple[Tensor, Tensor | None]:
    """The pictures as the subject takes them, and their classes where it knows them."""

    labels, data = None, pictures.data
    if (
        data is not None
        and subject.classes is not None
        and set(data.classes) <= set(subject.classes)
    ):
        labels = torch.tensor(data.with_classes(subject.classes).labels)
    return Normalisation(subject.mean, subject.std).apply(pictures.pixels), labels
