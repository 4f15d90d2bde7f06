"""What a verb takes, read off its `Flags`: for help, completion, and what is misspelt."""

import ast
import dataclasses
import inspect
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import tyro

from viewfinder.tasks import NAMES
from viewfinder.tasks.recipe import Recipe

_KINDS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True)
class Flag:
    """One flag, or a word by its place.

    Attributes:
        name: as it is written: `--learning-rate`, or DATA.
        field: of the dataclass that it fills.
        value: what follows it: N, X, PATH, `sgd|adamw`; nothing after a switch.
        default: what holds without it, in words; nothing where the help says it or it is plain.
        recipe: it is a choice of a training.
    """

    name: str
    field: str
    value: str
    default: str
    help: str
    positional: bool
    recipe: bool
    choices: tuple[str, ...] = ()


def kind_of(module: ModuleType, words: list[str]) -> Any:
    """The dataclass that these words fill: of `train`, that of the task that they begin with."""
    kinds = get_args(module.Flags)
    if not kinds:
        return module.Flags
    task = words[0] if words and words[0] in NAMES else NAMES[0]
    return get_args(kinds[NAMES.index(task)])[0]


def flags_of(kind: Any, *, recipe: bool = False) -> list[Flag]:
    """The flags of a dataclass, in their order; those of a dataclass within it come last."""
    hints, said = get_type_hints(kind, include_extras=True), _docs(kind)
    found, inner = [], []
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            inner += flags_of(hints[field.name], recipe=issubclass(hints[field.name], Recipe))
        else:
            found.append(_flag(field, hints[field.name], said.get(field.name, ""), recipe))
    return found + inner


def _flag(field: "dataclasses.Field[Any]", hint: Any, said: str, recipe: bool) -> Flag:
    markers: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    plain = hint.__origin__ if markers else hint
    name = next((m.name for m in markers if getattr(m, "name", None)), field.name)
    metavar = next((m.metavar for m in markers if getattr(m, "metavar", None)), None)
    given = next((m.help for m in markers if getattr(m, "help", None)), None)
    positional = tyro.conf.Positional[int].__metadata__[0] in markers  # type: ignore[attr-defined]
    name = name.replace("_", "-")
    if positional:
        name = metavar or name.upper()
    elif plain is bool and field.default is True:
        name = f"--no-{name}"
    else:
        name = f"--{name}"
    needed = field.default is dataclasses.MISSING and not positional
    plainly = plain is bool or field.default in (None, "", ()) or needed
    return Flag(
        name=name,
        field=field.name,
        value="" if plain is bool or positional else metavar or _value(plain),
        default="" if plainly or positional else _shown(field.default),
        help=given or (f"{said} (required)" if needed else said),
        positional=positional,
        recipe=recipe,
        choices=_choices(plain),
    )


def _choices(kind: object) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    inner = [each for each in get_args(kind) if get_origin(each) is Literal]
    return _choices(inner[0]) if inner else ()


def _value(kind: object) -> str:
    if chosen := _choices(kind):
        return "|".join(chosen)
    parts = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) is tuple:
        several = " ".join(_value(part) for part in parts if part is not Ellipsis)
        return several + (" …" if Ellipsis in parts else "")
    if kind is bool:
        return "True|False"
    return _KINDS[kind] if kind in _KINDS else _value(parts[0])


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _docs(kind: Any) -> dict[str, str]:
    """The string below each field, of the class and of those that it stands on."""
    said: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(each)))
        except (OSError, TypeError):
            # Made while running, as the flags of `train TASK` are: the classes below it have all.
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, below in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                said[field.target.id] = " ".join(str(below.value.value).split())
    return said
