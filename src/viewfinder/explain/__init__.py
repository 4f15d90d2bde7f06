"""The arithmetic of any network, layer by layer, and why a shape does not fit.

This package can itself be called: `viewfinder.explain(net, (1, 3, 224, 224))` is
`viewfinder.explain.explain(net, (1, 3, 224, 224))`.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from viewfinder.explain.explaining import explain
    from viewfinder.explain.explanation import (
        SCHEMA,
        Dropped,
        ExplainedLayer,
        Explanation,
        Mistake,
        ReceptiveField,
        Totals,
    )
    from viewfinder.explain.traces import Sample

__all__ = [
    "SCHEMA",
    "Dropped",
    "ExplainedLayer",
    "Explanation",
    "Mistake",
    "ReceptiveField",
    "Sample",
    "Totals",
    "explain",
]

_HOMES = dict.fromkeys(__all__, "viewfinder.explain.explanation") | {
    "Sample": "viewfinder.explain.traces",
    "explain": "viewfinder.explain.explaining",
}


def __getattr__(name: str) -> object:
    # Late, so that a script which is run here imports torch itself, when it is ready to.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


class _Callable(ModuleType):
    """A package that stands for its own main function."""

    def __call__(
        self,
        module: "nn.Module",
        *inputs_or_shapes: object,
        name: str | None = None,
        real: bool = False,
        batched: bool | None = None,
    ) -> "Explanation":
        from viewfinder.explain.explaining import explain

        return explain(module, *inputs_or_shapes, name=name, real=real, batched=batched)


sys.modules[__name__].__class__ = _Callable
