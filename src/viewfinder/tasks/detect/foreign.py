"""What a detector's `.weights` file of Darknet's is: its net, classes, and how it sees pictures."""

from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.framing import DARKNET, STRETCHED, Framing
from viewfinder.nets.darknet import (
    DarknetConfig,
    config_beside,
    find_config,
    is_published,
    read_header,
)
from viewfinder.tasks.detect.class_names import names_of

# What its author's own Darknet writes, which keeps the aspect of pictures.
_ORIGINAL = (0, 2, 0)


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
    framing, told = framing_of(file, config)
    notes = tuple(note for note in (_told_net(file, config), named.told, told) if note)
    return Foreign(config, named.names, framing, notes)


def _told_net(file: Path, config: DarknetConfig) -> str:
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
