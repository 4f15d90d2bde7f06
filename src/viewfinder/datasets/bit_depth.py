"""How many bits the values in a set's 16-bit files fill.

Many cameras measure 10, 12 or 14 bits and store them in files of 16, in which the brightest pixel
is then nearly black. No single picture tells, since it may just be dark; a whole set does.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.pictures.reading import BITS, bits_used


def with_bits_found(dataset: Dataset) -> Dataset:
    """The same set, whose 16-bit files are read by the fewest bits that hold all their values.

    Reads the first bytes of every file, and every pixel of those of 16 bits, until one needs all
    16. A file that cannot be read says nothing here: whoever reads it next will tell.
    """
    found: list[int] = []
    with ThreadPoolExecutor() as pool:
        told = pool.map(lambda index: _bits_used(dataset, index), range(len(dataset)))
        try:
            for bits in told:
                found += [bits] if bits is not None else []
                if bits == BITS[-1]:
                    break
        finally:
            pool.shutdown(cancel_futures=True)
    return replace(dataset, bits=max(found, default=BITS[-1]))


def _bits_used(dataset: Dataset, index: int) -> int | None:
    try:
        return bits_used(dataset.file(index))
    except (InputError, OSError):
        return None
