"""What is compared: sets of masks, methods, and where each method's maps of each set lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.rgbd.pairing import Triple, find_triples
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.cutting import CUTOUTS, OVERLAYS
from viewfinder.pictures.finding import folders_in, has_picture, pictures_below, pictures_in
from viewfinder.scoring.flat import flat_methods
from viewfinder.scoring.models import is_model, maps_by
from viewfinder.scoring.pairing import Paired, pair
from viewfinder.scoring.patterns import NamedSet
from viewfinder.scoring.photographs import photographs
from viewfinder.wording import counted, likest, some


@dataclass(frozen=True)
class TruthSet:
    """Masks, and the pictures that they are of where these lie beside them.

    Attributes:
        masks: relative to the root, in order.
        pictures: of each mask, where there is one; relative to the root's parent or the root.
        depths: the same of depth maps.
    """

    name: str
    root: Path
    masks: tuple[str, ...]
    pictures: dict[str, Path]
    depths: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """A method's maps of one set."""

    method: str
    folder: Path
    paired: Paired

    def file(self, mask: str) -> Path:
        return self.folder / self.paired.answers[mask]


@dataclass(frozen=True)
class MapContest:
    """One set, and every method that has maps of it.

    Attributes:
        lost: of each method whose maps cannot be told apart, why.
    """

    truth: TruthSet
    answers: tuple[Answers, ...]
    lost: Mapping[str, str] = field(default_factory=dict)


def map_contests(
    truth: Path | None, methods: dict[str, Path], sets: Sequence[NamedSet]
) -> list[MapContest]:
    """Sets of masks, and every method's maps of each.

    Args:
        truth: a folder of masks, or of several sets that each have some; None if `sets` says it.
        methods: each method's folder, or run.

    Raises:
        InputError: something named is not there, or is not clear.
    """
    contests = [
        _contest(each, _of_set(each, given.answers, alone=True))
        for given in sets
        for each in [truth_set(given.name, given.truth)]
    ]
    if truth is not None:
        contests += _contests(_truth_sets(truth, methods), methods)
    return contests


def models_maps(name: str, truth: Dataset, models: Mapping[str, Path]) -> MapContest:
    """A set whose pictures are known, and the maps that models answer.

    Raises:
        InputError: a model of another task, or a picture that cannot be read.
    """
    pictures = {mask: truth.file(k) for k, mask in enumerate(truth.masks)}
    deep = zip(truth.masks, truth.depths, strict=False)
    depths = {mask: truth.root / depth for mask, depth in deep if depth}
    own = TruthSet(name, truth.root, truth.masks, pictures, depths)
    return _contest(own, _of_set(own, dict(models)))


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
        masks = {each.mask: root / each.picture for each in whole}
        depths = {each.mask: root / each.depth for each in whole if each.depth}
        return TruthSet(name, root, tuple(masks), masks, depths)
    masks_here = tuple(pictures_below(root))
    if not masks_here:
        raise InputError(f"{root} holds no masks: name the folder of the black and white masks")
    there = _triples(root.parent)
    beside = {
        (root.parent / mask).resolve(): root.parent / picture
        for picture, mask in photographs(root.parent, [(e.picture, e.mask) for e in there])
    }
    deep = {(root.parent / e.mask).resolve(): root.parent / e.depth for e in there if e.depth}
    places = {mask: (root / mask).resolve() for mask in masks_here}
    return TruthSet(
        name,
        root,
        masks_here,
        {mask: beside[place] for mask, place in places.items() if place in beside},
        {mask: deep[place] for mask, place in places.items() if place in deep},
    )


def _triples(root: Path) -> Sequence[Triple]:
    """Pictures, their masks and depth maps below a folder, by its names; none where it is no
    set."""
    try:
        found = find_triples(root)
    except InputError:
        return []
    return found.triples if found else []


# What the folder of masks within a set's folder is called.
_MASKS = {"gt", "gts", "mask", "masks", "groundtruth", "ground_truth"}


def _truth_sets(root: Path, methods: Mapping[str, Path]) -> list[TruthSet]:
    """One set, or each folder below that is one of its own, such as SIP/GT and NJU2K/GT.

    A folder is one if it holds pictures and masks, or if maps lie in a folder of its name.
    """
    if not root.is_dir():
        return [truth_set(_name_of(root), root)]
    answers = {folder.resolve() for folder in methods.values()}
    parts = [part for part in folders_in(root) if part.resolve() not in answers]
    sets = [part for part in parts if _triples(part)]
    if len(sets) < 2 or len(sets) < len(parts):
        # What a model is called, such as depth, is no name of a set.
        of_files = {name: path for name, path in methods.items() if not is_model(path)}
        of_maps = {name.casefold() for name in of_files}
        of_maps |= {
            below.name.casefold()
            for folder in of_files.values()
            if folder.is_dir()
            for below in folders_in(folder)
        }
        sets = [part for part in parts if part.name.casefold() in of_maps and has_picture(part)]
    if not sets:
        for each in answers:
            if root.resolve() in each.parents:
                raise InputError(
                    f"{each} lies within the truth, {root}, whose pictures are all masks: name the "
                    "folder that holds the masks alone"
                )
        return [truth_set(_name_of(root), root)]
    note(f"{counted(len(sets), 'set')} in {root}: {some([part.name for part in sets], 8)}")
    if others := [part.name for part in parts if part not in sets]:
        note(f"left out, as no maps lie in a folder of that name: {some(others, 8)}")
    return [truth_set(part.name, _masks_of(part)) for part in sets]


def _masks_of(part: Path) -> Path:
    """Where the masks of a set's folder lie."""
    named = [folder for folder in folders_in(part) if folder.name.casefold() in _MASKS]
    return named[0] if len(named) == 1 and not _triples(part) else part


def _name_of(root: Path) -> str:
    """A set is called by its folder, not by `GT` in it."""
    name, above = root.resolve().name, root.resolve().parent.name
    return above if name.casefold() in {*_MASKS, "test", "testing"} and above else name


def _contests(sets: list[TruthSet], folders: dict[str, Path]) -> list[MapContest]:
    if _is_set_first(sets, folders):
        note("folders are laid out as SET/METHOD")
        by_set = {name.casefold(): folder for name, folder in folders.items()}
        return [
            _contest(each, {p.name: p for p in folders_in(by_set[each.name.casefold()])})
            for each in sets
            if each.name.casefold() in by_set
        ]
    if len(sets) > 1:
        note("folders are laid out as METHOD/SET")
        one_folder = _flat(sets, folders)
        flat, lost = flat_methods([each.masks for each in sets], one_folder)
        inner = {name: folder for name, folder in folders.items() if name not in one_folder}
        found = [_contest(each, _of_set(each, inner), lost, may_lack=bool(flat)) for each in sets]
        return [_with_flat(each, flat, folders) for each in found]
    return [_contest(sets[0], _of_set(sets[0], folders, alone=True))]


def _flat(sets: Sequence[TruthSet], folders: Mapping[str, Path]) -> dict[str, Path]:
    """The methods whose maps of all sets lie in one folder, and not in one for each set."""
    names = {each.name.casefold() for each in sets}
    return {
        method: folder
        for method, folder in folders.items()
        if not is_model(folder) and pictures_in(folder)
        if not any(below.name.casefold() in names for below in folders_in(folder))
    }


def _with_flat(
    contest: MapContest, flat: Mapping[str, Paired], folders: Mapping[str, Path]
) -> MapContest:
    """A set with those of the methods' maps that are of its masks, the methods in their order."""
    own = {each.method: each for each in contest.answers}
    for method, paired in flat.items():
        own[method] = Answers(method, folders[method], paired.of(contest.truth.masks))
    if not own:
        raise InputError(f"no method has maps of {contest.truth.name}")
    return replace(contest, answers=tuple(own[name] for name in folders if name in own))


def _is_set_first(sets: list[TruthSet], folders: dict[str, Path]) -> bool:
    names = {each.name.casefold() for each in sets}
    if len(sets) == 1:  # Maps of one method may be called as the set is.
        ((name, folder), *others) = folders.items()
        return not others and name.casefold() in names and _holds_folders_alone(folder)
    return sum(name.casefold() in names for name in folders) > len(folders) / 2


def _holds_folders_alone(folder: Path) -> bool:
    inner = pictures_below(folder) if folder.is_dir() and not is_model(folder) else ()
    return all("/" in name for name in inner) and len(folders_in(folder)) > 1


def _of_set(each: TruthSet, folders: dict[str, Path], *, alone: bool = False) -> dict[str, Path]:
    """The folder of each method's maps of one set; with only one set that may be its own folder."""
    found = {}
    for method, folder in folders.items():
        if is_model(folder):
            found[method] = maps_by(folder, each.masks, each.pictures, each.depths, of=each.name)
            continue
        below = {p.name.casefold(): p for p in folders_in(folder)}
        if each.name.casefold() in below:
            found[method] = below[each.name.casefold()]
        elif alone:
            found[method] = folder
        else:
            note(f"{method} has no folder {each.name}: it is not scored on that set")
    return found


def _maps(folder: Path) -> list[str]:
    """The pictures below a method's folder, without what `predict --out` draws beside maps."""
    below = list(pictures_below(folder))
    return [each for each in below if each.split("/")[0] not in (OVERLAYS, CUTOUTS)] or below


def _contest(
    each: TruthSet,
    folders: dict[str, Path],
    lost: Mapping[str, str] | None = None,
    *,
    may_lack: bool = False,
) -> MapContest:
    """Every method's maps of a set.

    Args:
        lost: as of `MapContest`.
        may_lack: whether there may be none yet.
    """
    answers = []
    for method, folder in folders.items():
        paired = pair(each.masks, _maps(folder), where=str(folder))
        answers.append(Answers(method, folder, paired))
    if not answers and not may_lack:
        raise InputError(f"no method has maps of {each.name}")
    return MapContest(each, tuple(answers), lost or {})
