"""Draw and correct boxes in the browser; every edit is on the disk when the page says saved.

The labels of any set that `train` reads, and of a folder of pictures without any, are opened in a
page of this machine's own. They are kept in DATA/.viewfinder/labels.db, beside your files, which
stay as they are. Ctrl-C ends the server; what was not sent yet waits in the browser.

  viewfinder label my-photos                 open the page
  viewfinder label my-photos --no-browser    print its address and open nothing
  viewfinder label turn.mp4                  frames of a video, taken into turn/
  viewfinder label runs/demo                 what the demo filmed and proposed
  viewfinder label copy --restore all.jsonl  begin with what Export wrote

Example:

  viewfinder label my-photos
"""

import contextlib
import gc
import getpass
import os
import threading
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.errors import InputError
from viewfinder.wording import counted, shown, some

if TYPE_CHECKING:
    from viewfinder.studio.store import Store


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures, or a set: COCO, YOLO, Pascal VOC, or class folders. Of a video, frames
    are taken as `viewfinder frames` does, into a folder of its name beside it."""
    browser: bool = True
    """Opening the page: its address alone is printed."""
    person: str | None = None
    """In whose name edits are kept; the name of your account if not given."""
    host: str = "127.0.0.1"
    """The address to listen at. Another than this machine's own lets others on the network in who
    have the token, over plain HTTP."""
    port: int | None = None
    """The port; 8790 if not given, or any free one where that is taken."""
    kind: Literal["boxes", "classes"] | None = None
    """What is labelled in class folders, while nobody has labelled anything there: a class for each
    picture, or boxes. If not given, boxes where `viewfinder propose` proposed some."""
    restore: Path | None = None
    """Begin with all that *Export* wrote as JSON lines: labels, proposals and history. Refused
    where the folder has labels in the studio already."""
    database: str | None = None
    """URL of a PostgreSQL database that keeps the labels of this set, for a team; from then on this
    and other commands use them where VIEWFINDER_DATABASE names it, and else refuse the set, whose
    files are older."""


def run(flags: Flags) -> int:
    """Serve the page until Ctrl-C."""
    # What is imported stays: looking through it for garbage takes longer than an answer may.
    gc.disable()
    from viewfinder.datasets.formats.label_server import DATABASE, served_at
    from viewfinder.demo.folder import labelled_of
    from viewfinder.studio.server.address import address_at

    if flags.restore is not None and flags.kind is not None:
        raise InputError("--kind goes without --restore: what is labelled is what was exported")
    person = flags.person or _account()
    data = labelled_of(_frames_of(flags.data) if flags.data.is_file() else flags.data)

    url = flags.database
    if url is None and os.environ.get(DATABASE):  # a team's, as every other command reads them
        url = served_at(data)

    def begin() -> "Store":
        store = _opened(flags, data, url)
        print(f"{data}: label at {address.url}")
        if store.caution():
            print(store.caution())
        print("Ctrl-C ends it", flush=True)
        if flags.browser:
            threading.Thread(target=_open, args=(address.url,), daemon=True).start()
        return store

    with address_at(flags.host, flags.port) as address:
        # A large database is checked, and the browser begins, while the server is being imported:
        # whoever asks before it runs waits for it.
        with ThreadPoolExecutor(1, "opening") as opening:
            opened = opening.submit(begin)
            from viewfinder.studio.server.serving import serve, server_at
        with opened.result() as store, server_at(address, store, person=person) as server:
            gc.freeze()
            gc.enable()
            serve(server, address.bound)
    return 0


def _opened(flags: Flags, data: Path, url: str | None) -> "Store":
    """The labels of a folder, which may be those of a file."""
    from viewfinder.studio.store import open_store, read_lines

    if flags.restore is None:
        return open_store(data, url=url, kind=flags.kind)
    store = read_lines(data, flags.restore.expanduser(), url=url)
    boxes, paths = sum(store.counts().boxes.values()), _paths(store)
    print(f"{data}: restored {counted(len(paths), 'picture')} with {counted(boxes, 'box')}")
    missing = [shown(path) for path in paths if not (data / path).is_file()]
    if missing:
        lack = "lacks" if len(missing) == 1 else "lack"
        print(
            f"{counted(len(missing), 'picture')} {lack} a file in {data} ({some(missing, 10)}): "
            "put there, it has its labels"
        )
    return store


def _paths(store: "Store") -> list[str]:
    """Where all pictures of a store lie, relative to its folder."""
    paths: list[str] = []
    while part := store.pictures(start=len(paths), count=1000).pictures:
        paths += [each.path for each in part]
    return paths


def _open(url: str) -> None:
    with contextlib.suppress(Exception):
        webbrowser.open(url)


def _frames_of(video: Path) -> Path:
    """The folder of a video's frames, which are taken where they were not before.

    Raises:
        InputError: it is no video, or cannot be read.
    """
    from viewfinder.labelling.frames import place_of_frames, write_frames
    from viewfinder.pictures.kinds import kind_of

    if kind_of(video) != "video":
        raise InputError(f"{video} is no folder and no video: give the folder that it lies in")
    stem = video.stem.strip(". ") or "video"
    folder, there = place_of_frames(video.absolute().with_name(stem), video)
    if not there:
        (done,) = write_frames([video], folder)
        said = f"{len(done.written)} of {counted(done.read, 'frame')}"
        print(f"{video}: {said}, in {folder} (viewfinder frames --every takes more, or fewer)")
        if done.few:
            print(done.few)
        if done.broken:
            print(f"kept what could be read: {done.broken}")
    return folder


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in a container
        return "somebody"
