"""The same work for each of many numbers, in threads, as what decodes or reads is not in Python."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

# A thread takes so many numbers at once, of many: handing out one costs as much as a small picture.
_BLOCK, _BLOCKS = 16, 64


def in_threads(work: Callable[[int], Item], count: int) -> Iterator[Item]:
    """`work` of 0 to `count`, in that order.

    The first error ends it, and so do Ctrl-C and who asks for no more: nobody waits for what is
    still to come.
    """
    block = min(_BLOCK, max(1, count // _BLOCKS))

    def some(start: int) -> list[Item]:
        return [work(number) for number in range(start, min(start + block, count))]

    with ThreadPoolExecutor() as pool:
        done = pool.map(some, range(0, count, block))
        try:
            for part in done:
                yield from part
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
