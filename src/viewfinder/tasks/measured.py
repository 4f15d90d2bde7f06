"""What was measured on this machine, a small file in the cache for all that it depends on.

Trainings keep their arithmetic there, and answering the way that it computes: the next of the kind
chooses alike, and at once.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from viewfinder.cpu import cpu_features
from viewfinder.errors import InputError
from viewfinder.files import cache_folder, write_json
from viewfinder.reading import read_bytes

ANEW = "VIEWFINDER_REMEASURE"
"""Set to anything, it has everything measured anew."""

FOLDER = "arithmetic"
"""The folder of the cache that keeps what was measured."""

# Bytes beyond which a file is not one that was written here.
_LARGEST = 1 << 16


def processor() -> dict[str, object]:
    """The processor, as far as times depend on it."""
    return asdict(cpu_features())


def measured_file(depends: Mapping[str, object]) -> Path:
    """Where that is kept which was measured under these conditions."""
    text = json.dumps(depends, sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()
    return cache_folder() / FOLDER / f"{digest}.json"


def recall(file: Path) -> object:
    """The JSON that was kept; None where there is none that can be read, or none is wanted."""
    if os.environ.get(ANEW):
        return None
    try:
        return None if file.stat().st_size > _LARGEST else json.loads(read_bytes(file))
    except (OSError, ValueError, InputError, RecursionError):
        return None


def remember(file: Path, found: Mapping[str, object], depends: Mapping[str, object]) -> None:
    """Keep what was measured, with all that it depends on as `of`.

    Where nothing can be written, the next measures too.
    """
    of = json.loads(json.dumps(depends, default=str))
    with contextlib.suppress(InputError):
        write_json(file, {**found, "of": of})
