"""A fix that may be tried, and what it leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass

from viewfinder.explain.edits import Edit, InsertedCall


@dataclass(frozen=True)
class Candidate:
    """A fix to be tried: what it changes, how it is said, and how far-fetched it is."""

    edits: tuple[Edit, ...]
    says: str
    cost: float
    only_here: bool = False
    """It fits these sizes alone, as a number written out does."""
    means: str = ""
    """What is then otherwise than it was most likely meant; it comes after all that is not."""

    def and_(self, other: "Candidate") -> "Candidate":
        """Both together."""
        return Candidate(
            (*self.edits, *other.edits),
            f"{self.says}; and {other.says}",
            self.cost + other.cost,
            self.only_here or other.only_here,
            self.means or other.means,
        )


def dropped(operation: InsertedCall | None, names: Sequence[str]) -> Sequence[str]:
    """The name of the dimension that an operation takes one place, or the mean, of."""
    dim = operation.drops if operation is not None else None
    return (names[dim % len(names)],) if dim is not None and names else ()


def reduced(operation: InsertedCall | None, names: Sequence[str]) -> str:
    """In words, where that dimension holds channels or features, each of which is another."""
    kept = [name for name in dropped(operation, names) if name in ("channels", "features", "heads")]
    if not kept or operation is None:
        return ""
    return (
        f"it {'averages over' if '.mean(' in operation.code else 'keeps the last of'} the {kept[0]}"
    )
