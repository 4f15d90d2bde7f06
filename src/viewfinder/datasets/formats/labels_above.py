"""A folder within a set: the labels that the studio keeps of the set count there too.

They lie in the set's own folder, or that says in which server they are, and so nobody who is given
a folder within would come upon them. The nearest set counts; a folder that has labels of its own is
no folder within another.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.label_server import DATABASE, served_at, server_of
from viewfinder.datasets.formats.label_store import asked_of, store_file
from viewfinder.datasets.formats.stored_classes import Ask
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import given
from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_below

# Folders up to which one is looked for: more than anybody's SET/a/b/c/train/images/day.
_UP = 12


def labelled_above(place: Path, *, itself: bool = False) -> Path | None:
    """The nearest folder above a folder or a file that has labels of the studio, where that has
    none itself.

    Args:
        itself: what has labels itself is given too.
    """
    for own in _ways(place):
        found = next((each for each in (own, *own.parents[:_UP]) if has_labels(each)), None)
        if found is not None and (itself or found != own):
            return found
    return None


def _ways(place: Path) -> list[Path]:
    """Where a folder lies: as it is named, and without links, which may lead into a set."""
    plain, real = Path(os.path.abspath(place)), Path(os.path.realpath(place))  # noqa: PTH100
    return [plain] if plain == real or has_labels(plain) else [plain, real]


def above_in_words(place: Path) -> str:
    """What to know of the studio's labels where a file of labels within a set is read; nothing
    where it keeps none."""
    top = labelled_above(place)
    if top is None:
        return ""
    if (server := server_of(top)) is not None:
        return f"newer labels of {top} may be in {server}, and are not read here"
    return f"the labels edited in the studio are read by naming the folder: {top}"


def set_of(folder: Path, *, itself: bool = False) -> Path | None:
    """The set above a folder whose pictures the studio's labels of that set are about; None where
    there is none.

    Args:
        itself: the folder may be that set.

    Raises:
        InputError: the labels are in a server that the environment does not name, or cannot be
            read.
    """
    top = labelled_above(folder, itself=itself)
    if top is None:
        return None
    with _asked(top) as ask:
        if _kind(ask) == "masks":  # whose files are what is read
            return None
        rows = ask(f"SELECT path FROM picture WHERE removed = 0 AND id < {SECOND}")
        own = next(way for way in _ways(folder) if way.is_relative_to(top))
        below = "" if own == top else own.relative_to(top).as_posix() + "/"
        known = any(given(str(path)).startswith(below) for (path,) in rows)
    return top if known or next(iter(pictures_below(folder)), None) is None else None


def refuse_within(folder: Path, *, itself: bool = False) -> None:
    """Refuse to take a folder for a set of its own whose labels the studio keeps with those of the
    set that it lies in.

    Args:
        itself: nor may it be such a set, as it is read as part of another.

    Raises:
        InputError: it is one, and labels were edited there; or these cannot be read.
    """
    top = labelled_above(folder, itself=itself)
    if top is None:
        return
    server = server_of(top)
    # Of a server that nobody named it is not known which pictures its labels are of.
    if (server is None or os.environ.get(DATABASE)) and not _edited(folder, itself=itself):
        return
    where = server or top / HIDDEN / STUDIO
    lies = (
        f"{folder} is a set, whose"
        if top == folder.absolute()
        else f"{folder} lies in {top}, whose"
    )
    raise InputError(
        f"{lies} labels are kept in {where}, and what files here say may be "
        f"older: give {top}; or *Export* its labels on the page of `viewfinder label "
        f"{quote(str(top))}`, and give that new folder"
    )


def _edited(folder: Path, *, itself: bool) -> bool:
    """Whether a person changed labels of the set above, to which a folder belongs."""
    top = set_of(folder, itself=itself)
    if top is None:
        return False
    with _asked(top) as ask:
        return bool(ask("SELECT 1 FROM change WHERE kind <> 'proposal' LIMIT 1"))


def kind_kept(top: Path) -> str:
    """What the studio's labels of a set are of: boxes, classes or masks; nothing before that is
    known.

    Raises:
        InputError: as `set_of` does.
    """
    with _asked(top) as ask:
        return _kind(ask)


def _kind(ask: Ask) -> str:
    kind = ask("SELECT value FROM meta WHERE key = 'kind'")
    return str(kind[0][0]) if kind else ""


def has_labels(folder: Path) -> bool:
    """Whether the studio keeps labels of a folder, in it or in a server."""
    return server_of(folder) is not None or store_file(folder) is not None


@contextlib.contextmanager
def _asked(top: Path) -> Iterator[Ask]:
    """What asks one moment of a set's labels, wherever they are."""
    if (url := served_at(top)) is not None:
        from viewfinder.datasets.formats.postgres import one_moment  # it imports SQLAlchemy

        with one_moment(url) as (ask, _):
            yield ask
        return
    file = store_file(top)
    assert file is not None, "it has labels"
    with asked_of(top, file) as ask:
        yield ask
