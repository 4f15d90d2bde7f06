"""A layer that was made and that no line of the code uses, put where the net fails."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from torch import Tensor, nn

from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.modules import written
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import class_source
from viewfinder.explain.swapped import Swapped

# Nothing hints at what was meant as this does.
_COST = -0.01
_NEAR = 6


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Each such layer of the module around the failure, at each of what met there."""
    owner = scene.net.get_submodule(_owner(scene))
    yield from _in_place(scene, owner)
    call = scene.call
    count = len(call.tensors) if call is not None and not scene.case.in_layer else 1
    for name, layer in owner.named_children():
        built = _built(layer) if _never_used(owner, name) else None
        if built is None or not scene.given + (call.tensors if call else ()):
            continue
        code, make = built
        operation = InsertedCall(f"{code}({{}})", lambda x, make=make: make()(x))
        at_layer = scene.case.in_layer or call is None
        found: list[Candidate] = []
        if at_layer:
            places = [scene.argument(one) for one in scene.given if _is_given(scene, one)]
            found += [scene.before(operation, _COST, argument=at) for at in places]
            found += _where_parts_join(scene, operation)
        for position in range(0 if at_layer else count):
            found += scene.operate(position, operation, _COST)
        for one in found:
            says = one.says.replace(f"{code}(", f"self.{name}(")
            yield Candidate(one.edits, f"{says}; {name} was made and is not used", one.cost)


def _in_place(scene: Scene, owner: nn.Module) -> Iterator[Candidate]:
    """A layer of the kind of the one that failed, for which that may have been written twice."""
    failed, place, home = scene.layer, scene.case.failure.frame.place, _owner(scene)
    own = scene.path.removeprefix(f"{home}." if home else "")
    if failed is None or place is None or "." in own:
        return
    for name, layer in owner.named_children():
        if type(layer) is type(failed) and layer is not failed and _never_used(owner, name):
            other = f"{home}.{name}" if home else name
            edit = Swapped(scene.path, other, place[:2])
            words = f"self.{name} instead of self.{own}; {name} was made and is not used"
            yield Candidate((edit,), words, 2 * _COST)


def _built(layer: nn.Module) -> tuple[str, Callable[[], nn.Module]] | None:
    """A layer of torch's, or a Sequential of such, once more."""
    if type(layer) is not nn.Sequential:
        return written(layer)
    parts = [written(one) for one in layer]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    code = f"nn.Sequential({', '.join(code for code, _ in known)})"
    return code, lambda: nn.Sequential(*(make() for _, make in known))


def _is_given(scene: Scene, tensor: Tensor) -> bool:
    """Whether a layer was given a tensor by itself, and not as a part of a pair."""
    frame = scene.case.failure.frame
    return any(tensor is one for one in (*frame.args, *frame.kwargs.values()))


def _where_parts_join(scene: Scene, operation: InsertedCall) -> Iterator[Candidate]:
    """Each part of the latest join on the way to the layer that failed."""
    for call in islice(origins.written_calls(scene), _NEAR):
        if call.base == "cat":
            for position in range(min(len(call.tensors), 4)):
                code = operation.code.format(f"{{{position}}}")

                def run(t: Sequence[Tensor], position: int = position) -> object:
                    return operation.run(t[position])

                yield from scene.on_operand(position, code, run, _COST, at=call)
            return


def _owner(scene: Scene) -> str:
    """The path of the user's own module in which the net fails."""
    path = scene.path
    while path and type(scene.net.get_submodule(path)).__module__.startswith("torch.nn"):
        path = path.rpartition(".")[0]
    return path


def _never_used(owner: nn.Module, name: str) -> bool:
    source = class_source(type(owner))  # type: ignore[arg-type]
    named = len(re.findall(rf"self\.{re.escape(name)}\b", source))
    made = len(re.findall(rf"self\.{re.escape(name)}\s*=[^=]", source))
    return named == made == 1
