"""The categories of a COCO file: which there are, and which of them are one class."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.coco.rows import AnnotationRows
from viewfinder.datasets.formats.json_columns import identities, text_of
from viewfinder.datasets.formats.large_json import Objects
from viewfinder.errors import InputError
from viewfinder.values import as_tables


def with_names(
    used: NDArray[np.int64], categories: Mapping[int, str], texts: Mapping[str, int]
) -> NDArray[np.int64]:
    """The boxes' classes; those that give a category's name in the place of its number too."""
    numbers = {name: number for number, name in reversed(list(categories.items()))}
    for text, stands_for in texts.items():
        if stands_for not in categories and text.strip() in numbers:
            used = np.where(used == stands_for, numbers[text.strip()], used)
    return used


def groups_in(listed: Objects) -> frozenset[str]:
    """Categories that only stand above others: Roboflow lists such a one first."""
    above = {str(item.get("supercategory")) for item in listed}
    tops = (str(i.get("name")) for i in listed if i.get("supercategory") in (None, "", "none"))
    return frozenset(above.intersection(tops))


def same_names(name: str, categories: dict[int, str], used: set[int]) -> list[Fault]:
    """Categories with boxes that share their name, and so are one class."""
    counts = Counter(category for number, category in categories.items() if number in used)
    return [
        Fault("same-name", name, f"{count} of its categories are called {category!r}, and are read "
              "as one class", "give each its own name, or one number")
        for category, count in counts.items()
        if count > 1
    ]  # fmt: skip


def listed_in(categories: object, where: str) -> Objects:
    try:
        return as_tables(categories)
    except ValueError:
        raise InputError(
            f"{where} has no list of categories, so its boxes have no classes: export it with them"
        ) from None


def categories_in(listed: Objects, rows: AnnotationRows, used: set[int]) -> dict[int, str]:
    rows.count_unread(listed, {"id", "name"}, "categories")
    where = f"{rows.where}: a category"
    ids = identities(listed, "id", where, rows.texts["class"]).tolist()
    names = [text_of(item, "name", where).strip() for item in listed]
    twice = [number for number, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(
            f"{rows.where}: two categories have the same number, {twice[0]!r}: give each its own"
        )
    # Two categories of one name are one class. Roboflow, for one, lists its classes' group first,
    # often by the name of a class, and has no box of it: the number that boxes have comes first.
    pairs = sorted(zip(ids, names, strict=True), key=lambda pair: pair[0] not in used)
    order = {name: place for place, name in reversed(list(enumerate(names)))}
    return dict(sorted(pairs, key=lambda pair: order[pair[1]]))
