"""The general search, for mistakes that no rule knows: everything near the failure, changed.

Other arguments for the layer or the function that failed, and for those before it on the way; each
operand in another shape. Values come from the sizes that are there. Tried where nothing else helps.
"""

from collections.abc import Iterator

from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import arguments, layers, numbers, shapes
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Every change that is known of, at the failure and before it."""
    yield from layers.candidates(scene)
    yield from arguments.candidates(scene)
    yield from shapes.candidates(scene)
    yield from numbers.candidates(scene)
