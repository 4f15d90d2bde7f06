"""What a check of a data set finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something in a dataset that will harm a training, and what to do about it.

    Attributes:
        blocking: learning from the set would be silently wrong, so that it is refused until this is
            fixed; `check` alone goes on.
        labels: of a file that holds one picture's labels and of which nothing is read, or not all,
            its path: all other pictures are read rightly. Empty where the set is concerned.
        picture: the picture of `labels`, where it is known.
    """

    kind: str
    file: str
    detail: str
    fix: str
    blocking: bool = False
    labels: str = ""
    picture: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.detail}; {self.fix}"
