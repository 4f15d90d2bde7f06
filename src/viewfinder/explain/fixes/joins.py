"""Fixes where tensors meet: sums, products, concatenations, and losses with their targets."""

from collections.abc import Iterator

from viewfinder.explain.fixes import concatenations, losses, sums
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the call that takes several tensors."""
    call = scene.call
    if call is None:
        return
    if call.base in losses.LOSSES:
        yield from losses.candidates(scene, call)
    if (call.base in sums.SUMS and len(call.tensors) >= 2) or call.base == "masked_fill":
        yield from sums.candidates(scene, call)
    elif call.base in ("cat", "stack"):
        yield from concatenations.candidates(scene, call)
