"""A classifier's last layer solved: vectors are made, a layer is chosen, and put in its place."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files
from viewfinder.datasets.loading import Pixels, prepare
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.features.vectors import Extractor, make_extractor, vectors
from viewfinder.pictures.finding import pictures_below
from viewfinder.tasks.answering import one_tensor, outputs
from viewfinder.tasks.classify.heads import Floats
from viewfinder.tasks.classify.last_layer import Solved, VectorExamples, Way, solve
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.model import ModelConfig
from viewfinder.wording import counted

_WAYS: Mapping[str, tuple[Way, ...]] = {
    "auto": ("prototypes", "linear"),
    "prototypes": ("prototypes",),
    "linear": ("linear",),
    "full": ("linear",),
}
_IN_WORDS: Mapping[Way, str] = {"prototypes": "class means", "linear": "logistic regression"}


def solve_last_layer(
    net: nn.Module,
    pixels: Pixels,
    truth: Dataset,
    recipe: ClassifyRecipe,
    config: ModelConfig,
    device: torch.device,
) -> Mapping[str, object]:
    """Learn the last layer of a net, in place; the others stay what they are.

    Args:
        pixels: the training pictures; `truth` has their classes.

    Returns:
        `way`, `decay`, `right` (by way, of left-out pictures), `pictures` and `believed`.

    Raises:
        InputError: the net does not end in a linear layer, or pictures cannot be read.
    """
    net.eval()

    def ask(net: nn.Module, pictures: Tensor) -> Tensor:
        return one_tensor(outputs(net, pictures, config.normalisation, device))

    made = f"{config.normalisation} {config.bits} {config.framing}"
    plain = make_extractor(net, ask, size=config.size, made=made)
    mirrored = make_extractor(
        net, lambda net, pictures: ask(net, pictures.flip(3)), size=config.size, made=f"{made} |"
    )
    keys = of_files([truth.file(index) for index in range(len(truth))])
    views = [plain, mirrored] if config.habits.get("mirror") else [plain]
    found = [vectors(view, pixels.take, keys) for view in views]
    examples = VectorExamples(
        np.stack(found, axis=1).astype(np.float64),
        np.asarray(truth.labels, np.int64),
        len(config.classes),
        recipe.balanced,
    )
    more = None
    if recipe.unlabelled is not None:
        more = _unlabelled(Path(recipe.unlabelled).expanduser(), plain, config, known=set(keys))
    solved = solve(examples, _WAYS[recipe.head], more)
    _put(net, plain.layer, solved)
    note(_told(solved))
    return {
        "way": solved.way,
        "decay": solved.decay,
        "right": dict(solved.right),
        "pictures": solved.pictures,
        "believed": solved.believed,
    }


def _unlabelled(
    folder: Path, extractor: Extractor, config: ModelConfig, *, known: set[bytes]
) -> Floats:
    """M×D of the pictures below a folder, without those that have labels.

    Raises:
        InputError: there are none, or one cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"--unlabelled {folder} is no folder: give one with pictures")
    files = [folder / name for name in pictures_below(folder)]
    pairs = [(f, k) for f, k in zip(files, of_files(files), strict=True) if k not in known]
    if not pairs:
        raise InputError(f"--unlabelled {folder} has no pictures but those with labels")

    def take(numbers: Sequence[int]) -> Tensor:
        read = [prepare(pairs[number][0], config.size, bits=config.bits) for number in numbers]
        return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2)

    return vectors(extractor, take, [key for _, key in pairs]).astype(np.float64)


def _put(net: nn.Module, layer: str, solved: Solved) -> None:
    module = net.get_submodule(layer)
    assert isinstance(module, nn.Linear)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(solved.layer.weight))
        if module.bias is not None:
            module.bias.copy_(torch.from_numpy(solved.layer.bias))


def _told(solved: Solved) -> str:
    """How the layer came about, in a line."""
    said = f"the last layer is learnt by {_IN_WORDS[solved.way]}"
    if not solved.right:
        return f"{said}; too few pictures to leave some out and compare"
    best: dict[str, float] = {}
    for name, share in solved.right.items():
        way = name.partition(",")[0]
        best[way] = max(share, best.get(way, 0.0))
    shares = ", ".join(f"{name} {share:.1%}" for name, share in best.items())
    said += f"; right of {counted(solved.pictures, 'left-out picture')}: {shares}"
    if "unlabelled" in solved.right:
        used = counted(solved.believed, "picture") + " without labels"
        said += (
            f"; {used} learnt from too" if solved.believed else "; those without labels do not help"
        )
    return said
