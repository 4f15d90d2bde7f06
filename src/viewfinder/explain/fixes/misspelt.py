"""Fixes for a layer, or another attribute of a module, whose name is misspelt in its code."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.diagnosis.structure import nearest_names
from viewfinder.explain.edits import Named
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """The names nearest to it, the nearest first."""
    error = scene.case.failure.error
    if not isinstance(error, AttributeError) or not isinstance(error.obj, nn.Module):
        return
    wrong = str(error.name)
    path = next((path for path, one in scene.net.named_modules() if one is error.obj), None)
    if path is None:
        return
    for at, name in enumerate(nearest_names(error.obj, wrong)):
        edit = Named(path, wrong, name)
        yield Candidate((edit,), f"self.{name} instead of self.{wrong}", 0.1 + 0.1 * at)
