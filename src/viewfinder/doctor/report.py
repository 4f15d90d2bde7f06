"""The page to send to whoever helps: one file, nothing fetched, nothing of the user in it."""

from collections.abc import Sequence
from pathlib import Path

from viewfinder.doctor.about import about, by_weight, when
from viewfinder.doctor.document import works
from viewfinder.doctor.estimate import PICTURES, Epoch
from viewfinder.doctor.finding import Finding, joined, told_nowhere
from viewfinder.doctor.html import write_page
from viewfinder.doctor.machine import Machine
from viewfinder.doctor.page import (
    UNIT,
    choice,
    columns,
    figure,
    heading,
    in_figures,
    row_name,
    rows,
    verdict,
)
from viewfinder.doctor.rules import RULES
from viewfinder.doctor.rules.telling import gib, sentence
from viewfinder.doctor.speed import Speed

_TITLES = {
    "broken": "Does not work",
    "warning": "Works, but slowly or at a risk",
    "unknown": "Not known",
}


def write_report(
    file: Path, machine: Machine, found: Sequence[Finding], epochs: Sequence[Epoch]
) -> None:
    """Write the page.

    Raises:
        InputError: the file is none of HTML, or cannot be written.
    """
    content = _content(machine, found, epochs)
    write_page(file, "doctor.html.jinja", content, filters={"sentence": sentence})


def _content(
    machine: Machine, found: Sequence[Finding], epochs: Sequence[Epoch]
) -> dict[str, object]:
    by_level = {
        title: joined(found)
        if level == "unknown"
        else [each for each in found if each.level == level]
        for level, title in _TITLES.items()
    }
    return {
        "facts": about(machine),
        "found": {title: each for title, each in by_level.items() if each},
        "told": verdict(found),
        "compared": all(each.compared > 1 for each in epochs),
        "fine_names": [rule.name for rule in RULES if rule.name not in {f.rule for f in found}],
        "verdict": "good" if works(found) else "bad",
        "packages": by_weight(machine.installation) if machine.installation else (),
        "settings": dict(machine.environment.settings) if machine.environment else {},
        "troubles": told_nowhere(machine.troubles, found),
        "speed": _speed(machine, machine.speed) if machine.speed else None,
        "pictures": f"{PICTURES:,}",
        "epochs": [
            {
                "net": each.net,
                "task": each.task,
                "side": each.side,
                "batch": each.batch,
                "time": in_figures(each.seconds),
                "memory": gib(each.memory),
                "choice": choice(each),
            }
            for each in epochs
        ],
    }


def _speed(machine: Machine, speed: Speed) -> dict[str, object]:
    table = rows(speed)
    highest = {what: max(values) or 1.0 for what, values in table}
    return {
        "when": when(machine, speed),
        "unit": UNIT,
        "headings": [heading(column, speed) for column in columns(speed)],
        "rows": [
            (row_name(what), [(figure(value), value / highest[what]) for value in values])
            for what, values in table
        ],
        "jpegs": speed.pictures and f"{speed.pictures:,.0f}",
    }
