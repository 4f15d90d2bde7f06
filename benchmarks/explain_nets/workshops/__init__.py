"""Mistakes as workshops see them: an old net's lines in a new one, and sizes counted by hand.

python benchmarks/explain_meaning.py workshops
"""

from explain_nets.workshops import (  # type: ignore[import-not-found]
    attention,
    learning,
    maps,
    pictures,
    scoring,
    sequences,
)

_FIELDS = (pictures, maps, sequences, attention, learning, scoring)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ: dict[str, str] = {}
