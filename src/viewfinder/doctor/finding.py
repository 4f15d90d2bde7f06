"""What is wrong, why, and what mends it."""

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
