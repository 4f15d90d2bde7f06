"""Waiting no longer than so long for what knows no limit of its own, such as a disk."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def within(seconds: float, asked: Callable[[], Answer]) -> Answer:
    """What `asked` gives; one that takes longer is left to itself.

    Raises:
        TimeoutError: it took longer.
        Exception: what it raised.
    """
    answers_given: queue.Queue[tuple[Answer | None, Exception | None]] = queue.Queue()

    def asking() -> None:
        try:
            answers_given.put((asked(), None))
        except Exception as error:  # it is raised again below
            answers_given.put((None, error))

    # A daemon: Python does not wait for it at its end.
    threading.Thread(target=asking, daemon=True).start()
    try:
        answer, error = answers_given.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer in {seconds:.0f} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
