"""The names of classes that weight files number and do not name."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from viewfinder.errors import InputError
from viewfinder.reading import open_file


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in text.split(","))


COCO = _listed("""
    person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire
    hydrant, stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear,
    zebra, giraffe, backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports
    ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine
    glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot
    dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop,
    mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book,
    clock, vase, scissors, teddy bear, hair drier, toothbrush
""")
_MOST_BYTES = 1 << 20
# Files beside the weights that an answer mentions.
_MENTIONED = 3


@dataclass(frozen=True)
class NamedClasses:
    """The classes of a file of weights.

    Attributes:
        origin: where their names are from, in words for a person; empty where that is plain.
    """

    names: tuple[str, ...]
    origin: str = ""


def names_of(weights: Path, classes: int) -> NamedClasses:
    """The names of the classes of a `.weights` file, which only numbers them.

    They are the lines of the `.names` of its name beside it; else of the file that an `obj.data`
    beside it leads to; else COCO's, if it is one of the published files; else `class 0` and so on.

    Raises:
        InputError: the `.names` beside it has another number of lines, or cannot be read.
    """
    # The names of COCO's classes are asked for without torch too.
    from viewfinder.nets.darknet import is_published, stems

    for stem in stems(weights):
        if (beside := weights.parent / f"{stem}.names").is_file():
            return NamedClasses(
                _exactly(beside, weights, classes), f"classes are called as in {beside}"
            )
    found = {}
    for data, file in _led_to(weights.parent):
        if _fits(names := _lines(file), classes):
            found[names] = f"classes are called as in {file}, which {data.name} names"
    if len(found) == 1:
        ((names, origin),) = found.items()
        return NamedClasses(names, origin)
    if classes == len(COCO) and is_published(weights):
        return NamedClasses(COCO)
    numbered = tuple(f"class {number}" for number in range(classes))
    return NamedClasses(numbered, _told_numbered(weights, classes))


def _exactly(file: Path, weights: Path, classes: int) -> tuple[str, ...]:
    names = _lines(file)
    if not _fits(names, classes):
        raise InputError(
            f"{file} has {len(names)} names where {weights.name} has {classes} classes: it must "
            "have one a line, each once, in the order of the classes"
        )
    return names


def _fits(names: tuple[str, ...], classes: int) -> bool:
    return len(names) == classes == len(set(names))


def _lines(file: Path) -> tuple[str, ...]:
    """The lines of a file that are not empty.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with open_file(file) as opened:
            text = opened.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _led_to(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Darknet's `.data` files in a folder, each with the file of names that it leads to.

    Darknet looks for it from where it was started, which is seldom here: so it is looked for from
    the folder too, and in the folder by its name alone.
    """
    for data in _beside(folder, "*.data"):
        for line in _lines(data):
            key, _, value = (part.strip() for part in line.partition("="))
            if key != "names" or not value:
                continue
            places = (folder / value, Path(value), folder / PurePosixPath(value).name)
            readable = (each for each in places if each.is_file() and os.access(each, os.R_OK))
            if found := next(readable, None):
                yield data, found


def _beside(folder: Path, pattern: str) -> list[Path]:
    files = (path for path in folder.glob(pattern) if path.is_file())
    return sorted(file for file in files if os.access(file, os.R_OK))


def _told_numbered(weights: Path, classes: int) -> str:
    count = f"its {classes} classes" if classes > 1 else "its one class"
    text = (
        f"nothing says what {weights.name} calls {count}, so that they are numbered: put the "
        f"names, one a line, into {weights.stem}.names beside it"
    )
    others = [
        f"{path.name} of {len(_lines(path))} names" for path in _beside(weights.parent, "*.names")
    ]
    others += [path.name for path in _beside(weights.parent, "*.data")]
    if others:
        text += f"; there are {', '.join(others[:_MENTIONED])}"
    return text


def known_classes(names: Sequence[str], classes: Sequence[str]) -> str:
    """Which classes had a name in the weights, in words."""
    known = [name for name in classes if name in set(names)]
    new = [name for name in classes if name not in set(names)]
    text = f"classes known to the weights: {', '.join(known) or 'none'}"
    return text + (f"; new: {', '.join(new)}" if new else "")
