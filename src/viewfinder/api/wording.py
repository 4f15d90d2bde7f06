"""Advice for who calls functions: `head="auto"`, where the shell has `--head auto`."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from viewfinder.events import Event, FitJudged, Listener, Note
from viewfinder.tasks import NAMES, recipe_of

_TRAIN = "viewfinder train "
# Where a sentence comes to its flags, and words on them that may follow.
_FLAGS = re.compile(r": (--[a-z].*?)( \(.*\))?$")
# A flag with its value within a sentence.
_WITHIN = re.compile(r"--[a-z][a-z-]* [^\s,;:]+")


def in_python(listener: Listener) -> Listener:
    """Who is told the same, with commands and flags of trainings as calls and arguments."""

    def told(event: Event) -> None:
        match event:
            case FitJudged():
                tries = tuple(advice_in_python(each) for each in event.tries)
                listener(replace(event, tries=tries))
            case Note() if event.text.startswith(f"  {_TRAIN}"):
                listener(replace(event, text=f"  {advice_in_python(event.text.strip())}"))
            case _:
                listener(event)

    return told


def advice_in_python(advice: str) -> str:
    """A sentence with the flags or the command that it ends in as arguments or a call; what is
    neither stays as it is."""
    before, command, words = advice.partition(_TRAIN)
    try:
        if command:
            return before + _call(shlex.split(words))
        if found := _FLAGS.search(advice):
            arguments = ", ".join(_arguments(shlex.split(found[1])))
            return f"{advice[: found.start()]}: {arguments}{found[2] or ''}"
    except ValueError:  # quotes that are none
        return advice
    if "viewfinder " in advice:  # another verb's flags are none of a training's
        return advice
    return _WITHIN.sub(lambda flag: _arguments(flag[0].split())[0], advice)


def _call(words: Sequence[str]) -> str:
    task, data, *flags = words
    given = [repr(task), repr(data), *_arguments(flags, task)]
    return f"viewfinder.train({', '.join(given)})"


def _arguments(words: Sequence[str], task: str | None = None) -> list[str]:
    """Flags with their values as arguments; those that take several as a tuple."""
    found: list[str] = []
    several = _several(task)
    for group in _groups(words):
        name, values = group[0].removeprefix("--").replace("-", "_"), group[1:]
        if name in several or len(values) > 1:
            found.append(f"{name}=({', '.join(map(_value, values))},)")
        elif values:
            found.append(f"{name}={_value(values[0])}")
        else:
            off = name.startswith("no_")
            found.append(f"{name.removeprefix('no_')}={not off}")
    return found


def _several(task: str | None) -> set[str]:
    """The fields of a task's recipe that hold several values; of all tasks without one."""
    recipes = [recipe_of(each).from_json({}) for each in ((task,) if task else NAMES)]
    return {
        name
        for recipe in recipes
        for name, value in recipe.as_json().items()
        if isinstance(value, tuple | list)
    }


def _groups(words: Sequence[str]) -> list[list[str]]:
    """Each flag with what follows it."""
    groups: list[list[str]] = []
    for word in words:
        if word.startswith("--") or not groups:
            groups.append([word])
        else:
            groups[-1].append(word)
    return groups


def _value(word: str) -> str:
    """As Python has it: a number as it is, anything else in quotes."""
    try:
        float(word)
    except ValueError:
        return f'"{word}"' if '"' not in word and "\\" not in word else repr(word)
    return word
