"""The arithmetic of any network, layer by layer, and why a shape does not fit."""

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
from viewfinder.explain.tracing import Sample

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
