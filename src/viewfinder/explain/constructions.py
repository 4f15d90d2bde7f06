"""The making of a layer that torch refused: which, by which line, with which arguments."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import Any

from torch import nn

from viewfinder.explain.assembling import source_code, source_text
from viewfinder.explain.calls import CallPlace
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.rebuilding import Begun, Built, Rework
from viewfinder.explain.recording import is_users
from viewfinder.explain.sources import module_call

_RECURRENT = (
    "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
    "proj_size",
)  # fmt: skip
DROPPED = object()
"""In changes of arguments: the argument is left out."""


@dataclass(frozen=True)
class SameArgument:
    """In changes of arguments: what another argument is, wherever that line makes the layer."""

    name: str


@dataclass(frozen=True)
class Construction:
    """`nn.Conv2d(3, 8, 3, groups=2)` in the user's code, with the values that it had."""

    kind: type[nn.Module]
    place: CallPlace
    node: ast.Call
    args: Args
    kwargs: Kwargs
    error: Exception
    nearby: tuple[int, ...] = ()
    """Sizes beside it: what the layers that stand already give, the latest first, and numbers."""

    @property
    def text(self) -> str:
        return ast.unparse(self.node)

    @property
    def where(self) -> str:
        line = (self.place.code.co_filename, self.place.line)
        owner = self.place.code.co_qualname
        made = f" in {owner}" if not owner.startswith("<") else ""
        return f"{ast.unparse(self.node.func)}{made}, {source_text(line)}: {source_code(line)}"

    @property
    def names(self) -> tuple[str, ...]:
        """What torch calls the arguments, in order."""
        if issubclass(self.kind, nn.RNNBase):
            return _RECURRENT
        parameters = list(inspect.signature(self.kind.__init__).parameters.values())[1:]
        return tuple(p.name for p in parameters if p.kind is not p.VAR_POSITIONAL)

    @property
    def values(self) -> dict[str, object]:
        """Each argument that was given, or that has a value of its own, by name."""
        found = {}
        for name, parameter in inspect.signature(self.kind.__init__).parameters.items():
            if parameter.default is not parameter.empty:
                found[name] = parameter.default
        return found | dict(zip(self.names, self.args, strict=False)) | dict(self.kwargs)

    def changed(self, changes: Kwargs) -> "Built":
        """The same with other arguments, by name; "*" and "[]" open and make the list of layers."""
        name = ast.unparse(self.node.func)
        words = [ast.unparse(arg) for arg in self.node.args]
        named = {k.arg: ast.unparse(k.value) for k in self.node.keywords if k.arg}
        if "*" in changes:
            return self._built(_opened, "*args[0]", f"{name}(*{words[0]})")
        if "[]" in changes:
            return self._built(_listed, "list(args)", f"{name}([{', '.join(words)}])")
        if "()" in changes:
            return self._with_layers(changes["()"])
        places = {own: at for at, own in enumerate(self.names)}
        alike = any(isinstance(value, SameArgument) for value in changes.values())
        plain = [_code(value, at, alike) for at, value in enumerate(self.args)]
        named_plain = {key: _code(value, key, alike) for key, value in self.kwargs.items()}
        for key, value in changes.items():
            at = places.get(key, len(plain))
            if value is DROPPED:
                named.pop(key, None)
                named_plain.pop(key, None)
            elif isinstance(value, SameArgument):
                source, text = self._source(value.name, places)
                if at < len(plain):
                    plain[at], words[at] = source, text
                else:
                    named_plain[key], named[key] = source, text
            elif at < len(plain):
                plain[at], words[at] = repr(value), _said(self.node.args[at], value)
            else:
                named[key] = named_plain[key] = repr(value)
        for key, text in named.items():
            words.append(f"{key}={text}")
        plain += [f"{key}={text}" for key, text in named_plain.items()]

        def rework(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
            new, options = list(args), dict(kwargs)
            for key, value in changes.items():
                at = places.get(key, len(new))
                if isinstance(value, SameArgument):
                    other = places.get(value.name, len(new))
                    value = new[other] if other < len(new) else options[value.name]
                if value is DROPPED:
                    options.pop(key, None)
                elif at < len(new):
                    new[at] = value
                else:
                    options[key] = value
            return tuple(new), options

        built = self._built(rework, ", ".join(plain), f"{name}({', '.join(words)})")
        return replace(built, given=None) if alike else built

    def _source(self, name: str, places: Mapping[str, int]) -> tuple[str, str]:
        """Where an argument stands among those that were given, and its text."""
        at = places.get(name, len(self.args))
        if at < len(self.args):
            return f"args[{at}]", ast.unparse(self.node.args[at])
        found = next(k.value for k in self.node.keywords if k.arg == name)
        return f"kwargs[{name!r}]", ast.unparse(found)

    def _with_layers(self, layers: Mapping[int, str]) -> "Built":
        """With a layer made in the place of its class, or of a function."""
        inner = self.kind is nn.ModuleList
        nodes = self.node.args
        if inner and nodes and isinstance(nodes[0], ast.List | ast.Tuple):
            nodes = nodes[0].elts
        given = list(self.args[0]) if inner else list(self.args)
        words = [ast.unparse(node) for node in nodes]
        source = "args[0]" if inner else "args"
        plain = [f"{source}[{at}]" for at in range(len(given))]
        for at, name in layers.items():
            plain[at] = f"nn.{name}()"
            if at < len(words):
                own = words[at] if isinstance(given[at], type) else f"nn.{name}"
                words[at] = f"{own}()"

        def rework(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
            new = list(args[0]) if inner else list(args)
            for at, name in layers.items():
                new[at] = getattr(nn, name)()
            return ((new,) if inner else tuple(new)), kwargs

        code, text = ", ".join(plain), ", ".join(words)
        if inner:
            code, text = f"[{code}]", f"[{text}]"
        return self._built(rework, code, f"{ast.unparse(self.node.func)}({text})")

    def _built(self, rework: Rework, code: str, text: str) -> "Built":
        return Built(
            (self.place.code, self.place.instruction),
            self.kind,
            (self.args, tuple(self.kwargs.items())),
            rework,
            f"nn.{self.kind.__name__}({code})",
            text,
        )


def _said(node: ast.expr, value: object) -> str:
    """A whole quotient as one writes it: `256 // 2`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and type(value) is int:
        return ast.unparse(ast.BinOp(node.left, ast.FloorDiv(), node.right))
    return repr(value)


def _opened(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    return tuple(args[0]), kwargs


def _listed(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    return (list(args),), kwargs


@dataclass(frozen=True)
class Refused:
    """Why a layer cannot be made, and what to change, the likeliest first."""

    rule: str
    expected: str
    changes: tuple[Kwargs, ...]


def _code(value: object, place: int | str, by_name: bool = False) -> str:
    if by_name or isinstance(value, nn.Module):
        return f"args[{place}]" if isinstance(place, int) else f"kwargs[{place!r}]"
    return repr(value)


def construction(error: BaseException) -> Construction | Begun | None:
    """The layer of torch.nn whose making raised this error; None where it was something else."""
    found, last, inner = error.__traceback__, None, None
    while found is not None:
        if is_users(found.tb_frame.f_code.co_filename):
            last, inner = found, None
        elif inner is None:
            inner = found
        found = found.tb_next
    if last is None or not isinstance(error, Exception):
        return None
    if "before Module.__init__" in str(error):
        owner = last.tb_frame.f_locals.get("self")
        return Begun(type(owner)) if isinstance(owner, nn.Module) else None
    return _made(last, inner, error)


def _made(
    last: TracebackType, inner: TracebackType | None, error: Exception
) -> Construction | None:
    frame = last.tb_frame
    place = CallPlace(frame.f_code, last.tb_lasti, last.tb_lineno)
    node = module_call(place)
    if node is None:
        return None
    kind = _value(node.func, frame)
    if not isinstance(kind, type) or not issubclass(kind, nn.Module):
        return None
    if not kind.__module__.startswith("torch.nn.") or (
        inner is not None and inner.tb_frame.f_code.co_name not in ("__init__", "__call__")
    ):
        return None
    try:
        args = tuple(part for arg in node.args for part in _parts(arg, frame))
        kwargs = {str(k.arg): _value(k.value, frame) for k in node.keywords if k.arg}
        for k in node.keywords:
            kwargs |= {} if k.arg else dict(_value(k.value, frame))
    except Exception:
        # An argument that cannot be worked out again, such as the next of an iterator.
        return None
    if any(isinstance(arg, ast.Starred) for arg in node.args):
        node = ast.Call(node.func, [ast.Constant(a) for a in args], node.keywords)
    return Construction(kind, place, node, args, kwargs, error, tuple(_nearby(frame)))


def _nearby(frame: FrameType) -> Iterator[int]:
    owner = frame.f_locals.get("self")
    if isinstance(owner, nn.Module) and "_modules" in owner.__dict__:
        for layer in reversed(list(owner.modules())):
            for name in ("out_channels", "out_features", "hidden_size", "embedding_dim"):
                if type(size := getattr(layer, name, None)) is int:
                    yield size
    for constant in frame.f_code.co_consts:
        if type(constant) is int and constant > 1:
            yield constant


def _parts(node: ast.expr, frame: FrameType) -> Args:
    if isinstance(node, ast.Starred):
        return tuple(_value(node.value, frame))
    return (_value(node, frame),)


def _value(node: ast.expr, frame: FrameType) -> Any:
    """What an expression of the user's own line, which has just run, gives there."""
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<argument>", "eval")
    return eval(code, frame.f_globals, frame.f_locals)
