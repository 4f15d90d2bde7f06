"""What a grid of trainings found: in words, one JSON document, and a table for spreadsheets."""

import csv
import io
import math
from dataclasses import asdict, dataclass

from viewfinder.evaluation.over_seeds import (
    CHANCE,
    Estimate,
    RecipeComparison,
    compare,
)
from viewfinder.student import critical_t
from viewfinder.tasks.figures import Score
from viewfinder.wording import as_cell

# With fewer seeds than this, only large differences can be separated from chance.
_FEW = 5


@dataclass(frozen=True)
class CellTraining:
    """One training of a cell.

    Attributes:
        folder: of the run, relative to the ablation's.
        value: of the score that is compared; None if the training failed.
        failed: why.
    """

    seed: int
    folder: str
    value: float | None
    failed: str | None = None


@dataclass(frozen=True)
class TrainedCell:
    """One recipe of the grid; `fields` are those of `[base]`, its own over them."""

    name: str
    fields: dict[str, object]
    trials: tuple[CellTraining, ...]

    @property
    def values(self) -> dict[int, float]:
        """The score of each seed that has one."""
        return {trial.seed: trial.value for trial in self.trials if trial.value is not None}

    @property
    def failures(self) -> list[CellTraining]:
        return [trial for trial in self.trials if trial.failed is not None]


@dataclass(frozen=True)
class Ablation:
    """A whole grid, trained.

    Attributes:
        score: with its split in the name.
        text: the file that it was asked for with.
    """

    name: str
    task: str
    data: str
    score: Score
    baseline: str
    cells: tuple[TrainedCell, ...]
    text: str

    def compared(self) -> dict[str, RecipeComparison]:
        """Each cell by name against the baseline."""
        values = {cell.name: cell.values for cell in self.cells}
        return compare(values, self.baseline, self.score)

    def shown(self, value: float | None, *, sign: bool = False) -> str:
        """A value of the score, or with `sign` a difference, as it is read: 0.8125 as 81.2 (%)."""
        if value is None:
            return "–"
        plus = "+" if sign else ""
        if self.score.share:
            return f"{100 * value:{plus}.1f}"
        # As many digits in a small difference as in the score that it is of.
        return f"{value:{plus}.4f}" if abs(value) < 10 else f"{value:{plus}.4g}"

    def interval(self, found: Estimate | None, *, sign: bool = False) -> str:
        """Both ends of an interval, or a dash."""
        if found is None or found.low is None:
            return "–"
        return f"{self.shown(found.low, sign=sign)} to {self.shown(found.high, sign=sign)}"

    @property
    def units(self) -> tuple[str, str]:
        """What scores and their differences are counted in, to follow their name."""
        return (", %", ", points") if self.score.share else ("", "")


def chance(found: RecipeComparison) -> str:
    """How often chance alone would find such a difference somewhere in the grid: 3.1 %."""
    p = found.difference.p_holm if found.difference is not None else None
    if p is None:
        return "–"
    return "< 0.1 %" if p < 0.001 else f"{100 * p:.2g} %" if p < 0.1 else f"{100 * p:.0f} %"


def headline(ablation: Ablation) -> str:
    """What was found, in a sentence."""
    compared = ablation.compared()
    better = [name for name, found in compared.items() if found.verdict == "better"]
    if not better:
        return f"No cell is clearly better than the baseline, {ablation.baseline}"

    def gain(name: str) -> float:
        found = compared[name].difference
        return abs(found.mean) if found is not None else 0.0

    best = max(better, key=gain)
    others = len(better) - 1
    more = f", and so {'is 1 other' if others == 1 else f'are {others} others'}" if others else ""
    change = compared[best].difference
    by = ablation.shown(change.mean if change else None, sign=True)
    points = " points" if ablation.score.share else ""
    return f"{best} is better than the baseline, {ablation.baseline}, by {by}{points}{more}"


def notes(ablation: Ablation) -> list[str]:
    """What must be known to read the table: few seeds, failures, what chance allows."""
    compared = ablation.compared()
    pairs = [c.difference.n for c in compared.values() if c.difference and c.difference.n > 1]
    said = []
    if pairs and min(pairs) < _FEW:
        n, m = min(pairs), len(pairs)
        least = critical_t(CHANCE / m, n - 1) / math.sqrt(n)
        among = f" among {m} comparisons" if m > 1 else ""
        said.append(
            f"{n} seeds are few: the first difference to be separated from chance{among} must be "
            f"{least:.2g} times the standard deviation of the differences. More seeds show "
            "smaller ones."
        )
    if not pairs and len(compared) > 1:
        said.append(
            "One seed shows no spread, so nothing can be separated from chance: give seeds = 5."
        )
    for cell in ablation.cells:
        if len(failures := cell.failures) == 1:
            said.append(f"{cell.name}, seed {failures[0].seed}, failed: {failures[0].failed}")
        elif failures:
            seeds = ", ".join(str(trial.seed) for trial in failures)
            said.append(f"{cell.name}, seeds {seeds}, failed: {failures[0].failed}")
    return said


def document(ablation: Ablation) -> dict[str, object]:
    """The table as `ablation.json` holds it."""
    compared = ablation.compared()
    return {
        "schema": "viewfinder.ablation/1",
        "name": ablation.name,
        "task": ablation.task,
        "data": ablation.data,
        "score": ablation.score.name,
        "higher_is_better": ablation.score.higher_is_better,
        "baseline": ablation.baseline,
        "cells": [
            {
                "name": cell.name,
                "fields": cell.fields,
                **_estimate(compared[cell.name].estimate),
                "difference": asdict(found) if (found := compared[cell.name].difference) else None,
                "verdict": compared[cell.name].verdict,
                "runs": [asdict(trial) for trial in cell.trials],
            }
            for cell in ablation.cells
        ],
        "notes": notes(ablation),
    }


def _estimate(found: Estimate | None) -> dict[str, object]:
    return asdict(found) if found else {"mean": None, "low": None, "high": None, "n": 0}


def as_csv(ablation: Ablation) -> str:
    """A row a cell: its fields, its score of each seed, and what was found."""
    compared = ablation.compared()
    fields = list(dict.fromkeys(name for cell in ablation.cells for name in cell.fields))
    seeds = list(dict.fromkeys(trial.seed for cell in ablation.cells for trial in cell.trials))
    ends = ("mean", "low", "high", "n")
    columns = ["cell", *fields, *(f"seed_{seed}" for seed in seeds), *ends]
    columns += [*(f"difference_{end}" for end in ends), "p", "p_holm", "verdict"]
    text = io.StringIO()
    # An exact zero must not look like a gap, nor a gap like a number.
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for cell in ablation.cells:
        found = compared[cell.name]
        row = {"cell": as_cell(cell.name), "verdict": found.verdict, **_estimate(found.estimate)}
        row |= {name: _word(value) for name, value in cell.fields.items()}
        row |= {f"seed_{seed}": value for seed, value in cell.values.items()}
        if found.difference is not None:
            row |= {f"difference_{end}": getattr(found.difference, end) for end in ends}
            row |= {"p": found.difference.p, "p_holm": found.difference.p_holm}
        writer.writerow(row)
    return text.getvalue()


def _word(value: object) -> object:
    word = " ".join(map(str, value)) if isinstance(value, list) else value
    return as_cell(word) if isinstance(word, str) else word
