"""A row of the table of names that are gone or on their way out."""

from dataclasses import dataclass

from viewfinder.doctor.code.remark import Level


@dataclass(frozen=True)
class Replacement:
    """What stands in a name's place.

    Attributes:
        new: a name, or a template of what to write.
        imports: the line that the new name needs.
        takes: what the old one calls its first arguments, where a template needs to know.
        drops: arguments that the new one does not take.
    """

    new: str
    why: str
    level: Level = "broken"
    imports: str = ""
    takes: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()


def rows(
    why: str, level: Level, names: dict[str, str], imports: str = ""
) -> dict[str, Replacement]:
    """Rows, by the old name, that have all but the new name in common."""
    return {old: Replacement(new, why, level, imports) for old, new in names.items()}
