"""From the words of a command line to a verb's `Flags`, and what is wrong with them in one line."""

import contextlib
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import tyro

from viewfinder.cli.flags import Flag, flags_of, kind_of
from viewfinder.cli.meant import nearest, refuse_missing_places, refuse_misspelt_flags
from viewfinder.cli.quick_checks import without_typeguard
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
        known = flags_of(kind_of(module, words), helps=False)
        refuse_misspelt_flags(words, known)
        flags = parsed(module, verb, gathered(words, known))
    except InputError as error:
        page = f"viewfinder {called(verb, words)} --help"
        raise InputError(f"{error} ({page} lists every flag)") from None
    refuse_missing_places(flags)
    return flags


def gathered(words: Sequence[str], flags: Sequence[Flag]) -> list[str]:
    """The words, with the values of a flag that is given several times behind its first.

    `--set A --set B` is meant as `--set A B`; argparse would forget A.
    """
    several = {each.name for each in flags if each.several}
    into: list[str] = []
    parts, first = [into], dict[str, list[str]]()
    for word in words:
        name, _, value = word.partition("=")
        if not word.startswith("-") or re.fullmatch(r"-(\d.*|\.\d.*)?", word):
            into.append(word)
        elif name in first:
            into = first[name]
            into += [value] if value else []
        else:
            into = [name, value] if name in several and value else [word]
            parts.append(into)
            if name in several:
                first[name] = into
    return [word for part in parts for word in part]


def parsed(module: ModuleType, verb: str, words: list[str]) -> object:
    """What tyro makes of the words.

    It explains bad usage in a box of many lines; a script that reads standard error wants one.
    """
    complaint = io.StringIO()
    width = os.environ.get("COLUMNS")
    try:
        # Wide enough that nothing is broken into lines that would have to be put together.
        os.environ["COLUMNS"] = "10000"
        with contextlib.redirect_stderr(complaint), without_typeguard():
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
        parts.append(re.sub(r"Error parsing \S*(recipe|settings):", "", line).strip())
    # Another version of tyro may draw otherwise: then all that it drew is better than nothing.
    return _plain(" ".join(part for part in parts if part) or " ".join(text.split()))


def _plain(said: str) -> str:
    """What tyro says of a value, for who knows no Python; as it is where it says another thing."""
    for pattern, plainly in _PLAINER:
        if found := re.search(pattern, said):
            return plainly(found)
    return said


def _are_files(words: str) -> bool:
    """Whether a shell has put the names of files in the place of a pattern."""
    return all(Path(each).exists() for each in words.split())


def _of_choices(found: re.Match[str]) -> str:
    choices = [each for each in re.findall(r"'([^']*)'", found[3]) if each != "None"]
    near = nearest(found[1], choices)
    return (
        f"invalid choice {found[1]!r} for {found[2]}{near}: choose {' or '.join(sorted(choices))}"
    )


def _of_kinds(found: re.Match[str]) -> str:
    """Of a flag that takes several kinds of values, such as a number or a word."""
    kinds: list[str] = []
    for braced, bare in re.findall(r"\{([^}]*)\}|([A-Z]+)", found[2]):
        names = [bare] if bare else braced.split()
        if len(names) > 1:
            kinds.append(f"{len(names)} {_SEVERAL.get(names[0], 'words')}")
        elif names and names[0] in _KINDS:
            kinds.append(_KINDS[names[0]])
        else:
            kinds += [word for word in braced.split(",") if word != "None"]
    given = " ".join(a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", found[3]))
    allowed = f"{found[1]} must be {' or '.join(dict.fromkeys(kinds))}"
    return f"{allowed}, not {given!r}" if given else allowed


_KINDS = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "STR": "a word",
    "PATH": "a path",
}
_SEVERAL = {"INT": "whole numbers", "FLOAT": "numbers"}

_PLAINER: Sequence[tuple[str, Callable[[re.Match[str]], str]]] = (
    (
        r"Error parsing (--[\w-]+): invalid literal for int\(\) with base 10: ('[^']*')",
        lambda found: f"{found[1]} must be a whole number, not {found[2]}",
    ),
    (
        r"Error parsing (--[\w-]+): could not convert string to float: ('[^']*')",
        lambda found: f"{found[1]} must be a number, not {found[2]}",
    ),
    (
        r"Error parsing (--[\w-]+): no type matching (.*?) could be instantiated from "
        r"\[(.*?)\]\. Got errors",
        _of_kinds,
    ),
    (
        r"Missing value for argument '(--[\w-]+)'\. Expected 1 values\.",
        lambda found: f"{found[1]} needs a value behind it",
    ),
    (
        r"Missing value for argument '(--[\w-]+)'\. Expected (\d+) values\.",
        lambda found: f"{found[1]} needs {found[2]} values behind it, with a space between",
    ),
    (
        r"invalid choice '([^']*)' for argument '(--[\w-]+)'\. Expected one of \((.*)\)\.",
        _of_choices,
    ),
    (
        r"Missing from viewfinder (.*?): ([A-Z]+) (.*?)\.? \(required\)",
        lambda found: (
            f"viewfinder {found[1]} needs {found[2]}: {found[3][0].lower()}{found[3][1:]}"
        ),
    ),
    (
        r"Missing from viewfinder (.*?): (--[\w-]+) \{([^}]*)\} (.*?)\.? \(required\)",
        lambda found: (
            f"viewfinder {found[1]} needs {found[2]} {found[3].replace(',', '|')}: "
            f"{found[4][0].lower()}{found[4][1:]}"
        ),
    ),
    (
        r"Unrecognized options: ((?:[^-|│─]|(?<=\S)-)*)",
        lambda found: (
            f"these words belong to no flag: {found[1].strip()}; of several files, give the folder "
            "that they lie in"
            if _are_files(found[1])
            else f"these words belong to no flag: {found[1]}"
        ),
    ),
)
