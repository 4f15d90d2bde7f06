"""Proposals for the pictures of a folder, by each of the ways to come by them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.boxes import no_size
from viewfinder.datasets.editing.transaction import recover
from viewfinder.datasets.frame_list import called_empty, without_empty_stands
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.labelling.plate import Sighting, find_on_stand
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.finding import pictures_below, pictures_in
from viewfinder.pictures.kinds import sources_below
from viewfinder.pictures.masks import Runs, encode
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.detect.detections import Detections

# Of a thing beside the largest: that it is of the same class is anybody's guess.
_BESIDE = 0.5


@dataclass(frozen=True)
class Proposed:
    """What a proposer came to.

    Attributes:
        proposals: for every picture that it could look at.
        notes: what it could not do, each in words for a person.
    """

    proposals: Proposals
    notes: tuple[str, ...] = ()


@dataclass
class ProposalRows:
    """Proposals as they come, one by one.

    Attributes:
        sizes: width and height of each picture looked at, by path.
    """

    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    rows: list[tuple[str, str, NDArray[np.floating], float, str]] = field(default_factory=list)
    masks: dict[int, Runs] = field(default_factory=dict)

    def add(
        self,
        path: str,
        name: str,
        box: NDArray[np.floating],
        score: float,
        source: str,
        mask: NDArray[np.bool_] | None = None,
    ) -> None:
        """One proposal more, of a class `name`; none of a box of which the picture's edge leaves
        nothing."""
        if no_size(box[None])[0]:
            return
        if mask is not None:
            self.masks[len(self.rows)] = encode(mask)
        # Four digits: more would claim to know more than it does.
        self.rows.append((path, name, box, round(score, 4), source))

    def proposals(self) -> Proposals:
        """All of them as columns."""
        paths = tuple(self.sizes)
        places = {path: index for index, path in enumerate(paths)}
        numbers: dict[str, int] = {}
        labels = [numbers.setdefault(name, len(numbers)) for _, name, *_ in self.rows]
        return Proposals(
            paths,
            np.array(list(self.sizes.values()), np.int64).reshape(-1, 2),
            tuple(numbers),
            np.array([places[path] for path, *_ in self.rows], np.int64),
            Detections(
                np.array([row[2] for row in self.rows], np.float64).reshape(-1, 4),
                np.array([row[3] for row in self.rows], np.float64),
                np.array(labels, np.int64),
            ),
            tuple(row[4] for row in self.rows),
            self.masks,
        )


def find_pictures(data: Path) -> list[str]:
    """The pictures at any depth below a data folder, relative to it, but for empty stands.

    Raises:
        InputError: no such folder, or no pictures in it.
    """
    if not data.is_dir():
        raise InputError(f"there is no folder {data}: give a folder of pictures, or a video")
    recover(data)
    paths = list(pictures_below(data))
    if not paths:
        raise InputError(_without_pictures(data, f"{data} holds no pictures"))
    return without_empty_stands(data, paths)


def _without_pictures(data: Path, what: str) -> str:
    """The sentence about a folder in which there is nothing to propose for."""
    videos = [source.file for source in sources_below(data) if source.kind == "video"]
    if not videos:
        return f"{what}: take frames of a video by `viewfinder frames`"
    beside = listed([str(video.relative_to(data)) for video in videos])
    return (
        f"{what}, only videos ({beside}): take frames of each into a folder of its own, beside "
        f"its empty.png, by `viewfinder frames {quote(str(videos[0]))} OUT`, and propose that"
    )


def propose_by_plate(
    data: Path, paths: Sequence[str], *, empty: Path | None = None, name: str | None = None
) -> Proposed:
    """What stands on the stand in each picture, given pictures of the empty stand.

    Things that stand apart are proposed each. Nobody has said that those beside the largest are of
    its class, so theirs is half the score.

    Args:
        empty: the stand of all pictures; if not given, each folder's own picture called `empty`, or
            that of the folder above.
        name: the class of all; if not given, each picture's class is the name of its folder.

    Raises:
        InputError: a picture of the empty stand is missing or cannot be read, or not one picture
            can be compared with it.
    """
    bits = bits_of([*(data / path for path in paths), *([empty] if empty else [])])
    stands = _Stands(data, empty, bits)
    rows, seen = ProposalRows(), _Seen()
    for path in track(paths, total=len(paths), description="looking at the stand"):
        stand, plate = stands.of(path)
        if (data / path).samefile(stand):
            continue
        try:
            picture = read_picture(data / path, bits=bits)
            found = find_on_stand(picture, plate)
        except InputError as error:
            seen.failed.append(f"{path}: {error}")
            continue
        rows.sizes[path] = picture.shape[1], picture.shape[0]
        seen.count(path, found)
        for place, sighting in enumerate(found):
            score = sighting.score * (_BESIDE if place else 1)
            label = name or class_of(data, path)
            rows.add(path, label, sighting.box, score, f"plate: {stand.name}", sighting.mask)
    if not rows.sizes:
        raise InputError(
            seen.failed[0]
            if seen.failed
            else _without_pictures(data, f"{data} has no pictures but those of empty stands")
        )
    return Proposed(rows.proposals(), tuple(seen.notes()))


@dataclass
class _Seen:
    """In which pictures there was nothing, several things, or what may be two; and what failed."""

    nothing: list[str] = field(default_factory=list)
    several: list[tuple[int, str]] = field(default_factory=list)
    touching: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def count(self, path: str, found: Sequence[Sighting]) -> None:
        """Take a picture with what was found in it."""
        if not found:
            self.nothing.append(path)
        if len(found) > 1:
            self.several.append((len(found), path))
        if any(sighting.may_be_two for sighting in found):
            self.touching.append(path)

    def notes(self) -> list[str]:
        """The same in words for a person."""
        notes = [f"passed over: {why}" for why in self.failed]
        if self.nothing:
            notes.append(f"nothing on the stand in {listed(self.nothing)}")
        for count in sorted({count for count, _ in self.several}):
            where = [path for found, path in self.several if found == count]
            notes.append(
                f"{count} things stand apart in {listed(where)}: all are proposed as one class, "
                "those beside the largest with half their score; look at them before you accept"
            )
        if self.touching:
            notes.append(
                f"what is proposed as one thing has a waist in {listed(self.touching)}: if two "
                "things touch there, film each by itself, or put them apart"
            )
        return notes


class _Stands:
    """The picture of the empty stand for each picture, the last one read kept."""

    def __init__(self, data: Path, empty: Path | None, bits: int) -> None:
        self.data, self.given, self.bits = data, empty, bits
        self.read: tuple[Path, NDArray[np.uint8]] | None = None
        self.files: dict[Path, Path] = {}

    def of(self, path: str) -> tuple[Path, NDArray[np.uint8]]:
        """The file and the pixels.

        Raises:
            InputError: none is there, or it cannot be read.
        """
        folder = (self.data / path).parent
        if folder not in self.files:
            self.files[folder] = self.given or self._find(folder)
        file = self.files[folder]
        if self.read is None or self.read[0] != file:
            self.read = file, read_picture(file, bits=self.bits)
        return self.read

    def _find(self, folder: Path) -> Path:
        for place in (folder, *folder.parents):
            found = [file for file in pictures_in(place) if called_empty(file)]
            if found:
                return found[0]
            if place == self.data:
                break
        raise InputError(
            f"{folder} has no picture of its empty stand: put it there as empty.png, or name it by "
            "--empty"
        )


def class_of(data: Path, path: str) -> str:
    """The name of the folder that a picture lies in."""
    return PurePosixPath(path).parent.name or data.resolve().name


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many there are more."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
