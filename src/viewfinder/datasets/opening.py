"""Opening a data set, whatever its layout: the layout is recognised, and said."""

import os
from pathlib import Path

from viewfinder.datasets.class_folders import is_class_folders, open_class_folders
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError

TABLETOP = "tabletop"
VAL_SHARE = 0.1


def open_dataset(source: str | Path, *, val_share: float = VAL_SHARE) -> Dataset:
    """Read what a folder holds, without opening any picture.

    Args:
        source: a folder of class folders, with or without `train/`, `val/`, `test/`; or the word
            `tabletop`, the embedded set, which is rendered once and kept in the cache.
        val_share: share of the training pictures that becomes `val` where the folder has none.

    Raises:
        InputError: no such folder, an unknown layout, no pictures, or only one class.
    """
    if str(source) == TABLETOP:
        # The renderer is only needed by those who ask for the embedded set.
        from viewfinder.datasets.tabletop.embedded import embedded_classes

        return open_class_folders(embedded_classes(cache_folder()), val_share=val_share)
    root = Path(source).expanduser()
    if not root.exists():
        raise InputError(f"there is no folder {root}: give a folder of pictures, or `{TABLETOP}`")
    if not root.is_dir():
        raise InputError(f"{root} is a file: give the folder that holds the pictures")
    if not is_class_folders(root) and not any(map(is_class_folders, _visible_folders(root))):
        raise InputError(
            f"{root} is no data set that is known here: put each class's pictures into a folder "
            f"with the class's name, such as {root / 'cat' / '1.jpg'}"
        )
    return open_class_folders(root, val_share=val_share)


def cache_folder() -> Path:
    """Where decoded and rendered pictures are kept: `$VIEWFINDER_CACHE`, or the user's cache."""
    if named := os.environ.get("VIEWFINDER_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "viewfinder"


def _visible_folders(root: Path) -> list[Path]:
    return [f for f in root.iterdir() if f.is_dir() and not f.name.startswith(".")]
