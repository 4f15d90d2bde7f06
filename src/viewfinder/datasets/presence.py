"""Pictures that labels name and that do not lie in the set's folder."""

from collections.abc import Iterable

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.survey import Survey
from viewfinder.errors import InputError
from viewfinder.wording import counted, some


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
