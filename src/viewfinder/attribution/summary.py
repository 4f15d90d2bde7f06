"""How far the heat maps of many answers can be believed, in a few figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viewfinder.attribution.heat import OCCLUSION
from viewfinder.attribution.trials import shows_the_picture
from viewfinder.attribution.why import Reasons
from viewfinder.wording import counted


@dataclass(frozen=True)
class Summary:
    """Figures over all answers that were asked about.

    Attributes:
        pictures, answers: how many there were.
        tested: answers that have a map, and whose score depends on the picture enough to tell.
        untold: the other answers that have a map.
        passed: maps whose hottest tenth matters more than as much at random.
        occluded: maps that were made by occlusion, as no layer's passed or none makes maps.
        alike: maps that a net which knows nothing gives nearly as well.
        fall, fall_random: by how much the score falls, in the mean, with the hottest tenth covered,
            and with as much at random; None without a map.
    """

    pictures: int
    answers: int
    tested: int
    untold: int
    passed: int
    occluded: int
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
            "by_occlusion": self.occluded,
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
        told = [
            f"{asked}: {self.passed} of {counted(self.tested, 'map')} passed the deletion test",
            f"covering a map's hottest tenth lowers the score by {self.fall:z.1%} in the mean, "
            f"as much at random by {self.fall_random:z.1%}",
        ]
        if self.untold:
            told.append(
                f"{counted(self.untold, 'map')} cannot be tested, as their scores hardly depend on "
                "any tenth of the picture"
            )
        if self.occluded:
            told.append(
                f"{counted(self.occluded, 'map')} by occlusion, which measures nearly what the "
                "test does"
            )
        if self.alike:
            told.append(
                f"{counted(self.alike, 'map')} would be much the same had nothing been learnt"
            )
        return told


def summary_of(found: Sequence[Reasons]) -> Summary:
    """The figures of many pictures."""
    reasons = [reason for each in found for reason in each.reasons]
    made = [reason.deletion for reason in reasons if reason.deletion is not None]
    trials = [trial for trial in made if trial.tells] or made
    return Summary(
        pictures=len(found),
        answers=len(reasons),
        tested=sum(trial.tells for trial in made),
        untold=sum(not trial.tells for trial in made),
        passed=sum(trial.passed for trial in trials),
        occluded=sum(r.heat is not None and r.heat.method == OCCLUSION for r in reasons),
        alike=sum(shows_the_picture(reason.likeness) for reason in reasons),
        fall=float(np.mean([t.base - t.covered for t in trials])) if trials else None,
        fall_random=float(np.mean([t.base - t.random for t in trials])) if trials else None,
    )
