"""What a net does with a fix, where that is most likely other than what was meant.

Measured on the passes that were made with the fix, whatever the fix: which inputs the answers
depend on, what is numbered by the batch, over what a softmax is taken, and whether it fits one
length alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.orders import over_batch
from viewfinder.explain.edits import Around, Edit, Replace, Rewrite
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lab import Stop, Verdict
from viewfinder.explain.fixes.meanings import ALL_PAIRS, LEVELS, PLACES
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.input_edits import Given
from viewfinder.explain.traces import Trace, ancestors, is_input


def meaning(scene: Scene, candidate: Candidate, verdict: Verdict, stop: Stop) -> str:
    """A short sentence; empty where nothing is found."""
    if candidate.means == LEVELS and _goes_on(verdict, stop):
        # What follows looks at the joined map, place by place: its parts were to be one size.
        candidate = replace(candidate, means="")
    if candidate.means == ALL_PAIRS and not _grows_twice(verdict):
        # The net itself sums over the pairs, as a loss of its own does.
        candidate = replace(candidate, means="")
    if candidate.means:
        return candidate.means
    if not verdict.whole or verdict.seen is None or scene.lab.inputs.names:
        return ""
    for found in _found(scene, candidate, verdict, verdict.seen, stop):
        return found
    return ""


def _found(
    scene: Scene, candidate: Candidate, verdict: Verdict, seen: Trace, stop: Stop
) -> Iterator[str]:
    if left := _unread(scene, seen, stop):
        yield f"input {left} is then not used"
    for call in seen.calls:
        if call.base == "embedding" and _counts_the_batch(call, verdict.doubled):
            yield "it numbers the items of the batch"
        if call.index < stop.place:
            continue
        if call.base in ("softmax", "log_softmax") and over_batch(call, verdict.doubled):
            yield f"{call.base} is then taken over the batch: dim=1 is over an item's own numbers"
        if call.base in ("softmax", "log_softmax") and _over_one(call):
            yield f"{call.base} is then taken over a single number, and gives the same for all"
    if "step" in verdict.only and not candidate.only_here and _turns(candidate):
        if not (_remade(candidate) and _behind_a_row(scene)):
            yield "it mixes time steps and features"
    elif verdict.only and not candidate.only_here and _only_turns(candidate):
        yield PLACES
    if skip := _left_out(scene, candidate.edits):
        yield skip
    if any(_sees_one(scene, edit) for edit in candidate.edits):
        yield "a window of 1 sees nothing beside it"


def _sees_one(scene: Scene, edit: Edit) -> bool:
    """Whether windows of several places are made windows of one."""
    if not isinstance(edit, Replace):
        return False
    old = dict(scene.net.named_modules()).get(edit.path)
    if not _sides(old) or 1 in _sides(old):
        return False
    with torch.device("meta"):
        return set(_sides(edit.make())) == {1}


def _sides(layer: object) -> tuple[int, ...]:
    """The sides of a layer's windows; none where it has no windows."""
    window = getattr(layer, "kernel_size", ())
    return (window,) if isinstance(window, int) else tuple(window)


def _goes_on(verdict: Verdict, stop: Stop) -> bool:
    """Whether a convolution follows in the whole pass with the fix."""
    calls = verdict.seen.calls if verdict.seen is not None else []
    return any(call.index > stop.place and call.base.startswith("conv") for call in calls)


def _grows_twice(verdict: Verdict) -> bool:
    """Whether an answer has the batch in two of its dimensions."""
    if verdict.seen is None or verdict.doubled is None:
        return False
    answers = zip(verdict.seen.outputs, verdict.doubled.outputs, strict=False)
    return any(
        one.dim() == two.dim()
        and sum(b == 2 * a for a, b in zip(one.shape, two.shape, strict=True)) > 1
        for one, two in answers
    )


def _remade(candidate: Candidate) -> bool:
    return all(isinstance(edit, Replace) for edit in candidate.edits)


def _behind_a_row(scene: Scene) -> bool:
    """Whether the net itself made one row of all steps before the layer that failed."""
    made = scene.case.back(scene.case.producer())
    flat = isinstance(made, Call) and made.base in ("flatten", "view", "reshape")
    return isinstance(scene.layer, nn.Linear) and flat


def _codes(candidate: Candidate) -> list[str]:
    code = [edit.code for edit in candidate.edits if isinstance(edit, Replace | Rewrite)]
    return code + [
        edit.operation.code for edit in candidate.edits if isinstance(edit, Around | Given)
    ]


def _only_turns(candidate: Candidate) -> bool:
    """Whether nothing is done but to turn an operand's dimensions."""
    turning = ("transpose", "permute", ".mT")
    return all(
        any(word in text for word in turning) and "flatten" not in text
        for text in _codes(candidate)
    )


def _turns(candidate: Candidate) -> bool:
    """Whether a layer is made anew, or its operand turned or flattened."""
    return any(isinstance(edit, Replace) for edit in candidate.edits) or any(
        word in text
        for text in _codes(candidate)
        for word in ("transpose", "permute", "flatten", ".mT")
    )


def _ends(seen: Trace) -> list[Call]:
    """The calls that the answers come out of."""
    makers = {id(tensor): call for call in seen.calls for tensor in call.outputs}
    return [makers[id(out)] for out in seen.outputs if id(out) in makers]


def _unread(scene: Scene, seen: Trace, stop: Stop) -> str:
    """The number of an input that met at the failure, and that no answer depends on any more."""
    ends = _ends(seen)
    if len(seen.inputs) < 2 or not ends:
        return ""
    reached = _inputs_of(ends)
    base = stop.failure
    met = _inputs_of([base.call]) if base.call is not None else set()
    makers = {id(tensor): call for call in base.trace.calls for tensor in call.outputs}
    met |= _inputs_of([makers[id(t)] for t in scene.given if id(t) in makers])
    met |= {
        -1 - at for at, one in enumerate(base.trace.inputs) if any(one is t for t in scene.given)
    }
    lost = sorted(met - reached, reverse=True)
    return str(-lost[0]) if lost else ""


def _inputs_of(calls: Sequence[Call]) -> set[int]:
    return {
        producer
        for end in calls
        for call in ancestors(end)
        for producer in call.producers
        if is_input(producer)
    }


def _over_one(call: Call) -> bool:
    dim = call.argument("dim")
    shape = call.input_shapes[0] if call.input_shapes else ()
    return type(dim) is int and -len(shape) <= dim < len(shape) and shape[dim] == 1


def _counts_the_batch(call: Call, doubled: Trace | None) -> bool:
    """Whether an embedding's numbers are as many as the batch, and come from no input."""
    twin = doubled.by_index.get(call.index) if doubled is not None else None
    if twin is None or twin.base != "embedding" or not call.producers:
        return False
    source = call.producers[0]
    made = isinstance(source, Call) and not _inputs_of([source])
    return made and call.input_shapes[0][:1] != twin.input_shapes[0][:1]


def _left_out(scene: Scene, edits: Sequence[Edit]) -> str:
    """A layer made narrower, which was made for what a map of the same size would add to it."""
    for edit in edits:
        layer = scene.layer
        if not isinstance(edit, Replace):
            continue
        if not isinstance(layer, nn.modules.conv._ConvNd) or not scene.given:
            continue
        given = tuple(map(int, scene.given[0].shape))
        lacking = layer.in_channels - (given[1] if len(given) > 1 else 0)
        if len(given) != layer.weight.dim() or lacking <= 0:
            continue
        for call in reversed(scene.case.failure.trace.calls):
            shape = call.output_shapes[0] if call.output_shapes else ()
            other = shape[:1] + shape[2:] == given[:1] + given[2:]
            earlier = call.index < scene.case.failure.trace.count - 1
            if len(shape) > 1 and other and shape[1] == lacking and earlier and call.module:
                home = call.module.partition(".")[0]
                if home != scene.path.partition(".")[0] and not _comes_from(scene, call):
                    return f"what {home} gives may be meant to go in too, by torch.cat(…, 1)"
    return ""


def _comes_from(scene: Scene, call: Call) -> bool:
    """Whether what goes into the failed layer is this call's, unchanged in size."""
    makers = {id(t): one for one in scene.case.failure.trace.calls for t in one.outputs}
    made = makers.get(id(scene.given[0]))
    while made is not None and made is not call:
        before = made.producers[0] if made.producers else None
        same = isinstance(before, Call) and before.output_shapes[:1] == made.output_shapes[:1]
        made = before if same and isinstance(before, Call) else None
    return made is call
