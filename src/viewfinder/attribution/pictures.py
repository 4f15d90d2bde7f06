"""Heat maps as pictures in a folder."""

from collections.abc import Sequence
from pathlib import Path

from viewfinder.attribution.neighbours import nearest_sheet
from viewfinder.attribution.page import drawn
from viewfinder.attribution.reason import Reasons
from viewfinder.files import new_folder
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.model import ModelConfig


def write_maps(out: Path, found: Sequence[Reasons], config: ModelConfig) -> None:
    """Write each answer's heat map on its picture into the new folder `out`, numbered; and of each
    picture a sheet of what was learnt that is most like it, or like each box.

    Args:
        config: of the model that was asked.

    Raises:
        InputError: `out` exists and is not empty, or cannot be written.
    """
    digits = len(str(len(found)))
    with new_folder(out) as folder:
        for number, each in enumerate(found, start=1):
            # A name may be as long as the disk allows already; the number tells them apart.
            name = f"{number:0{digits}}-{Path(each.source).stem[:50]}"
            for place, reason in enumerate(each.reasons, start=1):
                if reason.heat is not None:
                    picture = drawn(each.picture, reason.heat.at_size(), reason.question)
                    write_picture(folder / f"{name}-{place}.png", picture)
                if reason.nearest:
                    sheet = nearest_sheet(reason.nearest, config)
                    write_picture(folder / f"{name}-{place}-nearest.png", sheet)
            if each.nearest:
                write_picture(folder / f"{name}-nearest.png", nearest_sheet(each.nearest, config))
