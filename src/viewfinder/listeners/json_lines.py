"""Every event as one JSON object a line, for programs that follow what goes on."""

import json
import sys
import time
from typing import TextIO

from viewfinder.console import raw
from viewfinder.events import Event, Progressed, StepTaken, document

# Seconds between two lines of one progress.
_BETWEEN = 1.0


class JsonLines:
    """Writes events to a stream; of progress a line a second at most."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """
        Args:
            stream: where lines go; what is standard error at the time if None.
        """
        self._file = stream
        self._written: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progressed | StepTaken):
            key, now = event.work if isinstance(event, Progressed) else event.run, time.monotonic()
            if now - self._written.get(key, -_BETWEEN) < _BETWEEN:
                return
            self._written[key] = now
        # ASCII alone: a name in it can break no line and control no terminal.
        print(json.dumps(document(event)), file=self._file or raw(sys.stderr), flush=True)
