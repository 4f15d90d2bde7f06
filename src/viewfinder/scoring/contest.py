"""What a comparison needs to know of a task: its metrics and plots, and each method's answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.sampling import Draws, Interval, Values, interval, score_interval, wilson


@dataclass(frozen=True)
class Metric:
    """A score of a set.

    Attributes:
        key: its name in JSON and CSV.
        title: as tables head it.
        tex: the same in LaTeX.
        meaning: in a sentence.
        headline: whether the terminal's table has it where none is asked for.
    """

    key: str
    title: str
    tex: str
    higher_is_better: bool
    meaning: str
    headline: bool = False


@dataclass(frozen=True)
class Plot:
    """One plot of one set.

    Attributes:
        key: for the name of its file.
        alt: what it shows, for those who do not see it.
    """

    key: str
    title: str
    x: str
    y: str
    alt: str


Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Places along a plot's x and y."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A method's score.

    Attributes:
        images: the pictures that it is of.
        draws: the score of each draw of pictures; none of one picture.
        share_of: of a share of pictures that are right, of how many it is.
        bounded: whether it lies from 0 to 1, as all do but log loss.
    """

    value: float
    images: int
    draws: Draws
    share_of: int | None = None
    bounded: bool = True

    @property
    def interval(self) -> Interval:
        """Where 95 of 100 such sets of pictures would put it."""
        if self.share_of is None or len(self.draws) == 0:
            of = score_interval if self.bounded else interval
            return of(self.value, self.draws, self.images)
        # Draws of few that are nearly all right hold too few of the others.
        return Interval(self.value, *wilson(self.value, self.share_of))


@dataclass(frozen=True)
class MethodView:
    """A data URL, what it shows, and its score, where it has one."""

    what: str
    image: str
    score: str


@dataclass(frozen=True)
class ComparedPicture:
    """One picture side by side: itself, the truth, and each method's answer."""

    picture: str
    seen: tuple[MethodView, ...]


class MethodAnswers(Protocol):
    """One method's answers to a set's pictures."""

    @property
    def pictures(self) -> Sequence[str]:
        """Those that it has answered."""

    def among(self, pictures: Sequence[str]) -> "MethodAnswers":
        """The same method's answers to some of its pictures alone."""

    def drawn(self, metric: str, pictures: Sequence[str]) -> Drawn | None:
        """A metric over some pictures and over draws of them, the same for every method; None
        where they have none."""

    def curve(self, plot: str) -> Curve | None:
        """The curve of a plot; None where there is none."""

    def of_picture(self, picture: str) -> Mapping[str, float | str]:
        """A picture's own scores, by column of `pictures.csv`."""


class Contest(Protocol):
    """A set's pictures with their truth, and the methods that answered them.

    Attributes:
        pictures: of which the truth is known, in order.
        settings: what the scores depend on, for the JSON document.
        about: sentences for the page's head.
        judged_by: what `goodness` is, such as S; empty where an answer is right or wrong.
        right_from: the goodness from which an answer is called right.
        differing: in words, what pictures side by side are ordered by.
        unscored: methods of which no answer could be read.
    """

    @property
    def name(self) -> str: ...
    @property
    def root(self) -> Path: ...
    @property
    def pictures(self) -> Sequence[str]: ...
    @property
    def metrics(self) -> Sequence[Metric]: ...
    @property
    def plots(self) -> Sequence[Plot]: ...
    @property
    def methods(self) -> Mapping[str, MethodAnswers]: ...
    @property
    def settings(self) -> Mapping[str, object]: ...
    @property
    def about(self) -> str: ...
    @property
    def judged_by(self) -> str: ...
    @property
    def right_from(self) -> float: ...
    @property
    def differing(self) -> str: ...
    @property
    def unscored(self) -> Sequence[str]: ...

    def notes(self, common: Sequence[str]) -> list[str]:
        """What must be known to read the scores, such as what is missing.

        Args:
            common: the pictures that every method has answered.
        """

    def goodness(self, pictures: Sequence[str], methods: Sequence[str]) -> Values:
        """How right each answer is, from 0 to 1: pictures×methods, all of them answered."""

    def row(self, picture: str, methods: Sequence[str]) -> ComparedPicture:
        """One picture with its truth, and each method's answer."""
