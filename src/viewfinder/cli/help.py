"""The help of a verb: what it does, its flags in groups, and an example, in 80 columns or fewer."""

import inspect
import shutil
import textwrap
from collections.abc import Iterable
from itertools import groupby

from viewfinder.cli.flags import Flag
from viewfinder.tasks import NAMES, recipe_of

_GROUPS = {
    "what is trained": ("net", "options", "size", "init", "freeze"),
    "how long": ("epochs", "minutes", "patience"),
    "how it learns": (
        *("batch", "optimiser", "learning_rate", "warmup", "momentum", "weight_decay"),
        *("clip", "average", "val_share"),
    ),
    "the machine": ("precision", "compile", "device", "devices", "keep", "seed"),
}
_COLUMN = 24
_WIDEST = 80


def verb_help(called: str, description: str, flags: list[Flag]) -> str:
    """The whole help of a verb.

    Args:
        called: the verb, and of `train` the task: `train detect`.
        description: its docstring; paragraphs are wrapped, and lines that are set in are kept.
    """
    width = _width()
    said, example = described(description)
    places = " ".join(flag.name for flag in flags if flag.positional)
    parts = [f"usage: viewfinder {called} {places} [--flag …]", _wrapped(said, width)]
    for title, members in _grouped(flags).items():
        rows = "\n".join(_row(flag, width) for flag in members)
        parts.append(f"{title}:\n{rows}")
    if example:
        parts.append(f"example:\n  {example}")
    return "\n\n".join(parts) + "\n"


def described(docstring: str) -> tuple[str, str]:
    """What a verb or a recipe does, and its example: the line below `Example:`, the last of its
    docstring; empty where there is none."""
    said, _, example = inspect.cleandoc(docstring).partition("\n\nExample:\n\n")
    return said, example.strip()


def tasks_help(description: str) -> str:
    """The help of `train` before a task is said."""
    said, example = described(description)
    tasks = "\n".join(_in_columns(task, _first_sentence(task), _width()) for task in NAMES)
    return (
        f"usage: viewfinder train TASK DATA [--flag …]\n\n{_wrapped(said, _width())}\n\n"
        f"TASK, what to learn (viewfinder train TASK --help lists its flags):\n{tasks}\n\n"
        f"example:\n  {example}\n"
    )


def _first_sentence(task: str) -> str:
    first_paragraph = described(recipe_of(task).__doc__ or "")[0].partition("\n\n")[0]
    return " ".join(first_paragraph.split()).partition(". ")[0].rstrip(".") + "."


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)


def _grouped(flags: Iterable[Flag]) -> dict[str, list[Flag]]:
    titles = (
        *("takes", "what is trained", "how long", "how it learns", "of this task"),
        *("how pictures are changed (augmentation)", "the machine", "flags"),
    )
    found: dict[str, list[Flag]] = {title: [] for title in titles}
    for flag in flags:
        found[_group(flag)].append(flag)
    return {title: members for title, members in found.items() if members}


def _group(flag: Flag) -> str:
    if flag.positional:
        return "takes"
    if not flag.recipe:
        return "flags"
    for title, fields in _GROUPS.items():
        if flag.field in fields:
            return title
    if flag.help.startswith("Augmentation:") or flag.field == "mosaic_until":
        return "how pictures are changed (augmentation)"
    return "of this task"


def _row(flag: Flag, width: int) -> str:
    said = flag.help.removeprefix("Augmentation: ")
    said = said[:1].upper() + said[1:] if said != flag.help else said
    text = f"{said} (default: {flag.default})" if flag.default else said
    return _in_columns(f"{flag.name} {flag.value}".rstrip(), text, width)


def _in_columns(name: str, text: str, width: int) -> str:
    head = f"  {name}"
    lines = textwrap.wrap(text, width - _COLUMN, break_on_hyphens=False)
    if len(head) > _COLUMN - 2:
        return "\n".join([head, *(" " * _COLUMN + line for line in lines)])
    first = f"{head:<{_COLUMN}}{lines[0] if lines else ''}".rstrip()
    return "\n".join([first, *(" " * _COLUMN + line for line in lines[1:])])


def _wrapped(description: str, width: int) -> str:
    """Paragraphs as wide as the terminal; lines that are set in stand as they are."""
    lines_of_help: list[str] = []
    for as_it_is, lines in groupby(description.strip().splitlines(), _stands):
        text = list(lines)
        lines_of_help += (
            text if as_it_is else textwrap.wrap(" ".join(text), width, break_on_hyphens=False)
        )
    return "\n".join(lines_of_help)


def _stands(line: str) -> bool:
    return not line or line.startswith(" ")
