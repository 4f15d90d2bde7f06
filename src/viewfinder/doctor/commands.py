"""Asking another program, which may not be there, hang, or print anything."""

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# Seconds in which a process that was killed is expected to end.
_GRACE = 0.5


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
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        out, err = _killed(process)
        return Reply("not in time", -1, _text(out), _text(err))
    except BaseException:
        _killed(process)
        raise
    ended: Literal["well", "with an error"] = "with an error" if process.returncode else "well"
    return Reply(ended, process.returncode, _text(out), _text(err))


def _killed(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    """End a process, and what it had printed; one that the system cannot end is left alone."""
    with contextlib.suppress(OSError):
        process.kill()
    try:
        return process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired as error:
        for pipe in (process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return error.stdout or b"", error.stderr or b""
    except (OSError, ValueError):
        return b"", b""


def _text(printed: bytes | None) -> str:
    return (printed or b"").decode("utf-8", "replace")
