"""A classifier's last layer solved: vectors are made, a layer is chosen, and put in its place."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files, short
from viewfinder.datasets.loading import Pixels, prepare
from viewfinder.datasets.unlabelled import unlabelled_pictures
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.features.quick import quick_copy
from viewfinder.features.store import kept_keys
from viewfinder.features.vectors import Ask, Extractor, last_layer, make_extractor, views
from viewfinder.tasks.answering import one_tensor, outputs
from viewfinder.tasks.classify.heads import Floats
from viewfinder.tasks.classify.last_layer import IN_WORDS, Solved, VectorExamples, Way, solve
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.model import ModelConfig
from viewfinder.wording import counted, some

WAYS: Mapping[str, tuple[Way, ...]] = {
    "auto": ("prototypes", "linear"),
    "prototypes": ("prototypes",),
    "linear": ("linear",),
    "full": ("linear",),
}
# Pictures without labels that are looked at, at most: more take long, and memory by the square.
_MOST = 4000
# Classes that are named, at most.
_NAMED = 5
_LATEST: dict[str, nn.Module] = {}
# The last layers of nets, by their kind and size.
_LAYERS: dict[str, str | None] = {}


def solve_last_layer(
    net: nn.Module,
    pixels: Pixels,
    truth: Dataset,
    recipe: ClassifyRecipe,
    config: ModelConfig,
    device: torch.device,
    held_out: Collection[str] = (),
) -> Mapping[str, object]:
    """Learn the last layer of a net, in place; the others stay what they are.

    Args:
        pixels: the training pictures; `truth` has their classes.
        held_out: digests of pictures that are to judge, and so are not learnt from unlabelled.

    Returns:
        `way`, `decay`, `right` (by way, of left-out pictures), `pictures`, `believed` and
        `says`, all of it in a line.

    Raises:
        InputError: the net does not end in a linear layer, or pictures cannot be read.
    """
    if not can_be_solved(net, config, device):
        raise InputError(
            f"{recipe.net} does not end in a linear layer, so its last layer cannot be solved: let "
            "all of its layers learn, by --head full"
        )
    extractors, others = view_extractors(net.eval(), config, device), None
    if recipe.unlabelled is not None:
        learnt = {short(key) for key in _digests(truth)}
        others = _looked_at(
            unlabelled_pictures(recipe.unlabelled, learnt=learnt, held_out=held_out)
        )
    described = described_views(extractors, pixels, truth)
    labels = np.asarray(truth.labels, np.int64)
    examples = VectorExamples(described, labels, len(config.classes))
    more = None if others is None else _vectors_of(others, extractors, config)
    solved = solve(examples, WAYS[recipe.head], more)
    _put(net, extractors[0].layer, solved)
    note(says := _told(solved, config.classes))
    return {
        "way": solved.way,
        "decay": solved.decay,
        "right": dict(solved.right),
        "pictures": solved.pictures,
        "believed": solved.believed,
        "says": says,
    }


def answers_by_views(
    net: nn.Module, pixels: Pixels, truth: Dataset, config: ModelConfig, device: torch.device
) -> NDArray[np.float32]:
    """N×C class probabilities, of a net whose last layer alone was learnt.

    What the other layers say of a picture is kept between sittings: pictures that were learnt from,
    or judged by before, are not looked at again.
    """
    extractors = view_extractors(net, config, device)
    layer = _linear(net, extractors[0].layer)
    described = torch.from_numpy(described_views(extractors, pixels, truth)).to(device)
    with torch.no_grad():
        shares: Tensor = layer(described.float()).softmax(dim=2).mean(dim=1)
    return shares.cpu().numpy()


def can_be_solved(net: nn.Module, config: ModelConfig, device: torch.device) -> bool:
    """Whether a net ends in a linear layer; others learn in steps alone."""
    return _last_layer(net.eval(), config, device) is not None


def _last_layer(net: nn.Module, config: ModelConfig, device: torch.device) -> str | None:
    """As `last_layer`, which asks the net a picture; nets of one kind and size are asked once."""
    kind = f"{config.net} {dict(config.options)} {config.size}"
    if kind not in _LAYERS:
        _LAYERS[kind] = last_layer(_as_written(net), _ask(config, device), config.size)
    return _LAYERS[kind]


def _as_written(net: nn.Module) -> nn.Module:
    """The same net, without another program that answers in its place: nobody sees within that."""
    own = copy.copy(net)
    own.__dict__.pop("forward", None)
    return own


def _ask(config: ModelConfig, device: torch.device) -> Ask:
    return lambda net, pictures: one_tensor(outputs(net, pictures, config.normalisation, device))


def view_extractors(
    net: nn.Module, config: ModelConfig, device: torch.device
) -> tuple[Extractor, ...]:
    """What describes a picture, and its mirror image where that is asked too.

    Raises:
        InputError: the net does not end in a linear layer.
    """

    ask = _ask(config, device)
    made = f"{config.normalisation} {config.bits} {config.framing}, folded, by fours"
    net = _as_written(net)
    layer = _last_layer(net, config, device)
    named = make_extractor(net, ask, size=config.size, made=made, layer=layer)
    plain = replace(named, net=_folded(net, f"{named.name} {device}"))
    if not config.habits.get("mirror"):
        return (plain,)
    mirrored = replace(
        plain, ask=lambda net, pictures: ask(net, pictures.flip(3)), name=f"{plain.name}-mirrored"
    )
    return plain, mirrored


def _folded(net: nn.Module, name: str) -> nn.Module:
    """A copy that answers sooner, but for its last layer, which is that of the first of this name.

    The latest is kept: a training in folds asks for the same one two dozen times.
    """
    if name not in _LATEST:
        _LATEST.clear()
        _LATEST[name] = quick_copy(net)
    return _LATEST[name]


def described_views(extractors: Sequence[Extractor], pixels: Pixels, truth: Dataset) -> Floats:
    """N×V×D: of each picture what each extractor says."""
    return views(extractors, pixels.take, _digests(truth)).astype(np.float64)


def undescribed(extractors: Sequence[Extractor], truth: Dataset) -> int:
    """How many pictures of a set are not kept as each extractor describes them."""
    keys = _digests(truth)
    kept = set(keys).intersection(*(kept_keys(each.name, each.width, keys) for each in extractors))
    return len(set(keys) - kept)


def _digests(truth: Dataset) -> list[bytes]:
    """Of each picture's file."""
    return of_files([truth.file(index) for index in range(len(truth))])


def _looked_at(pairs: list[tuple[Path, bytes]]) -> list[tuple[Path, bytes]]:
    """Pictures without labels, each with its digest: of many a part."""
    if len(pairs) <= _MOST:
        return pairs
    note(f"of {len(pairs):,} pictures without labels {_MOST:,} are looked at")
    return [pairs[number] for number in np.linspace(0, len(pairs) - 1, _MOST).astype(int).tolist()]


def _vectors_of(
    pairs: list[tuple[Path, bytes]], extractors: Sequence[Extractor], config: ModelConfig
) -> Floats:
    """M×D of M pictures without labels.

    Raises:
        InputError: one cannot be read.
    """

    def take(numbers: Sequence[int]) -> Tensor:
        read = [prepare(pairs[number][0], config.size, bits=config.bits) for number in numbers]
        return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2)

    found = views(extractors, take, [key for _, key in pairs])
    return np.asarray(found.mean(axis=1), np.float64)


def _put(net: nn.Module, layer: str, solved: Solved) -> None:
    module = _linear(net, layer)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(solved.layer.weight))
        if module.bias is not None:
            module.bias.copy_(torch.from_numpy(solved.layer.bias))


def _linear(net: nn.Module, layer: str) -> nn.Linear:
    module = net.get_submodule(layer)
    assert isinstance(module, nn.Linear)
    return module


def _told(solved: Solved, classes: Sequence[str]) -> str:
    """How the layer came about, in a line."""
    said = f"the last layer is learnt by {IN_WORDS[solved.way]}"
    if not solved.right:
        return f"{said}; too few pictures to leave some out and compare"
    shares = ", ".join(
        f"{words} {solved.right[way]:.1%}" for way, words in IN_WORDS.items() if way in solved.right
    )
    if solved.way == "linear" and solved.right.get("prototypes", 0.0) > solved.right["linear"]:
        shares += ", so that class means are not clearly better"
    alike = ", each class counting alike" if solved.unequal else ""
    said += f"; right of {counted(solved.pictures, 'left-out picture')}{alike}: {shares}"
    if solved.single:
        named = some([classes[number] for number in solved.single], _NAMED)
        said += f", among them none of {named}, of which there is one picture"
        said += " each" if len(solved.single) > 1 else ""
    if solved.helps is not None:
        alone, both = (f"{solved.right[side]:.1%}" for side in ("labelled", "unlabelled"))
        what = {
            "yes": f"{counted(solved.believed, 'picture')} without labels learnt from too, as true "
            "classes of left-out pictures become likelier by more than chance",
            "no": "those without labels do not help",
            "unclear": "those without labels are left off, as left-out pictures do not clearly say "
            "that they help",
        }[solved.helps]
        said += f"; {what} (right in folds: {alone} without them, {both} with them)"
    return said
