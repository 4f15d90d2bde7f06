"""Pascal VOC: an XML file for each picture in `Annotations/`, sides in `ImageSets/Main/*.txt`.

The devkit numbers pixels from 1 and a box includes its last pixel, so `x1 = xmin - 1`, `x2 = xmax`;
fractional numbers, which some tools write, follow the same rule. A box whose two corners are the
same point is a click, not an object of one pixel: it is read as a box without size.

The format has no list of classes: they stand in the order of `classes.txt` beside the folders,
where there is one, and those it does not name after them by alphabet.
See http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

import numpy as np

from viewfinder.datasets.boxes import gather_boxes, shortest
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.finding import checked_name, picture_files
from viewfinder.datasets.large_json import read_text
from viewfinder.errors import InputError

CLASS_LIST = "classes.txt"
_DEEPEST = 32
_LARGEST = 16_000_000
_READ = {"folder", "filename", "path", "size", "object"}
_READ_OF_OBJECTS = {"name", "bndbox", "difficult"}


def is_voc(root: Path) -> bool:
    """Whether a folder holds Pascal VOC's annotations."""
    return next((root / "Annotations").glob("*.xml"), None) is not None


def read_voc(root: Path) -> Dataset:
    """Read a folder with `Annotations/`, `JPEGImages/` and, where it has sides, `ImageSets/Main/`.

    Raises:
        InputError: a file is damaged, declares entities, or does not say what VOC's must.
    """
    pages = [read_page(file) for file in sorted((root / "Annotations").glob("*.xml"))]
    names = [name for page in pages for name in page.names]
    listed = class_list(root)
    classes = (*listed, *sorted(set(names) - set(listed)))
    index = {name: position for position, name in enumerate(classes)}
    unread: Counter[str] = Counter()
    for page in pages:
        unread.update(page.unread)
    corners = np.array([box for page in pages for box in page.boxes], np.float64).reshape(-1, 4)
    # 1.1 - 1 is 0.10000000000000009; what was meant is 0.1.
    corners[:, :2] = shortest(corners[:, :2], 4 * np.spacing(np.abs(corners[:, :2]) + 1))
    return Dataset(
        root=root,
        layout="Pascal VOC",
        classes=classes,
        paths=_locate(root, pages),
        labels=np.full(len(pages), -1, np.int64),
        splits=_sides(root, [page.file.stem for page in pages]),
        boxes=gather_boxes(
            np.repeat(np.arange(len(pages)), [len(page.boxes) for page in pages]),
            len(pages),
            corners=corners,
            classes=np.array([index[name] for name in names], np.int64),
            difficult=np.array([flag for page in pages for flag in page.difficult], np.bool_),
        ),
        sizes=np.array([page.size for page in pages], np.int64),
        unread=dict(unread),
    )


@dataclass
class Page:
    """What one XML file says."""

    file: Path
    picture: str
    size: tuple[int, int]
    names: list[str]
    boxes: list[tuple[float, float, float, float]]
    difficult: list[bool]
    unread: Counter[str]


def read_page(file: Path) -> Page:
    """Read one picture's annotations.

    Raises:
        InputError: the file is damaged, declares entities, or lacks what it must have.
    """
    tree = read_xml(file)
    if tree.tag != "annotation":
        raise InputError(f"{file} is no Pascal VOC file: it begins with <{tree.tag[:30]}>")
    picture = (tree.findtext("filename") or "").strip()
    page = Page(file, picture, _size(tree, file), [], [], [], Counter())
    page.unread.update(f"{node.tag:.40}" for node in tree if node.tag not in _READ)
    for thing in tree.iterfind("object"):
        page.names.append(object_name(thing, file))
        page.boxes.append(_corners(thing, file))
        page.difficult.append((thing.findtext("difficult") or "0").strip() not in ("0", ""))
        page.unread.update(f"object/{n.tag:.40}" for n in thing if n.tag not in _READ_OF_OBJECTS)
    return page


def object_name(thing: Element, file: Path) -> str:
    """The class of an `<object>`.

    Raises:
        InputError: it has none.
    """
    name = (thing.findtext("name") or "").strip()
    if not name:
        raise InputError(f"{file}: an object has no <name>: give it one, or remove the object")
    return name


def read_xml(file: Path) -> Element:
    """A file's tree. No file may declare a document type: that is where entities come from, which
    can grow to fill the memory or name files of this computer.

    Raises:
        InputError: it does, or it is damaged, too large, or nested too deeply.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise InputError(f"{file} is nested more than {_DEEPEST} deep: it is no VOC file")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise InputError(
            f"{file} declares a document type, which may hide entities that fill the memory or "
            "read files: remove the <!DOCTYPE …> from it"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        data = file.read_bytes()
        if len(data) > _LARGEST:
            raise InputError(f"{file} has {len(data):,} bytes, too many for one picture's boxes")
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InputError(f"{file} is not whole XML ({error}): export it again") from None
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from None
    except (ValueError, LookupError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{file}: its encoding cannot be read ({error}): save it as UTF-8"
        ) from None
    return builder.close()


def class_list(root: Path) -> tuple[str, ...]:
    """The names of `classes.txt`, one a line; none where there is no such file.

    Raises:
        InputError: a name stands there twice.
    """
    file = root / CLASS_LIST
    if not file.is_file():
        return ()
    names = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    for name, count in Counter(names).items():
        if count > 1:
            raise InputError(f"{file}: the class {name!r} stands there twice: remove one")
    return tuple(names)


def _size(tree: Element, file: Path) -> tuple[int, int]:
    sides = [tree.findtext(f"size/{side}") or "0" for side in ("width", "height")]
    width, height = (_number(text, "size", file) for text in sides)
    if not 0 <= min(width, height) <= max(width, height) < 2**31:
        raise InputError(f"{file}: the <size> {sides[0]}×{sides[1]} is none of a picture")
    return int(width), int(height)


def _corners(thing: Element, file: Path) -> tuple[float, float, float, float]:
    texts = [thing.findtext(f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax")]
    if None in texts:
        raise InputError(f"{file}: an object has no <bndbox> with xmin, ymin, xmax and ymax")
    x1, y1, x2, y2 = (_number(text or "", "bndbox", file) for text in texts)
    if (x1, y1) == (x2, y2):
        return x1, y1, x2, y2
    return x1 - 1, y1 - 1, x2, y2


def _number(text: str, what: str, file: Path) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        raise InputError(f"{file}: <{what}> holds {text.strip()[:30]!r}, no number") from None


def _locate(root: Path, pages: list[Page]) -> tuple[str, ...]:
    """Each page's picture: of the page's own stem, or where none is, of the name it gives."""
    present = picture_files(root)
    by_stem = {name.rsplit(".", 1)[0]: name for name in sorted(present)}
    found = []
    for page in pages:
        given = checked_name(page.picture or f"{page.file.stem}.jpg", where=str(page.file))
        named = f"JPEGImages/{given}"
        own = by_stem.get(f"JPEGImages/{page.file.stem}")
        found.append(named if named in present or own is None else own)
    return tuple(found)


def _sides(root: Path, stems: list[str]) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    """The side of each picture; -1 for all where no list of a side is there."""
    position = {stem: index for index, stem in enumerate(stems)}
    sides = np.full(len(stems), -1, np.int8)
    # In this order a picture of `trainval` that is in `val` too comes to `val`.
    for name, side in (("trainval", 0), *((name, i) for i, name in enumerate(SPLITS))):
        for stem in _listed(root / "ImageSets" / "Main" / f"{name}.txt", position):
            sides[position[stem]] = side
    return sides


def _listed(file: Path, stems: dict[str, int]) -> Iterator[str]:
    if not file.is_file():
        return
    for line in read_text(file).splitlines():
        words = line.split()
        if words:
            # Names may hold spaces; the devkit's lists of one class add a column of 1 and -1.
            whole = line.strip()
            stem = whole if whole in stems else words[0]
            if stem in stems:
                yield stem
