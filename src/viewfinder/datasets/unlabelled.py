"""Pictures without labels beside a set: those of a folder that are none of the set's own."""

from collections.abc import Collection
from pathlib import Path

from viewfinder.datasets.digests import of_files, short
from viewfinder.datasets.presence import look_at_glance
from viewfinder.errors import InputError, PictureError
from viewfinder.events import note
from viewfinder.pictures.finding import pictures_below
from viewfinder.wording import counted


def unlabelled_pictures(
    place: str, *, learnt: Collection[str], held_out: Collection[str] = ()
) -> list[tuple[Path, bytes]]:
    """The pictures below a folder that can be learnt from without labels, each with its digest.

    Those that cannot be read are passed over, and those that are to judge are left out, whatever
    they are called there; notes say how many.

    Args:
        place: the folder, as `--unlabelled` names it.
        learnt: digests, as `digests.short` has them, of pictures that have labels.
        held_out: those of pictures by which a training is chosen or judged.

    Raises:
        InputError: there is no such folder, or no such picture in it.
    """
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise InputError(f"--unlabelled {place} is no folder: give one with pictures")
    files = [folder / name for name in pictures_below(folder)]
    if not files:
        raise InputError(f"--unlabelled {place} has no pictures: give a folder that has some")
    pairs = list(zip(files, of_files(files), strict=True))
    new = [(file, key) for file, key in pairs if short(key) not in learnt]
    free = [(file, key) for file, key in new if short(key) not in held_out]
    if len(free) < len(new):
        one = len(new) - len(free) == 1
        note(
            f"of the pictures in --unlabelled {place} {len(new) - len(free):,} "
            f"{'is one' if one else 'are'} that the set holds out to judge by: left out"
        )
    found = _readable(free, place)
    if not found:
        kind = "that can be read" if free else "but those of the set itself"
        raise InputError(f"--unlabelled {place} has no pictures {kind}: give a folder with others")
    return found


def _readable(pairs: list[tuple[Path, bytes]], place: str) -> list[tuple[Path, bytes]]:
    """Those that can be read, at a glance."""
    found, errors = [], []
    for file, key in pairs:
        try:
            look_at_glance(file)
            found.append((file, key))
        except PictureError as error:
            errors.append(str(error))
    if errors:
        note(
            f"passed over {counted(len(errors), 'picture')} in --unlabelled {place} that cannot be "
            f"read: {errors[0]:.200}{' …' if len(errors) > 1 else ''}"
        )
    return found
