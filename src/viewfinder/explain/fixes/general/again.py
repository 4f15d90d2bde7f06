"""A call of the user's own code once more, with other arguments, and how that is written."""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.edits import InsertedCall, Rewrite
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import expression

Given = tuple[object, ...]
Named = Mapping[str, object]


def again(
    scene: Scene,
    call: Call,
    args: Given,
    kwargs: Named,
    cost: float,
    then: InsertedCall | None = None,
) -> Iterator[Candidate]:
    """`call` with `args` and `kwargs`, in which its own tensors stand for themselves.

    Args:
        then: an operation on what it gives.
    """
    code = written(call, args, kwargs)
    if code is None or call.place is None:
        return
    if then is not None:
        code = then.code.replace("{0}", "{}").replace("{}", code)

    def carry_out(function: object, own: Given, named: Named) -> object:
        tensors = list(tensors_in((own, dict(named))))
        places = {id(tensor): at for at, tensor in enumerate(call.tensors)}
        assert callable(function)
        new = [_filled(value, tensors, places) for value in args]
        options = {key: _filled(value, tensors, places) for key, value in kwargs.items()}
        made: object = function(*new, **options)
        return made if then is None else then.run(made)

    found = expression(call.place, call.args, call.tensors)
    new = code.format(*(found.operands or ("x",)))
    old = " ".join(found.text.split()) or f"{call.operation}(…)"
    edit = Rewrite(call.place[:2], call.operation, code, carry_out)
    yield Candidate((edit,), f"{new} instead of {old}", cost)


def written(call: Call, args: Given, kwargs: Named) -> str | None:
    """The call as code, with `{0}`, `{1}` … for its tensors; None where that cannot be written."""
    places = {id(tensor): at for at, tensor in enumerate(call.tensors)}
    try:
        words = [_word(value, places) for value in args]
        named = [f"{key}={_word(v, places)}" for key, v in kwargs.items() if key[0] != "_"]
    except _Unwritten:
        return None
    if call.operation == "getitem":
        return f"{words[0]}[{words[1].strip('()')}]" if len(words) == 2 else None
    name = call.operation
    for home, prefix in ((F, "F"), (torch, "torch")):
        if getattr(home, name, None) is call.function and call.function is not None:
            return f"{prefix}.{name}({', '.join((*words, *named))})"
    if args and isinstance(args[0], Tensor) and hasattr(Tensor, name):
        return f"{words[0]}.{name}({', '.join((*words[1:], *named))})"
    return None


class _Unwritten(Exception):
    """An argument that has no short code."""


def _word(value: object, places: Mapping[int, int]) -> str:
    if isinstance(value, Tensor):
        if id(value) not in places:
            raise _Unwritten
        return f"{{{places[id(value)]}}}"
    if isinstance(value, list | tuple):
        inner = ", ".join(_word(one, places) for one in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, slice):
        if value.step is None:
            ends = ("" if end is None else repr(end) for end in (value.start, value.stop))
            return ":".join(ends)
        raise _Unwritten
    if value is None or isinstance(value, int | float | str | torch.dtype):
        return repr(value)
    if value is Ellipsis:
        return "..."
    raise _Unwritten


def _filled(value: object, tensors: list[Tensor], places: Mapping[int, int]) -> object:
    """Arguments with the tensors of the present pass for those of the first."""
    if isinstance(value, Tensor):
        return tensors[places[id(value)]]
    if type(value) is list:
        return [_filled(one, tensors, places) for one in value]
    if type(value) is tuple:
        return tuple(_filled(one, tensors, places) for one in value)
    return value
