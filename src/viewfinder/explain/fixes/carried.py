"""States that a loop carries from step to step: made for the whole batch, and never left out."""

import ast
from collections.abc import Iterator

from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.edits import Rewrite
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lost import MAKERS, for_batch
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import module_call, with_argument
from viewfinder.explain.statements import Running, statements


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a cell, or where a state meets a step's features: zeros that were made for one item."""
    met = _met(scene)
    makers = [made for tensor in met if (made := _maker(scene, tensor)) is not None]
    if not makers or len(makers) != len(met):
        return
    for dim in (0, 1):
        parts = [part for made in dict.fromkeys(makers) for part in _for_all(made, dim)]
        if len(parts) != len(set(makers)):
            continue
        said = "; and ".join(dict.fromkeys(part.says for part in parts))
        yield Candidate(tuple(edit for part in parts for edit in part.edits), said, 0.05 * dim)


def is_carried(scene: Scene, argument: int | str) -> bool:
    """Whether what the failed module is given there is what it gave at the step before."""
    place = scene.case.failure.frame.place
    call = module_call(place)
    if place is None or call is None:
        return isinstance(scene.case.module, nn.RNNCellBase)
    inside = any(
        isinstance(node, ast.For | ast.While)
        and node.lineno <= place.line <= (node.end_lineno or node.lineno)
        for node in statements(place.code)
    )
    statement = Running(place.code, place.line, {}).statement
    if not inside or statement is None:
        return False
    given = [word.value for word in call.keywords if word.arg == argument]
    if isinstance(argument, int):
        given = call.args[argument : argument + 1]
    made = {
        name.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign)
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }
    read = {name.id for one in given for name in ast.walk(one) if isinstance(name, ast.Name)}
    return bool(made & read)


def _met(scene: Scene) -> list[Tensor]:
    """The tensors of a call that should have the batch first, and have not."""
    layer, given, frame = scene.case.module, scene.given, scene.case.failure.frame
    if isinstance(layer, nn.RNNCellBase) and given and given[0].dim() == 2:
        wanted = (int(given[0].shape[0]), layer.hidden_size)
        state = (*frame.args[1:], *frame.kwargs.values())
        return [part for part in tensors_in(state) if tuple(part.shape) != wanted]
    call = scene.call
    if call is None or call.base != "cat" or {len(one) for one in call.input_shapes} != {1, 2}:
        return []
    return [tensor for tensor in call.tensors if tensor.dim() == 1]


def _maker(scene: Scene, tensor: Tensor) -> Call | None:
    """The call that made a tensor of sizes which are given to it, for one item."""
    for made in scene.case.failure.trace.calls:
        if made.base in MAKERS and any(out is tensor for out in made.outputs):
            one = tensor.dim() == 1 or (tensor.dim() == 2 and tensor.shape[0] == 1)
            plain = all(type(size) is int for size in made.args)
            return made if one and plain and len(made.args) == tensor.dim() else None
    return None


def _for_all(made: Call, dim: int) -> Iterator[Candidate]:
    """The same made for each item of what the running forward was given."""
    node, place = module_call(made.place), made.place
    if node is None or place is None or len(node.args) != len(made.args):
        return
    if not place.code.co_argcount:
        return
    name = place.code.co_varnames[min(1, place.code.co_argcount - 1)]
    batch, more = f"{name}.size({dim})", len(made.args) - 1
    text = with_argument(node, 0, batch if more else f"{batch}, {ast.unparse(node.args[0])}")
    run = for_batch(name, 0, made.args, replaced=more, dim=dim)
    edit = Rewrite(place[:2], made.operation, text, run)
    yield Candidate((edit,), f"{text} instead of {ast.unparse(node)}", 0.0)
