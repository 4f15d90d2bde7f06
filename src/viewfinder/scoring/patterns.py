"""Methods and sets as a command names them: NAME=ANSWERS, and NAME=TRUTH:ANSWERS with a `*`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from viewfinder.datasets.formats.yolo.label_files import is_class_list
from viewfinder.datasets.survey import beginning
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.cutting import CUTOUTS, OVERLAYS
from viewfinder.nets.published import COCO
from viewfinder.pictures.finding import (
    files_in,
    folders_in,
    has_picture,
    pictures_below,
    pictures_in,
)
from viewfinder.scoring.models import is_model, named_model
from viewfinder.wording import some

# So many maps are counted to see that a folder has more than lie beside it.
_LOOKS = 50
# Of a line of boxes: a class or a picture, and four numbers.
_WORDS = 5
TABLES = (".json", ".csv", ".tsv")
"""Files of answers by their endings."""


@dataclass(frozen=True)
class NamedSet:
    """A set by its truth, and where each method's answers to it lie."""

    name: str
    truth: Path
    answers: dict[str, Path]


def named_methods(methods: Sequence[str]) -> dict[str, Path]:
    """`NAME=ANSWERS` each, or a folder that holds a folder or a file for each method.

    Raises:
        InputError: one is not there, or two have the same name.
    """
    named = [_named(given) for given in methods]
    found = {name: path for each in named for name, path in each.items()}
    names = [name for each in named for name in each]
    if twice := [name for name in found if names.count(name) > 1]:
        raise InputError(
            f"two methods are named {twice[0]}: give each a name of its own, NAME=ANSWERS"
        )
    if not found:
        raise InputError("name a method's answers: score TRUTH NAME=ANSWERS")
    return found


def _named(given: str) -> dict[str, Path]:
    name, sign, place = given.partition("=")
    if sign and not name:
        raise InputError(f"{given}: name the method before the =, as in mine{given}")
    path = named_model(place if sign else given) or Path(place if sign else given).expanduser()
    if path == named_model(COCO):
        return {name if sign else given: path}
    if is_model(path) or (path.is_file() and path.suffix.lower() in TABLES):
        return {name if sign else path.stem: path}
    if not path.is_dir():
        what = "is no kind of answers that is read" if path.exists() else "is not there"
        raise InputError(
            f"{path} {what}: name a method as NAME=ANSWERS, and as its answers a folder of maps or "
            "text files, a COCO JSON, a CSV or a run"
        )
    if sign:
        return {name: path}
    return _within(path) or {path.name: path}


def _within(folder: Path) -> dict[str, Path]:
    """The methods of a folder that holds one for each; none where it holds one method's answers."""
    files = [file for file in files_in(folder) if file.suffix.lower() in TABLES]
    texts = [file for file in files_in(folder) if holds_boxes(file)]
    below = [each for each in folders_in(folder) if each.name not in (OVERLAYS, CUTOUTS)]
    pictures = pictures_in(folder)
    with_maps = [each for each in below if has_picture(each)]
    # A picture or two beside folders of many are a teaser, and not the maps of one method.
    loose = bool(pictures) and len(pictures) >= max(map(_many, with_maps), default=0)
    if loose or texts or not (files or below):
        return {}
    if with_maps or not files:
        found = {each.name: each for each in with_maps or below}
    else:
        found = {file.stem: file for file in files}
    note(f"methods in {folder}: {some(list(found), 8)}")
    if over := [each.name for each in files_in(folder) if each not in found.values()]:
        note(f"{some(over, 8)} beside them in {folder}: no method's answers, passed over")
    return found


def _many(folder: Path) -> int:
    return len(list(islice(pictures_below(folder), _LOOKS)))


def holds_boxes(file: Path) -> bool:
    """Whether a text file may be a detector's: empty, or with numbers at the end of its line."""
    if file.suffix.lower() != ".txt" or is_class_list(file.name):
        return False
    words = next((line.split() for line in beginning(file).splitlines() if line.strip()), [])
    try:
        return not words or (len(words) >= _WORDS and len([float(w) for w in words[-4:]]) == 4)
    except ValueError:
        return False


def named_set(given: str) -> NamedSet:
    """A set as `NAME=TRUTH:PATTERN`, where `*` in the pattern stands for the method.

    Raises:
        InputError: it is none, or nothing is like the pattern.
    """
    name, sign, rest = given.partition("=")
    root, colon, pattern = rest.rpartition(":")
    if not (sign and colon and name and root and pattern):
        raise InputError(
            f"--set {given}: a set is named as NAME=TRUTH:ANSWERS, where * in ANSWERS stands for "
            "the method, as in SIP=data/SIP/GT:maps/*/SIP"
        )
    truth, where = Path(root).expanduser(), f"--set {given}"
    # Beside the methods often lies the truth, which is none of them.
    found = {n: p for n, p in like(pattern, where).items() if p.resolve() != truth.resolve()}
    if not found:
        raise InputError(f"{where}: only the truth itself is like {pattern}")
    return NamedSet(name, truth, found)


def like(pattern: str, where: str) -> dict[str, Path]:
    """Each method's answers by a pattern with one `*`.

    Args:
        where: for errors.

    Raises:
        InputError: there is no such folder, or nothing in it is like the pattern.
    """
    if pattern.count("*") != 1:
        raise InputError(f"{where}: ANSWERS needs one * where the method's name stands")
    before, _, behind = pattern.partition("*")
    base = Path(before if before.endswith(("/", "\\")) else str(Path(before).parent)).expanduser()
    start = "" if before.endswith(("/", "\\")) else Path(before).name
    ending, _, below = behind.partition("/")
    if not base.is_dir():
        raise InputError(f"{where}: there is no folder {base}")
    found = {}
    for each in sorted(base.iterdir()):
        within = each / below if below else each
        fits = each.name.startswith(start) and each.name.endswith(ending) and len(each.name) > 0
        # Of files, only those whose ending is asked for.
        if fits and (within.is_dir() or (within.is_file() and (ending or below))):
            found[each.name[len(start) : len(each.name) - len(ending)]] = within
    if "" in found:  # Where * stands for nothing, the method has the name of its folder or file.
        own = Path(start + ending).stem if found[""].is_file() and not below else start + ending
        own = own if own not in found else f"{own} itself"
        found = {name if name else own: path for name, path in found.items()}
    if not found:
        raise InputError(f"{where}: no folder or file is like {pattern}")
    return found
