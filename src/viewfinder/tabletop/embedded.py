"""The embedded set: tabletop with its defaults, rendered once and kept."""

from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.tabletop.options import ClassOptions
from viewfinder.tabletop.rendered_sets import SplitCounts, write_classes

# Counted up whenever the pictures change, so that no cache keeps old ones.
EDITION = 1


def embedded_classes(cache: Path) -> Path:
    """The folder in `cache` that holds the class pictures, rendered now if it is not there.

    It has 150 pictures of each class to train on, 30 to validate and 30 to test.

    Raises:
        InputError: `cache` cannot be written.
    """
    folder = cache / f"tabletop-classes-{EDITION}"
    if folder.is_dir():
        return folder
    note(f"rendering the embedded set into {folder}, once")
    try:
        write_classes(folder, counts=SplitCounts(), seed=0, options=ClassOptions())
    except InputError:
        # Two programs may begin at once; the folder of the first to end serves both.
        if not folder.is_dir():
            raise
    return folder
