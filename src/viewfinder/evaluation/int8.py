"""A run exported in 8 bits, where that costs little: measured on pictures it never learnt from."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import judge_examples
from viewfinder.files import write_bytes
from viewfinder.inference.answers import Predictor
from viewfinder.inference.export import export_onnx
from viewfinder.inference.onnx_files import open_session
from viewfinder.inference.opening import open_model
from viewfinder.inference.parity import Parity
from viewfinder.inference.quantising import quantised
from viewfinder.reading import read_bytes
from viewfinder.runs.run import RunFolder
from viewfinder.tasks import find
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.model import Model
from viewfinder.values import as_number

MOST_LOSS = 0.005
"""What 8 bits may cost of the task's figure on val, unless another bound is given."""

# Training pictures by whose values layers are scaled.
_PICTURES = 64
_ROUNDS = 10
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Int8Cost:
    """What 8 bits cost and gain.

    Attributes:
        figure: the name of what was measured, higher being better.
        pictures: of val, on which it was.
        float32, int8: the figure of each file.
        milliseconds: of one picture by each file, float32's first: each one's quickest of ten, in
            turn.
        calibrated: training pictures by whose values layers were scaled.
    """

    figure: str
    pictures: int
    float32: float
    int8: float
    milliseconds: tuple[float, float]
    calibrated: int

    @property
    def loss(self) -> float:
        """By how much the figure is lower in 8 bits; below 0 where it is higher."""
        return self.float32 - self.int8

    def __str__(self) -> str:
        before, after = self.milliseconds
        return (
            f"{self.figure} on the {self.pictures} pictures of val: {self.float32:.4f} in float32, "
            f"{self.int8:.4f} in 8 bits; one picture {before:.1f} and {after:.1f} ms; "
            f"scaled by {self.calibrated} training pictures"
        )


def export_int8(
    run: RunFolder, model: Model, out: Path, *, most_loss: float = MOST_LOSS
) -> tuple[Parity, Int8Cost]:
    """Write a run's model as an ONNX file in 8 bits, if that costs little.

    Args:
        model: the run's, as it is to answer.
        most_loss: of the task's figure on val, what it may cost.

    Returns:
        How far the float32 file's answers, of which it was made, are from the run's; and what the
        8 bits cost.

    Raises:
        InputError: the run's pictures are not here, or have no val; or it costs more: then nothing
            is written.
    """
    train, val = _splits(run)
    files = _some(train)
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        parity = export_onnx(model, whole, pictures=files)
        small.write_bytes(quantised(read_bytes(whole), _prepared(model, files)))
        cost = _cost(model, whole, small, val, files)
        if not cost.loss <= most_loss:
            raise InputError(
                f"8 bits cost more than {most_loss:g}: {cost}; nothing was written: leave --int8 "
                "out, or allow more with --most-loss"
            )
        write_bytes(out, read_bytes(small))
    return parity, cost


def _splits(run: RunFolder) -> tuple[Dataset, Dataset]:
    """The run's training pictures, and those that it was chosen by."""
    manifest = run.manifest
    try:
        dataset = open_dataset(run.learnt_from, val_share=manifest.recipe.val_share)
    except InputError as error:
        raise InputError(
            f"the pictures that {run.folder} was trained on are not here, and what 8 bits cost is "
            "measured on them: leave --int8 out"
        ) from error
    if not dataset.has_split("val"):
        raise InputError(
            f"{dataset.root} has no val to measure on what 8 bits cost: leave --int8 out"
        )
    return dataset.split("train"), dataset.split("val")


def _some(train: Dataset) -> list[Path]:
    """Training pictures that stand for all of them, always the same."""
    chosen = np.random.default_rng(0).permutation(len(train))[:_PICTURES]
    return [train.file(int(number)) for number in np.sort(chosen)]


def _prepared(model: Model, files: list[Path]) -> Iterator[NDArray[np.float32]]:
    predictor = Predictor(model, device=_CPU)
    for file in files:
        yield as_shares(predictor.prepare_file(file).pixels)[None].numpy()


def _cost(model: Model, whole: Path, small: Path, val: Dataset, files: list[Path]) -> Int8Cost:
    name = find(model.config.task).best
    figures = [
        as_number(judge_examples(open_model(file), val, device=_CPU).as_json()[name])
        for file in (whole, small)
    ]
    picture = next(_prepared(model, files))
    sessions = [open_session(str(file)) for file in (whole, small)]
    times: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for session, own in zip(sessions, times, strict=True):
            begun = perf_counter()
            session.run(None, {"pictures": picture})
            own.append(1e3 * (perf_counter() - begun))
    alone = min(times[0]), min(times[1])
    return Int8Cost(name, len(val), figures[0], figures[1], alone, len(files))
