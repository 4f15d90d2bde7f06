"""A mistake of a class, met again in each of its blocks: the same change in all of them at once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import nn

from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.edits import Around, Edit, Replace
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lab import Stop, Verdict
from viewfinder.explain.fixes.scene import Scene

_MOST = 32
_SAID = 2
Generate = Callable[[Scene], Iterator[Candidate]]


def everywhere(
    scene: Scene, stop: Stop, candidate: Candidate, verdict: Verdict, generate: Generate
) -> tuple[Candidate, Verdict]:
    """A change with the like of it in every other block that stops at the same place.

    Args:
        stop: the mistake that the candidate mends.
        verdict: how far the net gets with the candidate alone.
        generate: what there is to try for a mistake.
    """
    lab, owner = scene.lab, _owner(scene.net, stop)
    sort = _sort(candidate, owner)
    edits, said = list(candidate.edits), [candidate.says]
    while sort and verdict.stop is not None and len(said) < _MOST:
        following = verdict.stop
        other = _owner(scene.net, following)
        if other == owner or not _same_place(scene.net, stop, following):
            break
        before = (*scene.edits, *edits)
        there = Scene(Case(following.failure), lab.names(following, before), lab, before)
        like = next((one for one in generate(there) if _sort(one, other) == sort), None)
        if like is None:
            break
        tried = lab.judge(before, like.edits, following)
        if not tried.further:
            break
        verdict = tried
        edits += like.edits
        said.append(like.says)
    if len(said) == 1:
        return candidate, verdict
    kind = type(scene.net.get_submodule(owner)).__name__
    more = f" and {len(said) - _SAID} more" if len(said) > _SAID else ""
    words = f"{', '.join(said[:_SAID])}{more}: in every {kind} its own"
    return replace(candidate, edits=tuple(edits), says=words), verdict


def _owner(net: nn.Module, stop: Stop) -> str:
    """The path of the user's own module within which it stops; empty for the net itself."""
    frame, call = stop.failure.frame, stop.failure.call
    path = frame.path if frame.row is not None or call is None else call.module
    while path and type(net.get_submodule(path)).__module__.startswith("torch."):
        path = path.rpartition(".")[0]
    return path


def _same_place(net: nn.Module, one: Stop, two: Stop) -> bool:
    owners = [_owner(net, stop) for stop in (one, two)]
    kinds = {type(net.get_submodule(owner)) for owner in owners}
    places = {
        (stop.failure.frame.path.removeprefix(owner), _written(stop))
        for stop, owner in zip((one, two), owners, strict=True)
    }
    return len(kinds) == len(places) == 1


def _written(stop: Stop) -> object:
    """The user's expression that failed, or that called the layer which did."""
    call, frame = stop.failure.call, stop.failure.frame
    place = frame.place if frame.row is not None or call is None else call.place
    return place and place[:2]


def _sort(candidate: Candidate, owner: str) -> tuple[object, ...]:
    """What a change of layers within a block is, whatever its numbers; empty for all others."""
    parts = [_part(edit, owner) for edit in candidate.edits] if owner else []
    return tuple(parts) if parts and all(parts) else ()


def _part(edit: Edit, owner: str) -> object:
    if not isinstance(edit, Replace | Around) or not edit.path.startswith(f"{owner}."):
        return None
    inner = edit.path.removeprefix(owner)
    if isinstance(edit, Replace):
        return inner, re.sub(r"\d+", "0", edit.code)
    return inner, re.sub(r"\d+", "0", edit.operation.code), edit.side, edit.argument
