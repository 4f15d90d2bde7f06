"""Crash-point enumeration: a command is killed before each of its file operations in turn.

A command is run once to count what it opens for writing, renames, removes, makes, links or gives
permissions below its folder; then again as often, each time from the same beginning, killed by
SIGKILL before the next of these. What it left must be mended by the next command that opens it,
and the same command again must end where one ends that nobody disturbed.

Each run is a fork of this process, which has imported all that is slow to import.
"""

import hashlib
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from viewfinder import files

CHANGES = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink"),
    *("os.truncate",),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Tree = dict[str, str]


@dataclass(frozen=True)
class Job:
    """A command to kill.

    Attributes:
        make: writes what the command begins with into a folder.
        command: the words after `viewfinder`; the folder is the working directory.
        again: what the user does after the crash; the same command if None.
        look: a command that only reads; after it, visible files are as before or as after.
        loose: names of files that need only be there, for they tell of times.
        ignored: names of files that need not be the same at all.
        patch: what to set in the process before the command.
        most: so many points at most, evenly chosen.
    """

    name: str
    make: Callable[[Path], object]
    command: Sequence[str]
    again: Sequence[str] | None = None
    look: Sequence[str] | None = None
    loose: str = r"$^"
    ignored: str = r"$^"
    patch: Callable[[], object] = lambda: None
    most: int | None = None


@dataclass
class Outcome:
    """What the points of a job came to; `wrong` says what went wrong where."""

    name: str
    operations: int = 0
    points: int = 0
    wrong: list[str] = field(default_factory=list)


def enumerate_crashes(
    job: Job, scratch: Path, *, most: int | None = None, part: slice = slice(None)
) -> Outcome:
    """Kill a command at each point, or at `most` of them, and see what comes of it.

    Only a `part` of these points is tried: a long enumeration is shared by several processes.
    """
    scratch.mkdir(parents=True)
    pristine, calm, hit, seen = (scratch / name for name in ("begin", "calm", "hit", "seen"))
    pristine.mkdir()
    job.make(pristine)
    shutil.copytree(pristine, calm, symlinks=True)
    outcome = Outcome(job.name)
    status, outcome.operations, told = run(job, job.command, calm)
    if status != 0:
        outcome.wrong.append(f"undisturbed: status {status}: {told}")
        return outcome
    before, after = tree(pristine, job), tree(calm, job)
    limits = [n for n in (most, job.most, outcome.operations) if n is not None]
    points = np.linspace(0, outcome.operations - 1, min(limits)).round().astype(int)
    chosen = list(dict.fromkeys(points.tolist()))[part]
    for count, point in enumerate(chosen):
        print(f"\r{job.name}: {count} of {len(chosen)}", end="", file=sys.stderr, flush=True)
        for folder in (hit, seen):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, hit, symlinks=True)
        status, _, told = run(job, job.command, hit, kill=point)
        outcome.points += 1
        if status not in (-signal.SIGKILL, 0):
            outcome.wrong.append(f"{point}: status {status} before it was killed: {told}")
            continue
        if job.look is not None:
            shutil.copytree(hit, seen, symlinks=True)
            status, _, told = run(job, job.look, seen)
            if status != 0 or visible(tree(seen, job)) not in (visible(before), visible(after)):
                outcome.wrong.append(f"{point}: then {job.look}: status {status}, mixed: {told}")
        status, _, told = run(job, job.again or job.command, hit)
        now = tree(hit, job)
        if status != 0 or now != after:
            other = sorted(k for k in now.keys() | after.keys() if now.get(k) != after.get(k))
            outcome.wrong.append(f"{point}: again: status {status}, other: {other[:5]}: {told}")
    return outcome


def run(
    job: Job, words: Sequence[str], folder: Path, *, kill: int | None = None
) -> tuple[int, int, str]:
    """The status, the number of file operations, and the end of what was printed."""
    log = folder.parent / "log"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.close(reading)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(folder)
            os.environ["VIEWFINDER_CACHE"] = str(folder / "cache")
            files._swept.clear()
            job.patch()
            counted = _watch(folder, kill)
            from viewfinder.cli.main import main

            status = main(list(words))
            os.write(writing, str(counted[0]).encode())
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    count = os.read(reading, 100)
    os.close(reading)
    _, ended = os.waitpid(child, 0)
    told = log.read_text("utf-8", "replace").strip().splitlines()
    return os.waitstatus_to_exitcode(ended), int(count or b"0"), " / ".join(told[-3:])


def _watch(folder: Path, kill: int | None) -> list[int]:
    """Count the changes of files below a folder from now on, and die before number `kill`."""
    counted, top = [0], str(folder)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & WRITING:
                return
        elif event in CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, str | bytes | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if name.startswith(top):
                counted[0] += 1
                if counted[0] - 1 == kill:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return counted


def tree(folder: Path, job: Job) -> Tree:
    """Every file below a folder and what it holds, and every folder."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if re.search(job.ignored, name):
            continue
        told = not path.is_file() or re.search(job.loose, name)
        found[name] = "" if told else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def visible(files: Tree) -> Tree:
    """Without what is no label."""
    return {name: held for name, held in files.items() if ".viewfinder" not in name}
