"""Compose labelled scenes of objects cut out of a few captures, on other backgrounds.

A few pictures with exact masks become as many scenes as a detector needs: the objects are scaled,
turned, lit and laid over each other on pictures of places where they are to be found, and the boxes
follow from what stays visible. No label is drawn.

CAPTURES is a COCO set whose objects have outlines, of which its split train alone is used; or a
folder of such sets and of captures, such as captures/mug/annotations/instances_all.json and
captures/ball/frames/001.jpg with captures/ball/masks/001.png, where a video beside masks/ does for
frames/. Objects that the edge of their picture cuts are left out, and counted.

What is written is a COCO set with one split, train. Judge a detector by real pictures.

Example:

  viewfinder compose captures scenes --count 1000
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.composing.composition import Composition
from viewfinder.wording import counted


@dataclass(frozen=True)
class Flags:
    captures: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CAPTURES")]
    """A COCO set with outlines, or a folder of captures with masks."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """The folder to write; it must not exist yet."""
    backgrounds: str = "tabletop"
    """A folder with pictures of places, without the objects; or `tabletop`, rendered tables."""
    count: int = 500
    """How many scenes."""
    size: tuple[int, int] = (640, 480)
    """Width and height of a scene in pixels."""
    seed: int = 0
    """Another seed gives other scenes; the same seed the same, byte for byte."""
    processes: int | None = None
    """How many processes compose; all cores if not given."""
    json: bool = False
    """Print one JSON document: out, pictures, boxes, classes."""
    settings: Composition = field(default_factory=Composition)


def run(flags: Flags) -> int:
    """Compose, and say what was written."""
    from viewfinder.composing.composed_set import write_composed

    dataset = write_composed(
        flags.captures,
        flags.out,
        backgrounds=flags.backgrounds,
        count=flags.count,
        size=flags.size,
        settings=flags.settings,
        seed=flags.seed,
        processes=flags.processes,
    )
    if flags.json:
        counts = dataset.counts()
        boxes = sum(counts.values())
        document = {"out": str(flags.out), "pictures": len(dataset), "boxes": boxes}
        print_json({**document, "classes": counts})
        return 0
    say(dataset.summary())
    for name, count in dataset.counts().items():
        say(f"{name}: {counted(count, 'box')}")
    return 0
