"""What lies in the folder of a demo, for whoever opens it; without torch."""

from pathlib import Path

from viewfinder.datasets.editing.transaction import HIDDEN, SERVED, STUDIO
from viewfinder.errors import InputError

MARK = "demo.json"
FRAMES = "frames"


def labelled_of(folder: Path) -> Path:
    """The set that a person can label: of a demo's folder its frames, else the folder itself.

    Raises:
        InputError: nothing in the folder can be looked at.
    """
    try:
        demo = (folder / MARK).is_file() and (folder / FRAMES).is_dir()
    except PermissionError as error:
        raise InputError(
            f"{folder} cannot be opened ({error.strerror}): see that your account may read it, and "
            "write there"
        ) from None
    return folder / FRAMES if demo else folder


def refuse_labelled(folder: Path) -> None:
    """Keep a demo from being replaced whose frames were opened in the studio.

    Raises:
        InputError: they were, and a person's labels may be among theirs.
    """
    if any((folder / FRAMES / HIDDEN / name).exists() for name in (STUDIO, SERVED)):
        raise InputError(
            f"{folder / FRAMES} was opened in the studio and may hold labels of yours: give "
            "another --out, or move it away"
        )
