"""What a training starts from: decoded pictures, a net with its first weights, and colours."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.console import note
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import Chosen, Pixels, open_pixels
from viewfinder.datasets.opening import cache_folder
from viewfinder.errors import InputError
from viewfinder.inference.predictor import Normalisation
from viewfinder.nets.checkpoints import imagenet_weights, load_matching, read_weights
from viewfinder.pictures.reading import read_header
from viewfinder.runs.recipe import Recipe
from viewfinder.runs.run import new_net, open_run
from viewfinder.training.batches import mixed
from viewfinder.training.loop import Sides

# What torchvision's ImageNet weights were trained with; GoogLeNet's came from another library.
_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_IMAGENET_GOOGLENET = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# Pictures that are enough to know the mean and deviation of a set's colours.
_COLOUR_SAMPLE = 2000
# Pictures whose sizes stand for all, and the step in which a size is chosen from them.
_SIZE_SAMPLE, _SIZE_STEP = 200, 32
# Training pictures that are measured without augmentation, where there is no val to match.
_PROBE = 500


def choose_size(recipe: Recipe, dataset: Dataset) -> int:
    """The recipe's size, or the network's own, but no larger than the pictures without need.

    A network that takes any size learns nothing from small pictures blown up, only slowly; one
    that ends in a flattened map, or that starts from weights of others, keeps its own.
    """
    own = nets.input_size(recipe.net)[0]
    if recipe.size is not None or recipe.init != "random" or "size" in nets.options(recipe.net):
        return recipe.size or own
    train = dataset.split("train")
    step = max(1, len(train) // _SIZE_SAMPLE)
    sides = [max(read_header(train.file(index)).size) for index in range(0, len(train), step)]
    fitting = -(-int(np.median(sides)) // _SIZE_STEP) * _SIZE_STEP
    if fitting < own:
        note(f"pictures are small: brought to {fitting}×{fitting} instead of {own}×{own} (--size)")
    return min(own, fitting)


def open_sides(dataset: Dataset, size: int, recipe: Recipe) -> Sides:
    """Decode what a training learns from and what it is measured on.

    Raises:
        InputError: no training pictures, fewer than processes, or one that cannot be read.
    """
    train = dataset.split("train")
    present = [name for name, count in train.counts().items() if count]
    if len(present) < 2:
        raise InputError(
            f"{dataset.root} has training pictures of one class only, {present[0]!r}: add "
            "pictures of at least one other class"
        )
    if len(train) < recipe.devices:
        raise InputError(f"--devices {recipe.devices}: there are only {len(train)} pictures")
    pixels = open_pixels(train, size, keep=recipe.keep, cache=cache_folder())
    labels = torch.from_numpy(train.labels)
    val = dataset.split("val") if dataset.has_split("val") else None
    val_pixels = val_labels = None
    if val is not None:
        val_pixels = open_pixels(val, size, keep=recipe.keep, cache=cache_folder())
        val_labels = torch.from_numpy(val.labels)
    probe = probe_indices(len(train), len(val) if val else _PROBE)
    return Sides(
        train=pixels,
        train_labels=labels,
        val=val_pixels,
        val_labels=torch.zeros(0, dtype=torch.int64) if val_labels is None else val_labels,
        probe=Chosen(pixels, probe),
        probe_labels=labels[probe],
    )


def probe_indices(pictures: int, wanted: int) -> Tensor:
    """Which training pictures stand for all of them when fit is measured; always the same."""
    generator = torch.Generator().manual_seed(mixed("probe"))
    return torch.randperm(pictures, generator=generator)[:wanted]


def measure_colours(pixels: Pixels) -> Normalisation:
    """Mean and deviation of red, green and blue over (a sample of) the training pictures."""
    sample = probe_indices(len(pixels), _COLOUR_SAMPLE)
    total, square, count = np.zeros(3), np.zeros(3), 0
    for part in torch.tensor_split(sample, -(-len(sample) // 100)):
        batch = pixels.take(part).double() / 255
        total += batch.sum((0, 2, 3)).numpy()
        square += (batch**2).sum((0, 2, 3)).numpy()
        count += batch[:, 0].numel()
    mean = total / count
    # A set of one colour has no deviation; dividing by a grey level's step keeps it finite.
    deviation = np.maximum(np.sqrt(np.maximum(square / count - mean**2, 0)), 1 / 255)
    return Normalisation(
        tuple(round(float(m), 4) for m in mean), tuple(round(float(d), 4) for d in deviation)
    )


def start_net(
    recipe: Recipe, classes: int, size: int, pixels: Pixels
) -> tuple[nn.Module, Normalisation]:
    """The recipe's network with its first weights, and the colours that it expects.

    Raises:
        InputError: an unknown network or option, or weights that cannot be read or do not fit.
    """
    torch.manual_seed(recipe.seed)
    net = new_net(recipe, classes, size)
    if recipe.init == "random":
        return net, measure_colours(pixels)
    if recipe.init == "imagenet":
        state = imagenet_weights(recipe.net)
        normalisation = _IMAGENET_GOOGLENET if recipe.net == "googlenet" else _IMAGENET
    elif (Path(recipe.init) / "run.json").exists():
        run = open_run(recipe.init)
        state = run.net().state_dict()
        normalisation = Normalisation(run.manifest.mean, run.manifest.std)
    else:
        state, normalisation = read_weights(recipe.init), measure_colours(pixels)
    note(str(load_matching(net, state)))
    return net, normalisation
