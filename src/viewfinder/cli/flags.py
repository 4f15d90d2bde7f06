"""What a verb takes, read off its `Flags`: for help, completion, and what is misspelt."""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType, NoneType
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import tyro

from viewfinder import nets
from viewfinder.tasks import NAMES, recipe_of
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
        several: it takes any number of values.
    """

    name: str
    field: str
    value: str
    default: str
    help: str
    positional: bool
    recipe: bool
    several: bool
    choices: tuple[str, ...] = ()


def kind_of(module: ModuleType, words: list[str]) -> type:
    """The dataclass that these words fill: of `train`, that of the task that they begin with."""
    kind = module.Flags
    if kinds := get_args(kind):
        task = words[0] if words and words[0] in NAMES else NAMES[0]
        kind = get_args(kinds[NAMES.index(task)])[0]
    assert isinstance(kind, type), "flags are a dataclass, or one a task"
    return kind


def flags_of(kind: type, *, recipe: bool = False, helps: bool = True) -> list[Flag]:
    """The flags of a dataclass, in their order; those of a dataclass within it come last.

    Args:
        recipe: its fields are choices of a training.
        helps: with what help says of each, which stands in the source and takes time to read.
    """
    assert dataclasses.is_dataclass(kind), "flags are a dataclass's fields"
    hints, said = get_type_hints(kind, include_extras=True), _docs(kind) if helps else {}
    found, inner = [], []
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            within = hints[field.name]
            inner += flags_of(within, recipe=issubclass(within, Recipe), helps=helps)
        else:
            text = said.get(field.name, "")
            if recipe and helps and field.name == "net":
                text = _with_nets(text, kind)
            found.append(_flag(field, hints[field.name], text, recipe))
    return found + inner


def _with_nets(said: str, recipe: type) -> str:
    """What is said of a recipe's net, and the nets of its task that this does not name."""
    names = [net for task in NAMES if recipe_of(task) is recipe for net in nets.names(task)]
    left = [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", said)]
    if not left:
        return said
    between = ": " if left == names else ". Also "
    return f"{said.rstrip('.')}{between}{', '.join(left)}."


def _flag(field: "dataclasses.Field[object]", hint: object, said: str, recipe: bool) -> Flag:
    plain, *markers = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    name = _marked(markers, "name") or field.name
    metavar, given = _marked(markers, "metavar"), _marked(markers, "help")
    positional = tyro.conf.Positional[int].__metadata__[0] in markers  # type: ignore[attr-defined]
    name = name.replace("_", "-")
    if positional:
        name = metavar or name.upper()
    elif plain is bool and field.default is True:
        name = f"--no-{name}"
    else:
        name = f"--{name}"
    needed = field.default is dataclasses.MISSING and not positional
    if name.startswith("--no-"):
        said = f"Turn this off: {said[:1].lower()}{said[1:]}"
    plainly = plain is bool or field.default in (None, "", ()) or needed
    return Flag(
        name=name,
        field=field.name,
        value="" if plain is bool or positional else metavar or _value(plain),
        default="" if plainly or positional else _shown(field.default),
        help=given or (f"{said} (required)" if needed else said),
        positional=positional,
        recipe=recipe,
        several=Ellipsis in get_args(plain) and tyro.conf.UseAppendAction not in markers,
        choices=_choices(plain),
    )


def _marked(markers: Sequence[object], name: str) -> str:
    """What tyro's markers of a flag say; empty where none does."""
    return next((str(found) for m in markers if (found := getattr(m, name, None))), "")


def _choices(kind: object) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    inner = [each for each in get_args(kind) if get_origin(each) is Literal]
    return _choices(inner[0]) if inner else ()


def _value(kind: object) -> str:
    if chosen := _choices(kind):
        numbers = [_KINDS[each] for each in get_args(kind) if each in (int, float)]
        return "|".join([*numbers, *chosen])
    parts = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) is tuple:
        several = " ".join(_value(part) for part in parts if part is not Ellipsis)
        return several + (" …" if Ellipsis in parts else "")
    if kind is bool:
        return "True|False"
    return _KINDS[kind] if kind in _KINDS else _value(parts[0])


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _docs(kind: type) -> dict[str, str]:
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
