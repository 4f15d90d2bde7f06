"""What is wrong, why, and what fixes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["broken", "warning", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know.

    Attributes:
        rule: the name of the rule that found it.
        level: broken: something does not work; warning: it works, but slowly or at a risk; unknown:
            the rule lacks a fact, and says which.
        says: what is so, in a sentence without its full stop.
        why: what comes of it; of an unknown, why it is not known.
        fix: what to do about it.
        source: where this is documented.
    """

    rule: str
    level: Level
    says: str
    why: str
    fix: str
    source: str = ""


def told_nowhere(troubles: Iterable[str], found: Iterable[Finding]) -> list[str]:
    """What kept a part of the machine from being gathered, where no finding tells it."""
    told = {each.why for each in found}
    return [trouble for trouble in troubles if trouble not in told]


def joined(found: Iterable[Finding]) -> list[Finding]:
    """The unknown ones among them, those that lack the same fact as one."""
    lacking: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        if each.level == "unknown":
            lacking.setdefault((each.why, each.fix), []).append(each)
    return [
        Finding(
            rule=", ".join(each.rule for each in alike),
            level="unknown",
            says="; ".join(each.says for each in alike),
            why=why,
            fix=fix,
            source=alike[0].source,
        )
        for (why, fix), alike in lacking.items()
    ]
