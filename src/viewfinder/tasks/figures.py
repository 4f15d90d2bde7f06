"""Figures of a run's scores, as far as it is known which way is up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A figure of a run's `scores.json`.

    Attributes:
        name: with dots, such as `test.accuracy`; without its side, `test` is meant, or `val` where
            nothing was kept for testing.
        share: a part of a whole, in [0, 1], shown in %.
    """

    name: str
    higher_is_better: bool
    share: bool = False


def shares(*names: str) -> tuple[Score, ...]:
    """Parts of a whole, of which more is better."""
    return tuple(Score(name, higher_is_better=True, share=True) for name in names)


def higher(*names: str) -> tuple[Score, ...]:
    """Figures of which more is better."""
    return tuple(Score(name, higher_is_better=True) for name in names)


def lower(*names: str) -> tuple[Score, ...]:
    """Figures of which less is better."""
    return tuple(Score(name, higher_is_better=False) for name in names)


OF_EVERY_TASK = lower("loss", "seconds")
