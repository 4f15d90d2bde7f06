"""Names that are gone or on their way out, and what stands in their place.

One table, a row a name. Where a name is called, the line to paste is the call itself with the new
name: `{args}` stands for all arguments, `{0}` for the first, `{1}` for the second.
"""

from viewfinder.doctor.code.row import Replacement
from viewfinder.doctor.code.rows_numpy import NUMPY
from viewfinder.doctor.code.rows_others import OTHERS
from viewfinder.doctor.code.rows_python2 import PYTHON2
from viewfinder.doctor.code.rows_torch import TORCH

TABLE: dict[str, Replacement] = {**TORCH, **NUMPY, **OTHERS, **PYTHON2}


def row_of(name: str) -> tuple[str, Replacement] | None:
    """The row of a name, or of the module that it lies in, with that row's own name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        beginning = ".".join(parts[:length])
        if beginning in TABLE:
            return beginning, TABLE[beginning]
    return None
