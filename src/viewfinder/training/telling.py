"""What a training says at its end: the report's own sentence, and what to try first."""

import textwrap

from viewfinder.console import note
from viewfinder.evaluation.fitting import Verdict

_WIDTH = 80
# The report has them all.
_ADVICE = 2


def tell_verdict(verdict: Verdict) -> None:
    """Print the verdict and the best advice."""
    for text in (verdict.says, *(f"try: {each}" for each in verdict.tries[:_ADVICE])):
        tell(text)


def tell(text: str) -> None:
    """Print a sentence, broken at words, in lines of 80 characters at most."""
    for line in textwrap.wrap(
        text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    ):
        note(line)
