"""The arithmetic of any network, layer by layer, and why a shape does not fit.

This package can itself be called: `viewfinder.explain(net, (1, 3, 224, 224))` is
`viewfinder.explain.explain(net, (1, 3, 224, 224))`.
"""

import sys
from types import ModuleType
from typing import Any

from torch import nn

from viewfinder.explain.explaining import explain
from viewfinder.explain.explanation import (
    SCHEMA,
    Dropped,
    Explanation,
    Layer,
    Mistake,
    ReceptiveField,
    Totals,
)
from viewfinder.explain.traces import Sample

__all__ = [
    "SCHEMA",
    "Dropped",
    "Explanation",
    "Layer",
    "Mistake",
    "ReceptiveField",
    "Sample",
    "Totals",
    "explain",
]


class _Callable(ModuleType):
    """A package that stands for its own main function."""

    def __call__(
        self,
        module: nn.Module,
        *inputs_or_shapes: Any,
        name: str | None = None,
        real: bool = False,
    ) -> Explanation:
        return explain(module, *inputs_or_shapes, name=name, real=real)


sys.modules[__name__].__class__ = _Callable
