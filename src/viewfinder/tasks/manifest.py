"""What `run.json` says of a run: its task, net and classes, and how it was trained.

A run's folder may come from a stranger: all that is read is held to what a training could have
written before anything is built of it.
"""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from viewfinder.errors import InputError
from viewfinder.files import write_json
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import BITS
from viewfinder.reading import read_bytes
from viewfinder.tasks import find, recipe_of
from viewfinder.tasks.recipe import LARGEST_SIZE, Recipe
from viewfinder.tasks.task import require_classes
from viewfinder.values import (
    as_list,
    as_number,
    as_number_or_none,
    as_table,
    as_tables,
    as_text,
    as_whole,
)

MANIFEST = "run.json"

Arithmetic = Literal["32", "bf16", "16"]
Layout = Literal["contiguous", "channels_last"]

_ARITHMETICS: dict[object, Arithmetic] = {"32": "32", "bf16": "bf16", "16": "16"}
_LAYOUTS: dict[object, Layout] = {"contiguous": "contiguous", "channels_last": "channels_last"}

_SCHEMA = 2
# Bytes beyond which a `run.json` is no training's: it must not fill the memory.
_LARGEST = 1 << 26
# Digits beyond which a whole number counts nothing that a training has.
_MOST_DIGITS = 18
# Of a deviation: a set of one colour has a grey level's step, 1/255.
_LEAST_STD = 1e-3
# What stands in the tables whatever the task, and its kind.
_TRIAL = ("arithmetic", "layout", "milliseconds", "loss", "verdict")


class DataRecord(TypedDict, total=False):
    """The set that a run was trained on.

    `images` are counts by split, `per_class` of training pictures, `inputs` digests of what else
    was learnt from by the flag that named it, `depth` what the numbers of depth maps mean by
    folder, `decided` what the task made of the set itself, and `folded` which fold of how many it
    is.
    """

    source: str
    root: str
    layout: str
    fingerprint: str
    inputs: dict[str, str]
    images: dict[str, int]
    per_class: dict[str, int]
    depth: dict[str, dict[str, object]]
    decided: dict[str, dict[str, object]]
    folded: str


class ArrangementRecord(TypedDict):
    """How numbers were kept: see `training.arrangement.Arrangement`."""

    arithmetic: Arithmetic
    layout: Layout


class TrialRecord(ArrangementRecord):
    """What became of a candidate: see `training.arrangement.ArithmeticTrial`."""

    milliseconds: float | None
    loss: float | None
    verdict: str


class PrecisionRecord(TypedDict):
    """Which arithmetic was chosen and why: see `training.arrangement.Choice`."""

    arrangement: ArrangementRecord
    why: str
    trials: list[TrialRecord]
    promise: NotRequired[float | None]


@dataclass(frozen=True)
class Manifest:
    """What `run.json` says.

    Attributes:
        size: width and height in pixels of what the net is given.
        options: what the net is created with, beside its classes.
        mean, std: of red, green and blue in [0, 1], subtracted and divided before the net.
        versions: of Python, Viewfinder and the libraries that computed.
        data: the training set's source, root, layout, fingerprint, and pictures a side and a class.
        device: what computed, in words.
        precision: the chosen arithmetic, and each candidate's time and loss.
        bits: how many the values of 16-bit pictures fill; see `Dataset.bits`.
        threads: of each process that computed on the CPU, on which the last digits depend; None of
            a run that does not say.
        machine: what trained it: system, processor, memory, GPUs (`doctor/record.py`); empty of a
            run that does not say.
    """

    task: str
    net: str
    classes: tuple[str, ...]
    size: Size
    options: dict[str, object]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    recipe: Recipe
    versions: dict[str, str]
    data: DataRecord
    device: str
    precision: PrecisionRecord
    bits: int = 16
    threads: int | None = None
    machine: dict[str, object] = field(default_factory=dict)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a run's `run.json`."""
    document = asdict(manifest) | {"schema": _SCHEMA, "recipe": manifest.recipe.as_json()}
    write_json(folder / MANIFEST, document)


def read_manifest(folder: Path) -> Manifest:
    """What the `run.json` in a folder says.

    Raises:
        InputError: there is none, it cannot be read, another version wrote it, or no training did.
    """
    file = folder / MANIFEST
    if not file.is_file():
        what = "is not a run" if folder.exists() else "does not exist"
        raise InputError(
            f"{folder} {what}: give the folder that `viewfinder train` wrote, with a {MANIFEST}"
        )
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("it is larger than any that Viewfinder writes")
        document = as_table(_parsed(read_bytes(file).decode("utf-8")))
        ours = document.pop("schema") == _SCHEMA
        manifest = _checked(document) if ours else None
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{file} is damaged, or of another version: {error}") from error
    except KeyError as error:
        raise InputError(f"{file} is damaged: it lacks {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{file} is damaged: {error}") from error
    if manifest is None:
        raise InputError(f"{file} was written by another version of Viewfinder")
    return manifest


def _parsed(text: str) -> object:
    """JSON whose numbers are finite and of a length that arithmetic is made for."""

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            raise ValueError(f"a number of {len(digits):,} digits counts nothing")
        return int(digits)

    def decimal(digits: str) -> float:
        if not math.isfinite(number := float(digits)):
            raise ValueError(f"{digits:.20} is too large")
        return number

    def word(name: str) -> float:
        raise ValueError(f"{name} is no number")

    parsed: object = json.loads(text, parse_int=whole, parse_float=decimal, parse_constant=word)
    return parsed


def _checked(document: dict[str, object]) -> Manifest:
    """What `run.json` says, if it is what a training could have written.

    Raises:
        ValueError, KeyError, InputError: it is not.
    """
    if strange := document.keys() - {field.name for field in fields(Manifest)}:
        raise ValueError(f"nothing is known of {min(strange)!r:.50}")
    task, threads = as_text(document["task"]), document.get("threads")
    classes = tuple(map(as_text, as_list(document["classes"])))
    if len(set(classes)) != len(classes):
        raise ValueError("a class is named twice")
    require_classes(find(task), classes)
    mean, std = _colours(document["mean"]), _colours(document["std"])
    if min(std) < _LEAST_STD:
        raise ValueError(f"std must be at least {_LEAST_STD:g}")
    bits = as_whole(document.get("bits", BITS[-1]))
    if bits not in BITS:
        raise ValueError(f"bits must be one of {', '.join(map(str, BITS))}")
    if threads is not None and as_whole(threads) < 1:
        raise ValueError("threads must be a number of them")
    return Manifest(
        task=task,
        net=as_text(document["net"]),
        classes=classes,
        size=_size(document["size"]),
        options=as_table(document["options"]),
        mean=mean,
        std=std,
        recipe=recipe_of(task).from_json(as_table(document["recipe"])),
        versions=_texts(document["versions"]),
        data=_checked_data(as_table(document["data"])),
        device=as_text(document["device"]),
        precision=checked_precision(document["precision"]),
        bits=bits,
        threads=None if threads is None else as_whole(threads),
        machine=as_table(document.get("machine", {})),
    )


def _size(sides: object) -> Size:
    width, height = map(as_whole, as_list(sides))
    if not (1 <= width <= LARGEST_SIZE and 1 <= height <= LARGEST_SIZE):
        raise ValueError(f"size must be a width and a height in pixels up to {LARGEST_SIZE}")
    return width, height


def _colours(numbers: object) -> tuple[float, ...]:
    """Of numbers in [0, 1], the mean and the deviation are in [0, 1] too."""
    three = tuple(map(as_number, as_list(numbers)))
    if len(three) != 3 or not all(0 <= number <= 1 for number in three):
        raise ValueError("mean and std must be three numbers from 0 to 1 each")
    return three


def _texts(table: object) -> dict[str, str]:
    return {name: as_text(text) for name, text in as_table(table).items()}


def _counts(table: object) -> dict[str, int]:
    counts = {name: as_whole(count) for name, count in as_table(table).items()}
    if min(counts.values(), default=0) < 0:
        raise ValueError("pictures must be counts")
    return counts


def _checked_data(data: dict[str, object]) -> DataRecord:
    record: DataRecord = {
        "source": as_text(data["source"]),
        "root": as_text(data["root"]),
        "layout": as_text(data["layout"]),
        "fingerprint": as_text(data["fingerprint"]),
        "images": _counts(data["images"]),
        "per_class": _counts(data["per_class"]),
    }
    if "inputs" in data:
        record["inputs"] = _texts(data["inputs"])
    if "depth" in data:
        record["depth"] = {name: as_table(of) for name, of in as_table(data["depth"]).items()}
    if "decided" in data:
        record["decided"] = {name: as_table(of) for name, of in as_table(data["decided"]).items()}
    if "folded" in data:
        record["folded"] = as_text(data["folded"])
    return record


def checked_precision(document: object) -> PrecisionRecord:
    """A choice of arithmetic, held to what a training could have written.

    Raises:
        ValueError, KeyError: it is not.
    """
    precision = as_table(document)
    arrangement, trials = as_table(precision["arrangement"]), as_tables(precision["trials"])
    if set(arrangement) != {"arithmetic", "layout"}:
        raise ValueError("precision.arrangement must be an arithmetic and a layout")
    if not all(set(trial) == set(_TRIAL) for trial in trials):
        raise ValueError(f"each of precision.trials must have {', '.join(_TRIAL)}")
    promise = precision.get("promise")  # runs of earlier versions have none
    if promise is not None and not (type(promise) is float and 0 <= promise < math.inf):
        raise ValueError("precision.promise must be seconds or null")
    record: PrecisionRecord = {
        "arrangement": _arranged(arrangement),
        "why": as_text(precision["why"]),
        "trials": [
            {
                **_arranged(trial),
                "milliseconds": as_number_or_none(trial["milliseconds"]),
                "loss": as_number_or_none(trial["loss"]),
                "verdict": as_text(trial["verdict"]),
            }
            for trial in trials
        ],
    }
    if "promise" in precision:
        record["promise"] = promise
    return record


def _arranged(table: dict[str, object]) -> ArrangementRecord:
    try:
        arithmetic, layout = _ARITHMETICS[table["arithmetic"]], _LAYOUTS[table["layout"]]
    except (KeyError, TypeError):
        raise ValueError(
            f"precision must be of {', '.join(_ARITHMETICS.values())} and "
            f"{' or '.join(_LAYOUTS.values())}"
        ) from None
    return {"arithmetic": arithmetic, "layout": layout}
