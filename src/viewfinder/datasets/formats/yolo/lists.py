"""What `data.yaml`, Darknet's `obj.data` or a bare `classes.txt` say of a YOLO set.

All three name the classes and, the first two, which pictures are in which split: by a folder or
by a text file that lists pictures. Paths are often those of another computer: what they end in
is then looked for here, and said.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.labels_above import above_in_words, refuse_within
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.datasets.formats.yolo.data_yaml import Entry, Value, read_data_yaml
from viewfinder.datasets.formats.yolo.label_files import is_class_list, label_files
from viewfinder.datasets.formats.yolo.paths import Paths, path_ends, plain_path, relative
from viewfinder.datasets.kind_names import kind_of
from viewfinder.datasets.split_names import split_of_path
from viewfinder.datasets.survey import Survey
from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_below
from viewfinder.reading import broken_link
from viewfinder.wording import counted

_MAPS = {"mask", "depth"}
_KEYS = {"path", "train", "val", "test", "names", "nc", "kpt_shape"}
# Other names of the split `val`, in the order of preference.
_VAL_KEYS = ("val", "valid", "validation", "dev")


@dataclass(frozen=True)
class NamedList:
    """Pictures that one entry names, and what it names that is not there; see `Listing`."""

    name: str
    split: int
    pictures: tuple[str, ...]
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class PictureLists:
    """What the file says.

    Attributes:
        names_file: where the classes stand, which an edit of classes writes.
        points: how many numbers of key points follow each box.
    """

    classes: tuple[str, ...]
    names_file: Path
    lists: tuple[NamedList, ...]
    points: int
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def describe(file: Path, seen: Survey) -> PictureLists:
    """Read the file that describes a set.

    Raises:
        InputError: it is damaged, or does not say what it must.
    """
    if is_class_list(file.name):
        lists = _by_folder(_pictures_of_none(seen))
        return PictureLists(listed_classes(file), file, lists, 0)
    if file.suffix.lower() == ".data":
        return _darknet(file, seen)
    entries = read_data_yaml(file, _KEYS | set(_VAL_KEYS))
    if "names" not in entries:
        raise InputError(f"{file} has no `names`: list the classes there, as in names: [cat, dog]")
    classes = class_names(file, entries["names"])
    paths = Paths(seen, list(dict.fromkeys([file.parent, seen.root])), [])
    values = {name: entries[name].value for name in SPLITS if name in entries}
    other = next((key for key in _VAL_KEYS if key in entries and entries[key].value), "val")
    if other in entries:
        values["val"] = entries[other].value
    base = entries["path"].value if "path" in entries else ""
    if isinstance(base, str) and base:
        paths.add_base(file.parent / plain_path(base), base, values)
    lists = _lists(values, paths, file) if any(values.values()) else ()
    lists = lists or _by_folder(_pictures_of_none(seen))
    return PictureLists(
        classes,
        file,
        lists,
        _points(file, entries.get("kpt_shape")),
        tuple(dict.fromkeys([*paths.notes, *_elsewhere(lists, file)])),
        tuple(_count_faults(file, entries.get("nc"), classes)),
    )


def class_names(file: Path, entry: Entry) -> tuple[str, ...]:
    """The class list of `names`, be it a list or a mapping from the numbers 0, 1, 2, ….

    Raises:
        InputError: there are no names, one stands twice, or numbers are missing.
    """
    names = entry.value
    if isinstance(names, dict):
        numbers = sorted(names, key=lambda key: (len(key), key))
        if numbers != [str(number) for number in range(len(names))]:
            raise InputError(f"{file}: the names must be numbered 0, 1, 2, … without a gap")
        names = [names[number] for number in numbers]
    if isinstance(names, str) or not names or not all(name.strip() for name in names):
        raise InputError(f"{file}: `names` must list the classes, such as names: [cat, dog]")
    return _different([name.strip() for name in names], file)


def listed_classes(file: Path) -> tuple[str, ...]:
    """The names of a text file, one a line.

    Raises:
        InputError: there are none, or a name stands there twice.
    """
    lines = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    # `# classes of the set` is a remark; `#1` may be a class.
    names = [line for line in lines if not line.startswith("# ")]
    if not names:
        raise InputError(
            f"{file} names no classes: write one a line, in the order of their numbers"
        )
    return _different(names, file)


def classes_beside(folder: Path) -> tuple[str, tuple[str, ...]] | None:
    """The list of classes that lies in a folder, or above one called `labels`, and its file's name.

    Raises:
        InputError: there is one, and it cannot be read.
    """
    above = (folder.parent,) if folder.name.lower() in ("labels", "predictions") else ()
    for place in (folder, *above):
        for file in sorted(place.iterdir()):
            if is_class_list(file.name) and file.is_file():
                return file.name, listed_classes(file)
            if file.name.lower() in ("data.yaml", "data.yml") and file.is_file():
                entries = read_data_yaml(file, {"names"})
                if "names" in entries:
                    return file.name, class_names(file, entries["names"])
    return None


def _different(names: list[str], file: Path) -> tuple[str, ...]:
    for name, count in Counter(names).items():
        if count > 1:
            raise InputError(f"{file}: the class {name!r} stands there twice: give each its own")
    return tuple(names)


def _points(file: Path, entry: Entry | None) -> int:
    """How many numbers `kpt_shape: [points, numbers of each]` puts behind a box."""
    if entry is None:
        return 0
    try:
        points, each = (int(value) for value in entry.value)
    except ValueError:
        points, each = 0, 0
    if not (0 < points < 1000 and each in (2, 3)):
        raise InputError(f"{file}: kpt_shape must be two numbers, such as kpt_shape: [17, 3]")
    return points * each


def _count_faults(file: Path, entry: Entry | None, classes: tuple[str, ...]) -> list[Fault]:
    if entry is None or str(entry.value).strip() == str(len(classes)):
        return []
    detail = f"nc says {str(entry.value)[:20]} classes, and names lists {len(classes)}"
    return [Fault("class-count", file.name, detail, "correct the one that is wrong")]


def _lists(values: dict[str, Value], paths: Paths, file: Path) -> tuple[NamedList, ...]:
    lists = []
    for name, value in values.items():
        where = f"{file.name}: {name}"
        if isinstance(value, dict):
            raise InputError(f"{file}: {name} must name a folder or a list of pictures")
        for place in [value] if isinstance(value, str) else value:
            if place:
                found, absent = _pictures(place, paths, f"{file}: {name}")
                lists.append(NamedList(where, SPLITS.index(name), found, absent))
    if lists and not any(listing.pictures for listing in lists):
        gone = next((place for one in lists for place in one.absent), "")
        which = f": there is no {gone:.80}" if gone else ""
        if gone and (link := broken_link(file.parent / plain_path(gone))) is not None:
            which = f": {link} is a link that leads to nothing"
        raise InputError(f"{file} leads to no pictures{which}: check its train, val and test")
    return tuple(lists)


def _pictures(place: str, paths: Paths, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pictures of a folder, or of a text file that lists them, and what is not there."""
    try:
        target = paths.folder_or_list(place)
        if target is None:
            return (), (place,)
        if target.is_dir():
            inside = relative(target, paths.seen.root)
            prefix = f"{inside}/" if inside != "." else ""
            return tuple(prefix + path for path in pictures_below(target)), ()
        lines = [line.strip() for line in read_text(target).splitlines() if line.strip()]
        found = [paths.picture(line, target.parent) for line in lines]
    except InputError:
        raise
    except (OSError, ValueError) as error:  # too long a name, a zero byte, a loop of links
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{where}: {place!r:.60} cannot be read ({reason})") from None
    absent = tuple(line for line, path in zip(lines, found, strict=True) if path is None)
    return tuple(dict.fromkeys(path for path in found if path is not None)), absent


def _elsewhere(lists: tuple[NamedList, ...], file: Path) -> list[str]:
    """A note where the pictures lie outside of the folder that the file is in.

    Raises:
        InputError: they are of a set whose labels were edited in the studio.
    """
    outside = {path for listing in lists for path in listing.pictures if path.startswith("/")}
    if not outside:
        return []
    place = os.path.commonpath([str(PurePosixPath(path).parent) for path in outside])
    said = f"{counted(len(outside), 'picture')} outside of this folder, where {file.name} leads, "
    refuse_within(Path(min(outside)).parent)
    edited = above_in_words(Path(min(outside)))
    return [f"{said}in {place}" + (f"; {edited}" if edited else "")]


def _pictures_of_none(seen: Survey) -> list[str]:
    """The pictures of a set that lists none: those in folders where any has labels, and in folders
    `images`; all where that is none."""
    paths = sorted(seen.pictures.paths)
    # Masks and maps of depth have the names of the pictures.
    plain = [p for p in paths if not {kind_of(part) for part in p.split("/")[:-1]} & _MAPS] or paths
    labels = label_files(seen, plain)
    folders = {
        path.rpartition("/")[0]
        for path, own in zip(plain, labels.of, strict=True)
        if own is not None
    }
    chosen = [
        path for path in paths if path.rpartition("/")[0] in folders or "images/" in path.lower()
    ]
    return chosen or paths


def _by_folder(paths: list[str]) -> tuple[NamedList, ...]:
    """Lists by the splits that folders speak of."""
    splits = {path: split_of_path(path) for path in sorted(paths)}
    if all(split < 0 for split in splits.values()):
        return (NamedList("its folders", -1, tuple(splits)),)
    return tuple(
        NamedList(f"folders of {SPLITS[split]}" if split >= 0 else "other folders", split, pictures)
        for split in (*range(len(SPLITS)), -1)
        if (pictures := tuple(path for path, own in splits.items() if own == split))
    )


def _darknet(file: Path, seen: Survey) -> PictureLists:
    """Darknet's `obj.data`, as CVAT writes it too: `train = …`, `names = data/obj.names`."""
    pairs = [line.partition("=") for line in read_text(file).splitlines()]
    values = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    paths = Paths(seen, [file.parent, file.parent.parent], [])
    names = _beside(file, values.get("names", ""))
    if names is None:
        raise InputError(f"{file} names no file of classes that is here: write names = obj.names")
    lists = []
    for key, split in (("train", 0), ("valid", 1), ("test", 2)):
        target = _beside(file, values.get(key, ""))
        if target is not None and target.suffix.lower() == ".txt":
            found, absent = _pictures(str(target), paths, f"{file}: {key}")
            lists.append(NamedList(f"{file.name}: {key}", split, found, absent))
    chosen = tuple(lists) if any(one.pictures for one in lists) else ()
    return PictureLists(
        listed_classes(names),
        names,
        chosen or _by_folder(sorted(seen.pictures.paths)),
        0,
        tuple(dict.fromkeys(paths.notes)),
    )


def _beside(file: Path, place: str) -> Path | None:
    """The file that `obj.data` names from Darknet's folder: of its name, at or near its place."""
    plain = plain_path(place)
    for name in (plain, *path_ends(plain)) if plain else ():
        for base in (file.parent, file.parent.parent):
            if (base / name).is_file():
                return base / name
    return None
