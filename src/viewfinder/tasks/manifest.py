"""What `run.json` says of a run: its task, net and classes, and how it was trained.

A run's folder may come from a stranger: all that is read is held to what a training could have
written before anything is built of it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

from viewfinder.errors import InputError
from viewfinder.files import write_json
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import BITS
from viewfinder.reading import read_bytes
from viewfinder.tasks import find, recipe_of
from viewfinder.tasks.recipe import LARGEST_SIZE, Recipe
from viewfinder.tasks.task import require_classes

MANIFEST = "run.json"

Arithmetic = Literal["32", "bf16", "16"]
Layout = Literal["contiguous", "channels_last"]

_SCHEMA = 2
# Bytes beyond which a `run.json` is no training's: it must not fill the memory.
_LARGEST = 1 << 26
# Digits beyond which a whole number counts nothing that a training has.
_MOST_DIGITS = 18
# Of a deviation: a set of one colour has a grey level's step, 1/255.
_LEAST_STD = 1e-3
# What stands in the tables whatever the task, and its kind.
_DATA = {"source": str, "root": str, "layout": str, "fingerprint": str}
_COUNTS = ("images", "per_class")
_TRIAL = ("arithmetic", "layout", "milliseconds", "loss", "verdict")


class DataRecord(TypedDict, total=False):
    """The set that a run was trained on.

    `images` are counts by split, `per_class` of training pictures, `inputs` digests of what else
    was learnt from by the flag that named it, `depth` what the numbers of depth maps mean by
    folder, and `folded` which fold of how many it is.
    """

    source: str
    root: str
    layout: str
    fingerprint: str
    inputs: dict[str, str]
    images: dict[str, int]
    per_class: dict[str, int]
    depth: dict[str, dict[str, object]]
    folded: str


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
    precision: dict[str, Any]
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
        document = _parsed(read_bytes(file).decode("utf-8"))
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


def _parsed(text: str) -> Any:
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

    return json.loads(text, parse_int=whole, parse_float=decimal, parse_constant=word)


def _checked(document: dict[str, Any]) -> Manifest:
    """What `run.json` says, if it is what a training could have written.

    Raises:
        ValueError, KeyError, TypeError, InputError: it is not.
    """
    recipe = recipe_of(document["task"]).from_json(document["recipe"])
    lists = {name: tuple(document[name]) for name in ("classes", "size", "mean", "std")}
    if not all(isinstance(document[name], list) for name in lists):
        raise ValueError("classes, size, mean and std must be lists")
    manifest = Manifest(**{**document, **lists, "recipe": recipe})
    texts = (manifest.task, manifest.net, manifest.device, *manifest.classes)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("task, net, device and classes must be words")
    if len(set(manifest.classes)) != len(manifest.classes):
        raise ValueError("a class is named twice")
    require_classes(find(manifest.task), manifest.classes)
    sides = manifest.size
    if len(sides) != 2 or not all(type(s) is int and 1 <= s <= LARGEST_SIZE for s in sides):
        raise ValueError(f"size must be a width and a height in pixels up to {LARGEST_SIZE}")
    _check_colours(manifest)
    _require_table("options", manifest.options)
    _require_table("machine", manifest.machine)
    _require_table("versions", manifest.versions, dict.fromkeys(manifest.versions, str))
    _check_data(document["data"])
    check_precision(manifest.precision)
    if type(manifest.bits) is not int or manifest.bits not in BITS:
        raise ValueError(f"bits must be one of {', '.join(map(str, BITS))}")
    if manifest.threads is not None and (type(manifest.threads) is not int or manifest.threads < 1):
        raise ValueError("threads must be a number of them")
    return manifest


def _check_colours(manifest: Manifest) -> None:
    """Of numbers in [0, 1], the mean and the deviation are in [0, 1] too."""
    mean, std = manifest.mean, manifest.std
    numbers = [n for n in (*mean, *std) if type(n) in (int, float) and 0 <= n <= 1]
    if len(mean) != 3 or len(std) != 3 or len(numbers) != 6:
        raise ValueError("mean and std must be three numbers from 0 to 1 each")
    if min(std) < _LEAST_STD:
        raise ValueError(f"std must be at least {_LEAST_STD:g}")


def _check_data(data: dict[str, Any]) -> None:
    _require_table("data", data, _DATA)
    _require_table("data.inputs", data.get("inputs", {}))
    for name in _COUNTS:
        _require_table(f"data.{name}", data[name], dict.fromkeys(data[name], int))
        if min(data[name].values(), default=0) < 0:
            raise ValueError(f"data.{name} must be counts")


def check_precision(precision: dict[str, Any]) -> None:
    """Hold a choice of arithmetic to what a training could have written.

    Raises:
        ValueError, KeyError, TypeError: it is not.
    """
    _require_table("precision", precision, {"arrangement": dict, "why": str, "trials": list})
    for arranged in (precision["arrangement"], *precision["trials"]):
        if arranged["arithmetic"] not in get_args(Arithmetic):
            raise ValueError("precision.arithmetic must be one of 32, bf16, 16")
        if arranged["layout"] not in get_args(Layout):
            raise ValueError("precision.layout must be contiguous or channels_last")
    promise = precision.get("promise")
    if promise is not None and not (type(promise) is float and 0 <= promise < math.inf):
        raise ValueError("precision.promise must be seconds or null")
    if set(precision["arrangement"]) != {"arithmetic", "layout"}:
        raise ValueError("precision.arrangement must be an arithmetic and a layout")
    for trial in precision["trials"]:
        if set(trial) != set(_TRIAL):
            raise ValueError(f"each of precision.trials must have {', '.join(_TRIAL)}")
        _require_table("precision.trials", trial, {"verdict": str})
        numbers = (trial["milliseconds"], trial["loss"])
        if not all(number is None or type(number) in (int, float) for number in numbers):
            raise ValueError("precision.trials must have numbers or null")


def _require_table(name: str, value: object, kinds: Mapping[str, type] | None = None) -> None:
    """See that a value is a table, in which some names have values of some kinds."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a table")
    words = {str: "a word", int: "a whole number", dict: "a table", list: "a list"}
    for key, kind in (kinds or {}).items():
        if type(value[key]) is not kind:
            raise ValueError(f"{name}: {key!r:.50} must be {words[kind]}")
