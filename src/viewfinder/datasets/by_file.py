"""A set of boxes by its file of labels, which a person named in the place of its folder."""

import os
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.reading import read_coco
from viewfinder.datasets.formats.other_tools import refuse_other_tools
from viewfinder.datasets.formats.yolo.label_files import is_class_list
from viewfinder.datasets.formats.yolo.reading import read_yolo
from viewfinder.datasets.locating import PictureIndex
from viewfinder.datasets.survey import Survey, speaks_of, survey
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folders_in


def read_file(file: Path) -> Dataset:
    """A set by its file of labels.

    Raises:
        InputError: it is no such file, is damaged, or leaves out what it must say.
    """
    suffix = file.suffix.lower()
    if suffix == ".json":
        return _read_json(file)
    if suffix in (".yaml", ".yml", ".data") or is_class_list(file.name):
        return read_yolo(survey(file.parent), file)
    raise InputError(f"{file} is a file: give the folder that holds the pictures")


def _read_json(file: Path) -> Dataset:
    """A set by its JSON file: the pictures lie below its folder, or beside that."""
    plain = Path(os.path.abspath(file))  # noqa: PTH100 - a link's own place is where its set is
    if not speaks_of(plain, '"images"', '"annotations"'):
        refuse_other_tools(Survey(plain.parent, PictureIndex(()), {".json": (plain.name,)}))
    roots = [plain.parent, plain.parent.parent]
    if plain.parent.name.lower() == "annotations":
        roots.reverse()
    first = read_coco(survey(roots[0]), [plain])
    some = [first.file(index) for index in range(min(len(first), 20))]
    absent = [file.name for file in some if not file.is_file()]
    if not absent or not _lie_below(roots[1], absent):
        return first
    return read_coco(survey(roots[1]), [plain])


def _lie_below(folder: Path, names: list[str]) -> bool:
    """Whether a folder, or one within it, holds a file of one of these names."""
    places = [folder, *folders_in(folder)]
    return any((place / name).is_file() for place in places for name in names)
