"""ONNX files as onnxruntime runs them, each of whose failures is one sentence here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.portable import Arrays

LEAST_SCORE = "least_score"
"""The metadata's word for what the score of `final` objects exceeds."""

SCORES = "scores"
"""The metadata's word for whether scores are `calibrated` or the net's `own`."""

# Values in one tensor beyond which no picture or answer is.
_MOST_VALUES = 1 << 28
# The side that a picture is brought to where a file leaves it open.
_OPEN_SIDE = 320
# Letters of onnxruntime's own words for what went wrong.
_MOST_LETTERS = 200
_FATAL = 4
# Colours, its name, a number and its word, and lines of its sources.
_NOISE = re.compile(
    r"\x1b\[[0-9;]*m|\[ONNXRuntimeError\] : [0-9]+ : [A-Z_]+ : |/onnxruntime_src/\S+ "
    r"|onnxruntime::[\w:<>~]+\([^)]*\)(?: const)? |Non-zero status code returned while "
)


class Port(Protocol):
    """An input or an output of a session."""

    name: str
    shape: Sequence[int | str | None]
    type: str


class Metadata(Protocol):
    """What whoever wrote a file says of it."""

    custom_metadata_map: Mapping[str, str]


class Session(Protocol):
    """What is asked here of onnxruntime, which has no types."""

    def get_inputs(self) -> Sequence[Port]: ...

    def get_outputs(self) -> Sequence[Port]: ...

    def get_modelmeta(self) -> Metadata: ...

    def run(
        self, outputs: None, given: Mapping[str, NDArray[np.float32]], /
    ) -> list[np.ndarray]: ...


class OnnxFile:
    """A network in a file that takes one tensor of pictures, and computes on the processor.

    Attributes:
        size: width and height of the pictures that it takes.
        names: of its outputs.
        metadata: what whoever wrote it says of it.
    """

    def __init__(self, file: Path) -> None:
        """Open a file.

        Raises:
            InputError: onnxruntime is missing, there is no such file, or it is no network that
                takes pictures.
        """
        if not file.is_file():
            raise InputError(f"there is no file {file}: give a run, or an ONNX file")
        self.file = file
        with _explained(
            f"{file} is no ONNX network that can be read; fetch it again if it should be"
        ):
            self._session = open_session(str(file))
            given, *others = self._session.get_inputs()
            outputs = self._session.get_outputs()
            self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        shape = list(given.shape)
        if others or len(shape) != 4 or shape[1] not in (3, "3") or given.type != "tensor(float)":
            self.refuse(
                f"does not take one picture as 1×3×H×W of float32, but {_shown(shape)} of "
                f"{given.type[:40]}: export it again so that it does, where it was made"
            )
        self._shape = [side if isinstance(side, int) else None for side in shape]
        self.names = tuple(each.name for each in outputs)
        self.size: Size = self._shape[3] or _OPEN_SIDE, self._shape[2] or _OPEN_SIDE
        if 0 in self._shape or not _may_be(self._shape):
            self.refuse(f"takes pictures of {_shown(shape[2:])}, which none have")
        for each in outputs:
            if not _may_be(each.shape):
                self.refuse(f"answers with {_shown(each.shape)} values, which no memory holds")

    def __reduce__(self) -> tuple[object, ...]:
        # A session cannot be sent to another process, which opens the file itself.
        return _reopened, (self.file, self.size)

    def resize(self, size: Size) -> None:
        """Give it pictures of this width and height from now on.

        Raises:
            InputError: it takes another size alone.
        """
        for fixed, side in zip(self._shape[2:], (size[1], size[0]), strict=True):
            if fixed not in (None, side):
                self.refuse(
                    f"says that it takes {size[0]}×{size[1]}, and takes {_shown(self.size)}"
                )
        if not _may_be([3, *size]):
            self.refuse(f"takes pictures of {_shown(size)}, which none have")
        self.size = size

    def run(self, pictures: NDArray[np.float32], *, at_once: int | None = None) -> Arrays:
        """Each output for N×3×H×W pictures.

        Args:
            at_once: how many pictures to give it at a time, where it does not say so itself; all
                if not given.

        Raises:
            InputError: it fails.
        """
        step = self._shape[0] or at_once or len(pictures)
        parts = [self._run(pictures[at : at + step], step) for at in range(0, len(pictures), step)]
        if len(parts) == 1 and step == len(pictures):
            return parts[0]
        if any(each.ndim == 0 or len(each) != step for part in parts for each in part):
            self.refuse(f"does not answer {step} pictures with as many answers")
        return [np.concatenate(each)[: len(pictures)] for each in zip(*parts, strict=True)]

    def _run(self, part: NDArray[np.float32], step: int) -> Arrays:
        missing = np.zeros((step - len(part), *part.shape[1:]), np.float32)
        filled = np.ascontiguousarray(np.concatenate([part, missing]))
        given = self._session.get_inputs()[0].name
        with _explained(f"{self.file} fails on pictures of {_shown(self.size)}"):
            return [np.asarray(each) for each in self._session.run(None, {given: filled})]

    def refuse(self, what: str) -> NoReturn:
        """Raise an InputError that says what is wrong with the file."""
        raise InputError(f"{self.file} {what}")


def _reopened(file: Path, size: Size) -> OnnxFile:
    opened = OnnxFile(file)
    opened.resize(size)
    return opened


def open_session(model: str | bytes) -> Session:
    """onnxruntime's session of a file or its bytes; it prints nothing of its own.

    Raises:
        InputError: onnxruntime is missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            "an ONNX file needs onnxruntime: install it with `pip install viewfinder[export]`"
        ) from error
    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = torch.get_num_threads()
    # Falling back, it would print what failed and try the same again.
    session: Session = onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )
    return session


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Whatever breaks within as one sentence: a foreign file may break onnxruntime in any way."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        words = _NOISE.sub("", str(error))
        words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
        shown = words[:_MOST_LETTERS] + ("…" if len(words) > _MOST_LETTERS else "")
        raise InputError(f"{what}: {shown or type(error).__name__}") from error


def _may_be(shape: Iterable[object] | None) -> bool:
    """Whether a tensor may be of this shape, as far as it is known: a number or not of a side."""
    known = [side for side in shape or () if isinstance(side, int)]
    return bool(0 <= np.prod(known, dtype=np.float64) <= _MOST_VALUES)


def _shown(sides: Iterable[object]) -> str:
    return "×".join(str(side)[:20] for side in sides)


# What brings pictures, or numbers, into another form, and learns nothing where it does so.
_ARITHMETIC = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Clip", "Cast", "Identity", "Transpose",
     "Slice", "Concat", "Reshape", "Resize", "Pad", "Squeeze", "Unsqueeze", "Gather"}
)  # fmt: skip


def parameters_in(file: Path) -> int | None:
    """How many numbers of weights an ONNX file holds; None where the package `onnx` is missing.

    Not counted is what no training finds: what pictures are normalised by, single numbers that are
    added or multiplied, and the mean and variance of batch norms.
    """
    try:
        import onnx
    except ImportError:
        return None
    graph = onnx.load(str(file), load_external_data=False).graph
    floating = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    sizes = {
        each.name: int(np.prod(each.dims, dtype=np.int64))
        for each in graph.initializer
        if each.data_type in floating
    }
    # Pictures on their way to the first layer.
    pictures = {each.name for each in graph.input} - set(sizes)
    constants: set[str] = set()
    for node in graph.node:
        own = [name for name in node.input if name in sizes]
        if node.op_type == "BatchNormalization":
            constants.update(node.input[3:5])
        elif node.op_type in _ARITHMETIC:
            early = not pictures.isdisjoint(node.input)
            pictures.update(node.output if early else ())
            constants.update(name for name in own if early or sizes[name] == 1)
    return sum(size for name, size in sizes.items() if name not in constants)
