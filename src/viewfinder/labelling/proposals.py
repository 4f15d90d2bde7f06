"""What machines suggest, kept apart from labels in `DATA/.viewfinder/proposals.json`.

The file is one JSON object: `schema`, `classes`, `pictures` (`file, width, height`: every picture
that was looked at, also where nothing was found) and `proposals` (`picture` and `class` as indices,
`box` as `x1, y1, x2, y2`, `score`, `source`, and `mask` as COCO's uncompressed run lengths).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import no_size
from viewfinder.datasets.editing.transaction import HIDDEN
from viewfinder.datasets.formats.json_columns import numbers, text_of, whole_numbers
from viewfinder.datasets.formats.large_json import Objects, read_large_json
from viewfinder.datasets.locating import checked_name
from viewfinder.errors import InputError
from viewfinder.files import inside, write_text
from viewfinder.pictures.geometry import BoxArray
from viewfinder.pictures.masks import Runs, checked_runs, decode
from viewfinder.pictures.reading import MOST_PIXELS
from viewfinder.tasks.detect.detections import Detections, no_detections

_SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Proposals:
    """M proposals for N pictures, those of a picture in rows of any order.

    Attributes:
        paths: the pictures looked at, relative to the data folder, with forward slashes.
        sizes: N×2 int64, their width and height.
        classes: names; a proposal's class is an index into them.
        pictures: M int64, an index into `paths`.
        found: M boxes in pixels, within the picture, in float64; their labels are indices into
            `classes`, and their scores, 0 to 1, how sure the machine is.
        sources: M texts, how each came about, such as `plate: empty.png`.
        masks: for rows that have one, COCO's run lengths, `size` and `counts`.
    """

    paths: tuple[str, ...] = ()
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    classes: tuple[str, ...] = ()
    pictures: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    found: Detections = field(default_factory=no_detections)
    sources: tuple[str, ...] = ()
    masks: Mapping[int, Runs] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.found)

    def of(self, picture: int) -> NDArray[np.intp]:
        """The rows of one picture."""
        order, offsets = self._order
        return order[offsets[picture] : offsets[picture + 1]]

    @cached_property
    def _order(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows picture by picture, and where each picture's begin; worked out once."""
        counts = np.bincount(self.pictures, minlength=len(self.paths))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return np.argsort(self.pictures, kind="stable"), offsets

    def mask(self, row: int) -> NDArray[np.bool_]:
        """H×W, the mask of a row.

        Raises:
            KeyError: it has none.
        """
        width, height = self.sizes[self.pictures[row]].tolist()
        return decode(self.masks[row], (width, height))

    def mask_area(self, row: int) -> int:
        """How many pixels the mask of a row has.

        Raises:
            KeyError: it has none.
        """
        width, height = self.sizes[self.pictures[row]].tolist()
        return int(checked_runs(self.masks[row], (width, height))[1::2].sum())


def of_pictures(proposals: Proposals, pictures: Sequence[int]) -> Proposals:
    """Those of some pictures alone, in the order of `pictures`, with no class that none of them is.

    Args:
        pictures: indices into `paths`, none of them twice.
    """
    p = proposals
    rows = np.concatenate([np.zeros(0, np.intp), *(p.of(picture) for picture in pictures)])
    place = np.full(len(p.paths), -1, np.int64)
    place[np.asarray(pictures, np.intp)] = np.arange(len(pictures))
    found = p.found.take(rows)
    present = np.unique(found.labels)
    return Proposals(
        tuple(p.paths[picture] for picture in pictures),
        p.sizes[np.asarray(pictures, np.intp)],
        tuple(p.classes[label] for label in present.tolist()),
        place[p.pictures[rows]],
        replace(found, labels=np.searchsorted(present, found.labels)),
        tuple(p.sources[row] for row in rows.tolist()),
        {new: p.masks[row] for new, row in enumerate(rows.tolist()) if row in p.masks},
    )


def joined(before: Proposals, new: Proposals) -> Proposals:
    """Both together; of pictures that both looked at, what `new` says alone."""
    again = set(new.paths)
    kept = of_pictures(before, [i for i, path in enumerate(before.paths) if path not in again])
    classes = tuple(dict.fromkeys((*kept.classes, *new.classes)))
    number = {name: index for index, name in enumerate(classes)}
    renumbered = [
        replace(part.found, labels=of[part.found.labels])
        for part in (kept, new)
        for of in [np.array([number[name] for name in part.classes], np.int64)]
    ]
    return Proposals(
        kept.paths + new.paths,
        np.concatenate([kept.sizes, new.sizes]),
        classes,
        np.concatenate([kept.pictures, new.pictures + len(kept.paths)]),
        renumbered[0].joined(renumbered[1:]),
        kept.sources + new.sources,
        dict(kept.masks) | {row + len(kept): mask for row, mask in new.masks.items()},
    )


def proposals_file(data: Path) -> Path:
    """Where the proposals for a data folder are kept."""
    return data / HIDDEN / "proposals.json"


def write_proposals(data: Path, proposals: Proposals) -> None:
    """Keep proposals in place of those that were there, whole or not at all.

    Raises:
        InputError: the folder cannot be written, or is a link that leads out of the set.
    """
    pictures = [
        {"file": path, "width": width, "height": height}
        for path, (width, height) in zip(proposals.paths, proposals.sizes.tolist(), strict=True)
    ]
    columns = zip(
        proposals.pictures.tolist(),
        proposals.found.labels.tolist(),
        proposals.found.boxes.tolist(),
        proposals.found.scores.tolist(),
        proposals.sources,
        strict=True,
    )
    rows = [
        dict(zip(("picture", "class", "box", "score", "source"), values, strict=True))
        | ({"mask": proposals.masks[row]} if row in proposals.masks else {})
        for row, values in enumerate(columns)
    ]
    document = {
        "schema": _SCHEMA,
        "classes": list(proposals.classes),
        "pictures": pictures,
        "proposals": rows,
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (file,) = inside(data, [proposals_file(data)])
    write_text(file, text + "\n")


def read_proposals(data: Path) -> Proposals:
    """The proposals for a data folder; none where nothing was proposed yet.

    Raises:
        InputError: the file is damaged, or says what cannot be.
    """
    file = proposals_file(data)
    if not file.is_file():
        return Proposals()
    pictures: Objects = []
    rows: Objects = []
    others = read_large_json(file, {"pictures": pictures.extend, "proposals": rows.extend})
    if others.get("schema") != _SCHEMA:
        raise InputError(
            f"{file} is of another version of Viewfinder: remove it, and propose again"
        )
    where = f"{file}: a picture"
    paths = tuple(checked_name(text_of(item, "file", where), where=str(file)) for item in pictures)
    sizes = np.stack([whole_numbers(pictures, key, where) for key in ("width", "height")], axis=1)
    where = f"{file}: a proposal"
    proposals = Proposals(
        paths,
        sizes,
        _classes(others.get("classes"), file),
        whole_numbers(rows, "picture", where),
        _found(rows, where),
        tuple(text_of(item, "source", where) for item in rows),
        {row: _mask(item["mask"], row, file) for row, item in enumerate(rows) if "mask" in item},
    )
    _check(proposals, file)
    return proposals


def _found(rows: Objects, where: str) -> Detections:
    if not rows:
        return no_detections()
    boxes, scores = numbers(rows, "box", where, 4), numbers(rows, "score", where, 1)
    return Detections(boxes, scores, whole_numbers(rows, "class", where))


def _classes(listed: object, file: Path) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(
        isinstance(name, str) and name.strip() for name in listed
    ):
        raise InputError(f"{file}: its classes are no list of names: propose again")
    if len(set(listed)) < len(listed):
        raise InputError(f"{file} names a class twice: propose again")
    return tuple(listed)


def _mask(mask: object, row: int, file: Path) -> Runs:
    if not isinstance(mask, dict):
        raise InputError(f"{file}: the mask of proposal {row} is no run lengths: propose again")
    return {"size": mask.get("size", []), "counts": mask.get("counts", [])}


def _check(proposals: Proposals, file: Path) -> None:
    """Refuse what no proposer writes, so that nobody after this has to ask.

    Raises:
        InputError: with the first fault.
    """
    p, sizes, found = proposals, proposals.sizes, proposals.found
    faults: list[tuple[str, bool]] = [
        ("the same picture stands there twice", len(set(p.paths)) < len(p.paths)),
        (
            "a picture's width and height cannot be",
            bool(((sizes < 1) | (sizes > MOST_PIXELS)).any())
            or bool((sizes[:, 0] * sizes[:, 1] > MOST_PIXELS).any()),
        ),
        ("a proposal is for no picture", _outside(p.pictures, len(p.paths))),
        ("a proposal is of no class", _outside(found.labels, len(p.classes))),
        ("a score is not from 0 to 1", not ((found.scores >= 0) & (found.scores <= 1)).all()),
        ("a box has no finite numbers or no size", not _boxes_hold(found.boxes)),
    ]
    wrong = next((fault for fault, is_so in faults if is_so), None)
    if wrong is None:
        limits = np.concatenate([sizes, sizes], axis=1)[p.pictures]
        if (found.boxes < 0).any() or (found.boxes > limits).any():
            wrong = "a box lies outside its picture"
    if wrong is not None:
        raise InputError(f"{file}: {wrong}: propose again")
    for row in p.masks:
        try:
            p.mask_area(row)
        except InputError as error:
            raise InputError(f"{file}: the mask of proposal {row}: {error}") from None


def _outside(values: NDArray[np.int64], count: int) -> bool:
    return bool(((values < 0) | (values >= count)).any())


def _boxes_hold(boxes: BoxArray) -> bool:
    return bool(np.isfinite(boxes).all()) and not no_size(boxes).any()
