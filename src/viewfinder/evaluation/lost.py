"""Classes that a net never answers right: a verdict names them, and calls no such fit fine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.advising import unsaid
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.wording import some

# A class whose pictures are all answered wrong is lost, and not unlucky, where that would happen
# to a class as good as the others with less than this chance.
_CHANCE = 0.05


@dataclass(frozen=True)
class Lost:
    """Classes that a net never answers right.

    Attributes:
        names: of the classes.
        says: a sentence that names them, with how many pictures, or boxes, there are of each.
        clear: whether that is more than bad luck for any of them.
    """

    names: tuple[str, ...]
    says: str
    clear: bool


def is_clear(wrong: float, there: NDArray[np.int64], lost: NDArray[np.intp]) -> bool:
    """Whether a class is lost by more than bad luck.

    Args:
        wrong: share of all pictures, or boxes, that are answered wrong.
        there: how many there are of each class.
        lost: the classes of which none is answered right.
    """
    return bool((wrong ** there[lost] < _CHANCE / len(there)).any())


def with_lost(said: FitVerdict, lost: Lost) -> FitVerdict:
    """A verdict that names classes which are never answered right, and does not call that fine."""
    tries: tuple[str, ...] = (f"add pictures of {some(lost.names, 6)}",)
    if said.kind != "fine" or not lost.clear:
        return replace(said, says=f"{said.says} {lost.says}", tries=_named(said.tries, lost, tries))
    figures = said.says.removeprefix("The fit is fine: ")
    tries += ("look at the worst pictures: are their labels right, could you tell them apart?",)
    return FitVerdict("uneven", f"{lost.says} Of all classes together, {figures}", tries)


def _named(tries: Sequence[str], lost: Lost, more: tuple[str, ...]) -> tuple[str, ...]:
    """`tries` with `more` pictures of lost classes in one advice: not where they are named already,
    and in the place of one that names others."""
    adds = [each for each in tries if each.startswith("add pictures:")]
    named = [each.removeprefix("add pictures: ").split(", and nothing")[0] for each in adds]
    if any(all(f"{name} " in words for name in lost.names) for words in named):
        return tuple(tries)
    if not adds:
        return first(tries, more)
    if not any(" are few" in each for each in adds):  # which names others
        of = f"add pictures, of {some(lost.names, 6)} first:"
        return tuple(each.replace("add pictures:", of) for each in tries)
    return tuple(more[0] if each is adds[0] else each for each in tries if each not in adds[1:])


def naming_few(said: FitVerdict, few: str) -> FitVerdict:
    """The same, where to add pictures is to add some of the classes that have few.

    Args:
        few: these classes, as `few_of` has them; empty where there are none.
    """
    if not few:
        return said
    of = f"add pictures, first of the classes that have few ({few}):"
    plain = "add pictures:"
    tries = (t if " are few" in t else t.replace(plain, of) for t in said.tries)
    return replace(said, tries=tuple(tries))


def first(tries: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """`tries`, and after them those of `others` that ask for something else."""
    return (*tries, *unsaid(others, tries))
