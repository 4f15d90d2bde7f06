"""Pascal VOC: an XML file for each picture, as in `Annotations/`, and sides in `ImageSets/Main/`.

The XML files are told by what they hold, wherever they lie: in `Annotations/`, in `annotations/`
beside `images/`, beside the pictures themselves (LabelImg, Roboflow), in `train/` and `test/`, or
in several years of a `VOCdevkit/`. An XML file belongs to the picture of its own name, the nearest
one where there are several.

The format has no list of classes: they stand in the order of `classes.txt` beside the folders,
where there is one, and those it does not name after them by alphabet.
See http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import gather_boxes, shortest
from viewfinder.datasets.copies import without_copies
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.finding import checked_name, nearest, side_of_path
from viewfinder.datasets.joining import joined
from viewfinder.datasets.large_json import read_text
from viewfinder.datasets.listings import Listing, sides_of
from viewfinder.datasets.meaning import Meaning, meaning_fault
from viewfinder.datasets.presence import absent, none_there
from viewfinder.datasets.sides import side_named
from viewfinder.datasets.survey import Survey, beginning
from viewfinder.datasets.voc_pages import Page, is_page, read_page
from viewfinder.datasets.yolo_labels import CLASS_LIST
from viewfinder.datasets.yolo_lists import listed_classes
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded
from viewfinder.wording import counted, some

_BOX = Meaning("corners", "pixels")


def voc_files(seen: Survey) -> list[str]:
    """The XML files of Pascal VOC below a folder; where any lies in `Annotations/`, only those of
    such folders."""
    files = seen.of(".xml")
    usual = [path for path in files if "annotations" in path.lower().split("/")[:-1]]
    texts = {path: beginning(seen.root / path) for path in files}
    # In such a folder a file without any tag is a damaged page, and said to be one.
    found = [path for path in usual if is_page(texts[path]) or "<" not in texts[path]]
    found = found or [path for path in files if is_page(texts[path])]
    return without_copies(found) or [path for path in usual if "<annotations" not in texts[path]]


def _not_read(seen: Survey, files: Sequence[str]) -> list[str]:
    """A note on pages that lie elsewhere than the others."""
    others = sorted(set(seen.of(".xml")).difference(files))
    pages = [path for path in others if is_page(beginning(seen.root / path))]
    if not pages:
        return []
    return [f"{counted(len(pages), 'XML file')} not read ({some(pages, 2):.120})"]


def is_voc(pages: Sequence[str], described: Path | None) -> bool:
    """Whether a folder with these XML files, and this file that describes a YOLO set, is VOC's.

    XML files beside a set that says what it is are somebody's; alone they are the labels.
    """
    usual = any("annotations" in page.lower().split("/")[:-1] for page in pages)
    return bool(pages) and (usual or described is None)


def read_voc(seen: Survey, files: Sequence[str]) -> Dataset:
    """Read the XML files of a set and, where it has any, its lists of sides.

    Raises:
        InputError: a file of classes is damaged.
    """
    pages, faults = _pages(seen.root, files)
    names = [name for page in pages for name in page.names]
    listed = class_list(seen.root)
    classes = (*listed, *sorted(set(names) - set(listed)))
    index = {name: position for position, name in enumerate(classes)}
    own = [page.file.relative_to(seen.root).as_posix() for page in pages]
    paths, troubles = _locate(seen, pages, own)
    sizes = np.array([page.size for page in pages], np.int64).reshape(-1, 2)
    of_box = np.repeat(np.arange(len(pages)), [len(page.boxes) for page in pages])
    numbers = np.array([box for page in pages for box in page.boxes], np.float64).reshape(-1, 4)
    corners, from_zero = _corners(numbers)
    dataset = Dataset(
        root=seen.root,
        layout="Pascal VOC",
        classes=classes,
        paths=paths,
        labels=np.full(len(pages), -1, np.int64),
        splits=np.full(len(pages), -1, np.int8),
        boxes=gather_boxes(
            of_box,
            len(pages),
            corners=corners,
            classes=np.array([index[name] for name in names], np.int64),
            difficult=np.array([flag for page in pages for flag in page.difficult], np.bool_),
        ),
        sizes=sizes,
        label_files=tuple(own),
        notes=tuple(_notes(pages, from_zero)),
        unread=dict(sum((page.unread for page in pages), Counter())),
    )
    dataset, rows = joined(dataset)
    sides = sides_of(len(dataset), _listings(seen, dataset, own, rows))
    bare = seen.beside(dataset.paths)
    those = f"{counted(len(bare), 'picture')} without an XML file ({some(bare, 2):.120})"
    without = [*absent(seen, dataset.paths), *([those] if bare else []), *_not_read(seen, files)]
    # A box of less than a pixel ends before it begins by numbers that count from 1.
    first = own[0] if own else ""
    faults += meaning_fault(
        np.maximum(corners, 0), sizes[of_box], _BOX, file=first, layout="Pascal VOC"
    )
    return replace(
        dataset,
        splits=sides.splits,
        notes=(*dataset.notes, *without, *sides.notes),
        faults=(
            *faults,
            *dataset.faults,
            *troubles,
            *none_there(seen, dataset.paths, first),
            *_unread_shapes(seen.root, pages),
            *sides.faults,
        ),
    )


def class_list(root: Path) -> tuple[str, ...]:
    """The names of `classes.txt`, one a line; none where there is no such file.

    Raises:
        InputError: a name stands there twice.
    """
    file = root / CLASS_LIST
    return listed_classes(file) if file.is_file() and read_text(file).strip() else ()


def _pages(root: Path, files: Sequence[str]) -> tuple[list[Page], list[Fault]]:
    """What the files say; a damaged one is a fault."""
    pages, faults = [], []
    for path in files:
        try:
            pages.append(read_page(root / path))
        except InputError as error:
            said = str(error).removeprefix(str(root / path)).lstrip(": ")
            detail, _, mend = said.rpartition(": ")
            faults.append(Fault("label", path, detail or said, mend if detail else "mend it", True))
    # DIOR, for one, has every picture's boxes a second time, turned, and those are not read.
    shaped = [page for page in pages if page.boxes or not page.unread[_SHAPES]]
    return shaped or pages, faults


_SHAPES = "objects with another shape than a box"


def _unread_shapes(root: Path, pages: Sequence[Page]) -> list[Fault]:
    count = sum(page.unread[_SHAPES] for page in pages)
    if not count:
        return []
    first = next(page.file for page in pages if page.unread[_SHAPES]).relative_to(root).as_posix()
    detail = f"{counted(count, 'object')} with another shape than a box (first in this file)"
    return [Fault("no-box", first, f"{detail}: passed over", "export them as boxes too")]


def _corners(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """M×4 corners at pixels' edges; and whether the set counts pixels from 0, not from 1."""
    corners = numbers.copy()
    # A 0 among numbers below it is of a box that reaches out of its picture.
    from_zero = bool((numbers[:, :2] == 0).any() and not (numbers[:, :2] < 0).any())
    if not from_zero:
        point = (numbers[:, :2] == numbers[:, 2:]).all(1)
        low = np.where(point[:, None], numbers[:, :2], numbers[:, :2] - 1)
        # 1.1 - 1 is 0.10000000000000009; what was meant is 0.1.
        corners[:, :2] = shortest(low, 4 * np.spacing(np.abs(low) + 1))
    return corners, from_zero


def _notes(pages: Sequence[Page], from_zero: bool) -> Iterator[str]:
    for note, count in sum((page.notes for page in pages), Counter[str]()).items():
        yield f"{note} ({count:,} of them)"
    if from_zero:
        yield "its boxes begin at 0, so pixels are counted from 0 and not, as in Pascal VOC, from 1"


def _locate(
    seen: Survey, pages: Sequence[Page], own: Sequence[str]
) -> tuple[tuple[str, ...], list[Fault]]:
    """Each page's picture: of the page's own name, or where none is, of the name it gives."""
    found, faults = [], []
    for page, path in zip(pages, own, strict=True):
        pure = PurePosixPath(path)
        given = page.picture.replace("\\", "/")
        same = nearest(seen.pictures.of_stem(pure.stem), str(pure.parent))
        named = nearest(seen.pictures.named(given), str(pure.parent)) if given else []
        if len(same) > 1 and set(same) & set(named):
            same = [picture for picture in same if picture in named]
        candidates = same or named
        if len(candidates) > 1:
            detail = f"it may be of {' or of '.join(candidates[:3])}"
            mend = "give each XML file and its picture a name that no other has"
            faults.append(Fault("two-pictures", path, detail, mend, blocking=True))
        elif same and named and not set(same) & set(named):
            detail = f"its name is that of {same[0]}, and it says <filename>{given:.80}"
            mend = f"which is another picture, {named[0]}: correct the one that is wrong"
            faults.append(Fault("two-pictures", path, detail, mend, blocking=True))
        if candidates:
            found.append(candidates[0])
        else:
            name = checked_name(PurePosixPath(given or f"{pure.stem}.jpg").name, where=path)
            found.append(f"{_picture_folder(seen, pure)}{name}")
    return tuple(found), faults


def _picture_folder(seen: Survey, page: PurePosixPath) -> str:
    """Where the picture of a page would be if it were there."""
    folders = {path.rpartition("/")[0] for path in seen.pictures.paths}
    above = str(page.parent.parent)
    wanted = "JPEGImages" if above == "." else f"{above}/JPEGImages"
    beside = [f for f in folders if f == wanted or str(PurePosixPath(f or ".")) == str(page.parent)]
    beside = beside or [f for f in sorted(folders) if str(PurePosixPath(f).parent) == above]
    return f"{(beside or [wanted])[0]}/".lstrip("/")


def _listings(
    seen: Survey, dataset: Dataset, own: Sequence[str], rows: NDArray[np.int64]
) -> list[Listing]:
    """The lists of sides in `ImageSets/`; where there are none, what folders are called."""
    # A devkit of several years has lists in each, which speak of that year's pages.
    by_folder: dict[str, dict[str, int]] = defaultdict(dict)
    for page, row in zip(own, rows.tolist(), strict=True):
        pure = PurePosixPath(page)
        for above in pure.parents:
            by_folder[str(above)].setdefault(folded(pure.stem), row)
    listings = []
    for path in seen.of(".txt"):
        pure = PurePosixPath(path)
        side = _side_of_list(pure)
        if side < 0:
            continue
        sets = [above for above in pure.parents if above.name.lower() == "imagesets"]
        top = sets[0].parent if sets else pure.parent
        found, absent = _listed(seen.root / path, by_folder[str(top)])
        if not sets and not found:
            continue  # a text beside the folders that is no list of pictures
        listings.append(Listing(path, side % 3, found, absent, reserve=side == 3))
    if listings:
        return listings
    sides = [side_of_path(picture) for picture in dataset.paths]
    for page, row in zip(own, rows.tolist(), strict=True):
        if sides[row] < 0:
            sides[row] = side_of_path(page)
    if all(side < 0 for side in sides):
        return []
    return [
        Listing(f"folders of {SPLITS[side]}" if side >= 0 else "other folders", side, chosen)
        for side in (0, 1, 2, -1)
        if (chosen := tuple(row for row, own_side in enumerate(sides) if own_side == side))
    ]


def _side_of_list(path: PurePosixPath) -> int:
    """The side that a file lists, an index into `SPLITS`; 3 for `trainval`, -1 for no list."""
    names = [part.lower() for part in path.parts[:-1]]
    # Main holds the lists of detection; Layout, Segmentation and Action are of other tasks.
    others = {"layout", "segmentation", "action"} & set(names)
    if others or not ("imagesets" in names or not names):
        return -1
    return 3 if path.stem.lower() == "trainval" else side_named(path.stem)


def _listed(file: Path, known: dict[str, int]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The rows that a list names, and its lines that name none."""
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
    return tuple(dict.fromkeys(found)), tuple(absent)
