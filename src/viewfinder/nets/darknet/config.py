"""Darknet's `.cfg` files: the classes, anchors, masks and size that they give a net.

A `.cfg` lists the layers of any net. It is not run here: it is held against the layouts of the
nets in `yolov3.py`, and what these leave open is read from it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.nets.darknet.grammar import Section, read_sections
from viewfinder.nets.darknet.header import WeightsHeader, read_header
from viewfinder.nets.darknet.layouts import find_layout
from viewfinder.nets.yolo import BOX_VALUES
from viewfinder.nets.yolov3 import ANCHORS, MASKS, TINY_ANCHORS, TINY_MASKS
from viewfinder.reading import open_file

_MOST_BYTES = 1_000_000
# More is no picture set's: a number beyond is a slip or hostile, and its net would fill memory.
MOST_CLASSES = 10_000
_MOST_PIXELS = 8192
_STRIDE = 32


@dataclass(frozen=True)
class DarknetConfig:
    """What a `.cfg` says of its net: `create(net, classes=…, anchors=…, masks=…)` makes it.

    Attributes:
        net: "yolov3", "yolov3-spp" or "yolov3-tiny".
        anchors: (width, height) of each in pixels of the net's input.
        masks: the indices of each scale's anchors, from stride 32 on.
        size: (height, width) in pixels of the pictures it is meant for.
        letter_box: whether pictures keep their aspect, with bars beside; None if it does not say.
    """

    net: str
    classes: int
    anchors: tuple[tuple[float, float], ...]
    masks: tuple[tuple[int, ...], ...]
    size: tuple[int, int]
    letter_box: bool | None = None


PUBLISHED_HEADER = WeightsHeader((0, 2, 0), 500_208 * 64)
"""Of the published COCO weights, which have seen 500,208 batches of 64."""
# These by their length in bytes.
_PUBLISHED = {
    248_007_048: DarknetConfig("yolov3", 80, ANCHORS, MASKS, (416, 416)),
    252_209_544: DarknetConfig("yolov3-spp", 80, ANCHORS, MASKS, (608, 608)),
    35_434_956: DarknetConfig("yolov3-tiny", 80, TINY_ANCHORS, TINY_MASKS, (416, 416)),
}


def find_config(weights: str | Path) -> DarknetConfig:
    """What belongs to a `.weights` file: the `.cfg` of its name beside it, else COCO by its length.

    `coins_last.weights` is of `coins.cfg`, as Darknet calls what it keeps of a training.

    Raises:
        InputError: there is no such file, neither is known, or the `.cfg` is refused.
    """
    weights = Path(weights)
    try:
        length = weights.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {weights}: {error.strerror or error}") from error
    if beside := config_beside(weights):
        return read_config(beside)
    if length not in _PUBLISHED:
        raise InputError(
            f"{weights} does not say what net it is for, and by its {length:,} bytes it is none of "
            f"the published ones: put its .cfg beside it, as {weights.stem}.cfg"
        )
    return _PUBLISHED[length]


def config_beside(weights: Path) -> Path | None:
    """The `.cfg` that belongs to a `.weights` file, if it lies beside it."""
    files = (weights.parent / f"{stem}.cfg" for stem in stems(weights))
    return next((file for file in files if file.is_file()), None)


def is_published(weights: Path) -> bool:
    """Whether a file is one of the published COCO weights, by its length and its header.

    Raises:
        InputError: it cannot be read, or is no such file.
    """
    header, length = read_header(weights)
    return length in _PUBLISHED and header == PUBLISHED_HEADER


def stems(weights: Path) -> tuple[str, ...]:
    """What the files that belong to weights may be called: their name, and that of the training.

    Of a training that began with `coins.cfg` Darknet keeps `coins_last`, `_best`, `_final`, and
    `coins_1000` after so many steps.
    """
    training = re.sub(r"_(last|best|final|[0-9]{1,9})$", "", weights.stem)
    return tuple(dict.fromkeys((weights.stem, training)))


def read_config(path: str | Path) -> DarknetConfig:
    """What a `.cfg` file says, if its layers are those of yolov3, yolov3-spp or yolov3-tiny.

    Raises:
        InputError: the file cannot be read, or it is another net's: with section and line, where
            sections are numbered as Darknet prints them, from 0 after [net].
    """
    path = Path(path)
    try:
        with open_file(path) as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise InputError(f"{path} is over a megabyte, which no .cfg file is: give another file")
    # Comments come in any encoding; all else is ASCII.
    sections = read_sections(data.decode("utf-8-sig", "replace"), str(path))
    if len(sections) < 2 or sections[0].kind != "net":
        raise InputError(
            f"{path} is no .cfg file of Darknet, which begins with a section [net] and goes on "
            "with one for each layer: give another file"
        )
    size = _size(sections[0])
    net = find_layout(sections[1:])
    found = _with_predictions(net, size, sections[1:])
    if "letter_box" not in sections[0].values:
        return found
    return replace(found, letter_box=sections[0].integer("letter_box", 0) != 0)


def _size(net: Section) -> tuple[int, int]:
    sides = {key: net.integer(key, 0) for key in ("height", "width")}
    for key, side in sides.items():
        if not 0 < side <= _MOST_PIXELS or side % _STRIDE:
            net.refuse(
                f"{key} is {side}: it must be a multiple of {_STRIDE} up to {_MOST_PIXELS}", key=key
            )
    channels = net.integer("channels", 0)
    if channels != 3:
        net.refuse(f"channels is {channels}: it must be 3, as pictures have", key="channels")
    return sides["height"], sides["width"]


def _with_predictions(
    net: str, size: tuple[int, int], sections: Sequence[Section]
) -> DarknetConfig:
    scales = [section for section in sections if section.kind == "yolo"]
    first = scales[0]
    classes, anchors = _classes(first), _anchors(first)
    masks = []
    for scale in scales:
        if _classes(scale) != classes:
            scale.refuse(
                f"classes is {_classes(scale)}, but {classes} in line {first.line}: "
                "all scales must have the same",
                key="classes",
            )
        if _anchors(scale) != anchors:
            scale.refuse(
                f"anchors are others than in line {first.line}: all scales must list the "
                "same and choose by mask",
                key="anchors",
            )
        masks.append(_mask(scale, len(anchors)))
        _check_filters(sections[scale.number - 1], len(masks[-1]), classes)
    return DarknetConfig(net, classes, anchors, tuple(masks), size)


def _classes(scale: Section) -> int:
    classes = scale.integer("classes", 20)
    if not 1 <= classes <= MOST_CLASSES:
        scale.refuse(f"classes is {classes}: it must be from 1 to {MOST_CLASSES:,}", key="classes")
    return classes


def _anchors(scale: Section) -> tuple[tuple[float, float], ...]:
    sides = scale.numbers("anchors")
    count = scale.integer("num", 1)
    if not sides or len(sides) != 2 * count:
        scale.refuse(
            f"anchors has {len(sides)} numbers: with num={count} it must have {2 * count}, a width "
            "and a height for each",
            key="anchors",
        )
    if min(sides) <= 0:
        scale.refuse(f"anchors has {min(sides):g}: widths and heights are above 0", key="anchors")
    return tuple(zip(sides[::2], sides[1::2], strict=True))


def _mask(scale: Section, count: int) -> tuple[int, ...]:
    mask = scale.integers("mask") or tuple(range(count))
    if len(set(mask)) != len(mask) or not set(mask) <= set(range(count)):
        shown = ",".join(map(str, mask[:20]))
        scale.refuse(
            f"mask is {shown}: it must be different numbers from 0 to {count - 1}, for there are "
            f"{count} anchors",
            key="mask",
        )
    return mask


def _check_filters(predict: Section, anchors: int, classes: int) -> None:
    filters, needed = predict.integer("filters", 1), anchors * (BOX_VALUES + classes)
    if filters != needed:
        predict.refuse(
            f"filters is {filters}: {anchors} anchors of {BOX_VALUES} + {classes} values need "
            f"{needed}",
            key="filters",
        )
