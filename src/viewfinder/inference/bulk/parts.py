"""Many pictures dealt into parts, each answered by itself and kept in a file of its own.

A part is the same whoever answers it, and its file is written whole or not at all. So what was
stopped, or killed, goes on where files are missing, and ends alike.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from viewfinder.errors import InputError
from viewfinder.events import listening
from viewfinder.files import write_bytes
from viewfinder.inference.answers import Answer, Predictor, Prepared
from viewfinder.pictures.finding import is_picture
from viewfinder.reading import read_bytes
from viewfinder.tasks.model import Model, Threshold
from viewfinder.values import as_list, as_table

if TYPE_CHECKING:
    import pyarrow

SCHEMA = "viewfinder.bulk/1"
PART = 64
"""Pictures of a part."""

_TOLD = "bulk.json"


@dataclass(frozen=True)
class BulkJob:
    """What is asked, and where the answers go; it can be pickled.

    Attributes:
        files: of the pictures, as fsspec names them, in order.
        out: the folder of the answers, as fsspec names it.
        size: pictures of a part, but for the last.
    """

    model: Model
    threshold: Threshold | None
    source: str
    files: tuple[str, ...]
    out: str
    size: int = PART

    @property
    def parts(self) -> int:
        """How many there are."""
        return -(-len(self.files) // self.size)

    def file(self, part: int) -> str:
        """The file of a part's answers."""
        return f"{self.out.rstrip('/')}/part-{part:06}.parquet"

    def of(self, part: int) -> tuple[str, ...]:
        """The pictures of a part."""
        return self.files[self.size * part : self.size * (part + 1)]

    def as_json(self) -> dict[str, object]:
        """All on which the answers depend."""
        return {
            "schema": SCHEMA,
            "model": str(self.model.source),
            "weights": _digest(read_bytes(self.model.weights.file)),
            "asked": _digest(repr((self.model.config, self.threshold)).encode()),
            "source": self.source,
            "pictures": len(self.files),
            "list": _digest("\0".join(self.files).encode("utf-8", "surrogateescape")),
            "part": self.size,
            "classes": list(self.model.config.classes),
        }


def deal(
    model: Model, threshold: Threshold | None, source: str, out: str, *, size: int = PART
) -> BulkJob:
    """The pictures below a local folder, or any that fsspec knows (`s3://…`), as a job.

    Raises:
        InputError: no such folder, no pictures in it, or a kind of place whose package is missing.
    """
    system, root = _opened(source)
    try:
        found = sorted(system.find(root))
    except OSError as error:
        raise InputError(f"{source} cannot be listed: {error}") from error
    files = [each for each in found if _visible(each, root) and is_picture(each)]
    if not files:
        raise InputError(f"{source} holds no pictures: they end in .jpg, .png, .webp and the like")
    return BulkJob(model, threshold, source, tuple(map(system.unstrip_protocol, files)), out, size)


def begin(job: BulkJob) -> list[int]:
    """Say in the folder of the answers what they are to; returns the parts that it lacks.

    Raises:
        InputError: the folder holds answers to something else, or something else.
    """
    system, out = _opened(job.out)
    now = json.dumps(job.as_json(), indent=2, ensure_ascii=False).encode("utf-8", "replace")
    place = f"{job.out.rstrip('/')}/{_TOLD}"
    names = {Path(each).name for each in system.find(out)} if system.exists(out) else set()
    if _TOLD in names:
        _, path = _opened(place)
        before = system.cat_file(path)
        if _differing(before, now):
            raise InputError(
                f"{job.out} holds answers to {_differing(before, now)}: give another OUT"
            )
    elif names:
        raise InputError(f"{job.out} exists already and holds no such answers: give another OUT")
    else:
        put(place, now)
    return [part for part in range(job.parts) if Path(job.file(part)).name not in names]


def answer_part(predictor: Predictor, job: BulkJob, part: int) -> None:
    """Answer a part's pictures, and write its file."""
    import pyarrow.parquet

    rows = list(_rows(predictor, job, part))
    table = pyarrow.Table.from_pylist(rows, schema=schema_of(job.model))
    written = io.BytesIO()
    pyarrow.parquet.write_table(table, written)
    put(job.file(part), written.getvalue())


def read_part(job: BulkJob, part: int) -> list[dict[str, object]]:
    """The rows of a part that was answered: a picture each."""
    import pyarrow.parquet

    system, path = _opened(job.file(part))
    table = pyarrow.parquet.read_table(io.BytesIO(system.cat_file(path)))
    return [as_table(row) for row in table.to_pylist()]


def put(place: str, data: bytes) -> None:
    """Write a file, whole or not at all."""
    system, path = _opened(place)
    if isinstance(system, LocalFileSystem):
        write_bytes(Path(path), data)
        return
    try:
        # Object stores show a file once it is complete.
        system.pipe_file(path, data)
    except OSError as error:
        raise InputError(f"{place} cannot be written: {error}") from error


def schema_of(model: Model) -> "pyarrow.Schema":
    """Columns: `source, width, height, error`, and what the task answers; null where it cannot.

    Raises:
        InputError: there are no columns for what its task answers.
    """
    import pyarrow as pa

    corners = [(edge, pa.float64()) for edge in ("x1", "y1", "x2", "y2")]
    box = [("class", pa.string()), ("label", pa.int32()), ("score", pa.float64()), *corners]
    known = {
        "classify": [("label", pa.string()), ("scores", pa.list_(pa.float64()))],
        "detect": [("boxes", pa.list_(pa.struct(box)))],
        "saliency": [
            ("box", pa.struct(corners)),
            *((name, pa.float64()) for name in ("share", "mean", "threshold")),
        ],
    }
    own = known.get(model.config.task)
    if own is None:
        raise InputError(
            f"bulk knows {', '.join(known)}, and has no columns for what {model.config.task} "
            "answers: ask by predict --json"
        )
    about = [("source", pa.string()), ("width", pa.int32()), ("height", pa.int32())]
    classes = json.dumps(model.config.classes, ensure_ascii=False)
    schema = pa.schema([*about, ("error", pa.string()), *own])
    return schema.with_metadata({"classes": classes, "schema": SCHEMA})


def _rows(predictor: Predictor, job: BulkJob, part: int) -> Iterator[dict[str, object]]:
    files, failed = job.of(part), dict[str, str]()
    with listening():  # Progress is reported by parts.
        given = _prepared(predictor, files, failed)
        answers = {each.source: each for each in predictor.answers(given, len(files))}
    for file in files:
        if file in answers:
            yield _row(answers[file], job.model)
        else:
            yield {"source": file, "error": failed[file]}


def _prepared(
    predictor: Predictor, files: Sequence[str], failed: dict[str, str]
) -> Iterator[Prepared]:
    """The pictures that can be read; of the others, why not, in `failed`."""
    for file in files:
        try:
            with _here(file) as path:
                yield replace(predictor.prepare_file(path), source=file)
        except InputError as error:
            failed[file] = str(error)


@contextmanager
def _here(file: str) -> Iterator[Path]:
    """A file by a local path: its own, or that of a copy, which is removed afterwards."""
    system, path = _opened(file)
    if isinstance(system, LocalFileSystem):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(path).name
        try:
            write_bytes(copy, system.cat_file(path))
        except OSError as error:
            raise InputError(f"{file} cannot be fetched: {error}") from error
        yield copy


def _row(answer: Answer, model: Model) -> dict[str, object]:
    """An answer as the columns have it."""
    classes = model.config.classes
    document = dict(answer.as_json(classes))
    if "boxes" in document:
        numbers = {name: number for number, name in enumerate(classes)}
        boxes = [{**as_table(box)} for box in as_list(document["boxes"])]
        document["boxes"] = [{**box, "label": numbers[str(box["class"])]} for box in boxes]
    elif "mask" in document:
        document |= as_table(document.pop("mask"))
    else:
        scores = as_table(document["scores"])
        document["scores"] = [scores[name] for name in classes]
    return document


def _opened(place: str) -> tuple[AbstractFileSystem, str]:
    """A place's file system, and its path there.

    Raises:
        InputError: no such kind of place is known, or its package is missing.
    """
    try:
        system, path = fsspec.core.url_to_fs(place)
    except (ValueError, ImportError) as error:
        raise InputError(f"{place} cannot be opened: {error}") from error
    return system, path


def _visible(file: str, root: str) -> bool:
    """Whether neither the file nor a folder on the way to it is hidden."""
    return not any(part.startswith(".") for part in file.removeprefix(root).split("/"))


def _differing(before: bytes, now: bytes) -> str:
    """What a folder's answers are to that is not what is asked now; empty where all is the same."""
    try:
        old, new = as_table(json.loads(before)), as_table(json.loads(now))
    except (ValueError, RecursionError):
        return "something that cannot be read"
    words = {
        "weights": "a model with other weights",
        "asked": "a model that was asked in another way",
        "list": "other pictures",
    }
    different = [said for key, said in words.items() if old.get(key) != new[key]]
    if not different and old.keys() == new.keys() and old["part"] == new["part"]:
        return ""
    return different[0] if different else "another version's questions"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
