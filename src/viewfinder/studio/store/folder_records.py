"""What is found of a folder's files, besides what is in them; `records` has the rest."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class UnreadLabels:
    """A file of labels that could not be read, or not all of it.

    Attributes:
        why: the file, what is wrong and what to do, in a sentence.
        pictures: those that wait for it: they are edited once it is read.
        held: those that have other labels, so that it is not taken in.
    """

    file: str
    why: str
    pictures: tuple[int, ...]
    held: tuple[int, ...] = ()


@dataclass(frozen=True)
class DiskReport:
    """What became of the pictures' files since they were last looked at; paths of pictures.

    Attributes:
        moved: from, to.
        read: files of labels that could not be read before, and are now.
        unread: sentences on those that are others now, and still cannot be read.
        late: pictures that came later, or were on no list, whose labels are read now.
        remarks: sentences on those that are read, or were before, and what to see to.
    """

    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    found_again: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(asdict(self).values())
