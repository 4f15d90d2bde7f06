"""What a classifier answers: how likely a picture is of each class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.drawing import contact_sheet
from viewfinder.tasks.unknown import unknown_in
from viewfinder.wording import shown

# Sides in pixels that a caption is legible beside and a screen can show.
_SMALLEST, _LARGEST = 160, 1200


class PredictedClass(TypedDict):
    """A classifier's answer under its public names; the scores add up to 1.

    `label` is `unknown` where the surest is not sure enough, and `set` the classes of a set that
    holds the true one as often as was asked.
    """

    label: str
    scores: dict[str, float]
    set: NotRequired[list[str]]


@dataclass(frozen=True, eq=False)
class ClassProbabilities:
    """How likely a picture is of each class: C probabilities that add up to 1.

    Attributes:
        known: whether the likeliest is sure enough to be answered.
        among: classes of which one is the true one as often as was asked; None if nothing was.
    """

    captioned: ClassVar[bool] = True
    probabilities: NDArray[np.float32]
    known: bool = True
    among: tuple[int, ...] | None = None

    def as_json(self, classes: Sequence[str]) -> PredictedClass:
        """`label`, the likeliest class, and `scores`, each class's probability; or `unknown`."""
        scores = dict(zip(classes, self.probabilities.tolist(), strict=True))
        likeliest = max(scores, key=lambda name: scores[name])
        label = likeliest if self.known else unknown_in(classes)
        found: PredictedClass = {"label": label, "scores": scores}
        if self.among is not None:
            found["set"] = [classes[index] for index in self.among]
        return found

    def unknown_below(self, least: float, number: int) -> "ClassProbabilities":
        """The same, known if its likeliest class has `least` or more."""
        return replace(self, known=bool(self.probabilities.max() >= least))

    def drawn_on(self, picture: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.uint8]:
        """The picture, as large as letters are legible beside, with the likeliest class below."""
        side = min(_LARGEST, max(_SMALLEST, *picture.shape[:2]))
        return contact_sheet([picture], columns=1, cell=side, captions=[self._likeliest(classes)])

    def caption(self, classes: Sequence[str]) -> str:
        """The likeliest class."""
        return self._likeliest([shown(name) for name in classes])

    def line(self, classes: Sequence[str], *, top: int) -> str:
        """The likeliest classes, the likeliest first, or those of the set."""
        order = np.argsort(-self.probabilities, kind="stable")[:top].tolist()
        listed = [
            f"{classes[index]} {self.probabilities[index]:.1%}"
            for index in (order if self.among is None else self.among)
        ]
        named = "  ".join(listed) if self.among is None else _one_of(listed)
        return named if self.known else f"{unknown_in(classes)}  ({named})"

    def _likeliest(self, classes: Sequence[str]) -> str:
        best = int(self.probabilities.argmax())
        if not self.known:
            return unknown_in(classes)
        return f"{classes[best]} {self.probabilities[best]:.0%}"


def _one_of(listed: Sequence[str]) -> str:
    """A set of classes, which is not to be taken for the likeliest ones."""
    return f"{'only' if len(listed) == 1 else 'one of'}: {', '.join(listed)}"
