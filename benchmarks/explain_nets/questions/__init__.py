"""Mistakes of questions that people ask about their nets, each with what was meant.

python benchmarks/explain_meaning.py questions
"""

from explain_nets.questions import (  # type: ignore[import-not-found]
    attention,
    gathering,
    generating,
    pictures,
)

_FIELDS = (pictures, generating, attention, gathering)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ = {
    "HintsWithoutAdapter": "self.adapt(s) instead of s in F.mse_loss(s, t.detach()); adapt was "
    "made and is not used",
}
