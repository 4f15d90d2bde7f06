"""A page of pictures in an order, each with a line below, in which nothing is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.evaluation.templating import environment_of
from viewfinder.features.describing import Part
from viewfinder.files import write_text
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url

_SIDE = 320


@dataclass(frozen=True)
class PageEntry:
    """A picture, or a part of one, and what stands below it."""

    part: Part
    name: str
    says: str = ""


def write_picture_page(
    file: Path, title: str, says: str, shown: Sequence[PageEntry], *, asked: PageEntry | None = None
) -> None:
    """Write it.

    Args:
        says: what the order is, in a sentence or two.
        asked: the picture that the others were found for, if there is one.

    Raises:
        InputError: a picture cannot be read, or the page cannot be written.
    """
    template = environment_of("viewfinder.labelling").get_template("pictures.html.jinja")
    content = {
        "title": title,
        "says": says,
        "shown": [_content(each) for each in shown],
        "asked": None if asked is None else _content(asked),
    }
    write_text(file, template.render(content))


def _content(shown: PageEntry) -> dict[str, str]:
    picture = read_picture(shown.part.file)
    if shown.part.box is not None:
        x1, y1, x2, y2 = (max(0, round(side)) for side in shown.part.box)
        picture = picture[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    return {
        "url": picture_url(at_side(picture, min(_SIDE, max(picture.shape[:2])))),
        "name": shown.name,
        "says": shown.says,
    }
