"""Predictions, drawn on copies of their pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viewfinder.files import new_folder
from viewfinder.pictures.drawing import contact_sheet
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture

# Sides in pixels that a caption is legible beside and a screen can show.
_SMALLEST, _LARGEST = 160, 1200


def draw_predictions(predictions: Sequence[dict[str, Any]], out: Path) -> None:
    """Write each picture with its answer on it into the new folder `out`, numbered in order.

    Raises:
        InputError: `out` exists and is not empty, or cannot be written.
    """
    digits = len(str(len(predictions)))
    with new_folder(out) as folder:
        for number, prediction in enumerate(predictions, start=1):
            source = Path(prediction["source"])
            picture = read_picture(source)
            label = prediction["label"]
            caption = f"{label} {prediction['scores'][label]:.0%}"
            side = min(_LARGEST, max(_SMALLEST, *picture.shape[:2]))
            drawn = contact_sheet([picture], columns=1, cell=side, captions=[caption])
            # A name may be as long as the disk allows already; the number tells them apart.
            write_picture(folder / f"{number:0{digits}}-{source.stem[:50]}.jpg", drawn)
