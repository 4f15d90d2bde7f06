"""What is known of a net's ImageNet weights before they are there: their place, and their colours.

A net's entry in `nets/__init__.py` has these facts; `imagenet.py` gets the weights.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

RGB = tuple[float, float, float]


class Colours(NamedTuple):
    """Mean and deviation of red, green and blue in [0, 1], subtracted and divided before a net."""

    mean: RGB
    std: RGB


IMAGENET = Colours((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""What torchvision trains with."""
SIGNED = Colours((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Values from -1 to 1."""
BYTES = Colours((127 / 255,) * 3, (128 / 255,) * 3)
"""(255·x - 127) / 128, as TensorFlow's nets for phones take pictures."""
PLAIN = Colours((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Values as they are."""

TORCHVISION = "torchvision:"
"""What a classifier's name in torchvision stands behind, as `torchvision:resnet50`."""


@dataclass(frozen=True)
class Package:
    """A Python package that holds a net's weights, and where in it they lie."""

    name: str  # as an installer takes it
    module: str
    file: str
    length: int  # bytes of the file
    sha256: str
    licence: str = "Apache-2.0"

    def path(self) -> Path | None:
        """The file of weights, if the package is installed; nothing of the package is run."""
        found = importlib.util.find_spec(self.module)
        places = (found.submodule_search_locations if found else None) or []
        files = [Path(place) / self.file for place in places]
        return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True)
class Download:
    """Weights that their author publishes at an address; `fetching.py` gets them.

    Attributes:
        length: bytes of the file.
        sha256: the digest of the file in hexadecimal digits, or the first of these.
        exact: the length is known to the byte; else to a thousand.
    """

    url: str
    length: int
    sha256: str
    licence: str
    exact: bool = True

    @property
    def file(self) -> str:
        """What the file is called, wherever it lies."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Pretrained:
    """A net's weights for the 1000 classes of ImageNet.

    Attributes:
        colours: what they expect of pictures.
        options: those with which the net has no layer that a file of such weights may lack.
    """

    source: Package | Download
    colours: Colours = IMAGENET
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Backbone:
    """That a net has the layers of another one in it, whose ImageNet weights start these.

    Attributes:
        net: the other one, by name.
        module: which of the net's modules these layers are: they have there the names that they
            have in `net`. None where names differ, and the net's task knows how.
        colours: what the net takes when it starts so; None for what `net` does.
    """

    net: str
    module: str | None = None
    colours: Colours | None = None
