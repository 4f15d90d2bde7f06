"""Detections in text files: YOLO's, one a picture, or the VOC devkit's, one a class."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.datasets.formats.yolo.label_files import is_class_list
from viewfinder.datasets.formats.yolo.lists import classes_beside
from viewfinder.errors import InputError
from viewfinder.scoring.box_meaning import YOLO, sizes_of
from viewfinder.scoring.box_rows import BoxRows, floats, is_number, trailing_numbers
from viewfinder.scoring.named import by_names
from viewfinder.scoring.pairing import pair
from viewfinder.wording import counted, some


def read_texts(folder: Path, truth: Dataset) -> BoxRows:
    """YOLO's text files, one a picture; or VOC's, one a class."""
    found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.txt"))
    files = [file for file in found if not is_class_list(PurePosixPath(file).name)]
    if not files:
        raise InputError(f"{folder} holds no .txt file of detections")
    by_class = {file: name for file in files if (name := _class_of(file, truth.classes))}
    if len(by_class) == len(files):
        return _voc(folder, by_class, truth)
    paired = pair(truth.paths, files, where=str(folder), answer="file", truth="picture")
    rows = BoxRows(notes=paired.naming("file", "picture"))
    if paired.surplus:
        count = counted(len(paired.surplus), "file")
        rows.notes.append(f"{count} of no picture, left out: {some(list(paired.surplus))}")
    rows.answered |= set(paired.answers)
    listed = classes_beside(folder)
    names = listed[1] if listed else truth.classes
    read = _Yolo(rows, names)
    of_size = dict(zip(truth.paths, map(tuple, sizes_of(truth).tolist()), strict=True))
    for picture, file in paired.answers.items():
        for number, line in enumerate(read_text(folder / file).splitlines(), 1):
            if words := line.split():
                read.line(words, picture, of_size[picture], f"{folder / file}, line {number}")
    if read.numbered:
        rows.meaning = YOLO
        if listed:
            rows.notes.append(f"classes are numbered as {listed[0]} lists them: {some(names)}")
        elif truth.layout != "YOLO":
            rows.notes.append(
                f"class 0 is taken for the first class of the set, {names[0]}; a classes.txt "
                "beside the text files would say otherwise"
            )
    return rows


@dataclass
class _Yolo:
    """Lines of text files: `class x y w h score` in shares, or `name score x1 y1 x2 y2` in pixels,
    either without a score too.

    Attributes:
        numbered: how many have a class's number, and shares.
    """

    rows: BoxRows
    names: Sequence[str]
    numbered: int = 0

    def line(self, words: Sequence[str], picture: str, size: tuple[int, int], where: str) -> None:
        if len(words) >= 5 and not is_number(words[0]):
            name, score, edges = _named(words, where)
            self.rows.add(picture, name, score, edges)
            return
        if len(words) not in (5, 6):
            raise InputError(
                f"{where}: {' '.join(words)[:60]!r} is no detection: write class x y width height "
                "score, as shares of the picture, or name score x1 y1 x2 y2, in pixels"
            )
        label, x, y, width, height, *sure = floats(words, where)
        if not all(-1 <= value <= 2 for value in (x, y, width, height)):
            raise InputError(
                f"{where}: x, y, width and height are shares of the picture's sides, in [0, 1]"
            )
        self.numbered += 1
        name = self.names[int(label)] if 0 <= label < len(self.names) else f"class {label:g}"
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        box = [value * side for value, side in zip(corners, size * 2, strict=True)]
        self.rows.add(picture, name, sure[0] if sure else None, box)


def _named(words: Sequence[str], where: str) -> tuple[str, float | None, list[float]]:
    """The name, score and corners of a line of these, a name of any number of words."""
    _refuse_shares(words, where)
    if len(words) > 4 and trailing_numbers(words, 5) == 4:
        return " ".join(words[:-4]), None, floats(words[-4:], where)
    score, *edges = floats(words[-5:], where)
    if not 0 <= score <= 1 and 0 <= edges[-1] <= 1:
        raise InputError(
            f"{where}: its numbers look like x1 y1 x2 y2 score: write score x1 y1 x2 y2 behind the "
            "name"
        )
    return " ".join(words[:-5]), score, edges


def _refuse_shares(words: Sequence[str], where: str) -> None:
    """Refuse a class's name before shares, which stand behind its number only.

    Raises:
        InputError: the four or five numbers are within [0, 1], and not all are whole.
    """
    count = trailing_numbers(words, 5)
    numbers = floats(words[len(words) - count :], where)
    if count >= 4 and all(0 <= each <= 1 for each in numbers) and any(n % 1 for n in numbers[:4]):
        name = " ".join(words[:-count])
        raise InputError(
            f"{where}: its class is a name, {name}, and its numbers are shares of the picture: "
            "write class x y width height score with the class's number, or name score x1 y1 x2 "
            "y2 in pixels"
        )


def _class_of(file: str, classes: Sequence[str]) -> str | None:
    """The class that a file of VOC's results is of, such as comp4_det_test_cat.txt."""
    stem = PurePosixPath(file).stem
    fits = [name for name in classes if stem == name or stem.endswith(f"_{name}")]
    return max(fits, key=len, default=None)


def _voc(folder: Path, files: dict[str, str], truth: Dataset) -> BoxRows:
    """`picture score x1 y1 x2 y2` in lines, in pixels counted from 1, both ends within."""
    listed: list[tuple[str, str, float | None, list[float]]] = []
    for file, name in files.items():
        for number, line in enumerate(read_text(folder / file).splitlines(), 1):
            words, where = line.split(), f"{folder / file}, line {number}"
            if words and len(words) < 5:
                raise InputError(
                    f"{where}: VOC's results are lines of picture, score, xmin, ymin, xmax and ymax"
                )
            if words:
                # A picture's name may be a number itself.
                picture, score, edges = (
                    (words[0], None, floats(words[1:], where))
                    if len(words) == 5
                    else _named(words, where)
                )
                listed.append((picture, name, score, edges))
    pictures = [picture for picture, *_ in listed]
    named = by_names(truth.paths, list(dict.fromkeys(pictures)), where=str(folder))
    told = "VOC's results are in pixels counted from 1: x1 = xmin - 1"
    paired, rows = named.of, BoxRows(notes=[told, *named.notes])
    for picture, name, score, (x1, y1, x2, y2) in listed:
        if picture in paired:
            rows.add(paired[picture], name, score, (x1 - 1, y1 - 1, x2, y2))
    rows.tell_strange(Counter(picture for picture in pictures if picture not in paired))
    return rows
