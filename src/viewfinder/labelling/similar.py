"""Pictures, or labelled objects, of a set that look like a given one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.features.alike import all_alike, copies_told
from viewfinder.features.describing import Part, describe, describe_readable
from viewfinder.pictures.finding import pictures_below

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Similar:
    """A picture or an object, and how much it looks like what was asked for.

    Attributes:
        path: relative to the set's folder.
        likeness: 1 is equal; two photographs of different things are mostly below 0.5.
        box: the object's, x1, y1, x2, y2 in pixels; None of a whole picture.
        label: the object's class; empty of a whole picture.
    """

    path: str
    likeness: float
    box: Box | None = None
    label: str = ""

    def as_json(self) -> dict[str, object]:
        """`file, likeness`, and of an object `box, class`."""
        found: dict[str, object] = {"file": self.path, "likeness": round(self.likeness, 4)}
        return found if self.box is None else found | {"box": list(self.box), "class": self.label}


@dataclass(frozen=True)
class SimilarPictures:
    """What was found, most alike first, and the folder that paths start from."""

    root: Path
    alike: tuple[Similar, ...]


def find_similar(
    picture: str | Path,
    data: str | Path,
    *,
    box: Box | None = None,
    objects: bool = False,
    count: int = 12,
) -> SimilarPictures:
    """The pictures below a folder that look most like one.

    Args:
        picture: what to look for; if it lies in the folder itself, it is not found.
        box: x1, y1, x2, y2, the part of the picture to look for.
        objects: look among the labelled boxes of the set, not among whole pictures.
        count: how many, at most.

    Raises:
        InputError: a place is not there, holds no pictures or, with `objects`, no boxes; or the
            picture cannot be read.
    """
    asked = Part(Path(picture).expanduser(), box)
    root, known = _objects(data) if objects else _pictures(data)
    wanted = describe([asked])[0]
    known = [each for each in known if not _same(root, each, asked)]
    bits = bits_of([root / path for path in dict.fromkeys(each.path for each in known)])
    vectors, readable = describe_readable(
        [Part(root / each.path, each.box) for each in known], bits=bits
    )
    if not objects:
        whole = [root / known[number].path for number in readable]
        paths = [str(asked.file), *(known[number].path for number in readable)]
        alike = copies_told(paths, of_files([asked.file, *whole])) if box is None else ""
        for told in filter(None, (all_alike(vectors), alike)):
            note(told)
    likeness = vectors @ wanted
    nearest = np.argsort(-likeness, kind="stable")[:count]
    found = [(known[readable[n]], float(min(1.0, likeness[n]))) for n in nearest.tolist()]
    return SimilarPictures(root, tuple(Similar(e.path, like, e.box, e.label) for e, like in found))


def _pictures(data: str | Path) -> tuple[Path, list[Similar]]:
    folder = Path(data).expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give one with pictures to look among")
    paths = list(pictures_below(folder))
    if not paths:
        raise InputError(f"there are no pictures below {folder}: give a folder with some")
    return folder, [Similar(path, 0.0) for path in paths]


def _objects(data: str | Path) -> tuple[Path, list[Similar]]:
    """Every labelled object that has a size, in pixels of its picture."""
    found: Dataset = open_dataset(data, deal=False)
    if found.boxes is None or not len(found.boxes):
        raise InputError(f"--objects: {data} has no boxes; leave it out to look among pictures")
    boxes, pictures = found.boxes, found.boxes.pictures()
    rows = []
    for row, number in enumerate(pictures.tolist()):
        x1, y1, x2, y2 = (round(side, 2) for side in boxes.corners[row].tolist())
        label = int(boxes.classes[row])
        if x2 > x1 and y2 > y1 and label >= 0:
            rows.append(Similar(found.paths[number], 0.0, (x1, y1, x2, y2), found.classes[label]))
    return found.root, rows


def _same(root: Path, each: Similar, asked: Part) -> bool:
    """Whether this is what was asked for: the picture itself, or an object of it where it is."""
    if (root / each.path).resolve() != asked.file.resolve():
        return False
    return each.box is None or asked.box is None or each.box == asked.box
