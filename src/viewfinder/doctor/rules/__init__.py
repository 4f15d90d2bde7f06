"""The one table of what can be wrong, each with where it is documented."""

from dataclasses import replace

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine
from viewfinder.doctor.rules import computing, drivers, gpus, installed, room
from viewfinder.doctor.rules.telling import Rule

RULES: tuple[Rule, ...] = (
    *drivers.RULES,
    *gpus.RULES,
    *installed.RULES,
    *room.RULES,
    *computing.RULES,
)
"""All rules, in the order in which they are reported."""

_ORDER = ("broken", "warning", "unknown")


def findings(machine: Machine) -> list[Finding]:
    """What each rule says of a machine: what does not work first, what is not known last."""
    found = []
    for rule in RULES:
        said = rule.check(machine)
        if said is not None:
            found.append(replace(said, rule=rule.name, source=rule.source))
    return sorted(found, key=lambda each: _ORDER.index(each.level))
