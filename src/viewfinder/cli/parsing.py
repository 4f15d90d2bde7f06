"""From the words of a command line to a verb's `Flags`, and what is wrong with them in one line."""

import contextlib
import io
import os
import re
from types import ModuleType

import tyro

from viewfinder.cli.flags import flags_of, kind_of
from viewfinder.cli.meant import refuse_missing_places, refuse_misspelt_flags
from viewfinder.errors import InputError
from viewfinder.tasks import NAMES


def called(verb: str, words: list[str]) -> str:
    """The verb, and of `train` the task, where it is said."""
    return f"{verb} {words[0]}" if verb == "train" and words and words[0] in NAMES else verb


def read_flags(module: ModuleType, verb: str, words: list[str]) -> object:
    """The verb's `Flags`, filled from the command line.

    Raises:
        InputError: they cannot be: a flag is misspelt, a value is none, a place is not there.
    """
    if hasattr(module, "look_at"):
        module.look_at(words)
    try:
        refuse_misspelt_flags(words, flags_of(kind_of(module, words)))
        flags = parsed(module, verb, words)
    except InputError as error:
        page = f"viewfinder {called(verb, words)} --help"
        raise InputError(f"{error} ({page} lists every flag)") from None
    refuse_missing_places(flags)
    return flags


def parsed(module: ModuleType, verb: str, words: list[str]) -> object:
    """What tyro makes of the words.

    It explains bad usage in a box of many lines; a script that reads standard error wants one.
    """
    complaint = io.StringIO()
    width = os.environ.get("COLUMNS")
    try:
        # Wide enough that nothing is broken into lines that would have to be put together.
        os.environ["COLUMNS"] = "10000"
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                module.Flags,
                args=words,
                prog=f"viewfinder {verb}",
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise InputError(one_line(complaint.getvalue())) from None
    finally:
        os.environ.pop("COLUMNS")
        if width is not None:
            os.environ["COLUMNS"] = width


def one_line(box: str) -> str:
    """What a box of text says: without its frame, its colours and its advice to see the help."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [re.sub(r"^[│╭╰\s]+|[│╮╯\s]+$", "", line) for line in text.splitlines()]
    parts: list[str] = []
    for line in lines[1:]:
        if re.match(r"For full helptext|─+$", line):
            break
        parts.append(re.sub(r"^Error parsing \S*(recipe|settings):", "", line).strip())
    # Another version of tyro may draw otherwise: then all that it drew is better than nothing.
    return " ".join(part for part in parts if part) or " ".join(text.split())
