"""What a rule may answer, and words that rules share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from viewfinder.doctor.finding import Finding, Level
from viewfinder.doctor.machine import Machine, Nvidia, Version

GIB = 1 << 30
_COMMANDS = ("pip", "uv", "python", "viewfinder", "train", "predict")


@dataclass(frozen=True)
class Rule:
    """A rule: its name, where what it knows is documented, and a function of the facts alone.

    `check` gives a finding, whose rule and source are filled in by the table, or None.
    """

    name: str
    source: str
    check: Callable[[Machine], Finding | None]


def broken(says: str, why: str, fix: str) -> Finding:
    """Something does not work."""
    return _finding("broken", says, why, fix)


def warning(says: str, why: str, fix: str) -> Finding:
    """It works, but slowly or at a risk."""
    return _finding("warning", says, why, fix)


def unknown(what: str, lacks: str, fix: str = "run viewfinder doctor without --quick") -> Finding:
    """A fact is not known that the rule needs.

    Args:
        what: that the rule would have reported, as `whether …`.
    """
    return _finding("unknown", what, lacks, fix)


def _finding(level: Level, says: str, why: str, fix: str) -> Finding:
    return Finding("", level, says, why, fix)


def untold(
    what: str,
    machine: Machine,
    part: str,
    *,
    fix: str = "look at what is said there, and fix that first",
) -> Finding:
    """That a part of the machine could not be gathered, and why."""
    trouble = next((each for each in machine.troubles if each.startswith(f"{part}:")), "")
    lacks = trouble or f"nothing could be found out about {part}"
    return unknown(what, lacks, fix)


def unasked(what: str) -> Finding:
    """That torch was not asked."""
    return unknown(what, "--quick does not ask torch")


def dotted(version: Version) -> str:
    """`(13, 0)` as `13.0`."""
    return ".".join(map(str, version))


def driver_version(version: Version) -> str:
    """`(470, 57, 2)` as NVIDIA writes it: `470.57.02`."""
    return dotted(version[:2]) + "".join(f".{number:02}" for number in version[2:])


def gib(size: float) -> str:
    """Bytes in words: `3.1 GiB`, `120 MiB`."""
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / (1 << 20):,.0f} MiB"


def sentence(text: str) -> str:
    """With a capital, unless it begins with the name of a file or with a command to paste."""
    first = text.partition(" ")[0]
    plain = first.isalpha() and first not in _COMMANDS
    return text[:1].upper() + text[1:] if plain else text


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(([", ".join(names[:-1])] if names[:-1] else []) + list(names[-1:]))


def has_gpu(nvidia: Nvidia) -> bool:
    """Whether there is any sign of a GPU by NVIDIA."""
    return bool(nvidia.gpus or nvidia.devices or nvidia.cards)
