"""Many examples and one ordered list of classes, as columns."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import digests
from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.depth import DepthScale
from viewfinder.datasets.faults import Fault
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import read_picture
from viewfinder.wording import counted

SPLITS = ("train", "val", "test")

Row = TypeVar("Row")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures in files and what is known of them; a column an attribute, a row a picture.

    Attributes:
        root: the folder that `paths` start from.
        layout: what the folder was recognised as, in words for a person.
        classes: the one ordered list of class names; every class number is an index into it.
        paths: files relative to `root`, with forward slashes.
        labels: N int64, the class of each picture; -1 where only its objects have classes.
        splits: N int8, the index of each picture's split in `SPLITS`; -1 before it has one.
        boxes: the objects in the pictures, or None where pictures have classes themselves.
        sizes: N×2 int64, width and height as the labels' files state them; 0 where they do not.
        orientations: N int8, EXIF's, where reading looked at the files.
        file_sizes: N×2 int64, the files' own sizes, upright, where it looked and labels state some.
        image_ids: N int64, the labels' own numbers of the pictures, where they have any.
        class_ids: the labels' own numbers of the classes, where they have any.
        groups: for each picture what must stay in one split, such as its video's name;
            empty text where a picture stands alone, nothing at all where no picture has a group.
        masks: for each picture the file of its subject's mask, relative to `root`; empty text where
            it has none, nothing at all where no picture has one. So too the next three.
        depths: the file of its depth map.
        depth_scales: what the numbers in that file mean.
        depth_faults: what the set itself says is the matter with its depth, or empty text.
        bits: how many the values of 16-bit files fill: 10, 12, 14 or 16. More than these is white.
        label_files: for each picture the file of its boxes, relative to `root`, where each has one
            of its own; nothing at all in other layouts.
        learnt: N bool, where a training has learnt from the picture before, so that it can be no
            test; None where that is not known.
        val_dealt: whether `val` is, or would be, a share of the training pictures (`--val-share`).
        test_dealt: whether `test` is a share of all, and no split of the set's own.
        faults: what reading found wrong with the set as a whole.
        notes: what reading the labels clipped, dropped or guessed, in words for a person.
        unread: fields of the labels, or files of maps such as `depth/*.exr`, that are not read,
            and how often each is there.
    """

    root: Path
    layout: str
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.int8]
    boxes: Boxes | None = None
    sizes: NDArray[np.int64] | None = None
    orientations: NDArray[np.int8] | None = None
    file_sizes: NDArray[np.int64] | None = None
    image_ids: NDArray[np.int64] | None = None
    class_ids: tuple[int, ...] | None = None
    groups: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    depths: tuple[str, ...] = ()
    depth_scales: tuple[DepthScale, ...] = ()
    depth_faults: tuple[str, ...] = ()
    bits: int = 16
    label_files: tuple[str | None, ...] = ()
    learnt: NDArray[np.bool_] | None = None
    val_dealt: bool = False
    test_dealt: bool = False
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def file(self, index: int) -> Path:
        """Where picture `index` lies."""
        return self.root / self.paths[index]

    def picture(self, index: int, *, at_least: Size | None = None) -> NDArray[np.uint8]:
        """Picture `index`, H×W×3 RGB, upright, as `reading.read_picture` reads it."""
        return read_picture(self.file(index), at_least=at_least, bits=self.bits)

    def select(self, indices: Sequence[int] | NDArray[np.intp]) -> "Dataset":
        """The examples of `indices`, in that order, with the same classes."""
        chosen = np.asarray(indices, np.intp)
        return replace(
            self,
            paths=tuple(self.paths[i] for i in chosen),
            labels=self.labels[chosen],
            splits=self.splits[chosen],
            boxes=self.boxes.select(chosen) if self.boxes is not None else None,
            sizes=self.sizes[chosen] if self.sizes is not None else None,
            orientations=self.orientations[chosen] if self.orientations is not None else None,
            file_sizes=self.file_sizes[chosen] if self.file_sizes is not None else None,
            image_ids=self.image_ids[chosen] if self.image_ids is not None else None,
            groups=_rows(self.groups, chosen),
            learnt=self.learnt[chosen] if self.learnt is not None else None,
            masks=_rows(self.masks, chosen),
            depths=_rows(self.depths, chosen),
            depth_scales=_rows(self.depth_scales, chosen),
            depth_faults=_rows(self.depth_faults, chosen),
            label_files=_rows(self.label_files, chosen),
        )

    def split(self, name: str) -> "Dataset":
        """The examples in one split.

        Raises:
            InputError: no such split, or nothing in it.
        """
        if name not in SPLITS:
            raise InputError(f"there is no split {name!r}: choose one of {', '.join(SPLITS)}")
        chosen = np.flatnonzero(self.splits == SPLITS.index(name))
        if not len(chosen):
            present = [split for split in SPLITS if self.has_split(split)]
            has = f"only in {', '.join(present)}" if present else "and none at all"
            raise InputError(
                f"{self.root} has no pictures in its split {name!r}, {has}: add some to {name}"
            )
        return self.select(chosen)

    def has_split(self, name: str) -> bool:
        """Whether any picture is in this split."""
        return bool((self.splits == SPLITS.index(name)).any())

    def counts(self) -> dict[str, int]:
        """Pictures, or where objects have the classes, boxes in each class, in their order.

        A mask shows every class, so all of them have as many pictures as there are masks.
        """
        if self.masks:
            return dict.fromkeys(self.classes, sum(map(bool, self.masks)))
        counted = Counter((self.labels if self.boxes is None else self.boxes.classes).tolist())
        return {name: counted[index] for index, name in enumerate(self.classes)}

    def summary(self, *, faults: bool = True) -> str:
        """One line for a person: the layout, classes, pictures a split, boxes and depth maps.

        Args:
            faults: tell of faults too; who names each of them need not.
        """
        splits = ", ".join(
            f"{(self.splits == index).sum():,} {name}"
            for index, name in enumerate(SPLITS)
            if self.has_split(name)
        )
        splits = splits or f"{counted(len(self), 'picture')} in no split yet"
        boxes = "" if self.boxes is None else f", {counted(len(self.boxes), 'box')}"
        with_depth = sum(map(bool, self.depths))
        depths = f", {with_depth:,} with depth" if with_depth else ""
        white = f"; 16-bit files of {self.bits}-bit values" if self.bits < 16 else ""
        white += f", of which {(1 << self.bits) - 1:,} is white" if white else ""
        said = self.notes if faults else self.notes_beside_faults
        notes = white + "".join(f"; {note}" for note in said)
        # What may be wrong with every box is no matter of one line in a list.
        doubts = [fault.detail for fault in self.faults if fault.kind == "meaning"]
        notes += "".join(f"; {doubt}" for doubt in doubts if faults)
        if self.faults and faults:
            them = "them" if len(self.faults) > 1 else "it"
            notes += f"; {counted(len(self.faults), 'fault')}: `viewfinder check` names {them}"
        classes = f", {counted(len(self.classes), 'class')}"
        classes = "" if self.masks or not (self.classes or self.boxes is not None) else classes
        return f"{self.root}: {self.layout}{classes}, {splits}{boxes}{depths}{notes}"

    @property
    def notes_beside_faults(self) -> tuple[str, ...]:
        """The notes that say what no fault says too."""
        details = tuple(fault.detail for fault in self.faults)
        return tuple(note for note in self.notes if not note.startswith(details))

    def require_labels(self) -> None:
        """Refuse a set whose pictures have no class of their own.

        Raises:
            InputError: the classes are those of boxes, or of the pixels of masks.
        """
        if self.masks:
            raise InputError(
                f"{self.root} is {self.layout}, whose pictures have masks and no classes: to "
                "classify, put each class's pictures into a folder with its name"
            )
        if self.boxes is not None:
            raise InputError(
                f"{self.root} is {self.layout}, whose boxes have classes and whose pictures have "
                "none: to classify, put each class's pictures into a folder with its name"
            )

    def require_boxes(self) -> None:
        """Refuse a set that has no boxes to learn from.

        Raises:
            InputError: its pictures have classes themselves, or masks.
        """
        if self.boxes is None:
            have = "masks" if any(self.masks) else "classes"
            raise InputError(
                f"{self.root} is {self.layout}, whose pictures have {have} and no boxes: to "
                "detect, give boxes as COCO, YOLO (with its data.yaml) or Pascal VOC"
            )

    def require_masks(self) -> None:
        """Refuse a set that does not say which pixels of a picture are its subject.

        Raises:
            InputError: its pictures have no masks.
        """
        if not any(self.masks):
            raise InputError(
                f"{self.root} is {self.layout}, whose pictures have no masks of their subjects: "
                "put pictures into RGB/, masks of the same names into GT/ and, if there are any, "
                "depth maps into depth/; `viewfinder render OUT --kind scenes --subject True` "
                "renders such a set"
            )

    def require_depths(self) -> None:
        """Refuse a set of masks without depth maps.

        Raises:
            InputError: no picture has one.
        """
        if not any(self.depths):
            there = "".join(f"; {name} is of a format that is not read" for name in self.unread)
            raise InputError(
                f"{self.root} has no depth maps, which the depth stream learns from: put them into "
                f"depth/ beside the pictures, with the same names{there}"
            )

    def with_classes(self, classes: Sequence[str]) -> "Dataset":
        """The same examples numbered by another class list that holds every class used here.

        Raises:
            InputError: a class with pictures here is not in `classes`, or masks mean others.
        """
        if self.masks:
            if tuple(classes) != self.classes:
                raise InputError(
                    f"{self.root} has masks of a subject, and the run knows the classes "
                    f"{', '.join(classes)}: it was trained for another task"
                )
            return self
        position = {name: index for index, name in enumerate(classes)}
        unknown = [name for name, count in self.counts().items() if count and name not in position]
        if unknown:
            what = "pictures" if self.boxes is None else "boxes"
            raise InputError(
                f"{self.root} has {what} of {', '.join(unknown)}, which the run does not know: "
                f"its classes are {', '.join(classes)}"
            )
        renumbered = np.array([position.get(name, -1) for name in self.classes], np.int64)
        if self.boxes is not None:
            known = np.append(renumbered, -1)[self.boxes.classes]
            boxes = replace(self.boxes, classes=known)
            return replace(self, classes=tuple(classes), boxes=boxes, class_ids=None)
        return replace(self, classes=tuple(classes), labels=renumbered[self.labels])

    def fingerprint(self) -> str:
        """A short hash of the classes, the boxes, and each picture's path, bytes, class and split.

        Masks and depth maps count as pictures do, and so does what the depth's numbers mean.

        Raises:
            InputError: a file cannot be read.
        """
        digest = hashlib.sha256("\0".join(self.classes).encode("utf-8", "surrogateescape"))
        rows = zip(digests.with_paths(self.root, self.paths), self.labels, self.splits, strict=True)
        for content, label, split in rows:
            digest.update(content + f"\0{label}\0{split}\n".encode())
        if self.boxes is not None:
            for content in self.boxes.contents():
                digest.update(content)
        for content in digests.with_paths(self.root, (*self.masks, *self.depths)):
            digest.update(content)
        for scale in self.depth_scales:
            digest.update(f"{scale}\n".encode())
        return digest.hexdigest()[:16]


def _rows(column: tuple[Row, ...], chosen: NDArray[np.intp]) -> tuple[Row, ...]:
    """The chosen rows of a column that may not be there."""
    return tuple(column[i] for i in chosen) if column else ()
