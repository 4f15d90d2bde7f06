"""The page of a grid of trainings: its table with the intervals drawn, and every run's course."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from viewfinder.ablation.latex import as_latex
from viewfinder.ablation.report import (
    Ablation,
    as_csv,
    chance,
    document,
    headline,
    notes,
)
from viewfinder.ablation.side_by_side import cells_compared
from viewfinder.errors import InputError
from viewfinder.evaluation.templating import environment_of, made_with
from viewfinder.files import write_json, write_text
from viewfinder.runs.run import open_run
from viewfinder.scoring.page import matrix, shown_rows, won
from viewfinder.scoring.tables import leading

# Width in pixels of the strips in the table.
_WIDTH = 200


def write_ablation(folder: Path, ablation: Ablation, *, command: str = "") -> Path:
    """Write `ablation.json`, `ablation.csv`, `table.tex` and the page, `report.html`, whose path is
    returned.

    Args:
        command: what was asked, for the page.
    """
    write_json(folder / "ablation.json", document(ablation))
    write_text(folder / "ablation.csv", as_csv(ablation))
    write_text(folder / "table.tex", as_latex(ablation))
    write_text(folder / "report.html", _page(folder, ablation, command))
    return folder / "report.html"


@dataclass(frozen=True)
class PlotAxis:
    """A stretch of numbers, `low` to `high`, laid over `width` pixels."""

    low: float
    high: float
    width: float

    def x(self, value: float) -> float:
        """Where a value stands, in pixels; what lies beyond the axis stands at its end."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.width * min(1.0, max(0.0, share)), 1)

    def ticks(self, most: int = 5) -> list[float]:
        """A few round numbers."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [k * step for k in range(first, last + 1)]


def _axis(values: Sequence[float], width: float = _WIDTH) -> PlotAxis:
    """An axis that shows all values, and as much again around them for their intervals.

    The interval of two seeds may be a hundred times as wide as their distance: an axis for it
    would show nothing else, so that long intervals end where the axis does.
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.5 * (high - low) or 0.1 * abs(high) or 1.0
    return PlotAxis(low - margin, high + margin, width)


def _page(folder: Path, ablation: Ablation, command: str) -> str:
    compared = ablation.compared()
    scores = [value for cell in ablation.cells for value in cell.values.values()]
    changes = [c.difference.mean for c in compared.values() if c.difference is not None]

    def mark(value: float, *, sign: bool) -> str:
        """The number at a tick."""
        number = 100 * value if ablation.score.share else value
        return f"{number:+.4g}" if sign and value else f"{number:.4g}"

    environment = environment_of("viewfinder.ablation", "viewfinder.scoring")
    seen = cells_compared(folder, ablation)
    usual = [each for each in seen.contest.metrics if each.headline] if seen else []
    environment.filters["address"] = lambda path: quote(str(path))
    return environment.get_template("ablation.html.jinja").render(
        ablation=ablation,
        command=command,
        made_with=made_with(),
        compared=compared,
        mark=mark,
        chance=chance,
        headline=headline(ablation),
        notes=notes(ablation),
        seeds=max(len(cell.trials) for cell in ablation.cells),
        scores=_axis(scores),
        changes=_axis([0.0, *changes]),
        runs=sum(len(cell.trials) for cell in ablation.cells),
        charts=_charts(folder, ablation),
        seen=seen,
        metrics=usual,
        leading=leading(usual) if usual else None,
        matrix=matrix,
        won=won,
        differing=shown_rows(seen) if seen else [],
        reports={
            trial.folder: (folder / trial.folder / "report.html").is_file()
            for cell in ablation.cells
            for trial in cell.trials
        },
    )


def _charts(folder: Path, ablation: Ablation) -> dict[str, object] | None:
    """How each run's validation went, epoch by epoch, all on one scale; None without histories."""
    histories = {
        (cell.name, trial.seed): _history(folder / trial.folder)
        for cell in ablation.cells
        for trial in cell.trials
    }
    rows = [row for history in histories.values() for row in history]
    last = ablation.score.name.rpartition(".")[2]
    known = (f"val_{last}", "val_accuracy", "val_loss", "loss")
    column = next((name for name in known if any(name in row for row in rows)), None)
    if column is None:
        return None
    values = [row[column] for row in rows if column in row and math.isfinite(row[column])]
    across = PlotAxis(0.0, max(row["epoch"] for row in rows), 155.0)
    # A flat line still needs a height.
    up = PlotAxis(
        min(values), max(values) if max(values) > min(values) else min(values) + 1.0, 90.0
    )
    lines = {
        key: " ".join(
            f"{across.x(row['epoch'])},{round(90 - up.x(row[column]), 1)}"
            for row in history
            if math.isfinite(row.get(column, math.nan))
        )
        for key, history in histories.items()
    }
    return {
        "column": column.replace("_", " ").replace("val ", "validation "),
        "lines": lines,
        "across": across,
        "up": up,
    }


def _history(folder: Path) -> list[dict[str, float]]:
    try:
        return open_run(folder).history()
    except InputError:
        # A training that failed early leaves no run; its row in the table tells of it.
        return []
