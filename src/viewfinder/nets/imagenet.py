"""The ImageNet weights of nets that have some: out of a package, or fetched from their address."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import listening, note
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.checkpoints import is_counter
from viewfinder.nets.facts import Package
from viewfinder.nets.obtaining import imagenet_facts, imagenet_file, imagenet_here
from viewfinder.nets.weight_files import read_weights

# Dimensions of a convolution's weights.
_KERNEL = 4


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """The ImageNet weights of net `name`, which its entry in `nets` says where to find: out of an
    installed package, or downloaded once and then kept.

    They fit `create(name)`. Those of googlenet expect pixels in [-1, 1]; for pictures normalised
    by ImageNet's mean and deviation, as the others take, create it with `transform_input=True`.

    Raises:
        InputError: there are none for this net, or they cannot be fetched.
    """
    known, file = imagenet_facts(name), imagenet_file(name)
    if isinstance(known.source, Package):
        note(f"ImageNet weights of {name} from the package {known.source.name}")
    return read_weights(file, imagenet_layout(name))


def imagenet_layout(name: str) -> nn.Module:
    """Net `name` as its ImageNet weights have it, by shapes alone.

    Raises:
        InputError: there are none for this net.
    """
    options = imagenet_facts(name).options
    with shapes_alone():
        return nets.create(name, classes=None, **options)


def is_taken_from(name: str, state: Mapping[str, Tensor]) -> bool:
    """Whether most kernels are those of net `name`'s ImageNet weights, to the last bit.

    So they are where another last layer was put on them, and learnt alone. It is only known where
    those weights are on this machine.
    """
    file = imagenet_here(name) if nets.pretrained(name) else None
    if file is None:
        return False
    theirs = read_weights(file, imagenet_layout(name))
    kernels = [each for each, tensor in theirs.items() if tensor.dim() == _KERNEL]
    same = [each for each in kernels if each in state and torch.equal(state[each], theirs[each])]
    return 2 * len(same) > len(kernels)


def is_published_as_read(file: Path, name: str) -> bool:
    """Whether what is read of a file that may hold several copies of a net `name` is, to the last
    bit, its ImageNet weights, which must be on this machine; what cannot be read is none."""
    layout = imagenet_layout(name)
    with listening():  # which is said where they are loaded
        try:
            state = read_weights(file, layout)
        except InputError:
            return False
        theirs = imagenet_weights(name)
    return all(
        each in state and torch.equal(state[each], tensor)
        for each, tensor in theirs.items()
        if not is_counter(each)
    )


def is_imagenet(name: str, state: Mapping[str, Tensor]) -> bool:
    """Whether weights are a whole net `name` for the 1000 classes of ImageNet.

    Those that are published are, in a file of any name; auxiliary heads need not be there.
    """
    known = nets.pretrained(name)
    if known is None:
        return False
    layout = imagenet_layout(name).state_dict()
    return all(
        found is not None and found.shape == tensor.shape
        for own, tensor in layout.items()
        if tensor.is_floating_point()
        for found in (state.get(own),)
    )
