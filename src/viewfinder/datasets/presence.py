"""Pictures that labels name and that do not lie in the set's folder, or that cannot be read."""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.survey import Survey
from viewfinder.errors import InputError, PictureError
from viewfinder.pictures.quick_headers import quick_measure
from viewfinder.pictures.reading import look_at_picture, read_header
from viewfinder.pictures.wholeness import ends_well
from viewfinder.wording import counted, some

# Of larger sets the rest is seen when it is learnt from.
_LOOKED_AT = 2_000


def absent(seen: Survey, paths: Iterable[str]) -> list[str]:
    """A note on how many are not there, or nothing."""
    gone = [path for path in paths if path not in seen.pictures.paths]
    if not gone:
        return []
    return [f"{counted(len(gone), 'labelled picture')} not there ({some(gone, 2):.120})"]


def none_there(seen: Survey, paths: tuple[str, ...], file: str) -> list[Fault]:
    """The fault that none of a file's pictures is there, or nothing."""
    if not paths or any(path in seen.pictures.paths for path in paths):
        return []
    detail = f"of {counted(len(paths), 'picture')} that it names none is in {seen.root}"
    fix = f"bring them into it, as {paths[0]:.80}"
    return [Fault("no-pictures", file, detail, fix, blocking=True)]


def require_present(dataset: Dataset) -> None:
    """See that every picture that a set's labels name is there, before any is read.

    Raises:
        InputError: some are not.
    """
    gone = [path for index, path in enumerate(dataset.paths) if not dataset.file(index).exists()]
    if gone:
        named = "is" if len(gone) == 1 else "are"
        raise InputError(
            f"{dataset.root}: {counted(len(gone), 'picture')} of {len(dataset):,} that labels name "
            f"{named} not there ({some(gone, 2):.200}): bring back what `viewfinder check` calls "
            "missing, or remove its labels"
        )


def require_readable(dataset: Dataset) -> None:
    """See that pictures can be read, at a glance: their beginnings, and of those whose end is
    missing all.

    Raises:
        PictureError: one cannot be.
    """
    for index in range(min(len(dataset), _LOOKED_AT)):
        look_at_glance(dataset.file(index))


def look_at_glance(file: Path) -> None:
    """See that a picture can be read by its beginning, and where its end is missing by all of it.

    Raises:
        PictureError: it cannot be.
    """
    if quick_measure(str(file)) is None:
        read_header(file)
    if not ends_well(file):
        look_at_picture(file, name=str(file))


@contextmanager
def pointing_to_check(dataset: Dataset, data: str | Path) -> Iterator[None]:
    """Say of a picture that cannot be read how to find all that cannot.

    Args:
        data: what the set was opened by.
    """
    try:
        yield
    except PictureError as error:
        if str(dataset.root) not in str(error):
            raise
        raise InputError(
            f"{error} (`viewfinder check {shlex.quote(str(data))}` names every picture that cannot "
            "be read)"
        ) from error
