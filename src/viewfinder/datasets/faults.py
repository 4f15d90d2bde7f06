"""What a check of a data set finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something in a dataset that will harm a training, and what to do about it.

    Attributes:
        blocking: learning from the set would be silently wrong, so that it is refused until this is
            fixed; `check` alone goes on.
    """

    kind: str
    file: str
    detail: str
    fix: str
    blocking: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.detail}; {self.fix}"
