"""What is compared: sets of masks, methods, and where each method's maps of each set lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.rgbd.pairing import find_triples
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.finding import folders_in, pictures_below, pictures_in
from viewfinder.scoring.models import is_model, maps_by
from viewfinder.scoring.pairing import Paired, pair
from viewfinder.wording import counted, likest, some


@dataclass(frozen=True)
class TruthSet:
    """Masks, and the pictures that they are of where these lie beside them.

    Attributes:
        masks: relative to the root, in order.
        pictures: of each mask, where there is one; relative to the root's parent or the root.
    """

    name: str
    root: Path
    masks: tuple[str, ...]
    pictures: dict[str, Path]


@dataclass(frozen=True)
class Answers:
    """A method's maps of one set."""

    method: str
    folder: Path
    paired: Paired

    def file(self, mask: str) -> Path:
        return self.folder / self.paired.answers[mask]


@dataclass(frozen=True)
class Contest:
    """One set, and every method that has maps of it."""

    truth: TruthSet
    answers: tuple[Answers, ...]


def read_contests(truth: Path | None, methods: Sequence[str], sets: Sequence[str]) -> list[Contest]:
    """What `score TRUTH NAME=ANSWERS … --set NAME=TRUTH:PATTERN` names.

    Args:
        truth: a folder of masks, or of several sets that each have some; None if `sets` says it.
        methods: `NAME=FOLDER`, `NAME=RUN`, or a folder that holds a folder for each method.
        sets: `NAME=TRUTH:PATTERN`, where `*` in the pattern stands for the method.

    Raises:
        InputError: something named is not there, or is not clear.
    """
    contests = [_by_pattern(given) for given in sets]
    if truth is not None:
        contests += _contests(_truth_sets(truth), methods)
    if not contests:
        raise InputError("name the masks and a method: score MASKS NAME=MAPS")
    return contests


def truth_set(name: str, root: Path) -> TruthSet:
    """The masks of a folder: all of its pictures, or of a set's folder those that are masks.

    Raises:
        InputError: there is no such folder, or no mask in it.
    """
    if not root.is_dir():
        others = root.parent.iterdir() if root.parent.is_dir() else ()
        near = likest(root.name, (each.name for each in others))
        raise InputError(f"there is no folder {root}{near}: name the folder of the masks")
    whole = _triples(root)
    if whole:
        masks = {mask: root / picture for picture, mask in whole}
        return TruthSet(name, root, tuple(masks), masks)
    masks_here = tuple(pictures_below(root))
    if not masks_here:
        raise InputError(f"{root} holds no masks: name the folder of the black and white masks")
    beside = {
        (root.parent / mask).resolve(): root.parent / picture
        for picture, mask in _triples(root.parent)
    }
    pictures = {
        mask: beside[place] for mask in masks_here if (place := (root / mask).resolve()) in beside
    }
    return TruthSet(name, root, masks_here, pictures)


def _triples(root: Path) -> list[tuple[str, str]]:
    """Pictures and their masks below a folder, by its names; none where it is no set."""
    try:
        found = find_triples(root)
    except InputError:
        return []
    return [(each.picture, each.mask) for each in found.triples] if found else []


def _truth_sets(root: Path) -> list[TruthSet]:
    """One set, or each folder below that is one of its own, such as SIP/GT and NJU2K/GT."""
    if root.is_dir():
        parts = folders_in(root)
        sets = [part for part in parts if _triples(part)]
        if len(sets) > 1 and len(sets) == len(parts):
            note(f"{counted(len(sets), 'set')} in {root}: {some([part.name for part in sets], 8)}")
            return [truth_set(part.name, part) for part in sets]
    return [truth_set(_name_of(root), root)]


def _name_of(root: Path) -> str:
    """A set is called by its folder, not by `GT` in it."""
    name, above = root.resolve().name, root.resolve().parent.name
    plain = {"gt", "gts", "mask", "masks", "groundtruth", "ground_truth", "test", "testing"}
    return above if name.casefold() in plain and above else name


def _contests(sets: list[TruthSet], methods: Sequence[str]) -> list[Contest]:
    named = [_named(given) for given in methods]
    folders = {name: folder for found in named for name, folder in found.items()}
    if len(folders) < sum(map(len, named)):
        raise InputError("two methods have the same name: name each by NAME=FOLDER")
    if not folders:
        raise InputError("name a method's maps: score MASKS NAME=MAPS")
    if len(sets) > 1 and _is_set_first(sets, folders):
        note("folders are laid out as SET/METHOD")
        by_set = {name.casefold(): folder for name, folder in folders.items()}
        return [
            _contest(each, {p.name: p for p in folders_in(by_set[each.name.casefold()])})
            for each in sets
            if each.name.casefold() in by_set
        ]
    if len(sets) > 1:
        note("folders are laid out as METHOD/SET")
        return [_contest(each, _of_set(each, folders)) for each in sets]
    return [_contest(sets[0], _of_set(sets[0], folders, alone=True))]


def _named(given: str) -> dict[str, Path]:
    """`NAME=FOLDER`, or the folders of a folder."""
    name, sign, folder = given.partition("=")
    path = Path(folder if sign else given).expanduser()
    if is_model(path):
        return {name if sign else path.stem: path}
    if not path.is_dir():
        raise InputError(
            f"there is no folder {path}: a method is named as NAME=FOLDER, or NAME=RUN"
        )
    if sign:
        return {name: path}
    below = folders_in(path)
    if below and not pictures_in(path):
        note(f"methods in {path}: {some([each.name for each in below], 8)}")
        return {each.name: each for each in below}
    return {path.name: path}


def _is_set_first(sets: list[TruthSet], folders: dict[str, Path]) -> bool:
    names = {each.name.casefold() for each in sets}
    return sum(name.casefold() in names for name in folders) > len(folders) / 2


def _of_set(each: TruthSet, folders: dict[str, Path], *, alone: bool = False) -> dict[str, Path]:
    """The folder of each method's maps of one set; with only one set that may be its own folder."""
    found = {}
    for method, folder in folders.items():
        if is_model(folder):
            found[method] = maps_by(folder, each.masks, each.pictures, of=each.name)
            continue
        below = {p.name.casefold(): p for p in folders_in(folder)}
        if each.name.casefold() in below:
            found[method] = below[each.name.casefold()]
        elif alone:
            found[method] = folder
        else:
            note(f"{method} has no folder {each.name}: it is not scored on that set")
    return found


def _contest(each: TruthSet, folders: dict[str, Path]) -> Contest:
    answers = []
    for method, folder in folders.items():
        paired = pair(each.masks, list(pictures_below(folder)), where=str(folder))
        answers.append(Answers(method, folder, paired))
    if not answers:
        raise InputError(f"no method has maps of {each.name}")
    return Contest(each, tuple(answers))


def _by_pattern(given: str) -> Contest:
    """A set as `NAME=TRUTH:PATTERN`."""
    name, sign, rest = given.partition("=")
    root, colon, pattern = rest.rpartition(":")
    if not (sign and colon and name and root and pattern):
        raise InputError(
            f"--set {given}: a set is named as NAME=MASKS:MAPS, where * in MAPS stands for the "
            "method, as in SIP=data/SIP/GT:maps/*/SIP"
        )
    if pattern.count("*") != 1:
        raise InputError(f"--set {given}: MAPS needs one * where the method's name stands")
    before, _, behind = pattern.partition("*")
    base = Path(before if before.endswith(("/", "\\")) else str(Path(before).parent)).expanduser()
    start = "" if before.endswith(("/", "\\")) else Path(before).name
    ending, _, below = behind.partition("/")
    if not base.is_dir():
        raise InputError(f"--set {given}: there is no folder {base}")
    folders = {}
    for folder in folders_in(base):
        within = folder / below if below else folder
        if folder.name.startswith(start) and folder.name.endswith(ending) and within.is_dir():
            folders[folder.name[len(start) : len(folder.name) - len(ending)]] = within
    if not folders:
        raise InputError(f"--set {given}: no folder is like {pattern}")
    return _contest(truth_set(name, Path(root).expanduser()), folders)
