"""Mistakes as they stand in notebooks, each with what was meant; a file a field.

python benchmarks/explain_meaning.py notebooks
"""

from explain_nets.notebooks import (  # type: ignore[import-not-found]
    attention,
    blocks,
    detection,
    generating,
    joining,
    making,
    pictures,
    sequences,
    signals,
    unets,
)

_FIELDS = (
    pictures,
    blocks,
    unets,
    generating,
    making,
    sequences,
    attention,
    detection,
    signals,
    joining,
)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ: dict[str, str] = {}
