"""Crash-point enumeration: a command is killed before each of its file operations in turn.

A command is run once to count what it opens for writing, renames, removes, makes, links or gives
permissions below its folder; then once more, stopped before each of these while its folder is kept
as it stands: what SIGKILL would leave there. From each of these, the next command that opens it
must mend it, and the same command again must end where one ends that nobody disturbed.

Each run is a fork of this process, which has imported all that is slow to import.
"""

import hashlib
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Collection, Sequence
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
    """Cut a command short at each point, or at `most` of them, and see what comes of it.

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
    shutil.copytree(pristine, hit, symlinks=True)
    states = States(scratch / "contents")
    left: list[State] = []
    status, _, told = run(
        job, job.command, hit, stops=chosen, do=lambda: left.append(states.of(hit))
    )
    if status != 0:
        outcome.wrong.append(f"stopped {len(left)} times: status {status}: {told}")
    for count, (point, state) in enumerate(zip(chosen, left, strict=False)):
        print(f"\r{job.name}: {count} of {len(chosen)}", end="", file=sys.stderr, flush=True)
        states.put_back(state, hit)
        outcome.points += 1
        if job.look is not None:
            states.put_back(state, seen)
            status, _, told = run(job, job.look, seen)
            if status != 0 or visible(tree(seen, job)) not in (visible(before), visible(after)):
                outcome.wrong.append(f"{point}: then {job.look}: status {status}, mixed: {told}")
        status, _, told = run(job, job.again or job.command, hit)
        now = tree(hit, job)
        if status != 0 or now != after:
            other = sorted(k for k in now.keys() | after.keys() if now.get(k) != after.get(k))
            outcome.wrong.append(f"{point}: again: status {status}, other: {other[:5]}: {told}")
    return outcome


@dataclass(frozen=True)
class Entry:
    """A file, folder or link: `held` is a content's digest, a link's target, or another's name."""

    kind: str
    held: str
    mode: int
    changed: int


State = dict[str, Entry]


class States:
    """How folders stood at some moments; equal contents are kept once."""

    def __init__(self, contents: Path) -> None:
        self.contents = contents
        contents.mkdir()

    def of(self, folder: Path) -> State:
        """What a folder holds now, its hard links among themselves included."""
        state: State = {}
        first: dict[int, str] = {}
        for path in sorted(folder.rglob("*")):
            name, about = path.relative_to(folder).as_posix(), path.lstat()
            if path.is_symlink():
                kind, held = "link", str(path.readlink())
            elif path.is_dir():
                kind, held = "folder", ""
            elif about.st_ino in first:
                kind, held = "same", first[about.st_ino]
            else:
                first[about.st_ino] = name
                kind, held = "file", self._kept(path)
            state[name] = Entry(kind, held, about.st_mode & 0o7777, about.st_mtime_ns)
        return state

    def _kept(self, path: Path) -> str:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not (self.contents / digest).exists():
            shutil.copyfile(path, self.contents / digest)
        return digest

    def put_back(self, state: State, folder: Path) -> None:
        """Make a folder hold what it held."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, entry in state.items():
            path = folder / name
            if entry.kind == "folder":
                path.mkdir()
            elif entry.kind == "link":
                path.symlink_to(entry.held)
            elif entry.kind == "same":
                path.hardlink_to(folder / entry.held)
            else:
                shutil.copyfile(self.contents / entry.held, path)
        for name, entry in reversed(state.items()):
            if entry.kind != "link":
                (folder / name).chmod(entry.mode)
                os.utime(folder / name, ns=(entry.changed, entry.changed))


def run(
    job: Job,
    words: Sequence[str],
    folder: Path,
    *,
    stops: Collection[int] = (),
    do: Callable[[], object] = lambda: None,
) -> tuple[int, int, str]:
    """The status, the number of file operations, and the end of what was printed.

    Before the file operations of these numbers it stops until something is done.
    """
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
            counted = _watch(folder, frozenset(stops))
            from viewfinder.cli.main import main

            status = main(list(words))
            os.write(writing, str(counted[0]).encode())
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    _, ended = os.waitpid(child, os.WUNTRACED)
    while os.WIFSTOPPED(ended):
        do()
        os.kill(child, signal.SIGCONT)
        _, ended = os.waitpid(child, os.WUNTRACED)
    count = os.read(reading, 100)
    os.close(reading)
    told = log.read_text("utf-8", "replace").strip().splitlines()
    return os.waitstatus_to_exitcode(ended), int(count or b"0"), " / ".join(told[-3:])


def _watch(folder: Path, stops: frozenset[int]) -> list[int]:
    """Count the changes of files below a folder from now on, and stop before those of `stops`."""
    counted, top, own = [0], str(folder), os.getpid()

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
                if counted[0] - 1 in stops and os.getpid() == own:
                    os.kill(own, signal.SIGSTOP)

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
