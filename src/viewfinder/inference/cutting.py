"""What is made of a picture and the map of its subject: files for people and for other programs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.writing import write_cut_out, write_map, write_picture

OVERLAYS, CUTOUTS = "overlays", "cutouts"


def write_subject(
    folder: Path,
    name: str,
    picture: NDArray[np.uint8],
    values: NDArray[np.float32],
    *,
    overlay: NDArray[np.uint8],
) -> dict[str, str]:
    """Write the map, the picture with its subject drawn on it, and the subject cut out.

    The maps stand by themselves under the pictures' own names, as programs that score maps look for
    them; overlays and cut-outs in folders of their own.

    Args:
        name: what the files are called, perhaps with folders before it.
        picture: H×W×3.
        values: H×W in [0, 1]; the cut-out is as opaque, so that fine edges stay soft.
        overlay: H×W×3, the picture with its subject drawn on it.

    Returns:
        the names of the files: `map`, grey PNG, 255 where the subject is surest; `overlay`, JPEG;
        `cutout`, PNG with transparency.
    """
    names = {
        "map": f"{name}.png",
        "overlay": f"{OVERLAYS}/{name}.jpg",
        "cutout": f"{CUTOUTS}/{name}.png",
    }
    for file in names.values():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    write_map(folder / names["map"], values)
    write_picture(folder / names["overlay"], overlay)
    write_cut_out(folder / names["cutout"], picture, values)
    return names
