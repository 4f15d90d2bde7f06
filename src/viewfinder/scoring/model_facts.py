"""What a model is and costs: its net, size and speed, and the recipe of its training."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.devices import pick_device
from viewfinder.events import listening
from viewfinder.inference.answers import Predictor
from viewfinder.inference.onnx_files import parameters_in
from viewfinder.pictures.geometry import Size
from viewfinder.runs.run import RunFolder
from viewfinder.scoring.models import asked_file
from viewfinder.tasks.model import Model

# Of each model about so many seconds for one picture at a time, and pictures at least and at most.
_ALONE, _FEWEST, _MOST = 1.5, 5, 15
# Seconds and pictures of each lap over files, at most, and how many laps each model has.
_LAP, _FILES, _LAPS = 1.0, 64, 3


@dataclass(frozen=True)
class AnswerSpeed:
    """How fast a model answered on this machine.

    Attributes:
        milliseconds: from one picture in memory to its answer: the quickest of 5 to 15.
        pictures_per_s: from files to answers, decoding and answering side by side, as `predict`:
            the quickest of three laps.
        pictures: that were answered in each lap.
    """

    milliseconds: float
    pictures_per_s: float
    pictures: int


@dataclass(frozen=True)
class ModelFacts:
    """What a model is and costs.

    Attributes:
        size: width and height of what the net is given.
        parameters: None where its file does not say.
        megabytes: of the file of weights, 10⁶ bytes.
        device: what it was timed on.
    """

    source: Path
    net: str
    size: Size
    parameters: int | None
    megabytes: float
    device: str
    speed: AnswerSpeed


def facts_of(models: Mapping[str, Model], examples: Dataset) -> dict[str, ModelFacts]:
    """What each model is and costs, timed on some of a set's pictures, in turn.

    Raises:
        InputError: a picture cannot be read.
    """
    device = pick_device("auto")
    predictors = {name: Predictor(model, device=device) for name, model in models.items()}
    speeds = _timed(models, predictors, examples)
    return {
        name: ModelFacts(
            model.source,
            model.config.net,
            model.config.size,
            _parameters(predictors[name].net, model.weights.file),
            model.weights.file.stat().st_size / 1e6,
            device.type,
            speeds[name],
        )
        for name, model in models.items()
    }


def _parameters(net: nn.Module, file: Path) -> int | None:
    if file.suffix.lower() == ".onnx":
        return parameters_in(file)
    return sum(each.numel() for each in net.parameters())


def _timed(
    models: Mapping[str, Model], predictors: Mapping[str, Predictor], examples: Dataset
) -> dict[str, AnswerSpeed]:
    """Models take turns at every picture and every lap, so that what else the machine does slows
    all of them, and of each the quickest counts, which it slows least."""
    alone = _one_by_one(models, predictors, examples)
    files = {
        name: [
            asked_file(models[name], examples, k)
            for k in range(_in_a_lap(alone[name], len(examples)))
        ]
        for name in predictors
    }
    laps: dict[str, list[float]] = {name: [] for name in predictors}
    for _ in range(_LAPS):
        for name, predictor in predictors.items():
            laps[name].append(_seconds(predictor, files[name]))
    return {
        name: AnswerSpeed(1000 * alone[name], len(files[name]) / min(own), len(files[name]))
        for name, own in laps.items()
    }


def _in_a_lap(seconds: float, there: int) -> int:
    """How many pictures a model answers in a lap, of which each takes it so many seconds alone."""
    return int(min(_FILES, there, max(1, _LAP / max(seconds, 1e-6))))


def _one_by_one(
    models: Mapping[str, Model], predictors: Mapping[str, Predictor], examples: Dataset
) -> dict[str, float]:
    """Seconds that each model takes from one picture in memory to its answer, at the quickest."""
    each: dict[str, list[float]] = {name: [] for name in predictors}
    count = min(_MOST, len(examples))
    some = np.linspace(0, len(examples) - 1, count).astype(int).tolist()
    for number, index in enumerate([some[0], *some]):
        for name, predictor in predictors.items():
            if number > _FEWEST and sum(each[name]) > _ALONE:
                continue
            ready = predictor.prepare_file(asked_file(models[name], examples, index))
            start = time.perf_counter()
            list(predictor.at_once([ready]))
            if number:  # The first time, memory is still being got.
                each[name].append(time.perf_counter() - start)
    return {name: min(own) for name, own in each.items()}


def _seconds(predictor: Predictor, files: Sequence[Path]) -> float:
    start = time.perf_counter()
    with listening():  # What is timed is no work that anybody waits for.
        for _ in predictor.answers((predictor.prepare_file(file) for file in files), len(files)):
            pass
    return time.perf_counter() - start


def recipes_apart(
    models: Mapping[str, Model], runs: Mapping[str, RunFolder]
) -> dict[str, dict[str, str | None]]:
    """What models differ in, by what it is; None where nothing is known of a model's training."""
    told = {name: _told(model, runs.get(name)) for name, model in models.items()}
    keys = dict.fromkeys(key for own in told.values() for key in own)
    rows = {key: {name: own.get(key) for name, own in told.items()} for key in keys}
    return {
        key: row for key, row in rows.items() if len({v for v in row.values() if v is not None}) > 1
    }


def _told(model: Model, run: RunFolder | None) -> dict[str, str]:
    """All that is known of how a model was made, in words; what it was trained on last."""
    config = model.config
    width, height = config.size
    own = {"net": config.net, "input": f"{width}×{height}", "classes": _in_words(config.classes)}
    if run is None:
        return own
    manifest = run.manifest
    recipe = {key: _in_words(v) for key, v in manifest.recipe.as_json().items() if key != "net"}
    recipe.pop("size", None)
    data, images = manifest.data, manifest.data.get("images", {})
    own |= recipe
    with suppress(OSError):
        own["epochs taken"] = str(len(run.history()))
    return own | {
        "trained on": str(data.get("source", "")),
        "pictures of that set": f"{sum(images.values()):,}, {data.get('fingerprint', '')[:8]}",
        "pictures learnt from": f"{images.get('train', 0):,}",
        "arithmetic": manifest.precision["arrangement"]["arithmetic"],
        "computed on": manifest.device,
        "Viewfinder": manifest.versions.get("viewfinder", ""),
    }


def _in_words(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "not given"
    return str(value).lower() if isinstance(value, bool) else str(value)
