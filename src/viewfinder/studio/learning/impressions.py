"""What a network makes of the parts of a picture, for the page to compare boxes by.

A process beside the server finds it, one picture after another: it begins when it is first asked,
and ends when it was asked nothing for some minutes, or the server ends.
"""

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.studio.learning.worker import calm

SIDE = 512
"""Pixels of the square that a picture is stretched to; the map has a place for 16×16 of them."""
_MOST = 127
_IDLE = 300.0
_PATIENCE = 10.0
_IMPRESS = ("-m", "viewfinder.studio.learning", "impress")


def impression(path: Path) -> str:
    """A picture's map, 32×32×112 signed bytes row after row, as base64.

    Raises:
        InputError: there is no such file, or it is no picture.
    """
    # Torch takes seconds to import, and the server, which imports this, must not.
    import numpy as np

    from viewfinder.features.installed import installed_map

    picture = read_picture(path, at_least=(SIDE, SIDE))
    own = picture.shape[1], picture.shape[0]
    values = installed_map(resample(picture, stretch(own, (SIDE, SIDE)), (SIDE, SIDE)))
    scale = _MOST / max(float(np.abs(values).max()), 1e-9)
    return base64.b64encode(np.rint(values * scale).astype(np.int8).tobytes()).decode()


class Impressions:
    """Maps of pictures, from any thread, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._timer: threading.Timer | None = None
        self._stopped = False

    def of(self, path: Path) -> bytes:
        """A picture's map, 32×32×112 signed bytes row after row, whose unit is the picture's own.

        Raises:
            InputError: it cannot be had.
        """
        with self._lock:
            answer = self._asked(path)
            self._timer = threading.Timer(_IDLE, self.close)
            self._timer.daemon = True
            self._timer.start()
        if "map" not in answer:
            raise InputError(answer.get("refused", "the process that looks at pictures ended"))
        return base64.b64decode(answer["map"])

    def stop(self) -> None:
        """Answer nothing any more, and whoever waits for an answer at once."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.kill()  # it keeps nothing

    def close(self) -> None:
        """End the process, if there is one; the next question begins another."""
        with self._lock:
            self._end()

    def _asked(self, path: Path) -> dict[str, str]:
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return {}
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, *_IMPRESS],
                text=True,
                encoding="utf-8",
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
                start_new_session=True,  # Ctrl-C in the terminal is for the server to answer
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            calm(self._process.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # it was killed
            self._process.stdin.write(json.dumps(str(path)) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                answer = json.loads(line) if line.startswith("{") else {}
                if not answer.keys().isdisjoint(("map", "refused")):
                    return dict(answer)
        self._end()
        return {}

    def _end(self) -> None:
        process, self._process = self._process, None
        if self._timer is not None:
            self._timer.cancel()
        if process is None:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            process.communicate(timeout=_PATIENCE)
            return
        process.kill()
        process.communicate()
