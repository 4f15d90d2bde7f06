"""Pascal VOC: an XML file for each picture, as in `Annotations/`, and splits in `ImageSets/Main/`.

The XML files are known by what they hold, wherever they lie: in `Annotations/`, in `annotations/`
beside `images/`, beside the pictures themselves (LabelImg, Roboflow), in `train/` and `test/`, or
in several years of a `VOCdevkit/`. An XML file belongs to the picture of its own name, the nearest
one where there are several.

The format has no list of classes: they stand in the order of `classes.txt` beside the folders,
where there is one, and those it does not name after them by alphabet.
See http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import gather_boxes, shortest
from viewfinder.datasets.copies import without_copies
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.datasets.formats.voc.lists import listings_of
from viewfinder.datasets.formats.voc.pages import XmlPage, is_page, read_page
from viewfinder.datasets.formats.yolo.label_files import CLASS_LIST
from viewfinder.datasets.formats.yolo.lists import listed_classes
from viewfinder.datasets.joining import joined
from viewfinder.datasets.listings import splits_of
from viewfinder.datasets.locating import checked_name, nearest
from viewfinder.datasets.meaning import Meaning, meaning_fault
from viewfinder.datasets.presence import absent, none_there
from viewfinder.datasets.survey import Survey, beginning
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded
from viewfinder.wording import counted, some

_BOX = Meaning("corners", "pixels")


def find_voc(seen: Survey) -> list[str]:
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


def in_annotations(pages: Sequence[str]) -> bool:
    """Whether any lies in `Annotations/`: XML files elsewhere, beside a set of another format that
    says what it is, are somebody's; alone they are the labels."""
    return any("annotations" in page.lower().split("/")[:-1] for page in pages)


def read_voc(seen: Survey, files: Sequence[str]) -> Dataset:
    """Read the XML files of a set and, where it has any, its lists of splits.

    Raises:
        InputError: a file of classes is damaged.
    """
    pages, faults = _pages(seen, files)
    names = [name for page in pages for name in page.names]
    listed = class_list(seen.root)
    classes = (*listed, *sorted(set(names) - set(listed)))
    index = {name: position for position, name in enumerate(classes)}
    own = [page.file.relative_to(seen.root).as_posix() for page in pages]
    paths, troubles = _locate(seen, pages, own)
    sizes = np.array([page.size for page in pages], np.int64).reshape(-1, 2)
    of_box = np.repeat(np.arange(len(pages)), [len(page.boxes) for page in pages])
    numbers = np.array([box for page in pages for box in page.boxes], np.float64).reshape(-1, 4)
    from_one = np.array([page.from_one for page in pages for _ in page.boxes], np.bool_)
    corners, why = _corners(numbers, from_one)
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
        notes=tuple(_notes(pages, why)),
        unread=dict(sum((page.unread for page in pages), Counter())),
    )
    dataset, rows = joined(dataset)
    not_read = {fault.labels: fault.picture for fault in faults if fault.labels}
    dealt = splits_of(len(dataset), listings_of(seen, dataset, own, rows, not_read))
    damaged = set(not_read.values())
    bare = [path for path in seen.beside(dataset.paths) if path not in damaged]
    those = f"{counted(len(bare), 'picture')} without an XML file ({some(bare, 2):.120})"
    without = [*absent(seen, dataset.paths), *([those] if bare else []), *_not_read(seen, files)]
    # A box of less than a pixel ends before it begins by numbers that count from 1.
    first = own[0] if own else ""
    faults += meaning_fault(
        np.maximum(corners, 0), sizes[of_box], _BOX, file=first, layout="Pascal VOC"
    )
    return replace(
        dataset,
        splits=dealt.splits,
        notes=(*dataset.notes, *without, *dealt.notes),
        faults=(
            *faults,
            *dataset.faults,
            *troubles,
            *none_there(seen, dataset.paths, first),
            *_unread_shapes(seen.root, pages),
            *dealt.faults,
        ),
    )


def class_list(root: Path) -> tuple[str, ...]:
    """The names of `classes.txt`, one a line; none where there is no such file.

    Raises:
        InputError: a name stands there twice.
    """
    file = root / CLASS_LIST
    return listed_classes(file) if file.is_file() and read_text(file).strip() else ()


def _pages(seen: Survey, files: Sequence[str]) -> tuple[list[XmlPage], list[Fault]]:
    """What the files say; a damaged one is a fault."""
    root = seen.root
    pages, faults = [], []
    for path in files:
        try:
            pages.append(read_page(root / path))
        except InputError as error:
            said = str(error).removeprefix(str(root / path))
            place, _, after = said.partition(": ") if said.startswith(", line") else ("", "", said)
            detail, _, fix = after.lstrip(": ").rpartition(": ")
            about = (f"{path}{place}", detail, fix, True, path, _namesake(seen, path))
            faults.append(Fault("label", *about))
    shaped = [page for page in pages if page.boxes or not page.unread[_SHAPES]]
    if not shaped:
        return pages, faults
    # DIOR, for one, has every picture's boxes a second time, turned, and those are not read.
    known = {folded(page.file.stem) for page in shaped}
    alone = [
        page
        for page in pages
        if page.unread[_SHAPES] and not page.boxes and folded(page.file.stem) not in known
    ]
    if alone:
        first = alone[0].file.relative_to(root).as_posix()
        detail = f"{counted(len(alone), 'picture')} whose objects all have another shape than a box"
        detail += " (first in this file): left out"
        faults.append(Fault("no-box", first, detail, "export their objects as boxes too"))
    return shaped, faults


_SHAPES = "objects with another shape than a box"


def _unread_shapes(root: Path, pages: Sequence[XmlPage]) -> list[Fault]:
    count = sum(page.unread[_SHAPES] for page in pages)
    if not count:
        return []
    first = next(page.file for page in pages if page.unread[_SHAPES]).relative_to(root).as_posix()
    detail = f"{counted(count, 'object')} with another shape than a box (first in this file)"
    return [Fault("no-box", first, f"{detail}: passed over", "export them as boxes too")]


_FROM_ZERO = "its boxes begin at 0, so pixels are counted from 0 and not, as in Pascal VOC, from 1"
_FRACTIONS = (
    "most of its boxes have fractions of pixels, so they are taken as measured from the picture's "
    "edge, and not, as in Pascal VOC, as pixels counted from 1"
)


def _corners(
    numbers: NDArray[np.float64], from_one: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], str]:
    """M×4 corners at pixels' edges; and why pixels are not counted from 1, or empty text.

    Args:
        from_one: M, whether the box's page says itself that it counts from 1.
    """
    corners = numbers.copy()
    others = numbers[~from_one]
    # A 0 among numbers below it is of a box that reaches out of its picture.
    begins = bool((others[:, :2] == 0).any() and not (others[:, :2] < 0).any())
    parts = bool(len(others)) and (others != np.round(others)).any(1).mean() > 0.5
    counted_so = from_one if begins or parts else np.ones(len(numbers), np.bool_)
    point = (numbers[:, :2] == numbers[:, 2:]).all(1)
    low = numbers[:, :2] - (counted_so & ~point)[:, None]
    # 1.1 - 1 is 0.10000000000000009; what was meant is 0.1.
    corners[:, :2] = shortest(low, 4 * np.spacing(np.abs(low) + 1))
    return corners, _FROM_ZERO if begins else _FRACTIONS if parts else ""


def _notes(pages: Sequence[XmlPage], why: str) -> Iterator[str]:
    for note, count in sum((page.notes for page in pages), Counter[str]()).items():
        yield f"{note} ({count:,} of them)"
    if why:
        yield why


def _namesake(seen: Survey, page: str) -> str:
    """The picture of a damaged page: of its own name, or of the name that can still be read in it;
    empty where there is none, or more than one."""
    pure = PurePosixPath(page)
    same = nearest(seen.pictures.of_stem(pure.stem), str(pure.parent))
    said = re.search(r"<filename>([^<]+)</filename>", beginning(seen.root / page))
    if not same and said:
        given = html.unescape(said[1]).strip().replace("\\", "/")
        same = nearest(seen.pictures.named(given), str(pure.parent))
    return same[0] if len(same) == 1 else ""


def _locate(
    seen: Survey, pages: Sequence[XmlPage], own: Sequence[str]
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
            fix = "give each XML file and its picture a name that no other has"
            faults.append(Fault("two-pictures", path, detail, fix, True, path, candidates[0]))
        elif same and named and not set(same) & set(named):
            detail = f"its name is that of {same[0]}, and it says <filename>{given:.80}"
            fix = f"which is another picture, {named[0]}: correct the one that is wrong"
            faults.append(Fault("two-pictures", path, detail, fix, True, path, candidates[0]))
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
