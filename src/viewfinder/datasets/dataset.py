"""Many examples and one ordered list of classes, as columns."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures in files and what is known of them; a column an attribute, a row a picture.

    Attributes:
        root: the folder that `paths` start from.
        layout: what the folder was recognised as, in words for a person.
        classes: the one ordered list of class names; every class number is an index into it.
        paths: files relative to `root`, with forward slashes.
        labels: N int64, the class of each picture.
        splits: N int8, the index of each picture's side in `SPLITS`.
    """

    root: Path
    layout: str
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.paths)

    def file(self, index: int) -> Path:
        """Where picture `index` lies."""
        return self.root / self.paths[index]

    def select(self, indices: Sequence[int] | NDArray[np.intp]) -> "Dataset":
        """The examples of `indices`, in that order, with the same classes."""
        chosen = np.asarray(indices, np.intp)
        return replace(
            self,
            paths=tuple(self.paths[i] for i in chosen),
            labels=self.labels[chosen],
            splits=self.splits[chosen],
        )

    def split(self, name: str) -> "Dataset":
        """The examples on one side.

        Raises:
            InputError: no such side, or nothing on it.
        """
        if name not in SPLITS:
            raise InputError(f"there is no split {name!r}: choose one of {', '.join(SPLITS)}")
        chosen = np.flatnonzero(self.splits == SPLITS.index(name))
        if not len(chosen):
            present = [side for side in SPLITS if (self.splits == SPLITS.index(side)).any()]
            raise InputError(
                f"{self.root} has no pictures in its split {name!r}: it has {', '.join(present)}"
            )
        return self.select(chosen)

    def has_split(self, name: str) -> bool:
        """Whether any picture is on this side."""
        return bool((self.splits == SPLITS.index(name)).any())

    def counts(self) -> dict[str, int]:
        """Pictures in each class, in the order of the classes."""
        counted = Counter(self.labels.tolist())
        return {name: counted[index] for index, name in enumerate(self.classes)}

    def summary(self) -> str:
        """One line for a person: the layout, how many classes, and how many pictures a side."""
        sides = ", ".join(
            f"{(self.splits == index).sum():,} {name}"
            for index, name in enumerate(SPLITS)
            if self.has_split(name)
        )
        return f"{self.root}: {self.layout}, {len(self.classes)} classes, {sides}"

    def with_classes(self, classes: Sequence[str]) -> "Dataset":
        """The same examples numbered by another class list that holds every class used here.

        Raises:
            InputError: a class with pictures here is not in `classes`.
        """
        position = {name: index for index, name in enumerate(classes)}
        unknown = [name for name, count in self.counts().items() if count and name not in position]
        if unknown:
            raise InputError(
                f"{self.root} has pictures of {', '.join(unknown)}, which the run does not know: "
                f"its classes are {', '.join(classes)}"
            )
        renumbered = np.array([position.get(name, -1) for name in self.classes], np.int64)
        return replace(self, classes=tuple(classes), labels=renumbered[self.labels])

    def fingerprint(self) -> str:
        """A short hash of the class list and of each picture's path, size, class and side."""
        digest = hashlib.sha256("\0".join(self.classes).encode("utf-8", "surrogateescape"))
        for path, label, side in zip(self.paths, self.labels, self.splits, strict=True):
            size = (self.root / path).stat().st_size
            digest.update(f"{path}\0{size}\0{label}\0{side}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]
