"""Which of a set's pictures a label file means, though it spells their names otherwise.

Label files name pictures as the computer that wrote them did: in another case, with accents
composed otherwise, with folders that are not here, as an address. The pictures that lie here are
indexed once, and asked by whole paths, by names, and by stems.
"""

import os
import re
import urllib.parse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from viewfinder.datasets.kind_names import kind_of
from viewfinder.datasets.split_names import split_of_path, words_of
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded, is_picture

# Words of folders that hold pictures once more, smaller.
_SMALL = frozenset({"thumb", "thumbs", "thumbnail", "thumbnails", "preview", "previews"})
# Label Studio puts eight signs before the name of a file that is given to it.
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")


class PictureIndex:
    """The pictures of a set, by their paths relative to its root.

    Attributes:
        paths: with forward slashes, as they lie on the disk.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)

    def exact(self, path: str) -> str | None:
        """The picture of this path, if need be in another case or composition of its accents."""
        if path in self.paths:
            return path
        if folded(path[: path.rfind("/") + 1]) not in self._folders:
            return None
        found = self._by_path.get(folded(path), ())
        return found[0] if len(found) == 1 else None

    def named(self, name: str) -> list[str]:
        """Pictures of a file's name; of those, where it has folders, the ones in most of them.

        A picture is none of them that is of another split than the folders of `name` speak of.
        """
        *folders, last = folded(name).split("/")
        split = split_of_path(name)
        found = [
            path
            for path in self._by_name.get(last, ())
            if split < 0 or split_of_path(path) in (-1, split)
        ]
        agreeing = [_shared_end(folders, folded(path).split("/")[:-1]) for path in found]
        most = max(agreeing, default=0)
        return [path for path, count in zip(found, agreeing, strict=True) if count == most]

    def of_stem(self, stem: str) -> list[str]:
        """Pictures whose name is `stem`, with a picture's suffix behind it or as it stands."""
        key = folded(stem)
        return [*self._by_stem.get(key, ()), *self._by_name.get(key, ())]

    @cached_property
    def _folders(self) -> frozenset[str]:
        """The folders of pictures as they are compared; all but the root end in a slash."""
        return frozenset(map(folded, {path[: path.rfind("/") + 1] for path in self.paths}))

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        return _gathered((folded(path), path) for path in self.paths)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _gathered((folded(path.rpartition("/")[2]), path) for path in self.paths)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _gathered((folded(PurePosixPath(path).stem), path) for path in self.paths)


def nearest(candidates: Sequence[str], folder: str) -> list[str]:
    """Those of the candidates that a label file in `folder` most likely means; several in a tie.

    A picture beside it, else one of the split that the folder speaks of, else the one whose own
    folder shares most of its path: `train/annotations` is nearer to `train/images` than to
    `test/images`, and `Annotations/a` to `JPEGImages/a`.
    """
    if len(candidates) < 2:
        return list(candidates)
    here, split = folded(folder).split("/"), split_of_path(folder + "/")

    def score(path: str) -> tuple[bool, bool, bool, int]:
        there = folded(path).split("/")[:-1]
        shared = _shared_start(here, there) + _shared_end(here, there)
        beside = there == [part for part in here if part]
        return beside, split_of_path(path) == split, _oddness(path) < 2, shared

    best = max(map(score, candidates), default=None)
    return likeliest([path for path in candidates if score(path) == best])


def likeliest(candidates: Sequence[str]) -> list[str]:
    """Those of the candidates whose folders speak most of pictures: `images/1.jpg` rather than
    `other/1.jpg`, and that rather than `masks/1.jpg` or `thumbs/1.jpg`."""
    if len(candidates) < 2:
        return list(candidates)
    best = min(map(_oddness, candidates))
    return [path for path in candidates if _oddness(path) == best]


def _oddness(path: str) -> int:
    """How little a picture's folders speak of pictures: 0, 1, or 2 where they speak of others."""
    folders = path.split("/")[:-1]
    kinds = set(map(kind_of, folders))
    small = any(_SMALL.intersection(words_of(folder)) for folder in folders)
    if small or kinds & {"mask", "depth"}:
        return 2
    return 0 if "picture" in kinds else 1


@dataclass
class Located:
    """The pictures that names mean.

    Attributes:
        paths: one for each name, relative to the set's root.
        guessed: names and paths of those that were found by the name alone.
        unclear: names that several pictures have, with these.
    """

    paths: list[str] = field(default_factory=list)
    guessed: list[tuple[str, str]] = field(default_factory=list)
    unclear: list[tuple[str, list[str]]] = field(default_factory=list)


def locate(
    names: Sequence[str], folders: Iterable[str], present: PictureIndex, *, near: str, where: str
) -> Located:
    """The pictures that a label file's names mean, relative to the set's root.

    Each lies in one of `folders`, the earlier the likelier, or else is the only one of its name;
    one that is nowhere is given the folder of the others, so that an error names a likely place.

    Args:
        near: the folder of the file that has the names: of several pictures the nearest is meant.

    Raises:
        InputError: a name that leads out of the set to nothing that is in it, or that no file can
            have.
    """
    tried = list(dict.fromkeys(folder.strip("/") for folder in folders))
    prefixes = [f"{folder}/" if folder and folder != "." else "" for folder in tried]
    located = Located()
    found, missing = located.paths, list[int]()
    likely = ""
    for name in names:
        if likely + name in present.paths:
            found.append(likely + name)
            continue
        path, prefix = _placed(name, prefixes, present)
        if path is None:
            same = nearest(_by_name(name, present), near)
            if len(same) == 1:
                located.guessed.append((name, path := same[0]))
            else:
                located.unclear += [(name, same)] if same else []
                missing.append(len(found))
                path = checked_name(name, where=where)
        elif prefix + name == path:
            # What is there is below the root, and so has a name that leads nowhere else.
            likely = prefix
            if not found and present.paths.issuperset(all_ := [prefix + each for each in names]):
                return Located(all_)
        found.append(path)
    fallback = likely or _busiest(prefixes, present)
    for index in missing:
        found[index] = fallback + found[index]
    return located


def checked_name(name: str, *, where: str) -> str:
    """A file's name as a label file gives it, with forward slashes.

    Raises:
        InputError: it is absolute, climbs out of the set, or holds what no file's name can.
    """
    plain = _plain(name)
    if not plain or plain[0] == "/" or ":" in plain[:3] or ".." in plain.split("/"):
        raise InputError(
            f"{where}: the picture's name {name!r} leads out of the set, and no picture of that "
            "name is in it: give names relative to the folder of pictures"
        )
    try:
        encoded = os.fsencode(plain)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise InputError(f"{where}: no file can have the name {name!r}: export the labels again")
    return plain


def without_upload(name: str) -> str:
    """A file's name as it was before it was given to Label Studio."""
    return name[put.end() :] if (put := _UPLOADED.match(name)) else name


def _placed(name: str, prefixes: Sequence[str], present: PictureIndex) -> tuple[str | None, str]:
    """The picture of this name in one of the folders, and that folder."""
    plain = _plain(name)
    for prefix in prefixes:
        if (path := present.exact(prefix + plain)) is not None:
            return path, prefix
    return None, ""


def _by_name(name: str, present: PictureIndex) -> list[str]:
    """The pictures of this name, whatever their folders; as an address' last part too, and with
    another suffix, where none has the name as it stands."""
    plain = _plain(name)
    spellings = [plain, urllib.parse.unquote(urllib.parse.urlsplit(plain).path)]
    last = spellings[1].rpartition("/")[2]
    if (own := without_upload(last)) != last:
        spellings.append(spellings[1].replace(last, own))
    for spelled in spellings:
        if spelled and (found := likeliest(present.named(spelled))):
            return found
    split = split_of_path(plain)
    for spelled in spellings:
        stem = spelled.rpartition("/")[2]
        stem = stem.rpartition(".")[0] if is_picture(stem) else stem
        same = [p for p in present.of_stem(stem) if split < 0 or split_of_path(p) in (-1, split)]
        if stem and (found := likeliest(same)):
            return found
    return []


def _plain(name: str) -> str:
    plain = name.replace("\\", "/") if "\\" in name else name
    return plain[2:] if plain.startswith("./") else plain


def _busiest(prefixes: Sequence[str], present: PictureIndex) -> str:
    """That of the folders which holds pictures, the likeliest first."""
    folders = {f"{path.rpartition('/')[0]}/".lstrip("/") for path in present.paths}
    return next((prefix for prefix in prefixes if prefix in folders), prefixes[-1])


def _shared_start(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two paths have in common from the first on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shared_end(one: Sequence[str], other: Sequence[str]) -> int:
    return _shared_start(one[::-1], other[::-1])


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = defaultdict(list)
    for key, path in pairs:
        gathered[key].append(path)
    return {key: sorted(paths) for key, paths in gathered.items()}
