"""What a check of a data set finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something in a dataset that will harm a training, and what to do about it."""

    kind: str
    file: str
    detail: str
    mend: str
