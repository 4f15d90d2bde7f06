"""Has the worker look at the pictures that are to do, and keeps what it proposes for them."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from viewfinder.datasets.frame_list import FRAME_LIST
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import of_pictures, read_proposals
from viewfinder.studio.learning.asked import By, ProposerRequest
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Filter, Store

LOOK = ("-m", "viewfinder.studio.learning", "look")

Report = Callable[[int, int], None]
"""How many pictures more were looked at, and how many proposals are new."""


def propose(
    store: Store, worker: Worker, asked: ProposerRequest, paths: list[str], report: Report
) -> tuple[str, ...]:
    """Propose for these pictures, until it is done or asked to stop.

    Proposals that are open, whoever made them, give place to these.

    Returns:
        what could not be done, in sentences.

    Raises:
        InputError: nothing can be proposed, for this reason.
    """
    if not paths:
        return ()
    said, course = "", Course()
    given = json.dumps({**asked.as_json(), "paths": paths})
    with tempfile.TemporaryDirectory(prefix="viewfinder-") as place:
        words = [*LOOK, str(store.data.absolute()), place]
        for line in worker.lines(words, given, store.environment()):
            part = Path(place) / line.strip()
            if line.strip().isdecimal() and part.is_dir():
                report(*_take(store, asked, part, set(paths)))
            said, course = line.strip() or said, heard(course, line)
    if worker.status != 0 and not worker.stopping:
        why = f"looking at the pictures {ended(worker.status)}: {said[:200]}"
        raise InputError(course.error or why)
    return course.notes


def _take(store: Store, asked: ProposerRequest, folder: Path, wanted: set[str]) -> tuple[int, int]:
    proposals = read_proposals(folder)
    shutil.rmtree(folder, ignore_errors=True)
    rows = [row for row, path in enumerate(proposals.paths) if path in wanted]
    chosen = of_pictures(proposals, rows)
    return len(rows), store.propose(asked.run, chosen, alone=True, as_of=asked.as_of)


def to_do(
    store: Store, first: int | None, order: Callable[[list[str]], list[str]] = list
) -> list[str]:
    """Pictures without a box that are to do, in an order, from one of them on.

    Args:
        order: theirs; their own otherwise.
    """
    found: list[tuple[int, str]] = []
    start, total = 0, 1
    while start < total:
        page = store.pictures(Filter(state="todo"), start=start, count=1000)
        found += [
            (each.id, each.path)
            for each in page.pictures
            if not each.boxes and not each.missing and not each.trouble
        ]
        start, total = start + 1000, page.total
    paths = order([path for _, path in found])
    here = next((paths.index(path) for id, path in found if id == first), 0)
    return paths[here:] + paths[:here]


def proposers_of(store: Store, learnt: str, *, local: bool) -> dict[By, str]:
    """Who can propose now: for each nothing, or why not, in a sentence.

    Args:
        learnt: the run of the last training, or empty.
        local: only this machine can ask, so paths of it may be given.
    """
    kind = store.kind()
    named = "" if local else "runs and files are named on the machine where the studio runs alone"
    if kind == "masks":
        alone = "a saliency set has outlines of subjects, which a saliency network proposes"
        return dict.fromkeys(get_args(By), alone) | {"saliency": named}
    if kind != "boxes":
        none = "boxes are proposed, and here are none"
        return dict.fromkeys(get_args(By), none)
    alone = "" if store.pictures(count=2).total > 1 else "there is no picture beside an empty stand"
    return {
        "learnt": "" if learnt else "nothing was learnt here yet",
        "detector": named,
        "saliency": named,
        "plate": alone,
        "track": _no_track(store),
    }


def _no_track(store: Store) -> str:
    if not any((store.data / folder / FRAME_LIST).is_file() for folder in _folders(store)):
        return "no picture here is known to be a frame of a video: add the video itself"
    if not sum(store.counts().boxes.values()):
        return "draw boxes in a few frames first: they are followed from there"
    return ""


def _folders(store: Store) -> set[str]:
    found: set[str] = set()
    start, total = 0, 1
    while start < total:
        page = store.pictures(start=start, count=1000)
        found |= {each.path.rpartition("/")[0] for each in page.pictures}
        start, total = start + 1000, page.total
    return found


def ended(status: int) -> str:
    """How a process ended, in words."""
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


def ids_of(store: Store) -> dict[str, int]:
    """The id of every picture, by path."""
    found: dict[str, int] = {}
    start, total = 0, 1
    while start < total:
        page = store.pictures(start=start, count=1000)
        found |= {each.path: each.id for each in page.pictures}
        start, total = start + 1000, page.total
    return found
