"""How many bits the values in a set's 16-bit files fill.

Many cameras measure 10, 12 or 14 bits and store them in files of 16, in which the brightest pixel
is then nearly black. No single picture tells, since it may just be dark; a whole set does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.threads import in_threads
from viewfinder.errors import InputError
from viewfinder.pictures.reading import BITS, bits_used
from viewfinder.wording import have

# So many 16-bit files tell whether one that needs all its bits is like the others.
_LOOKS = 48
# Where this share of them would do with fewer bits, the few that do not are of another kind; and
# where this share would do with a sixteenth of the values, they are of another camera, or dark.
_MOST, _SHARE_OF_12 = 0.6, 0.25


def with_bits_found(dataset: Dataset) -> Dataset:
    """The same set, whose 16-bit files are read by the fewest bits that hold all their values.

    Reads the first bytes of every file, and every pixel of those of 16 bits, until it is clear
    that all 16 are needed. A set most of whose files would do with fewer is read by what holds
    all, and it is said: most of its pictures are dark. A file that cannot be read says nothing
    here: whoever reads it next will tell.
    """
    files = [dataset.file(index) for index in range(len(dataset))]
    found = _bits_found(files)
    most = max(found.values(), default=BITS[-1])
    dataset = replace(dataset, bits=most)
    fewer = Counter(bits for bits in found.values() if bits < most)
    if not fewer:
        return dataset
    of_12 = most == BITS[-1] and fewer[10] + fewer[12] >= _SHARE_OF_12 * len(found)
    if not of_12 and sum(fewer.values()) < _MOST * len(found):
        return dataset
    usual = max(fewer)
    first = next(number for number, bits in sorted(found.items()) if bits == most)
    dark = sum(fewer.values())
    detail = (
        f"of {len(found):,} 16-bit files looked at, {have(dark)} no value above "
        f"{(1 << usual) - 1:,} and {have(len(found) - dark)} one, as this one: all are "
        f"read as {most}-bit values, and the former {'is' if dark == 1 else 'are'} dark"
    )
    fix = "learn from the files of one camera at a time, or repair those few"
    fault = Fault("bits", dataset.paths[first], detail, fix)
    note = f"{dataset.paths[first]:.80}: {detail}"
    return replace(dataset, notes=(*dataset.notes, note), faults=(*dataset.faults, fault))


def bits_of(files: Sequence[Path]) -> int:
    """The fewest bits that hold every value of some pictures that belong together."""
    return max(_bits_found(files).values(), default=BITS[-1])


def _bits_found(files: Sequence[Path]) -> dict[int, int]:
    """The bits that 16-bit files use, by their numbers; of all of them, or of enough."""
    found: dict[int, int] = {}
    # In no order, so that the first few are like the rest.
    order = np.random.default_rng(0).permutation(len(files)).tolist()
    used = in_threads(lambda place: _bits_used(files[order[place]]), len(order))
    for number, bits in zip(order, used, strict=True):
        if bits is not None:
            found[number] = bits
        if len(found) >= _LOOKS and max(found.values()) == BITS[-1]:
            break
    return found


def _bits_used(file: Path) -> int | None:
    try:
        return bits_used(file)
    except (InputError, OSError):
        return None
