"""A table's recipe: one TOML that names sets, methods and where each method's answers lie.

Paths start at the file's own folder, so that whoever has it has the table.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError
from viewfinder.scoring.patterns import NamedSet, like
from viewfinder.scoring.reading import ScoreRequest
from viewfinder.wording import likest

_KEYS = ("split", "as_is", "metrics", "out", "methods", "sets")
_OF_A_SET = ("truth", "answers")
_SPLITS = ("train", "val", "test", "all")
_NAME = "{set}"


@dataclass(frozen=True)
class TableRecipe:
    """What a table's file asks for.

    Attributes:
        out: the folder of its page and tables, if it names one.
    """

    asked: ScoreRequest
    metrics: tuple[str, ...]
    out: Path | None


def read_recipe(file: Path) -> TableRecipe:
    """Read a table's file.

    Raises:
        InputError: it is no TOML, or names what is not there; the text names the place in it.
    """
    text = read_text(file)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not TOML: {error}") from None
    try:
        return _recipe(document, file.absolute().parent)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _recipe(document: Mapping[str, object], here: Path) -> TableRecipe:
    _known(document, _KEYS, "key")
    methods = _table(document, "methods")
    sets = _table(document, "sets")
    if not sets:
        raise InputError("names no sets: give [sets] with NAME = TRUTH")
    split, as_is = document.get("split"), document.get("as_is", False)
    if split is not None and split not in _SPLITS:
        raise InputError(f"split = {split!r}: write one of {', '.join(_SPLITS)}")
    if not isinstance(as_is, bool):
        raise InputError("as_is is true or false")
    metrics = document.get("metrics", [])
    if not isinstance(metrics, list) or not all(isinstance(each, str) for each in metrics):
        raise InputError('metrics is a list of names, such as ["mae", "s_measure"]')
    out = _word(document["out"], "out") if "out" in document else None
    named = tuple(_set(name, given, methods, here) for name, given in sets.items())
    asked = ScoreRequest(None, {}, named, str(split) if split else None, not as_is)
    return TableRecipe(asked, tuple(metrics), here / out if out else None)


def _set(name: str, given: object, methods: Mapping[str, object], here: Path) -> NamedSet:
    """A set by `NAME = TRUTH`, or as a table of truth and answers."""
    where = f"[sets] {name}"
    table = given if isinstance(given, dict) else {"truth": given}
    _known(table, _OF_A_SET, f"{where}: key")
    if "truth" not in table:
        raise InputError(f"{where}: names no truth")
    truth = here / _word(table["truth"], f"{where}: truth")
    if not truth.exists():
        raise InputError(f"{where}: there is no {truth}")
    answers = {
        method: here / _word(place, f"[methods] {method}").replace(_NAME, name)
        for method, place in methods.items()
    }
    own = table.get("answers", {})
    if isinstance(own, str):
        answers |= like(str(here / own), where)
    elif isinstance(own, dict):
        answers |= {m: here / _word(place, f"{where}: {m}") for m, place in own.items()}
    else:
        raise InputError(f"{where}: answers is a pattern with one *, or a table of NAME = ANSWERS")
    if not answers:
        raise InputError(f"{where}: has no answers: name some in [methods] or as its answers")
    for method, place in answers.items():
        if not place.exists():
            raise InputError(f"{where}: there is no {place} of {method}")
    return NamedSet(name, truth, answers)


def _table(document: Mapping[str, object], key: str) -> dict[str, object]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise InputError(f"[{key}] is a table of NAME = PATH")
    return found


def _word(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{where} is a path in quotes")
    return value


def _known(given: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    for key in given:
        if key not in known:
            raise InputError(f"unknown {what} {key}{likest(key, known)}: known {', '.join(known)}")
