"""Names that other programs gave a set's pictures: whole paths, names alone, or stems."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from viewfinder.errors import InputError
from viewfinder.pictures.finding import is_picture
from viewfinder.scoring.pairing import pair


@dataclass(frozen=True)
class Named:
    """Which picture is meant by each name.

    Attributes:
        of: the picture's path by the name; names of no picture are not there.
        notes: what the names have beside the pictures', in words.
    """

    of: dict[str, str]
    notes: tuple[str, ...] = ()


def by_names(pictures: Sequence[str], names: Sequence[str], *, where: str) -> Named:
    """The picture of each name that belongs to one.

    Args:
        pictures: paths in the set.
        names: as another program wrote them, each once.

    Raises:
        InputError: not one name is a picture's, or two pictures may be meant.
    """
    known = set(pictures)
    if not names or all(name in known for name in names):
        return Named({name: name for name in names})
    paths = {name: name.replace("\\", "/") for name in names}
    short = {PurePosixPath(path).name: name for name, path in paths.items()}
    last = {PurePosixPath(path).name: path for path in pictures}
    stems = {PurePosixPath(path).stem.casefold() for path in pictures}
    # Where no two pictures have the same name, folders say nothing more.
    if len(stems) < len(pictures) or len(short) < len(names):
        short = {path: name for name, path in paths.items()}
        last = {path: path for path in pictures}
    try:
        paired = pair(
            list(last), list(short), where=where, answer="name", truth="picture", stem=_stem
        )
    except InputError:
        _refuse_ambiguous(pictures, paths.values(), where)
        raise
    _refuse_ambiguous(pictures, paired.surplus, where)
    found = {short[name]: last[path] for path, name in paired.answers.items()}
    return Named(found, tuple(paired.naming("name", "picture")))


def _refuse_ambiguous(pictures: Sequence[str], names: Iterable[str], where: str) -> None:
    """Refuse names without a folder that several pictures have.

    Raises:
        InputError: there is one.
    """
    stems = Counter(PurePosixPath(path).stem.casefold() for path in pictures)
    for name in names:
        count = stems[_stem(name).casefold()]
        if count > 1:
            raise InputError(
                f"{where}: {name} is the name of {count:,} pictures; write the folder too"
            )


def _stem(path: str) -> str:
    """A stem may have dots; where no picture's ending stands, nothing is to be cut off."""
    return str(PurePosixPath(path).with_suffix("")) if is_picture(path) else path
