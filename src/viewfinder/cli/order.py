"""Say which pictures to label next: typical ones that differ, and some drawn at random.

With few labels, pictures that are typical of many others, and unlike those labelled already, teach
most. A fifth is drawn at random, marked so: keep these to judge by. Pictures are compared by what a
network that has seen a million says of them, about 20 ms each, once; what was done is kept.

  viewfinder order my-photos                  the next 20
  viewfinder order my-boxes --by runs/first   with those that a detector doubts

Example:

  viewfinder order my-photos --html next.html
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json, require_html, say
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted, shown


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures, or a set of boxes or of class folders, of which some have labels."""
    count: int = 20
    """How many to name; 0 names all that wait."""
    by: Path | None = None
    """A detector's run: once 20 pictures are labelled, those that it doubts come early too."""
    everything: bool = False
    """Take no picture for labelled."""
    html: Path | None = None
    """A page to write, on which the pictures can be looked at."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the detector computes."""
    seed: int = 0
    """Of what is drawn."""
    json: bool = False
    """Print one JSON document: pictures (file, random), waiting and labelled."""


def run(flags: Flags) -> int:
    """Put in order, and print."""
    require_html(flags.html)
    if flags.count < 0:
        raise InputError(f"--count {flags.count}: a whole number from 0")
    # At once: what comes next imports torch, which takes seconds.
    note(f"order the pictures of {flags.data}")
    from viewfinder.devices import pick_device
    from viewfinder.features.describing import Part
    from viewfinder.inference.opening import open_model
    from viewfinder.labelling.asking import next_to_label
    from viewfinder.labelling.picture_page import PageEntry, write_picture_page

    model = None if flags.by is None else open_model(flags.by)
    found = next_to_label(
        flags.data,
        by=model,
        device=pick_device(flags.device),
        everything=flags.everything,
        seed=flags.seed,
    )
    asked = found.asked[: flags.count or None]
    if flags.html is not None:
        pictures = [
            PageEntry(Part(found.root / e.path), e.path, "drawn at random" if e.random else "")
            for e in asked
        ]
        says = (
            "To be labelled in this order: typical pictures that differ from those before, and "
            "some drawn at random, which alone are like the pictures to come."
        )
        write_picture_page(flags.html, f"Next to label in {found.root.name}", says, pictures)
    if flags.json:
        rows = [{"file": each.path, "random": each.random} for each in asked]
        waiting = len(found.asked)
        print_json({"pictures": rows, "waiting": waiting, "labelled": found.labelled})
        return 0
    for each in asked:
        say(shown(each.path) + ("  (drawn at random: to judge by)" if each.random else ""))
    waiting = len(found.asked)
    listed = "all listed" if len(asked) == waiting else f"{len(asked):,} of them listed"
    if flags.everything:
        say(f"{counted(waiting, 'picture')}, with labels or without, {listed}")
    else:
        have = f"{counted(found.labelled, 'picture')} labelled, {waiting:,} without labels"
        say(f"{have}, {listed}")
    return 0
