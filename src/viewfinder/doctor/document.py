"""The machine, what is found, and its speed as one JSON document."""

from collections.abc import Sequence
from dataclasses import asdict

from viewfinder.doctor.estimate import Epoch
from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine

SCHEMA = "viewfinder.doctor/1"


def document(
    machine: Machine, found: Sequence[Finding], epochs: Sequence[Epoch], *, seconds: float
) -> dict[str, object]:
    """See docs/doctor.md for its keys."""
    facts = asdict(machine)
    del facts["speed"], facts["networks"]
    return {
        "schema": SCHEMA,
        "works": works(found),
        "findings": [asdict(each) for each in found],
        "machine": facts,
        "speed": asdict(machine.speed) if machine.speed else None,
        "epochs": [asdict(each) for each in epochs],
        "seconds": round(seconds, 2),
    }


def works(found: Sequence[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(each.level != "broken" for each in found)
