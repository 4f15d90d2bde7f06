"""Fixes of what a module gives: several outputs where one is wanted, or none at all."""

import operator
from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import Around, InsertedCall, Returned
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.operations import item, last_of, then
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Take one of several outputs; return what was worked out."""
    frame = scene.case.failure.frame
    values = [*frame.args, *frame.kwargs.values()]
    if frame.path and any(isinstance(value, tuple | list | dict) for value in values[:1]):
        yield from _unpacked(scene, values[0])
    call = scene.call
    if any(value is None for value in values) or (call and _nones(call.args)):
        yield from _returned(scene)
    elif call is None or any(isinstance(value, tuple) for value in call.args[:1]):
        yield from _several(scene)


def _nones(args: tuple[object, ...]) -> bool:
    return bool(args) and (args[0] is None or (len(args) > 1 and args[1] is None))


def _unpacked(scene: Scene, value: object) -> Iterator[Candidate]:
    if isinstance(value, dict):
        for key in list(value)[:2]:
            code = InsertedCall(f"{{}}[{key!r}]", operator.itemgetter(key))
            yield scene.before(code, 0.2)
        return
    assert isinstance(value, tuple | list)
    if isinstance(value, PackedSequence):
        unpacked = "nn.utils.rnn.pad_packed_sequence({}, batch_first=True)[0]"
        yield scene.before(InsertedCall(unpacked, _padded), 0.0)
        return
    if not value or not isinstance(value[0], Tensor):
        return
    yield _taken(scene, item(0), 0.0)
    if value[0].dim() == 3:
        yield _taken(scene, then(item(0), last_of(1)), 0.3)


def _padded(packed: PackedSequence) -> Tensor:
    """Each item with its steps behind each other, as before it was packed."""
    return pad_packed_sequence(packed, batch_first=True)[0]


def _taken(scene: Scene, operation: InsertedCall, cost: float) -> Candidate:
    """Words for a Sequential too, in which a tuple has no layer that would open it."""
    frame = scene.case.failure.frame
    edit = Around(frame.path, operation)
    name = path_as_code(frame.path)
    said = operation.code.replace("{}", "x")
    where = f"x = {said} before {name}: the layer before gives a tuple"
    return Candidate((edit,), where, cost)


def _several(scene: Scene) -> Iterator[Candidate]:
    """A module of the user's gave a tuple, and a function of torch was asked to take it."""
    for path, module in scene.net.named_modules():
        if isinstance(module, nn.RNNBase | nn.MultiheadAttention) and path:
            edit = Around(path, item(0), "after")
            name = path_as_code(path)
            yield Candidate((edit,), f"take the first output alone: x = {name}(…)[0]", 1.0)


def _returned(scene: Scene) -> Iterator[Candidate]:
    for path, module in scene.net.named_modules():
        home = type(module).__module__
        if not home.startswith("torch."):
            name = type(module).__name__
            says = f"return x at the end of {name}.forward, which returns None"
            yield Candidate((Returned(path),), says, 0.0 if path else 0.5)
