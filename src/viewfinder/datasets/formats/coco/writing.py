"""What a COCO file is written of: a row for each picture and class, in the format's own keys."""

from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict

COMPOSED = "its scenes are composed of the same objects, which flatters scores on them"
"""What is said of a set of composed scenes, and stands in its files as their description."""


class CocoDocument(TypedDict):
    """What a COCO file says: each list's objects as the format names their keys."""

    info: NotRequired[dict[str, object]]
    images: list[dict[str, object]]
    annotations: list[dict[str, object]]
    categories: list[dict[str, object]]


def image_row(number: int, name: str, size: Sequence[int]) -> dict[str, object]:
    """A picture; `size` is its width and height in pixels."""
    width, height = map(int, size)
    return {"id": number, "file_name": name, "width": width, "height": height}


def category_rows(
    classes: Sequence[str], ids: Iterable[int] | None = None
) -> list[dict[str, object]]:
    """The classes with their numbers, which are 1, 2, … where none are given."""
    numbers = range(1, len(classes) + 1) if ids is None else ids
    return [{"id": number, "name": name} for number, name in zip(numbers, classes, strict=True)]
