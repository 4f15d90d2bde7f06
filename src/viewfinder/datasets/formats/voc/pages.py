"""Pascal VOC's XML files: what one says of a picture.

The devkit numbers pixels from 1 and a box includes its last pixel, so `x1 = xmin - 1`,
`x2 = xmax`. Tools that write fractions (CVAT, labelme, VoTT) measure from the picture's edge, so
`x1 = xmin`; our own files, whose fractions follow the devkit's rule, say in `<source>` that they
do. A box whose two corners are the same point is a click, not an object of one pixel: it is read as
a box without size.
See http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

_DEEPEST = 32
_LARGEST = 16_000_000
_READ = {"folder", "filename", "path", "size", "object"}
_READ_OF_OBJECTS = {"name", "bndbox", "difficult"}
# What our own files say in <source><annotation>.
COUNTED_FROM_1 = "pixels counted from 1"
_KEYS = ("xmin", "ymin", "xmax", "ymax")
_OTHER_SHAPES = ("robndbox", "polygon", "segm", "mask", "point")
# What tools write where the devkit has 1 and 0.
_YES = {"1", "true", "yes", "y", "t", "difficult"}
_NO = {"0", "", "false", "no", "n", "f", "none", "unspecified"}


@dataclass
class XmlPage:
    """What one XML file says.

    Attributes:
        picture: the name that it gives its picture, or empty text.
        size: width and height; 0 where it does not state them.
        names: the class of each box.
        boxes: their four numbers, as they stand there.
        unread: what is not read, and how often.
        notes: what was read otherwise than it stands there, and how often.
        from_one: whether it says that it counts pixels from 1.
    """

    file: Path
    picture: str
    size: tuple[int, int]
    names: list[str]
    boxes: list[tuple[float, float, float, float]]
    difficult: list[bool]
    unread: Counter[str]
    notes: Counter[str]
    from_one: bool = False


def is_page(text: str) -> bool:
    """Whether an XML file's beginning is that of Pascal VOC's."""
    first = re.search(r"<(?![?!])[^\s>/]*", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return first is not None and first[0] == "<annotation"


def read_page(file: Path) -> XmlPage:
    """Read one picture's annotations.

    Raises:
        InputError: the file is damaged, declares entities, or lacks what it must have.
    """
    tree = read_xml(file)
    if tree.tag != "annotation":
        raise InputError(
            f"{file}: it begins with <{tree.tag[:30]}>, so it is no Pascal VOC file: put one in "
            "its place that begins with <annotation>, or take it away"
        )
    picture = (tree.findtext("filename") or "").strip()
    page = XmlPage(file, picture, _size(tree, file), [], [], [], Counter(), Counter())
    page.from_one = tree.findtext("source/annotation") == COUNTED_FROM_1
    read = _READ | {"source"} if page.from_one else _READ
    page.unread.update(f"{node.tag:.40}" for node in tree if node.tag not in read)
    for number, thing in enumerate(tree.iterfind("object"), 1):
        name, boxes = object_name(thing, file, number), thing.findall("bndbox")
        if not boxes and any(thing.find(tag) is not None for tag in _OTHER_SHAPES):
            page.unread["objects with another shape than a box"] += 1
            continue
        page.notes["objects with several boxes are read as one object for each"] += len(boxes) > 1
        places: list[Element | None] = [*boxes] or [None]
        for box in places:
            page.names.append(name)
            page.boxes.append(_numbers(box, file, f"object {number} ({name:.40})"))
            page.difficult.append(_is_difficult(thing, page))
        page.unread.update(f"object/{n.tag:.40}" for n in thing if n.tag not in _READ_OF_OBJECTS)
    return page


def _is_difficult(thing: Element, page: XmlPage) -> bool:
    word = (thing.findtext("difficult") or "").strip().lower()
    if word not in _YES and word not in _NO:
        page.notes[f"<difficult> says {word[:20]!r} and is read as no"] += 1
    return word in _YES


def object_name(thing: Element, file: Path, number: int) -> str:
    """The class of an `<object>`.

    Args:
        number: which of the file's it is, from 1.

    Raises:
        InputError: it has none.
    """
    name = (thing.findtext("name") or "").strip()
    if not name:
        raise InputError(
            f"{file}: object {number} has no <name>: give it one, or remove the object"
        )
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
            raise InputError(
                f"{file}: it is nested more than {_DEEPEST} deep, as no VOC file is: take it away"
            )
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise InputError(
            f"{file}: it declares a document type, which may hide entities that fill the memory or "
            "read files: remove the <!DOCTYPE …> from it"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        data = read_bytes(file)
        if len(data) > _LARGEST:
            raise InputError(
                f"{file}: it has {len(data):,} bytes, too many for one picture: take it away"
            )
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InputError(f"{file}{_not_xml(error, data)}") from None
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            f"{file}: it cannot be read ({why}): see that it is a file that your account may read"
        ) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{file}: its encoding cannot be read ({error}): save it as UTF-8"
        ) from None
    return builder.close()


# Of a file that ends too early, what stands before its end is right.
_ENDS = ("no element found", "unclosed token", "unclosed CDATA section", "partial character")


def _not_xml(error: expat.ExpatError, data: bytes) -> str:
    """Where a file is no XML, why, and what to do."""
    if not data.strip():
        return ": it is empty, so it is not whole XML: put the whole file back, or export it again"
    what, line = expat.ErrorString(error.code), error.lineno
    if what in _ENDS:
        return (
            f", line {line}: it is not whole XML (the file was cut off there): put the whole file "
            "back, or export it again"
        )
    return (
        f", line {line}, character {error.offset + 1}: it is not whole XML ({what}): correct it "
        "there, or export it again"
    )


def _size(tree: Element, file: Path) -> tuple[int, int]:
    sides = [tree.findtext(f"size/{side}") or "0" for side in ("width", "height")]
    width, height = (_number(text, "its <size>", file) for text in sides)
    if not all(0 <= side < 2**31 for side in (width, height)):
        raise InputError(
            f"{file}: its <size> {sides[0]:.20}×{sides[1]:.20} is none of a picture: write its "
            "width and height in pixels"
        )
    return int(width), int(height)


def _numbers(box: Element | None, file: Path, where: str) -> tuple[float, float, float, float]:
    texts = [None if box is None else box.findtext(key) for key in _KEYS]
    if None in texts:
        raise InputError(
            f"{file}: {where} has no <bndbox> with xmin, ymin, xmax and ymax: complete it, or "
            "remove the object"
        )
    at = f"the <bndbox> of {where}"
    x1, y1, x2, y2 = (_number(text or "", at, file) for text in texts)
    return x1, y1, x2, y2


def _number(text: str, where: str, file: Path) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        raise InputError(
            f"{file}: {where} holds {text.strip()[:30]!r}, no number: write a number there"
        ) from None
