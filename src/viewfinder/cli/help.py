"""The help of a verb: what it does, its flags in groups, and an example, in 80 columns or fewer."""

import inspect
import shutil
import textwrap
from collections.abc import Iterable
from itertools import groupby

from viewfinder.cli.flags import Flag
from viewfinder.tasks import NAMES, recipe_of

EXAMPLES = {
    "demo": "viewfinder demo --out runs/demo",
    "frames": "viewfinder frames mug.mp4 captures/mug --every 0.5",
    "propose": "viewfinder propose captures/mug --by plate --empty empty.png",
    "label": "viewfinder label my-photos",
    "order": "viewfinder order my-photos --html next.html",
    "similar": "viewfinder similar odd.jpg my-photos",
    "train": "viewfinder train classify my-photos",
    "train classify": "viewfinder train classify my-photos --head full",
    "train detect": "viewfinder train detect my-boxes --size 320 --minutes 8",
    "train saliency": "viewfinder train saliency scenes --teacher runs/teacher",
    "evaluate": "viewfinder evaluate runs/my-photos-lenet my-photos --split test",
    "score": "viewfinder score data/SIP/GT mine=maps/mine/SIP other=maps/other/SIP",
    "compare": "viewfinder compare runs/first runs/second my-photos --out compared",
    "why": "viewfinder why runs/my-photos-lenet new.jpg --html why.html",
    "predict": "viewfinder predict runs/my-boxes-yolov3-tiny clip.mp4 --out drawn",
    "bulk": "viewfinder bulk runs/my-boxes-yolov3-tiny pictures answers",
    "export": "viewfinder export runs/my-boxes-yolov3-tiny --answers final",
    "weights": "viewfinder weights get yolov3",
    "explain": "viewfinder explain mynet.py:Net --input 3x96x96 --html net.html",
    "ablate": "viewfinder ablate my-recipes.toml --out runs/compared",
    "check": "viewfinder check my-photos",
    "convert": "viewfinder convert my-boxes as-yolo --to yolo",
    "classes": "viewfinder classes my-boxes rename bike bicycle --yes",
    "compose": "viewfinder compose captures scenes --count 1000",
    "render": "viewfinder render scenes --kind scenes --train 300",
    "doctor": "viewfinder doctor --report doctor.html",
}
"""One for each verb and each task: a line that can be run as it stands, but for its names."""

_GROUPS = {
    "what is trained": ("net", "options", "size", "init", "freeze"),
    "how long": ("epochs", "minutes", "patience"),
    "how it learns": (
        *("batch", "optimiser", "learning_rate", "warmup", "momentum", "weight_decay"),
        *("clip", "average", "val_share"),
    ),
    "the machine": ("precision", "device", "devices", "keep", "seed"),
}
_COLUMN = 24
_WIDEST = 80


def verb_help(called: str, description: str, flags: list[Flag]) -> str:
    """The whole help of a verb.

    Args:
        called: the verb, and of `train` the task: `train detect`.
        description: what it does; paragraphs are wrapped, and lines that are set in are kept.
    """
    width = _width()
    places = " ".join(flag.name for flag in flags if flag.positional)
    parts = [f"usage: viewfinder {called} {places} [--flag …]", _wrapped(description, width)]
    for title, members in _grouped(flags).items():
        rows = "\n".join(_row(flag, width) for flag in members)
        parts.append(f"{title}:\n{rows}")
    parts.append(f"example:\n  {EXAMPLES[called]}")
    return "\n\n".join(parts) + "\n"


def tasks_help(description: str) -> str:
    """The help of `train` before a task is said."""
    tasks = "\n".join(_in_columns(task, _first_sentence(task), _width()) for task in NAMES)
    return (
        f"usage: viewfinder train TASK DATA [--flag …]\n\n{_wrapped(description, _width())}\n\n"
        f"TASK, what to learn (viewfinder train TASK --help lists its flags):\n{tasks}\n\n"
        f"example:\n  {EXAMPLES['train']}\n"
    )


def _first_sentence(task: str) -> str:
    return inspect.cleandoc(recipe_of(task).__doc__ or "").partition(". ")[0].rstrip(".") + "."


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
