"""Compose labelled scenes of objects cut out of a few captures, on other backgrounds.

A few pictures with exact masks become as many scenes as a detector needs: the objects are scaled,
turned, lit and laid over each other on pictures of places where they are to be found, and the boxes
follow from what stays visible. No label is drawn.

CAPTURES is a COCO set whose objects have outlines, of which its side train alone is used; or a
folder of such sets and of captures, such as captures/mug/annotations/instances_all.json and
captures/ball/frames/001.jpg with captures/ball/masks/001.png, where a video beside masks/ does for
frames/. Objects that the edge of their picture cuts are left out, and counted.

What is written is a COCO set with one side, train. Judge a detector by real pictures.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from viewfinder.cli.output import print_json
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
    objects: tuple[int, int] | None = None
    """Fewest and most objects to put into a scene; 2 7 if not given."""
    scale: tuple[float, float] | None = None
    """Smallest and largest object, as shares of the frame's side; 0.15 0.45 if not given."""
    turn: float | None = None
    """Largest turn of an object in degrees to either side; 15 if not given."""
    mirror: float | None = None
    """Share of the objects that are mirrored, 0 where they carry writing; 0.5 if not given."""
    overlap: float | None = None
    """Largest share of an object that others before it cover; 0.35 if not given."""
    hidden: float | None = None
    """Objects hidden to more than this share are left out; 0.6 if not given."""
    light: float | None = None
    """0 to 1: how much brightness, contrast and colour vary; 0.5 if not given."""
    shadow: float | None = None
    """0 to 1: how dark shadows are, at most; 0.75 if not given."""
    blur: float | None = None
    """Largest blur of an object, in pixels; 0.7 if not given."""
    noise: float | None = None
    """Largest noise of a scene, in grey levels of 255; 4 if not given."""
    json: bool = False
    """Print one JSON document: out, pictures, boxes, classes."""


def run(flags: Flags) -> int:
    """Compose, and say what was written."""
    from viewfinder.composing import Composition, write_composed

    chosen: dict[str, Any] = {f.name: getattr(flags, f.name, None) for f in fields(Composition)}
    settings = Composition(**{name: value for name, value in chosen.items() if value is not None})
    dataset = write_composed(
        flags.captures,
        flags.out,
        backgrounds=flags.backgrounds,
        count=flags.count,
        size=flags.size,
        settings=settings,
        seed=flags.seed,
        processes=flags.processes,
    )
    if flags.json:
        counts = dataset.counts()
        boxes = sum(counts.values())
        document = {"out": str(flags.out), "pictures": len(dataset), "boxes": boxes}
        print_json({**document, "classes": counts})
        return 0
    print(dataset.summary())
    for name, count in dataset.counts().items():
        print(f"{name}: {counted(count, 'box')}")
    return 0
