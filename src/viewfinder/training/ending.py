"""How processes that train are ended; without torch."""

from multiprocessing.process import BaseProcess

# A training that is stopped saves its state; one that takes longer to do so, in seconds, is hung.
_PATIENCE = 60.0


def join_or_kill(process: BaseProcess) -> None:
    """Wait until a process that was asked to end has done so, and kill one that is hung."""
    process.join(_PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
