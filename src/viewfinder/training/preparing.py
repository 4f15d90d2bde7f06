"""What a training starts from: decoded pictures, a net with its first weights, and colours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import stand_ins
from viewfinder.events import note
from viewfinder.nets.checkpoints import imagenet_weights, is_imagenet, require_imagenet
from viewfinder.nets.packaged import PACKAGES
from viewfinder.nets.published import COCO_NET, coco_weights
from viewfinder.nets.weight_files import read_weights
from viewfinder.runs.foreign import COCO
from viewfinder.runs.run import holds_run, new_net, open_run
from viewfinder.tasks.detect.class_names import COCO as COCO_CLASSES
from viewfinder.tasks.normalisation import IMAGENET, PLAIN, Normalisation
from viewfinder.tasks.recipe import Recipe, UsualText
from viewfinder.tasks.task import Examples, Setting, Task
from viewfinder.wording import counted

# Nets that have another's layers in them, whose ImageNet weights start these.
_BACKBONES = {"a2dele": "vgg16", "a2dele-depth": "vgg16"}
# GoogLeNet's and EfficientNet-lite's weights came from another library than the others'; the stream
# of depth brings depth to ImageNet's colours by itself.
_IMAGENET_COLOURS = {
    **dict.fromkeys(PACKAGES, Normalisation((127 / 255,) * 3, (128 / 255,) * 3)),
    "googlenet": Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "a2dele-depth": PLAIN,
}
_WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Sides:
    """Examples to learn from, to choose by, and to compare with.

    Attributes:
        probe: the training pictures that stand for all, never augmented.
    """

    train: Examples
    val: Examples | None
    probe: Examples


def open_sides(task: Task, dataset: Dataset, setting: Setting) -> Sides:
    """Decode what a training learns from and what it is measured on.

    Raises:
        InputError: no training pictures, fewer than processes, or one that cannot be read.
    """
    train = dataset.split("train")
    val = dataset.split("val") if dataset.has_split("val") else None
    learnt = task.open(train, setting, learn=True)
    shown = len(task.order(learnt, setting.recipe, torch.Generator()))
    if shown < setting.recipe.devices:
        raise InputError(
            f"--devices {setting.recipe.devices}: there {'is' if shown == 1 else 'are'} only "
            f"{counted(shown, 'picture')} to share"
        )
    return Sides(
        train=learnt,
        val=None if val is None else task.open(val, setting, learn=False),
        probe=task.open(stand_ins(dataset), setting, learn=False),
    )


@dataclass(frozen=True)
class Start:
    """Where a net's first weights came from.

    Attributes:
        colours: what they expect of pictures, if they are of others.
        loaded: the parameters that are of others.
    """

    colours: Normalisation | None = None
    loaded: frozenset[str] = frozenset()


def start_net(
    task: Task, recipe: Recipe, classes: tuple[str, ...], options: dict[str, Any]
) -> tuple[nn.Module, Start]:
    """The recipe's network with its first weights, and what is known of them.

    Raises:
        InputError: an unknown network or option, or weights that cannot be read or do not fit.
    """
    torch.manual_seed(recipe.seed)
    net = new_net(recipe.net, len(classes), options)
    if recipe.init == "random":
        return net, Start()
    state, names, colours = _weights_to_start(task, net, recipe)
    report = task.load(net, state, names, classes)
    note(str(report))
    return net, Start(colours, frozenset(report.loaded))


def refuse_unfetched(net: str) -> None:
    """Refuse ImageNet's weights of a net, or of its backbone, that cannot be had.

    Raises:
        InputError: there are none, or they are not here and cannot be fetched.
    """
    require_imagenet(_BACKBONES.get(net, net))


def _weights_to_start(
    task: Task, net: nn.Module, recipe: Recipe
) -> tuple[Mapping[str, Tensor], tuple[str, ...], Normalisation | None]:
    """What `--init` names: weights, the classes that they are for, and the colours they expect."""
    published = _BACKBONES.get(recipe.net, recipe.net)
    colours = _IMAGENET_COLOURS.get(recipe.net, IMAGENET)
    if recipe.init == "imagenet":
        return imagenet_weights(published), (), colours
    place = Path(recipe.init).expanduser()
    # A run may be called coco too; who names nothing does not mean it.
    here = place.is_file() or holds_run(place)
    if recipe.init == COCO and (isinstance(recipe.init, UsualText) or not here):
        if recipe.net != COCO_NET:
            raise InputError(f"--init coco: these weights are of {COCO_NET}, and not {recipe.net}")
        return coco_weights(), COCO_CLASSES, PLAIN
    # A run's weights alone do not tell what colours they expect; its folder does.
    folder = place.parent if place.name == _WEIGHTS else place
    if holds_run(folder):
        run = open_run(folder)
        colours = Normalisation(run.manifest.mean, run.manifest.std)
        return run.net().state_dict(), run.manifest.classes, colours
    if foreign := task.read_foreign(place, net):
        return *foreign, PLAIN
    state = read_weights(place, *_layouts(net, published))
    if not is_imagenet(published, state):
        return state, (), None
    note(
        f"{place} holds {published} for the 1000 classes of ImageNet: pictures are brought to the "
        "colours that these weights expect, as with --init imagenet"
    )
    return state, (), colours


def _layouts(net: nn.Module, published: str) -> Iterator[nn.Module]:
    """The nets whose weights can start one: itself, and the one that has its backbone."""
    yield net
    if published in _BACKBONES.values():
        with torch.device("meta"):
            yield nets.create(published)
