"""A layer that was made and that no line of the code uses, put where the net fails."""

import re
from collections.abc import Iterator

from torch import nn

from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import written
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import class_source

# Nothing hints at what was meant as this does.
_COST = -0.01


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Each such layer of the module around the failure, at each of what met there."""
    owner = scene.net.get_submodule(_owner(scene))
    call = scene.call
    count = len(call.tensors) if call is not None and not scene.case.in_layer else 1
    for name, layer in owner.named_children():
        built = written(layer) if _never_used(owner, name) else None
        if built is None or not scene.given + (call.tensors if call else ()):
            continue
        code, make = built
        operation = InsertedCall(f"{code}({{}})", lambda x, make=make: make()(x))
        for position in range(count):
            at_layer = scene.case.in_layer or call is None
            found = (
                [scene.before(operation, _COST)]
                if at_layer
                else scene.operate(position, operation, _COST)
            )
            for one in found:
                says = one.says.replace(f"{code}(", f"self.{name}(")
                yield Candidate(one.edits, f"{says}; {name} was made and is not used", one.cost)


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
