"""Detectors that no training of ours made: Darknet's files, and the one that comes with us.

What such a file's net and classes are, and how it sees pictures, is found out here.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from viewfinder.datasets.framing import DARKNET, STRETCHED, Framing
from viewfinder.events import note
from viewfinder.nets.darknet import (
    DarknetConfig,
    config_beside,
    find_config,
    is_published,
    load_weights,
    read_header,
)
from viewfinder.nets.darknet.weights import Detector
from viewfinder.nets.published import COCO, COCO_FILE, COCO_NET, coco_weights
from viewfinder.tasks.detect.class_names import COCO as COCO_CLASSES
from viewfinder.tasks.detect.class_names import names_of
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.run_files import MANIFEST
from viewfinder.tasks.run_weights import new_net

# What its author's own Darknet writes, which keeps the aspect of pictures.
_ORIGINAL = (0, 2, 0)


@dataclass(frozen=True)
class DarknetFile:
    """`tasks.model.Weights` in a file of Darknet's."""

    file: Path

    def load(self, config: ModelConfig) -> nn.Module:
        """The net that the file is for, with its numbers."""
        net = new_net(config.net, len(config.classes), config.options)
        assert isinstance(net, Detector), "Darknet's nets are detectors"
        load_weights(net, self.file)
        return net.eval()


@dataclass(frozen=True)
class Published:
    """`tasks.model.Weights` that come with the package."""

    file: Path = COCO_FILE

    def load(self, config: ModelConfig) -> nn.Module:
        """The net, which answers as the Darknet file that its weights are from."""
        net = new_net(config.net, len(config.classes), config.options)
        net.load_state_dict(coco_weights(), strict=False)  # all but the norms' counters of steps
        return net.eval()


def open_foreign(path: Path) -> Model | None:
    """A file of Darknet's; or, by the word `coco`, the detector that comes with the package.

    What is assumed of a file is noted.

    Raises:
        InputError: the file cannot be read, or nothing says what net it is for.
    """
    # A folder of that name is usually COCO itself.
    if str(path) == COCO and not (path.is_file() or (path / MANIFEST).exists()):
        config = ModelConfig("detect", COCO_NET, COCO_CLASSES, (416, 416), PLAIN, framing=DARKNET)
        return Model(path, Published(), config)
    if path.suffix != ".weights" or path.is_dir():
        return None
    found = describe_weights(path)
    for assumed in found.notes:
        note(assumed)
    darknet = found.config
    config = ModelConfig(
        "detect",
        darknet.net,
        found.classes,
        (darknet.size[1], darknet.size[0]),
        PLAIN,
        options={
            "anchors": [list(anchor) for anchor in darknet.anchors],
            "masks": [list(mask) for mask in darknet.masks],
        },
        framing=found.framing,
    )
    return Model(path, DarknetFile(path), config)


@dataclass(frozen=True)
class Foreign:
    """A detector that Darknet trained.

    Attributes:
        notes: what was assumed, each in words for a person.
    """

    config: DarknetConfig
    classes: tuple[str, ...]
    framing: Framing
    notes: tuple[str, ...]


def describe_weights(file: Path) -> Foreign:
    """What a `.weights` file is, by itself and by what lies beside it.

    Raises:
        InputError: it cannot be read, or nothing says what net it is for.
    """
    config = find_config(file)
    named = names_of(file, config.classes)
    framing, says = framing_of(file, config)
    notes = tuple(note for note in (_net_in_words(file, config), named.origin, says) if note)
    return Foreign(config, named.names, framing, notes)


def _net_in_words(file: Path, config: DarknetConfig) -> str:
    """A note where nothing but a file's length says what net it is."""
    if config_beside(file) or is_published(file):
        return ""
    return (
        f"{file.name} is as long as the published {config.net} and is not that file: its anchors "
        f"are taken to be the same; put its .cfg beside it, as {file.stem}.cfg, if they are not"
    )


def framing_of(file: Path, config: DarknetConfig) -> tuple[Framing, str]:
    """How the net is given pictures, and a note where that was assumed.

    The fork of Darknet that most nets of people's own come from stretches pictures, unless its
    `.cfg` asks for bars; the original has no such key, and always leaves bars.
    """
    if config.letter_box is not None:
        return DARKNET if config.letter_box else STRETCHED, ""
    version = read_header(file)[0].version
    if version == _ORIGINAL:
        return DARKNET, ""
    written = ".".join(map(str, version))
    return STRETCHED, (
        f"{file.name} is of version {written}, as a fork of Darknet writes that stretches pictures "
        "unless its .cfg says otherwise, and so they are stretched: write letter_box=1 into [net] "
        "of its .cfg if the net was trained on pictures with bars"
    )
