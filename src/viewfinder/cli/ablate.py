"""Compare recipes: train each of a grid with several seeds, and separate findings from chance.

FILE is TOML:

  task = "classify"
  data = "my-photos"
  seeds = [0, 1, 2, 3, 4]
  baseline = {learning_rate = 0.05}
  [base]
  epochs = 30
  [grid]
  learning_rate = [0.02, 0.05, 0.1]

Each training is a run of its own, with its report. One that is finished is never done again: the
same command goes on after Ctrl-C or kill -9, and after cells or seeds were added to FILE. Exit
status 1 if a training failed.

Example:

  viewfinder ablate my-recipes.toml --out runs/compared
"""

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import asked_by, print_json
from viewfinder.console import rich_console
from viewfinder.errors import InputError

if TYPE_CHECKING:
    from viewfinder.ablation.report import Ablation


@dataclass(frozen=True)
class Flags:
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """What to try: task, data, seeds, [base] fields, and a [grid] of lists or named [[cells]]."""
    out: Path | None = None
    """Where the runs, ablation.csv, ablation.json, table.tex and report.html go; runs/NAME if not
    given."""
    jobs: int | None = None
    """How many trainings at a time, each with its part of the threads, or a GPU; if not given, one
    on the CPU, and one a GPU where there are any."""
    latex: bool = False
    """Print the table in LaTeX, for \\usepackage{booktabs}, and nothing else; it is in table.tex
    too."""
    json: bool = False
    """Print one JSON document: score, baseline, cells with intervals and differences, notes."""


def run(flags: Flags) -> int:
    """Train what is left of the grid, then print the table."""
    if flags.latex and flags.json:
        raise InputError("--latex and --json are two forms of one answer: give one of them")
    from viewfinder.ablation.grid import read_grid, slug

    grid = read_grid(flags.file)
    from viewfinder.ablation.latex import as_latex
    from viewfinder.ablation.page import write_ablation
    from viewfinder.ablation.report import document
    from viewfinder.ablation.running import ablate
    from viewfinder.api import train

    folder = flags.out or Path("runs") / slug(grid.name)
    found = ablate(grid, out=folder, train=train, jobs=flags.jobs)
    page = write_ablation(folder.expanduser(), found, command=asked_by())
    if flags.latex:
        print(*as_latex(found).splitlines(), sep="\n")
    elif flags.json:
        print_json({"report": str(page), **document(found)})
    else:
        _print_table(found)
        print(f"report {page}")
    return 1 if any(cell.failures for cell in found.cells) else 0


def _print_table(ablation: "Ablation") -> None:
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    from viewfinder.ablation.report import chance, headline, notes

    table = Table(box=None, pad_edge=False)
    score, change = ablation.units
    headings = ("cell", ablation.score.name + score, "95 % interval", "n", f"difference{change}")
    for heading in (*headings, "95 % interval", "chance", ""):
        table.add_column(heading, justify="left" if heading in ("cell", "") else "right")
    for name, found in ablation.compared().items():
        mean = found.estimate.mean if found.estimate else None
        row = [name, ablation.shown(mean), ablation.interval(found.estimate)]
        row.append(str(found.estimate.n if found.estimate else 0))
        if found.verdict == "baseline":
            row += ["", "", ""]
        else:
            moved = found.difference.mean if found.difference else None
            row += [
                ablation.shown(moved, sign=True),
                ablation.interval(found.difference, sign=True),
            ]
            row.append(chance(found))
        # Names may hold brackets, which rich would take for colours.
        table.add_row(*map(Text, row), Text(found.verdict))
    console = rich_console()
    wanted = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    if not sys.stdout.isatty():
        # A file has no width to break lines at.
        console = rich_console(width=max(80, wanted))
    if wanted <= console.width:
        console.print(table)
    else:
        _print_cells(ablation)
    width = console.width if sys.stdout.isatty() else 0
    for line in (headline(ablation), *notes(ablation)):
        print(*(textwrap.wrap(line, width) if width else [line]), sep="\n")


def _print_cells(ablation: "Ablation") -> None:
    """The table for a terminal that is too narrow for it: of each cell its name, then the rest."""
    from viewfinder.ablation.report import chance

    score, change = (unit.removeprefix(", ") for unit in ablation.units)
    print(
        f"{ablation.score.name} in {score}, with 95 % intervals" if score else ablation.score.name
    )
    for name, found in ablation.compared().items():
        print(name)
        mean = found.estimate.mean if found.estimate else None
        runs = found.estimate.n if found.estimate else 0
        print(f"  {ablation.shown(mean)} ({ablation.interval(found.estimate)}), n {runs}")
        if found.verdict == "baseline":
            print("  baseline")
            continue
        moved = found.difference.mean if found.difference else None
        apart = ablation.interval(found.difference, sign=True)
        print(
            f"  {ablation.shown(moved, sign=True)} {change} ({apart}), chance {chance(found)}: "
            f"{found.verdict}"
        )
