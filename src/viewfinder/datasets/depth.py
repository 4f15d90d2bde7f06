"""What the numbers in a set's depth files mean: which way is near, and which values are used.

A file `depth.toml`, in the set's folder or in any folder between it and the depth files (the
nearest one counts), states it:

    near_is_bright = false     # far is bright, as in a map of distances
    lowest = 300               # the stored values between which depth lies,
    highest = 4500             # here of a sensor that counts millimetres
    missing = 0                # what the sensor stores where it saw nothing

Each line may be left out. Without `near_is_bright` the direction is guessed from the masks. Without
a range, values of 8 bits are shares of 255, and values of more bits are stretched from the least to
the greatest of each picture, since sensors fill a small and unknown part of 65,536 values. Of
numbers with a point, what is not finite was not measured.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

SIDE_FILE = "depth.toml"
UNKNOWN = 0.5
"""The depth of a map that says nothing: all of its values are the same, or it is not there."""

# The parser takes minutes over long hostile files.
_LARGEST = 4096
_ENDLESS = 1e30
_KEYS = {"near_is_bright": bool, "lowest": float, "highest": float, "missing": float}


@dataclass(frozen=True)
class DepthScale:
    """How stored values become depth in [0, 1], near = bright.

    Attributes:
        near_is_bright: whether greater values are nearer; None before it is known.
        lowest: the stored value of one end of depth's range, `highest` of the other; both are None
            where the rule of this module's first words holds.
        missing: the stored value of pixels without a measurement; they become 0, the farthest.
    """

    near_is_bright: bool | None = None
    lowest: float | None = None
    highest: float | None = None
    missing: float | None = None

    def apply(self, values: np.ndarray) -> NDArray[np.float32]:
        """H×W stored values, uint8, uint16 or floating, as H×W depth in [0, 1].

        A map whose measured values are all the same is `UNKNOWN` throughout.
        """
        known = self._known(values)
        measured = values if known is None else values[known]
        if not measured.size or measured.min() == measured.max():
            return np.full(values.shape, UNKNOWN, np.float32)
        low, high = self._range(measured)
        if known is not None:
            values = np.where(known, values, measured.flat[0])
        if values.dtype.kind == "f":
            depth = ((values.astype(np.float64) - low) / (high - low)).astype(np.float32)
        else:
            depth = (values.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        depth = np.clip(depth, 0, 1)
        if self.near_is_bright is False:
            depth = 1 - depth
        return depth if known is None else np.where(known, depth, np.float32(0))

    def _known(self, values: np.ndarray) -> NDArray[np.bool_] | None:
        """Where something was measured; None where nothing says that it was not everywhere."""
        known = None if self.missing is None else np.asarray(values != self.missing)
        if values.dtype.kind != "f":
            return known
        # What is beyond any distance is a sign for none, and would overflow.
        finite = np.asarray(np.isfinite(values) & (np.abs(values) < _ENDLESS))
        if finite.all():
            return known
        return finite if known is None else known & finite

    def _range(self, measured: np.ndarray) -> tuple[float, float]:
        if self.lowest is not None and self.highest is not None:
            return self.lowest, self.highest
        if measured.dtype == np.uint8:
            return 0.0, 255.0
        return float(measured.min()), float(measured.max())


def nearest_scale(folder: Path, places: Iterable[Path]) -> DepthScale | None:
    """What the first `depth.toml` in these folders states; None where there is none.

    Raises:
        InputError: it is damaged.
    """
    for place in places:
        if (folder / place / SIDE_FILE).is_file():
            return read_scale(folder / place / SIDE_FILE)
    return None


def scales_of(stored: object) -> dict[str, DepthScale]:
    """The scales of folders, as `run.json` keeps them.

    Raises:
        InputError: this is no such table.
    """
    names = {"near_is_bright", "lowest", "highest", "missing"}
    try:
        if not isinstance(stored, Mapping):
            raise TypeError
        for values in stored.values():
            numbers = [values[name] for name in names - {"near_is_bright"}]
            ranged = (values["lowest"] is None) == (values["highest"] is None)
            if values["near_is_bright"] not in (True, False, None) or set(values) != names:
                raise ValueError
            if not ranged or not all(n is None or math.isfinite(n) for n in numbers):
                raise ValueError
        return {str(folder): DepthScale(**values) for folder, values in stored.items()}
    except (TypeError, ValueError, KeyError):
        raise InputError("run.json is damaged: `depth` of its `data` holds no scales") from None


def read_scale(file: Path) -> DepthScale:
    """What a `depth.toml` states.

    Raises:
        InputError: it is no TOML in UTF-8, has an unknown key, or a value of another kind.
    """
    try:
        data = read_bytes(file)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise InputError(f"{file} has {len(data):,} bytes, where four short lines are enough")
    try:
        stated = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{file} is no TOML in UTF-8 ({error}): it should read `near_is_bright = true`"
        ) from None
    for key, value in stated.items():
        if key not in _KEYS:
            raise InputError(f"{file} has the key {key!r}: known are {', '.join(_KEYS)}")
        wanted = _KEYS[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        # So written, it refuses NaN as well.
        stored = number and 0 <= value <= np.iinfo(np.uint16).max
        if not (isinstance(value, bool) if wanted is bool else stored):
            what = "true or false" if wanted is bool else "a number that a file can store"
            raise InputError(f"{file}: {key} must be {what}, not {value!r:.60}")
    low, high = stated.get("lowest"), stated.get("highest")
    if (low is None) != (high is None) or (low is not None and not low < high):
        raise InputError(
            f"{file}: `lowest` and `highest` come together, the smaller first: the stored values "
            "between which depth lies"
        )
    return DepthScale(**stated)


def scales_by_folder(depths: Sequence[str], scales: Sequence[DepthScale]) -> dict[str, DepthScale]:
    """What depth means: for `.` where it is one thing, else for each folder of depth maps.

    Args:
        depths: the files of depth maps, or empty text.
        scales: what the numbers in each mean.
    """
    found = {
        PurePosixPath(path).parent.as_posix(): scale
        for path, scale in zip(depths, scales, strict=True)
        if path
    }
    different = set(found.values())
    return {".": different.pop()} if len(different) == 1 else dict(sorted(found.items()))
