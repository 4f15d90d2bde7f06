"""Asking another program, which may not be there, hang, or print anything."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Literal

# Seconds in which a process that was killed is expected to end.
_GRACE = 0.5
# Bytes; what prints more than this is no answer.
_MOST = 1 << 20


@dataclass(frozen=True)
class Reply:
    """What a program answered: how it ended, its exit status (minus the signal that ended it), and
    what it printed until then."""

    ended: Literal["well", "with an error", "not in time", "not started"]
    status: int
    out: str
    err: str


def ask(
    command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> Reply:
    """Run a program for at most `seconds`; nothing that it does is an exception here."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=os.name == "posix",
        )
    except (OSError, ValueError) as error:
        return Reply("not started", -1, "", str(error))
    out, err = bytearray(), bytearray()
    readers = [
        threading.Thread(target=_read, args=(pipe, kept, process), daemon=True)
        for pipe, kept in ((process.stdout, out), (process.stderr, err))
    ]
    try:
        for reader in readers:
            reader.start()
        late = not _ended(process, readers, seconds)
    except BaseException:
        _kill(process)
        _take_later(process)
        raise
    if late:
        _kill(process)
        _ended(process, readers, _GRACE)
        _take_later(process)
        return Reply("not in time", -1, _text(out), _text(err))
    ended: Literal["well", "with an error"] = "with an error" if process.returncode else "well"
    return Reply(ended, process.returncode, _text(out), _text(err))


def _read(pipe: IO[bytes], kept: bytearray, process: "subprocess.Popen[bytes]") -> None:
    """Keep what is printed; a program that prints without end is ended."""
    with contextlib.suppress(OSError, ValueError), pipe:
        while piece := os.read(pipe.fileno(), 1 << 16):
            kept += piece
            if len(kept) > _MOST:
                _kill(process)
                return


def _ended(
    process: "subprocess.Popen[bytes]", readers: list[threading.Thread], seconds: float
) -> bool:
    """Whether a process ends, and closes what it prints to, within `seconds`."""
    end = time.monotonic() + seconds
    for reader in readers:
        reader.join(max(0.0, end - time.monotonic()))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))
        return not any(reader.is_alive() for reader in readers)
    return False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process, and those that it started; one that the system cannot end is left alone."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)  # It leads a session of its own.
        else:
            process.kill()


def _take_later(process: "subprocess.Popen[bytes]") -> None:
    """Take note of a killed process's end, whenever that is."""
    if process.poll() is None:
        threading.Thread(target=process.wait, daemon=True).start()


def _text(printed: bytearray) -> str:
    return printed.decode("utf-8", "replace")
