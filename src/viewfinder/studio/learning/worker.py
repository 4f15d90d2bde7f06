"""A process that works for the studio, so that its server never computes and never imports torch.

It is of low priority and leaves a core free, so that whoever labels meanwhile does not wait. It
ends with the server: what it says finds nobody to read it any more.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

from viewfinder.cpu import cpu_features

_PRIORITY = 10


def calm(process: int) -> None:
    """Give a process low priority."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, process, _PRIORITY)


class Worker:
    """One process at a time, from any thread.

    Attributes:
        stopping: it was asked to stop.
        status: the exit status of the last process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.stopping, self.status = False, 0

    def lines(
        self, words: Sequence[str], given: str = "", environment: Mapping[str, str] | None = None
    ) -> Iterator[str]:
        """Run Python with these words, and give each line that it says, until it ends.

        Args:
            given: its standard input.
            environment: what is known to it alone, beside what this process's environment has.
        """
        threads = str(max(1, cpu_features().threads - 1))
        usual = {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        with self._lock:
            process = subprocess.Popen(
                [sys.executable, *words],
                text=True,
                encoding="utf-8",
                errors="replace",
                env=os.environ | usual | dict(environment or {}),
                start_new_session=True,  # Ctrl-C in the terminal is for the server to answer
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            self._process = process
            calm(process.pid)
            if self.stopping:
                process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process:
                with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                    stdin.write(given)
                yield from process.stdout
                self.status = process.wait()
        finally:
            with self._lock:
                self._process = None

    def stop(self) -> None:
        """Ask the process to stop; it says its last lines then."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: int) -> None:
        with self._lock:
            self.stopping = True
            if self._process is not None:
                self._process.send_signal(number)
