"""What advice is put together from: flags that change something, by how the training went."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viewfinder.tasks.recipe import Recipe
from viewfinder.wording import some

# How a whole command begins in an advice.
_COMMAND = ": viewfinder train "
# What a recipe's usual number of epochs follows from.
_FIRST = ("net", "options", "init", "head")
# Nobody who gave so many minutes wants more than this many times as many advised.
_MOST_TIMES = 10.0


@dataclass(frozen=True)
class Course:
    """How a training went, as far as advice depends on it.

    Attributes:
        epochs: how many it came to; 0 where that is not known.
        patience_ended: whether it ended because no epoch had been better for long.
        folds: how many came before it, so that it learnt from everything; 0 without any.
        side: the longer side of its pictures in pixels, of most; None where that is not known.
    """

    epochs: int = 0
    patience_ended: bool = False
    folds: int = 0
    side: int | None = None


def unsaid(tries: Sequence[str], said: Sequence[str]) -> tuple[str, ...]:
    """Those of `tries` whose flags, or whose words where they have none, `said` does not have; nor
    a whole command there."""
    known = {_advice(each) for each in said}
    commands = [_flags_in(each) for each in said if _COMMAND in each]
    return tuple(
        each
        for each in tries
        if _advice(each) not in known and not any(_asked_for(each, flags) for flags in commands)
    )


def _asked_for(advice: str, flags: set[str]) -> bool:
    """Whether the flags that an advice names are all among a command's."""
    named = _flags_in(advice)
    return bool(named) and named <= flags


def _flags_in(words: str) -> set[str]:
    """Each flag with its values that a sentence names."""
    _, separator, flags = words.partition(" --")
    return {each.strip() for each in flags.split(" --")} if separator else set()


def advised(tries: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """All advice, the best first, each once: without what a whole command among `more` asks for."""
    told = unsaid(tries, [each for each in more if _COMMAND in each])
    return (*told, *unsaid(more, told))


def raised(recipe: Recipe, **wanted: float) -> str:
    """The flags that set those of a recipe's fields which are lower to what is wanted."""
    return _flags({n: v for n, v in wanted.items() if getattr(recipe, n) < v})


def lowered(recipe: Recipe, **wanted: float) -> str:
    """The flags that set those of a recipe's fields which are higher to what is wanted."""
    return _flags({n: v for n, v in wanted.items() if getattr(recipe, n) > v})


def with_option(recipe: Recipe, option: str) -> str:
    """The flag that gives the net an option beside those it has, for the flag replaces them all."""
    name = option.partition("=")[0]
    kept = [each for each in recipe.options if each.partition("=")[0] != name]
    return " ".join(("--options", *kept, option))


def too_short(recipe: Recipe, course: Course) -> bool:
    """Whether a training ended before what is usual, so that nothing but its length is known to be
    the matter with a net that has not learnt its own pictures."""
    return 0 < course.epochs < _usual_epochs(recipe) and not course.patience_ended


def without_folds(tries: Sequence[str]) -> tuple[str, ...]:
    """What to try with a net that has not learnt enough to be worth judging better."""
    return tuple(each for each in tries if ": --folds " not in each)


def few_of(counts: Mapping[str, int], enough: int) -> str:
    """The classes that have less than `enough` and than half of what the largest has, the rarest
    first, each with its count; empty where they are even."""
    half = max(counts.values(), default=0) / 2
    few = {name: count for name, count in counts.items() if count < min(enough, half)}
    return some([f"{name} {few[name]:,}" for name in sorted(few, key=lambda name: few[name])], 6)


def _usual_epochs(recipe: Recipe) -> int:
    known = {name: getattr(recipe, name) for name in _FIRST if hasattr(recipe, name)}
    return type(recipe).from_json(known).epochs


def longer(recipe: Recipe, course: Course) -> str:
    """The flags that train for twice as long, or as long as is usual where that is longer: twice
    two epochs help nobody. Where a score that did not rise ended it, the flag that waits longer."""
    if course.patience_ended and recipe.patience:
        return f"--patience {2 * recipe.patience}"
    usual = _usual_epochs(recipe)
    if recipe.minutes is None:
        return f"--epochs {max(2 * recipe.epochs, usual)}"
    times = min(_MOST_TIMES, usual / course.epochs) if course.epochs else 0.0
    return f"--minutes {_rounded_up(max(2.0, times) * recipe.minutes):g}"


def enlarged(now: int, wanted: int, course: Course, *, step: int = 1) -> int | None:
    """The side, in pixels, at which a net sees more of the pictures: no more than they have
    themselves, and None where it is given that now.

    Args:
        step: what the side is a multiple of.
    """
    side = wanted if course.side is None else min(wanted, -(-course.side // step) * step)
    return side if side > now else None


def _rounded_up(minutes: float) -> float:
    """As a person says it: whole minutes, and of less than one the first figure, never less."""
    step = 10.0 ** min(0, math.floor(math.log10(minutes)))
    return round(math.ceil(round(minutes / step, 6)) * step, 6)


def _flags(values: Mapping[str, float]) -> str:
    return " ".join(f"--{name.replace('_', '-')} {value:g}" for name, value in values.items())


def _advice(words: str) -> str:
    """What a sentence asks for: its flags, if it ends in some."""
    before, separator, flags = words.partition(": --")
    return flags if separator else before
