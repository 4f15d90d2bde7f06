"""`frames.json`: which frame of which video each picture of a folder is.

Frames of one video show nearly the same, so they belong in one split; this file beside
the pictures is how a data set knows them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath, PurePosixPath

from viewfinder.datasets.formats.large_json import explained_json, read_text
from viewfinder.errors import InputError
from viewfinder.files import write_json

FRAME_LIST = "frames.json"
_SCHEMA = "viewfinder frames 1"
_MOST = 10**12  # frames or seconds; no video has as many


@dataclass(frozen=True)
class FrameOrigin:
    """Where a picture comes from.

    Attributes:
        video: the video's file name.
        frame: its number there, from 0.
        seconds: when it is shown, from the video's start.
    """

    video: str
    frame: int
    seconds: float


def write_frame_list(folder: Path, origins: Mapping[str, FrameOrigin]) -> None:
    """Write the origin of each picture of `folder`, by file name."""
    rows = [{"file": name, **asdict(origin)} for name, origin in origins.items()]
    write_json(folder / FRAME_LIST, {"schema": _SCHEMA, "frames": rows})


def read_frame_list(folder: Path) -> dict[str, FrameOrigin]:
    """The origin of each picture of `folder`, by file name; nothing where there is no such list.

    Raises:
        InputError: the list is damaged. A `frames.json` that another program wrote is passed over.
    """
    file = folder / FRAME_LIST
    if not file.is_file():
        return {}
    text = read_text(file)
    if _SCHEMA.split()[0] not in text:
        return {}
    with explained_json(file):
        document = json.loads(text)
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        return {}
    rows = document.get("frames")
    if not isinstance(rows, list):
        raise InputError(f"{file} has no list of frames: run `viewfinder frames` again")
    return dict(_origin(row, file) for row in rows)


def frame_groups(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """For each picture the video that it is a frame of, or empty text; nothing at all without any.

    Args:
        paths: relative to `root`. Videos of one name in two folders are two videos.

    Raises:
        InputError: a folder's list is damaged.
    """
    places = [path.rpartition("/") for path in paths]
    lists = {folder: read_frame_list(root / folder) for folder in {place[0] for place in places}}
    if not any(lists.values()):
        return ()
    groups = []
    for folder, _, name in places:
        origin = lists[folder].get(name)
        groups.append(str(PurePosixPath(folder, origin.video)) if origin else "")
    return tuple(groups) if any(groups) else ()


def has_frames(folder: Path) -> bool:
    """Whether a folder's list says that its pictures are frames; a damaged one says nothing."""
    try:
        return bool(read_frame_list(folder))
    except InputError:
        return False


def without_empty_stands(root: Path, paths: Iterable[str]) -> list[str]:
    """The pictures but those called `empty` that lie beside frames of a video and are none: of the
    stand without anything on it, in which there is nothing to label.

    Args:
        paths: relative to `root`.

    Raises:
        InputError: a list of frames is damaged.
    """
    return [path for path in paths if not _is_empty_stand(root, PurePosixPath(path))]


def called_empty(path: PurePath) -> bool:
    """Whether a picture has the name that those of empty stands have."""
    return path.stem.lower() == "empty"


def _is_empty_stand(root: Path, path: PurePosixPath) -> bool:
    if not called_empty(path):
        return False
    frames = read_frame_list(root / path.parent)
    return bool(frames) and path.name not in frames


def _origin(row: object, file: Path) -> tuple[str, FrameOrigin]:
    kinds = {"file": (str,), "video": (str,), "frame": (int,), "seconds": (int, float)}
    if (
        not isinstance(row, dict)
        or any(type(row.get(key)) not in types for key, types in kinds.items())
        or not (row["file"] and row["video"])
        # Compared before anything is made a float, which a whole number can be too long for.
        or not 0 <= row["frame"] <= _MOST
        or not abs(row["seconds"]) <= _MOST
    ):
        raise InputError(
            f"{file}: {row!r:.80} does not say file, video, frame and seconds: "
            "run `viewfinder frames` again"
        )
    return row["file"], FrameOrigin(row["video"], row["frame"], float(row["seconds"]))
