"""Fixes of what is done with several outputs: pairs that are none, states that are pairs, dicts."""

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from viewfinder.explain.edits import Around, InsertedCall, Rewrite
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.losses import LOSSES
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import argument_text, module_call
from viewfinder.explain.statements import Running, own_layer, reads, running, statements

# Of a dictionary of outputs, the one that is most often meant.
_FIRST = ("out", "logits", "last_hidden_state", "pred", "output")


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Where a layer's outputs are named in the user's own function that failed."""
    line = running(scene.case.failure.error)
    if line is None:
        return
    yield from _one_state(scene, line)
    yield from _both_states(scene, line)
    yield from _of_a_dictionary(scene, line)
    yield from _read_at_once(scene, line)
    yield from _each_of_a_list(scene)


def _layer(scene: Scene, value: ast.expr | None) -> tuple[str, nn.Module] | None:
    """The path and the module of `self.name(…)` in the function that failed."""
    name = own_layer(value) if value is not None else ""
    path = f"{scene.case.failure.frame.path}.{name}".lstrip(".")
    try:
        return (path, scene.net.get_submodule(path)) if name else None
    except AttributeError:
        return None


def _one_state(scene: Scene, line: Running) -> Iterator[Candidate]:
    """`out, (h, c) = self.gru(x)`: a GRU has no c."""
    node = line.statement
    if not isinstance(scene.case.failure.error, ValueError) or not isinstance(node, ast.Assign):
        return
    target, found = node.targets[0], _layer(scene, node.value)
    if found is None or not isinstance(found[1], nn.GRU | nn.RNN):
        return
    pair = target.elts[-1] if isinstance(target, ast.Tuple) and len(target.elts) == 2 else None
    if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2 or not isinstance(target, ast.Tuple):
        return
    state, other = (ast.unparse(one) for one in pair.elts)
    if reads(line.code, other):
        return
    twice = InsertedCall("({0}[0], ({0}[1], {0}[1]))", lambda x: (x[0], (x[1], x[1])))
    value, kind = ast.unparse(node.value), type(found[1]).__name__
    says = f"{ast.unparse(target.elts[0])}, {state} = {value} instead of {ast.unparse(node)}"
    edit = Around(found[0], twice, "after")
    yield Candidate((edit,), f"{says}: {kind} has one state alone", 0.0)


def _both_states(scene: Scene, line: Running) -> Iterator[Candidate]:
    """`out, h = self.lstm(x)`, whose h is a pair: h[-1] is then all of c."""
    for node in statements(line.code):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
            continue
        names, found = node.targets[0].elts, _layer(scene, node.value)
        if found is None or not isinstance(found[1], nn.LSTM) or len(names) != 2:
            continue
        state = ast.unparse(names[1])
        if not isinstance(names[1], ast.Name) or not _reads_c(scene, found[0]):
            continue
        first = InsertedCall("({0}[0], {0}[1][0])", lambda x: (x[0], x[1][0]))
        new = f"{ast.unparse(names[0])}, ({state}, _) = {ast.unparse(node.value)}"
        says = f"{new} instead of {ast.unparse(node)}: an LSTM's state is a pair, h and c"
        yield Candidate((Around(found[0], first, "after"),), says, -0.05)


def _reads_c(scene: Scene, path: str) -> bool:
    """Whether all of c is read, and nothing of h."""
    calls = scene.case.failure.trace.calls
    made = [call for call in calls if call.module == path and len(call.outputs) == 3]
    if not made:
        return False
    later = [*calls, *([scene.call] if scene.call is not None else [])]
    read = [id(tensor) for call in later for tensor in call.tensors]
    return id(made[-1].outputs[2]) in read and id(made[-1].outputs[1]) not in read


def _of_a_dictionary(scene: Scene, line: Running) -> Iterator[Candidate]:
    """`self.model(x)["out"]`, where the model gives a dictionary of outputs."""
    node = line.statement
    if node is None:
        return
    named = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    for given in statements(line.code):
        target = given.targets[0] if isinstance(given, ast.Assign) else None
        if not isinstance(target, ast.Name) or target.id not in named:
            continue
        value = line.variables.get(target.id)
        assert isinstance(given, ast.Assign)
        found = _layer(scene, given.value)
        if not isinstance(value, dict) or found is None:
            continue
        keys = [key for key, one in value.items() if isinstance(one, Tensor)]
        keys.sort(key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
        for at, key in enumerate(keys[:3]):
            taken = InsertedCall(f"{{}}[{key!r}]", operator.itemgetter(key))
            old = ast.unparse(given)
            says = f"{old}[{key!r}] instead of {old}, which is a dictionary"
            yield Candidate((Around(found[0], taken, "after"),), says, 0.0 + at / 10)


def _read_at_once(scene: Scene, line: Running) -> Iterator[Candidate]:
    """`self.model(x).argmax(1)`, where the model gives a dictionary of outputs."""
    error, node = scene.case.failure.error, line.statement
    if not isinstance(error, AttributeError) or not isinstance(error.obj, dict) or node is None:
        return
    keys = [key for key, one in error.obj.items() if isinstance(one, Tensor)]
    keys.sort(key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    for part in ast.walk(node):
        if not isinstance(part, ast.Attribute) or part.attr != error.name:
            continue
        found = _layer(scene, part.value)
        for at, key in enumerate(keys[:3] if found is not None else ()):
            taken = InsertedCall(f"{{}}[{key!r}]", operator.itemgetter(key))
            old = ast.unparse(part.value)
            says = f"{old}[{key!r}] instead of {old}, which is a dictionary"
            assert found is not None
            yield Candidate((Around(found[0], taken, "after"),), says, 0.0 + at / 10)


def _each_of_a_list(scene: Scene) -> Iterator[Candidate]:
    """A loss of several answers: the sum of the loss of each."""
    call = scene.call
    if call is None or call.base not in LOSSES or len(call.args) < 2 or call.place is None:
        return
    many, target = call.args[:2]
    if not isinstance(many, list | tuple) or not isinstance(target, Tensor) or not many:
        return
    if not all(isinstance(one, Tensor) for one in many) or len(call.args) > 2:
        return

    def run(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
        answers = args[0]
        assert isinstance(answers, list | tuple)
        losses: list[Any] = [function(one, args[1], **kwargs) for one in answers]
        return sum(losses)

    node = module_call(call.place)
    words = [argument_text(node, at) or "xy"[at] for at in (0, 1)]
    code = f"sum(F.{call.base}(one, {{{len(many)}}}) for one in args[0])"
    name = ast.unparse(node.func) if node is not None else f"F.{call.base}"
    says = f"sum({name}(one, {words[1]}) for one in {words[0]}) instead of {name}(…)"
    yield Candidate((Rewrite(call.place[:2], call.operation, code, run),), says, 0.0)
