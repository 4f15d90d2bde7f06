"""What a method says of a set's pictures: classes, and how sure it is of each."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TOP = 5
"""Answers of which the class is to be one, for the score of that name."""


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """A method's answers, numbered by the set's classes.

    Attributes:
        labels: of each answered picture its class; -1 for one that the set does not have.
        probabilities: of each answered picture C numbers, and behind them those of classes that
            the set does not have; none where only classes are known.
        scores: of the answered class, where there is one.
        unknown: of pictures whose class the set does not have, what was said.
    """

    labels: Mapping[str, int]
    probabilities: Mapping[str, NDArray[np.float64]]
    scores: Mapping[str, float]
    notes: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def certain(self) -> bool:
        """Whether every probability is 0 or 1, which says only what the answer is."""
        return all(np.isin(own, (0, 1)).all() for own in self.probabilities.values())

    def of(self, pictures: Sequence[str]) -> tuple[Hashable, list[NDArray[np.float64]]]:
        """What is said of some pictures, and how sure: equal where two methods say the same."""
        table = [self.probabilities[p] for p in pictures if p in self.probabilities]
        return tuple(self.unknown.get(p, self.labels[p]) for p in pictures), table

    def tied(self, truth: Mapping[str, int]) -> list[str]:
        """Pictures whose class may be among the five likeliest or not, as others are as likely."""
        found = []
        for picture, own in self.probabilities.items():
            if picture in truth:
                of_truth = own[truth[picture]]
                before = int((own > of_truth).sum())
                if before < TOP < before + int((own == of_truth).sum()):
                    found.append(picture)
        return found
