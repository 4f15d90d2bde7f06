"""Which splits Pascal VOC's pictures are in: the lists of `ImageSets/Main/`, or folders' names."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.datasets.listings import Listing
from viewfinder.datasets.split_names import split_named, split_of_path
from viewfinder.datasets.survey import Survey
from viewfinder.pictures.finding import folded

_NOT_READ = -1


def listings_of(
    seen: Survey,
    dataset: Dataset,
    own: Sequence[str],
    rows: NDArray[np.int64],
    not_read: Mapping[str, str],
) -> list[Listing]:
    """The lists of splits in `ImageSets/`; where there are none, what folders are called.

    Args:
        not_read: the pages that cannot be read, each with its picture or empty text: lists that
            name these are right.
    """
    # A devkit of several years has lists in each, which speak of that year's pages.
    by_folder: dict[str, dict[str, int]] = defaultdict(dict)
    for page, row in zip(own, rows.tolist(), strict=True):
        pure = PurePosixPath(page)
        for above in pure.parents:
            by_folder[str(above)].setdefault(folded(pure.stem), row)
    for page, picture in not_read.items():
        for above in PurePosixPath(page).parents:
            for name in filter(None, (page, picture)):
                key = folded(PurePosixPath(name).stem)
                by_folder[str(above)].setdefault(key, _NOT_READ)
    listings = []
    for path in seen.of(".txt"):
        pure = PurePosixPath(path)
        split = _split_of_list(pure)
        if split < 0:
            continue
        sets = [above for above in pure.parents if above.name.lower() == "imagesets"]
        top = sets[0].parent if sets else pure.parent
        found, absent = _listed(seen.root / path, by_folder[str(top)])
        if found is None or not (sets or found):
            continue  # of pages that cannot be read alone, or a text that is no list of pictures
        listings.append(Listing(path, split % 3, found, absent, reserve=split == 3))
    if listings := listings or _listings_of_classes(seen, dataset.classes, by_folder):
        return listings
    splits = [split_of_path(picture) for picture in dataset.paths]
    for page, row in zip(own, rows.tolist(), strict=True):
        if splits[row] < 0:
            splits[row] = split_of_path(page)
    if all(split < 0 for split in splits):
        return []
    return [
        Listing(f"folders of {SPLITS[split]}" if split >= 0 else "other folders", split, chosen)
        for split in (0, 1, 2, -1)
        if (chosen := tuple(row for row, own_split in enumerate(splits) if own_split == split))
    ]


def _listings_of_classes(
    seen: Survey, classes: Sequence[str], by_folder: dict[str, dict[str, int]]
) -> list[Listing]:
    """The lists of single classes, as `dog_train.txt`, which name every picture of their split."""
    names, listings = set(map(folded, classes)), []
    for path in seen.of(".txt"):
        pure = PurePosixPath(path)
        name, _, end = pure.stem.rpartition("_")
        split = _split_of_list(pure.with_stem(end)) if folded(name) in names and end else -1
        if split < 0:
            continue
        sets = [above for above in pure.parents if above.name.lower() == "imagesets"]
        top = sets[0].parent if sets else pure.parent
        found, absent = _listed(seen.root / path, by_folder[str(top)])
        if found:
            listings.append(Listing(path, split % 3, found, absent, reserve=split == 3))
    return listings


def _split_of_list(path: PurePosixPath) -> int:
    """The split that a file lists, an index into `SPLITS`; 3 for `trainval`, -1 for no list."""
    names = [part.lower() for part in path.parts[:-1]]
    # Main holds the lists of detection; Layout, Segmentation and Action are of other tasks.
    others = {"layout", "segmentation", "action"} & set(names)
    if others or not ("imagesets" in names or not names):
        return -1
    return 3 if path.stem.lower() == "trainval" else split_named(path.stem)


def _listed(file: Path, known: dict[str, int]) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """The rows that a list names, None where it names pages that cannot be read and nothing else;
    and its lines that name none."""
    found, absent = [], []
    for line in map(str.strip, read_text(file).splitlines()):
        if not line:
            continue
        # Names may hold spaces; the devkit's lists of one class add a column of 1 and -1; and some
        # write the picture's suffix or its folder too.
        row = next(
            (
                known[key]
                for word in (line, line.split()[0])
                for name in (word, PurePosixPath(word.replace("\\", "/")).name)
                for key in (folded(name), folded(PurePosixPath(name).stem))
                if key in known
            ),
            None,
        )
        if row is None:
            absent.append(line)
        else:
            found.append(row)
    if found and not absent and set(found) == {_NOT_READ}:
        return None, ()
    return tuple(row for row in dict.fromkeys(found) if row != _NOT_READ), tuple(absent)
