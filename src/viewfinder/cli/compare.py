"""Compare trained models of one task on one set: scores, speed, size, and what they differ in.

  viewfinder compare runs/first runs/second photos
  viewfinder compare mine=runs/mine coco boxes --out comparison

A model is a run, Darknet's .weights, an ONNX file or torchvision:NET, of any net. First comes what
their recipes differ in, then what they cost on this machine, then their scores with 95 % intervals,
and whether the difference is more than chance (the functions of `viewfinder score`). The page shows
pictures on which both are right, only the first, only the second, and neither.

Example:

  viewfinder compare runs/first runs/second my-photos --out compared
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.meant import refuse_missing
from viewfinder.cli.names import broken
from viewfinder.cli.output import asked_by, print_json, say
from viewfinder.console import rich_console
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.scoring.models_compared import ModelsCompared


# Columns that a name has in a table which does not fit.
_NAME = 20


@dataclass(frozen=True)
class Flags:
    words: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN RUN … DATA")
    ] = ()
    """Two models or more, each a run's folder, Darknet's .weights, an ONNX file, coco, a classifier
    of torchvision's (torchvision:resnet50), or NAME= and one; last a folder with labels, in any
    layout that `viewfinder check` knows."""
    split: Literal["train", "val", "test", "all"] | None = None
    """Which split of the data; if none is named, test where the set has one, else val, else all."""
    out: Path | None = None
    """A folder for the page, tables (CSV, JSON, LaTeX) and figures (SVG, PDF)."""
    metrics: tuple[str, ...] = ()
    """Scores of the terminal's and the LaTeX table, as of `viewfinder score`."""
    json: bool = False
    """Print one JSON document: models, differences, agreements, and what score prints."""


def run(flags: Flags) -> int:
    """Ask every model, then print what was found."""
    if len(flags.words) < 3:
        raise InputError("name two models or more, and then the set: compare RUN RUN DATA")
    for word in flags.words:
        # A folder's own name may have a = in it.
        place = word if Path(word).expanduser().exists() else word.partition("=")[2] or word
        refuse_missing(place, beside=("coco", "tabletop"))
    # At once: what comes next imports torch, which takes seconds.
    note(f"compare: {counted(len(flags.words) - 1, 'model')} on {flags.words[-1]}")
    from viewfinder.scoring.metric_names import refuse_unknown
    from viewfinder.scoring.models_compared import compare_models, open_models
    from viewfinder.scoring.models_page import models_document, write_models
    from viewfinder.scoring.page import refuse_place
    from viewfinder.scoring.tables import as_document

    if flags.out is not None:
        refuse_place(flags.out.expanduser())
    *models, data = flags.words
    opened = open_models(models)
    refuse_unknown(flags.metrics, opened.task)
    compared = compare_models(opened, data, split=flags.split)
    metrics, command = compared.found.chosen(flags.metrics), asked_by()
    page = None
    if flags.out is not None:
        page = write_models(flags.out.expanduser(), compared, command=command, metrics=metrics)
    if flags.json:
        document = as_document(compared.found, command=command) | models_document(compared)
        print_json({"report": str(page) if page else None, **document})
        return 0
    _print_apart(compared)
    _print_costs(compared)
    from viewfinder.cli.score import print_set

    print_set(compared.scored, metrics)
    _print_agreements(compared)
    for line in compared.notes:
        say(f"note: {line}")
    if page is not None:
        say(f"report {page}")
    return 0


def _print_apart(compared: "ModelsCompared") -> None:
    if not compared.apart:
        say("the models differ in nothing that is known of them")
        return
    rows = [
        [key.replace("_", " "), *(row[name] or "–" for name in compared.facts)]
        for key, row in compared.apart.items()
    ]
    _print_table(["differs", *compared.facts], rows, left=True)


def _print_costs(compared: "ModelsCompared") -> None:
    rows = [
        [
            name,
            own.net,
            "–" if own.parameters is None else f"{own.parameters:,}",
            f"{own.megabytes:.1f}",
            f"{own.speed.milliseconds:.1f}",
            f"{own.speed.pictures_per_s:.1f}",
        ]
        for name, own in compared.facts.items()
    ]
    _print_table(["model", "net", "parameters", "MB", "ms", "pictures/s"], rows)


def _print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: bool = False
) -> None:
    from rich.table import Table
    from rich.text import Text

    console = rich_console()
    wide = sum(max(map(len, column)) + 2 for column in zip(heads, *rows, strict=True))
    if wide > console.width:
        heads, *rows = ([broken(cell, _NAME) for cell in row] for row in (heads, *rows))
    table = Table(box=None, pad_edge=False)
    for k, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if left or k < 2 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_agreements(compared: "ModelsCompared") -> None:
    from viewfinder.scoring.models_page import says

    for each in compared.agreements:
        say(f"{each.one} beside {each.other}: {says(compared.scored.contest, each)}")
