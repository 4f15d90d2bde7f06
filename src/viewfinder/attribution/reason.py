"""The reasons of answers as values: a heat map, what it stood, and what it is said to be worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from viewfinder.attribution.changes import Change
from viewfinder.attribution.heat import OCCLUSION, HeatMap
from viewfinder.attribution.inside import Stage
from viewfinder.attribution.standing import Standing
from viewfinder.attribution.trials import DRAWS, TO_BEAT, Deletion, shows_the_picture
from viewfinder.inference.learnt.nearest import Neighbour
from viewfinder.tasks.question import Question
from viewfinder.wording import counted

Worth = Literal["good", "bad", "untested"]


@dataclass(frozen=True, eq=False)
class Reason:
    """Why one answer was given.

    Attributes:
        standing: the score that is asked about, of the picture as it is.
        heat: None where no map says anything; the trials are None with it.
        likeness: the rank correlation with a scrambled net's map; None where none was made.
        failed: the deletion test that the network's own map did not pass, where this one was made
            by occlusion instead.
        nearest: of a box, the labelled objects that the run learnt from and takes for most like it.
        as_far: whether covering its hottest places moves the score little more than a scrambled
            net's score is moved by its own map.
        asked_layer: the layer that was named for the map, if one was.
    """

    question: Question
    standing: Standing
    heat: HeatMap | None
    deletion: Deletion | None
    likeness: float | None
    changes: tuple[Change, ...]
    failed: Deletion | None = None
    nearest: tuple[Neighbour, ...] = ()
    asked_layer: str | None = None
    as_far: bool = False

    @property
    def learnt_nothing(self) -> bool:
        """Whether a net that knows nothing does nearly the same."""
        return self.as_far or shows_the_picture(self.likeness)

    @property
    def own(self) -> Deletion | None:
        """The deletion test of the network's own map; None where it makes none."""
        if self.failed is not None:
            return self.failed
        return None if self.heat is None or self.heat.method == OCCLUSION else self.deletion

    @property
    def worth(self) -> Worth:
        """Whether its map stood both trials, or failed one; else one could not be made."""
        if self.deletion is None or not self.deletion.tells:
            return "untested"
        if not self.deletion.passed or self.learnt_nothing:
            return "bad"
        return "untested" if self._half_tested else "good"

    @property
    def _half_tested(self) -> bool:
        """Whether a net that knows nothing makes no map to hold the network's own against."""
        own = self.heat is not None and self.heat.method != OCCLUSION
        return own and self.likeness is None

    @property
    def verdict(self) -> str:
        """Whether the map is to be believed, in a sentence."""
        if self.deletion is None and self.asked_layer is not None:
            return f"nothing of this answer comes through {self.asked_layer}: name another layer"
        if self.deletion is None:
            return "no place that the answer depends on was found"
        trial = self.deletion
        if not trial.tells:
            who = "this net knows too little for a map to" if trial.unsure else "this map cannot"
            return (
                f"{who} be tested: covering a tenth "
                f"{self._within}, whichever, hardly changes the score of {trial.base:.1%}"
            )
        if not trial.passed:
            return (
                "do not believe this map: covering its hottest places lowers the score more than "
                f"only {trial.beaten} of {DRAWS} covers at random{self._about} do, where {TO_BEAT} "
                "are asked"
            )
        if shows_the_picture(self.likeness):
            return (
                "believe half of this map: covering its hottest places lowers the score, but a net "
                "that knows nothing gives nearly the same map"
            )
        if self.as_far:
            return (
                "do not believe this map: covering its hottest places takes the score from "
                f"{trial.base:.1%} to {trial.covered:.1%}, and the scores of a net that knows "
                "nothing move nearly as far"
            )
        half = "; half tested: the map of a net that knows nothing shows no place to compare with"
        return (
            f"covering its hottest places takes the score from {trial.base:.1%} to "
            f"{trial.covered:.1%}; as much at random{self._about}, to {trial.random:.1%}"
            + half
            * self._half_tested
        )

    @property
    def instead(self) -> str:
        """That the network's own map failed, if so, in a sentence."""
        if self.failed is None:
            return ""
        if not self.failed.tells:
            return "the network's own map could not be tested; this one is by occlusion instead"
        return (
            "the network's own map failed: covering its hottest places lowers the score more than "
            f"only {self.failed.beaten} of {DRAWS} covers at random; this one is by occlusion "
            "instead"
        )

    @property
    def says(self) -> str:
        """The score as it is, which map this is where the network's own failed, and the verdict."""
        return "; ".join(part for part in (self.standing.says, self.instead, self.verdict) if part)

    @property
    def _about(self) -> str:
        return "" if self.question.box is None else " about the box"

    @property
    def _within(self) -> str:
        return "of the picture" if self.question.box is None else "of the box's surroundings"

    def as_json(self, classes: Sequence[str]) -> dict[str, object]:
        """`answer, shown, own, own_class, class, box, layer, method, deletion, own_map, scrambled,
        changes`; null where none; and of a box `nearest`."""
        asked = self.question
        return {
            "answer": asked.name,
            **self.standing.as_json(),
            "class": None if asked.label is None else classes[asked.label],
            "box": None if asked.box is None else [round(edge, 2) for edge in asked.box],
            "layer": None if self.heat is None else self.heat.layer,
            "method": None if self.heat is None else self.heat.method,
            "deletion": None if self.deletion is None else self.deletion.as_json(),
            "own_map": None if self.own is None else self.own.as_json(),
            "moves_as_scrambled": None if self.likeness is None else self.as_far,
            "scrambled": None if self.likeness is None else round(self.likeness, 4),
            "changes": [change.as_json() for change in self.changes],
            "nearest": [each.as_json(tuple(classes)) for each in self.nearest],
        }


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why a picture is answered as it is.

    Attributes:
        picture: H×W×3, as the net is given it.
        found: how many answers there are, whether or not they are asked about.
        stages: what is inside the net; empty where it was not asked for.
        nearest: the pictures that the run learnt from and takes for most like it.
        learnt_from: whether it is one of those itself, which is left out of what is most like it.
    """

    source: str
    picture: NDArray[np.uint8]
    reasons: tuple[Reason, ...]
    found: int
    stages: tuple[Stage, ...] = ()
    nearest: tuple[Neighbour, ...] = ()
    learnt_from: bool = False

    @property
    def nothing(self) -> str:
        """Why no answer is asked about, if none is, in a sentence."""
        if self.reasons:
            return ""
        if not self.found:
            return "nothing is found here, so there is nothing to ask about"
        return f"{counted(self.found, 'answer')} found here, none of the class asked about"

    def as_json(self, classes: Sequence[str]) -> dict[str, object]:
        """`source`, `found`, `reasons`, one an answer, `nearest` and `learnt_from`."""
        return {
            "source": self.source,
            "found": self.found,
            "reasons": [reason.as_json(classes) for reason in self.reasons],
            "nearest": [each.as_json(tuple(classes)) for each in self.nearest],
            "learnt_from": self.learnt_from,
        }
