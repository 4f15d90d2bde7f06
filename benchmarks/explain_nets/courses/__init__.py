"""Mistakes as course work has them: pictures and masks, sequences, and what a loss is given.

python benchmarks/explain_meaning.py courses
"""

from explain_nets.courses import pictures, sequences, targets  # type: ignore[import-not-found]

_FIELDS = (pictures, sequences, targets)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ = {
    "PackedIntoALayer": "out = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0] "
    "before fc",
    "StatesOfBothWaysHandedOn": "h = h.unflatten(0, (-1, 2)).sum(1) before decoder",
}
