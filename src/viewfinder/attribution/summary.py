"""How far the heat maps of many answers can be believed, in a few figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viewfinder.attribution.heat import OCCLUSION
from viewfinder.attribution.reason import Reasons
from viewfinder.wording import counted


@dataclass(frozen=True)
class Summary:
    """Figures over all answers that were asked about.

    Attributes:
        pictures, answers: how many there were.
        tested: answers that have a map, and whose score depends on the picture enough to tell.
        untold: the other answers that have a map.
        passed: maps whose hottest places matter more than nearly all covers at random.
        own_tested, own_passed: the same of the network's own maps, also of those that occlusion
            took the place of.
        replaced: maps by occlusion, as the network's own failed.
        occluded: maps that were made by occlusion, as no layer's passed or none makes maps.
        compared: maps that could be held against those of a net which knows nothing.
        alike: those of them that it gives nearly as well.
        fall, fall_random: by how much the score falls, in the mean, with the hottest places
            covered, and with as much at random; None without a map.
    """

    pictures: int
    answers: int
    tested: int
    untold: int
    passed: int
    own_tested: int
    own_passed: int
    occluded: int
    replaced: int
    compared: int
    alike: int
    fall: float | None
    fall_random: float | None

    def as_json(self) -> dict[str, object]:
        """The figures under their public names."""
        return {
            "pictures": self.pictures,
            "answers": self.answers,
            "tested": self.tested,
            "too_little": self.untold,
            "passed": self.passed,
            "own_tested": self.own_tested,
            "own_passed": self.own_passed,
            "by_occlusion": self.occluded,
            "scrambled_compared": self.compared,
            "like_scrambled": self.alike,
            "fall": self.fall,
            "fall_random": self.fall_random,
        }

    def lines(self) -> list[str]:
        """The same for a person."""
        asked = f"{counted(self.answers, 'answer')} to {counted(self.pictures, 'picture')}"
        if self.fall is None or self.fall_random is None:
            return [f"{asked}: no map says anything"]
        if not self.tested:
            return [
                f"{asked}: this net knows too little for a map to be tested, as its scores hardly "
                "depend on any tenth of a picture"
            ]
        parts = [
            f"{asked}: {self._passed}",
            f"covering a map's hottest places lowers the score by {100 * self.fall:z.1f} points in "
            f"the mean, as much at random by {100 * self.fall_random:z.1f}",
        ]
        if self.untold:
            score = "its score hardly depends" if self.untold == 1 else "their scores hardly depend"
            parts.append(
                f"{counted(self.untold, 'map')} cannot be tested, as {score} on any tenth of the "
                "picture"
            )
        if self.compared:
            parts.append(
                f"{self.alike} of {counted(self.compared, 'map')} that could be compared would be "
                "much the same had nothing been learnt"
            )
        return parts

    @property
    def _passed(self) -> str:
        by_occlusion = "by occlusion, which measures nearly what the test does"
        if not self.own_tested:
            return f"{self.passed} of {counted(self.tested, 'map')} {by_occlusion}, passed it"
        own = (
            f"{self.own_passed} of {self.own_tested} of the network's own maps passed the deletion "
            "test"
        )
        if self.alike:
            own += f", but {self.alike} would be much the same had nothing been learnt"
        if not self.occluded:
            return own
        instead = " instead" if self.replaced else ""
        return f"{own}; {self.occluded} shown{instead} {by_occlusion}"


def summary_of(found: Sequence[Reasons]) -> Summary:
    """The figures of many pictures."""
    reasons = [reason for each in found for reason in each.reasons]
    made = [reason.deletion for reason in reasons if reason.deletion is not None]
    own = [reason.own for reason in reasons if reason.own is not None]
    trials = [trial for trial in made if trial.tells] or made
    return Summary(
        pictures=len(found),
        answers=len(reasons),
        tested=sum(trial.tells for trial in made),
        untold=sum(not trial.tells for trial in made),
        passed=sum(trial.passed for trial in trials),
        own_tested=sum(trial.tells for trial in own),
        own_passed=sum(trial.passed for trial in own),
        replaced=sum(r.failed is not None for r in reasons),
        compared=sum(r.likeness is not None for r in reasons),
        occluded=sum(r.heat is not None and r.heat.method == OCCLUSION for r in reasons),
        alike=sum(reason.learnt_nothing for reason in reasons),
        fall=float(np.mean([t.base - t.covered for t in trials])) if trials else None,
        fall_random=float(np.mean([t.base - t.random for t in trials])) if trials else None,
    )
