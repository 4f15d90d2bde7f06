"""What disk the labels lie on: on one of another machine, SQLite's write-ahead log is not safe.

The log's index is shared memory, which two machines do not share: each would write as if it were
alone (sqlite.org/wal.html). There a rollback journal is kept instead, whose locks a network's file
system has, as far as it has any.
"""

import re
from pathlib import Path, PurePosixPath

from viewfinder.reading import read_bytes

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ceph|lustre|gpfs|beegfs\w*|ocfs2|gfs2|9p|virtiofs|vboxsf|vmhgfs|prl_fs|"
    r"drvfs|davfs\w*|ncpfs|fuse\.(?!fuseblk|ntfs|exfat).+"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def disk_of(path: Path, mounts: str | None = None) -> tuple[str, str]:
    """Of the disk that a path lies on, the type of its file system and its options.

    Args:
        mounts: the lines of Linux's `/proc/self/mountinfo`; this machine's if not given.

    Returns:
        two empty texts where that is not known, as on macOS and Windows.
    """
    if mounts is None:
        try:
            mounts = read_bytes(_MOUNTS).decode("utf-8", "surrogateescape")
        except OSError:
            return "", ""
    place = PurePosixPath(path.resolve())
    found, longest = ("", ""), -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        words, described = before.split(" "), after.split(" ")
        if len(words) < 6 or len(described) < 3:
            continue
        point = PurePosixPath(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4]))
        # Of two at one place the later hides the earlier.
        if place.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = (described[0], f"{words[5]},{described[2]}"), len(point.parts)
    return found


def is_of_another_machine(kind: str) -> bool:
    """Whether a file system of this type may be written by two machines at once."""
    return bool(_NETWORK.fullmatch(kind))


def caution_of(path: Path, mounts: str | None = None) -> str:
    """What to know of the disk that labels lie on, in a sentence; nothing of most."""
    kind, options = disk_of(path, mounts)
    if is_of_another_machine(kind):
        return (
            f"the labels lie on a disk of another machine ({kind}): label from one machine at a "
            "time, or keep them in PostgreSQL with --database"
        )
    if "volatile" in options.split(","):
        return (
            f"the disk of the labels ({kind}, mounted as volatile) keeps nothing through a loss of "
            "power: put the folder on another"
        )
    return ""
