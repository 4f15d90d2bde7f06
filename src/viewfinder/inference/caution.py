"""What a model does not know is said to be unknown, and sets of classes can be relied on."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Answer
from viewfinder.inference.asked_scores import refuse_no_score, refuse_no_share, refuse_unsure
from viewfinder.tasks import find
from viewfinder.tasks.classify.coverage import TRUE_SHARES, TrueShares, members
from viewfinder.tasks.classify.probabilities import ClassProbabilities
from viewfinder.tasks.model import Model
from viewfinder.tasks.parts import Doubtable
from viewfinder.tasks.unknown import unknown_in
from viewfinder.wording import counted


@dataclass(frozen=True)
class Caution:
    """How sure answers must be.

    Attributes:
        refuse_below: the least score of a class that is answered; below it, it is unknown.
        least_share: the least probability of a class that is in a picture's set; None: no sets.
        refuse_unlike: whether pictures unlike what was learnt have no known class.
    """

    refuse_below: float | None = None
    least_share: float | None = None
    refuse_unlike: bool = False

    def classes(self, model: Model) -> tuple[str, ...]:
        """The names that answers are given by; a detector's unknown objects have their own."""
        known = model.config.classes
        refused = self.refuse_below is not None or self.refuse_unlike
        unsure = refused and find(model.config.task).finds_boxes
        return (*known, unknown_in(known)) if unsure else known

    def of(self, answers: Iterable[Answer], model: Model) -> Iterator[Answer]:
        """The same answers, as far as they are known."""
        number = len(model.config.classes)  # of what is unknown, behind the classes
        return (replace(each, value=self._value(each, number)) for each in answers)

    def _value(self, answer: Answer, number: int) -> Doubtable:
        least = self.refuse_below or 0.0
        if self.refuse_unlike and answer.unlike:
            least = math.inf
        value = answer.value
        assert isinstance(value, Doubtable), "`caution_of` has seen to it"
        value = value.unknown_below(least, number)
        if self.least_share is not None:
            assert isinstance(value, ClassProbabilities), "`caution_of` has seen to it"
            return replace(value, among=members(value.probabilities, self.least_share))
        return value


def caution_of(
    model: Model,
    refuse_below: float | None,
    coverage: float | None,
    *,
    refuse_unlike: bool = False,
) -> Caution | None:
    """How sure answers must be, as it is asked for; None where nothing is.

    Raises:
        InputError: it is no score or share, or not to be had of this model.
    """
    name = model.config.task
    task = find(name)
    if refuse_below is None and coverage is None:
        # Of what has no class, such as a subject, it is reported beside it.
        return Caution(refuse_unlike=True) if refuse_unlike and task.can_doubt else None
    if refuse_below is not None:
        refuse_no_score("--refuse-below", refuse_below)
    sets = None if coverage is None else task.answers_sets
    refuse_unsure(model.source, name, can_doubt=task.can_doubt, sets=sets)
    if coverage is None:
        return Caution(refuse_below, refuse_unlike=refuse_unlike)
    refuse_no_share("--coverage", coverage, "0.9")
    shares = model.config.habits.get(TRUE_SHARES)
    if not isinstance(shares, TrueShares):
        raise InputError(
            f"--coverage needs a run that had pictures held out, and {model.source} "
            "knows of none: ask the run itself, or train it with --val-share or --folds"
        )
    least = shares.least_share(coverage)
    low, high = shares.spread(coverage)
    note(
        f"sets hold the true class of {coverage:.0%} of such pictures as were held out, or more "
        f"(of {counted(len(shares.shares), 'picture')}: {low:.0%} to {high:.0%} by chance)"
    )
    return Caution(refuse_below, least, refuse_unlike)
