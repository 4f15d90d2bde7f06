"""Write a set of boxes as COCO, YOLO or Pascal VOC, and say what that format cannot carry.

Several sets become one: viewfinder convert A B C --to yolo --out joined. Classes of the same name
are one class, pictures of the same name stay apart, a picture that two sets have is one with the
boxes of both, and splits are kept.

Boxes keep their fractions of a pixel; between COCO and Pascal VOC every number comes back as it
was. Pictures are hard links to the same files, or copies with --copy.

Example:

  viewfinder convert my-boxes as-yolo --to yolo
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.datasets import Format
from viewfinder.errors import InputError
from viewfinder.wording import counted


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="DATA … OUT")]
    """A folder of COCO, YOLO or Pascal VOC, or COCO's JSON file or YOLO's data.yaml itself; and the
    folder to write, which must not exist yet. With --out, any number of such sets."""
    to: Format
    """The format to write."""
    out: Path | None = None
    """The folder to write, where several sets are to become one."""
    copy: bool = False
    """Copy the pictures, so that a change of one file leaves the other alone."""
    stored: bool = False
    """Boxes were marked before EXIF turns the pictures, as by LabelImg: turn them too."""
    json: bool = False
    """Print one JSON document: out, layout, pictures, boxes, lost, notes."""


def run(flags: Flags) -> int:
    """Convert, and say what was lost on the way."""
    from viewfinder.datasets.converting import convert

    sources, out = _named(flags)
    source = sources[0] if len(sources) == 1 else sources
    done = convert(source, out, to=flags.to, copy=flags.copy, stored=flags.stored)
    if flags.json:
        print_json({"out": str(out), **vars(done)})
        return 0
    pictures, boxes = counted(done.pictures, "picture"), counted(done.boxes, "box")
    say(f"{out}: {pictures}, {boxes}, from {done.layout}")
    for line in done.notes:
        say(f"note: {line}")
    for what, count in done.lost.items():
        say(f"not carried: {count:,} × {what}")
    return 0


def _named(flags: Flags) -> tuple[tuple[str, ...], Path]:
    """The sets to read and the folder to write.

    Raises:
        InputError: there is no set, or it is not clear which is the folder.
    """
    if flags.out is not None and flags.data:
        return flags.data, flags.out
    if flags.out is not None or len(flags.data) < 2:
        raise InputError("name a set and the folder to write, as in: convert DATA OUT --to yolo")
    *sources, out = flags.data
    if len(sources) > 1:
        raise InputError(
            "several sets become one by: convert A B … --to yolo --out OUT, with a folder for --out"
        )
    if Path(out).exists():
        raise InputError(
            f"{out} exists already: name a new folder to write (to join {out} to {sources[0]}, "
            "name a new folder by --out)"
        )
    return tuple(sources), Path(out)
