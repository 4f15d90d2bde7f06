"""Write a set of boxes as COCO, YOLO or Pascal VOC, and say what that format cannot carry.

Boxes keep their fractions of a pixel; between COCO and Pascal VOC every number comes back as it
was. Pictures are hard links to the same files, or copies with --copy.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.wording import counted


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of COCO, YOLO or Pascal VOC, or COCO's JSON file or YOLO's data.yaml itself."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """The folder to write; it must not exist yet."""
    to: Literal["coco", "yolo", "voc"]
    """The format to write."""
    copy: bool = False
    """Copy the pictures, so that a change of one file leaves the other alone."""
    stored: bool = False
    """Boxes were marked before EXIF turns the pictures, as by LabelImg: turn them too."""
    json: bool = False
    """Print one JSON document: out, layout, pictures, boxes, lost, notes."""


def run(flags: Flags) -> int:
    """Convert, and say what was lost on the way."""
    from viewfinder.datasets.converting import convert

    done = convert(flags.data, flags.out, to=flags.to, copy=flags.copy, stored=flags.stored)
    if flags.json:
        print_json({"out": str(flags.out), **vars(done)})
        return 0
    pictures, boxes = counted(done.pictures, "picture"), counted(done.boxes, "box")
    print(f"{flags.out}: {pictures}, {boxes}, from {done.layout}")
    for told in done.notes:
        print(f"note: {told}")
    for what, count in done.lost.items():
        print(f"not carried: {count:,} × {what}")
    return 0
