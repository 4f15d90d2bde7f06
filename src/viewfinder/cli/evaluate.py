"""Score a trained run on pictures with known answers."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it."""
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures in class folders, or: tabletop."""
    split: Literal["train", "val", "test"] | None = None
    """Which side of the data; test where there is one, else val."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: accuracy, loss, per_class, confusion, images, seconds."""


def run(flags: Flags) -> int:
    """Print the scores."""
    from viewfinder.api import open_run

    judged = open_run(flags.run).evaluate(flags.data, split=flags.split, device=flags.device)
    if flags.json:
        print_json(judged)
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, title=f"{judged['split']}: {judged['accuracy']:.1%} right")
    for heading in ("class", "pictures", "recall", "precision", "f1"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for name, row in judged["per_class"].items():
        shares = [
            "–" if row[key] is None else f"{row[key]:.1%}" for key in ("recall", "precision", "f1")
        ]
        table.add_row(name, str(row["images"]), *shares)
    Console().print(table)
    print(f"{judged['images']} pictures in {judged['seconds']:.1f} s")
    return 0
