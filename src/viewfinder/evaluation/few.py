"""Behind a figure, that it is of too few pictures to tell two nets apart."""

from collections.abc import Mapping

from viewfinder.evaluation.split_scores import enough
from viewfinder.values import as_table, as_whole


def too_few(images: int, worth: float | None = None) -> str:
    """`, too few to tell` behind a number of pictures that tell no two nets apart, or nothing.

    Args:
        worth: as many pictures as they, or the objects in them, are worth; themselves if None.
    """
    return "" if enough(images, images if worth is None else worth) else ", too few to tell"


def too_few_in(figures: Mapping[str, object]) -> str:
    """The same of a split's scores as JSON has them.

    Raises:
        ValueError: they are of another form.
    """
    rows = [as_table(row) for row in as_table(figures.get("per_class", {})).values()]
    boxes = [as_whole(row["boxes"]) for row in rows if "boxes" in row]
    return too_few(as_whole(figures["images"]), sum(boxes) if boxes else None)
