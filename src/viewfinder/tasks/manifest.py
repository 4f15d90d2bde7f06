"""What `run.json` says of a run: its task, net and classes, and how it was trained.

A run's folder may come from a stranger: all that is read is held to what a training could have
written before anything is built of it.
"""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from viewfinder.datasets.opening import TABLETOP
from viewfinder.errors import InputError
from viewfinder.files import write_json
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import BITS
from viewfinder.reading import read_bytes
from viewfinder.tasks import find, recipe_of
from viewfinder.tasks.manifest_tables import (
    DataRecord,
    PrecisionRecord,
    as_texts,
    checked_data,
    checked_precision,
)
from viewfinder.tasks.recipe import LARGEST_SIZE, Recipe
from viewfinder.tasks.run_files import MANIFEST, require_manifest
from viewfinder.values import (
    as_list,
    as_number,
    as_table,
    as_text,
    as_whole,
)

_SCHEMA = 2
# Bytes beyond which a `run.json` is no training's: it must not fill the memory.
_LARGEST = 1 << 26
# Digits beyond which a whole number counts nothing that a training has.
_MOST_DIGITS = 18
# Of a deviation: a set of one colour has a grey level's step, 1/255.
_LEAST_STD = 1e-3


@dataclass(frozen=True)
class Manifest:
    """What `run.json` says.

    Attributes:
        size: width and height in pixels of what the net is given.
        options: what the net is created with, beside its classes.
        mean, std: of red, green and blue in [0, 1], subtracted and divided before the net.
        versions: of Python, Viewfinder and the libraries that computed.
        data: the training set's source, root, layout, fingerprint, pictures by split and class.
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

    @property
    def learnt_from(self) -> str:
        """Where the set that it was trained on lies: as it was given then or, where that is of
        another folder than today's, the whole path; empty where no training of ours is."""
        source, root = str(self.data.get("source", "")), str(self.data.get("root", ""))
        there = source == TABLETOP or Path(source).expanduser().exists()
        return source if there or not root else root


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a run's `run.json`."""
    document = asdict(manifest) | {"schema": _SCHEMA, "recipe": manifest.recipe.as_json()}
    write_json(folder / MANIFEST, document)


def read_manifest(folder: Path, *, quickly: bool = False) -> Manifest:
    """What the `run.json` in a folder says.

    Args:
        quickly: whether its task could have so few classes is not asked, which imports torch.

    Raises:
        InputError: there is none, it cannot be read, another version wrote it, or no training did.
    """
    file = folder / MANIFEST
    require_manifest(folder)
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("it is larger than any that Viewfinder writes")
        document = as_table(_parsed(read_bytes(file).decode("utf-8")))
        ours = document.pop("schema") == _SCHEMA
        manifest = _checked(document, quickly=quickly) if ours else None
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


def _checked(document: dict[str, object], *, quickly: bool) -> Manifest:
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
    if not quickly:
        from viewfinder.tasks.task import require_classes

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
        versions=as_texts(document["versions"]),
        data=checked_data(as_table(document["data"])),
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
