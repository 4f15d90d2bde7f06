"""The ImageNet weights of nets that have some: out of a package, or fetched from their address."""

from collections.abc import Mapping

from torch import Tensor

from viewfinder import nets
from viewfinder.events import note
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.facts import Package
from viewfinder.nets.obtaining import imagenet_facts, imagenet_file
from viewfinder.nets.weight_files import read_weights


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """The ImageNet weights of net `name`, which its entry in `nets` says where to find: out of an
    installed package, or downloaded once and then kept.

    They fit `create(name)`. Those of googlenet expect pixels in [-1, 1]; for pictures normalised
    by ImageNet's mean and deviation, as the others take, create it with `transform_input=True`.

    Raises:
        InputError: there are none for this net, or they cannot be fetched.
    """
    known, file = imagenet_facts(name), imagenet_file(name)
    with shapes_alone():
        layout = nets.create(name, classes=None, **known.options)
    if isinstance(known.source, Package):
        note(f"ImageNet weights of {name} from the package {known.source.name}")
    return read_weights(file, layout)


def is_imagenet(name: str, state: Mapping[str, Tensor]) -> bool:
    """Whether weights are a whole net `name` for the 1000 classes of ImageNet.

    Those that are published are, in a file of any name; auxiliary heads need not be there.
    """
    known = nets.pretrained(name)
    if known is None:
        return False
    with shapes_alone():
        layout = nets.create(name, classes=None, **known.options).state_dict()
    return all(
        found is not None and found.shape == tensor.shape
        for own, tensor in layout.items()
        if tensor.is_floating_point()
        for found in (state.get(own),)
    )
