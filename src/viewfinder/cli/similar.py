"""Find pictures, or labelled objects, that look like a given one.

They are compared by what a network that has seen a million pictures says of them, about 20 ms each,
once; what was done is kept. 1 is the same picture.

  viewfinder similar odd.jpg my-photos             pictures like it
  viewfinder similar odd.jpg my-boxes --objects    labelled objects like it
  viewfinder similar odd.jpg my-photos --box 10 20 90 120     like a part of it

Example:

  viewfinder similar odd.jpg my-photos
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json, require_html
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import shown


@dataclass(frozen=True)
class Flags:
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PICTURE")]
    """What to look for."""
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """Where: a folder of pictures, or with --objects a set of boxes."""
    box: tuple[float, float, float, float] | None = None
    """x1 y1 x2 y2 in pixels: look for this part of the picture."""
    objects: bool = False
    """Look among the labelled boxes of the set."""
    count: int = 12
    """How many to name."""
    html: Path | None = None
    """A page to write, on which they can be looked at."""
    json: bool = False
    """Print one JSON document: found, each with file, likeness and, of objects, box and class."""


def run(flags: Flags) -> int:
    """Find, and print."""
    require_html(flags.html)
    if flags.count < 1:
        raise InputError(f"--count {flags.count}: a whole number from 1")
    # At once: what comes next imports torch, which takes seconds.
    note(f"look for what is like {flags.file} in {flags.data}")
    from viewfinder.features.describing import Part
    from viewfinder.labelling.picture_page import PageEntry, write_picture_page
    from viewfinder.labelling.similar import find_similar

    found = find_similar(
        flags.file, flags.data, box=flags.box, objects=flags.objects, count=flags.count
    )
    if flags.html is not None:
        pictures = [
            PageEntry(Part(found.root / each.path, each.box), named, f"{each.likeness:.3f}")
            for each in found.alike
            for named in (f"{each.label} {each.path}".strip(),)
        ]
        asked = PageEntry(Part(flags.file, flags.box), flags.file.name)
        says = "Most alike first; 1 is the same picture."
        title = f"Like {flags.file.name}"
        write_picture_page(flags.html, title, says, pictures, asked=asked)
    if flags.json:
        print_json({"found": [each.as_json() for each in found.alike]})
        return 0
    for each in found.alike:
        place = "" if each.box is None else "  at " + " ".join(f"{side:g}" for side in each.box)
        label = f"  {shown(each.label)}" if each.label else ""
        print(f"{each.likeness:.3f}  {shown(each.path)}{label}{place}")
    return 0
