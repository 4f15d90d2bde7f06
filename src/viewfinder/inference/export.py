"""A run as an ONNX file, and the proof that it answers as the run does.

The file takes `pictures`, N×3×H×W float32 red, green and blue in [0, 1], prepared as the run's
task prepares them (letterboxed or stretched to the run's size); what the net subtracts and divides
is inside. The names of the classes, the size and the way to prepare pictures travel in the file's
metadata.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import write_bytes
from viewfinder.inference.answers import Predictor
from viewfinder.inference.onnx_files import LEAST_SCORE, SCORES
from viewfinder.inference.parity import Parity, compared, prove_objects
from viewfinder.inference.tiling import whole
from viewfinder.inference.tracing import require_libraries, traced
from viewfinder.pictures.reading import BITS
from viewfinder.tasks import find
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.detect.tiling.tiles import TILES, tiles_of
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.normalisation import Normalisation

if TYPE_CHECKING:
    import onnx

Answers = Literal["raw", "decoded", "final"]

# Pictures that the file must answer as the run does.
_PROOF = 8
# Detections that a picture keeps of each class, and the IoU above which two are one object.
_MOST, _OVERLAP = 300, 0.45


def export_onnx(
    model: Model,
    out: Path,
    *,
    pictures: Sequence[Path],
    answers: Answers = "decoded",
    threshold: float = 0.25,
) -> Parity:
    """Write a model as an ONNX file with any number of pictures in a batch, and prove it.

    Args:
        answers: `raw` outputs of the net; `decoded`, probabilities, boxes with scores, or maps;
            or, of a detector, `final`: non-maximum suppression inside, a row an object.
        threshold: what the score of `final` objects must exceed.
        pictures: files of real pictures, some of which it is proved on.

    Raises:
        InputError: the extra libraries are missing, a picture cannot be read, the file cannot be
            written, or it does not answer as the model does: then none is left behind.
    """
    require_libraries()
    import onnx

    asked, tiles, model = model.config, tiles_of(model.config), whole(model)
    config, task = model.config, find(model.config.task)
    if answers not in task.portables:
        raise InputError("only a detector has objects to choose: leave --answers final out")
    _require_text(config.classes)
    scores = _scores_of(config, answers)
    if OPINION in config.habits:
        note("the file answers without the run's second opinion on classes")
    batch = _proof_pictures(model, pictures)
    core, names = task.portable(model.load(), config, raw=answers == "raw")
    module = Portable(core, config.normalisation).eval()
    program = onnx.load_model_from_string(traced(module, names, config.size))
    table = _metadata(asked, answers) | {SCORES: scores}
    if tiles is not None:
        note(
            f"the run answers in {tiles}: the file takes one tile, "
            f"{config.size[0]}×{config.size[1]}; `viewfinder predict` with it cuts and joins them, "
            "another program must"
        )
    if answers == "final":
        table[LEAST_SCORE] = repr(float(threshold))
    for key, value in table.items():
        entry = program.metadata_props.add()
        entry.key, entry.value = key, value
    parity = compared(module, program.SerializeToString(), names, batch, config.size)
    if answers == "final":
        _append_suppression(program, threshold)
        onnx.checker.check_model(program)
        prove_objects(module, program.SerializeToString(), batch, threshold, overlap=_OVERLAP)
    write_bytes(out, program.SerializeToString())
    return parity


class Portable(nn.Module):
    """A net with the colours it expects inside: N×3×H×W in [0, 1] to its answers."""

    def __init__(self, core: nn.Module, normalisation: Normalisation) -> None:
        super().__init__()
        self.core = core
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(normalisation.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(normalisation.std).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:  # N×3×H×W
        found: Tensor | tuple[Tensor, ...] = self.core((pictures - self.mean) / self.std)
        return found


def _require_text(classes: Sequence[str]) -> None:
    """Refuse names that come from folders whose names are bytes of another encoding.

    Raises:
        InputError: a name has no form in UTF-8, which is all that an ONNX file holds.
    """
    for name in classes:
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = name.encode("utf-8", "backslashreplace").decode()
            raise InputError(
                f"the class {shown!r} has a name that is no UTF-8, which an ONNX file cannot hold: "
                "rename its folder and its name in the run's run.json"
            ) from None


def _proof_pictures(model: Model, files: Sequence[Path]) -> Tensor:
    """Up to eight real pictures, N×3×H×W float32 in [0, 1], prepared as the model takes them."""
    predictor = Predictor(model, device=torch.device("cpu"))
    step = max(1, len(files) // _PROOF)
    prepared = [predictor.prepare_file(file).pixels for file in files[::step][:_PROOF]]
    return as_shares(torch.stack(prepared))


def _scores_of(config: ModelConfig, answers: Answers) -> str:
    """Whether the file's scores are the run's calibrated ones, or the net's own."""
    if CALIBRATION not in config.habits:
        return "own"
    if answers == "raw" or OPINION in config.habits:
        note("the file gives the network's own scores, which are not calibrated")
        return "own"
    note("the file's scores are calibrated, as those of predict are (--scores own: the network's)")
    return "calibrated"


def _metadata(config: ModelConfig, answers: Answers) -> dict[str, str]:
    deep, tiles = config.bits < BITS[-1], tiles_of(config)
    return ({} if tiles is None else {TILES: json.dumps(tiles.as_json())}) | {
        "task": config.task,
        "net": config.net,
        "classes": json.dumps(config.classes, ensure_ascii=False),
        "size": json.dumps(config.size),
        "answers": answers,
        "pictures": f"red, green, blue in [0, 1]; {config.framing} to size, width and height"
        + (f"; values of 16-bit files divided by {(1 << config.bits) - 1}, at most 1" * deep),
    }


def _append_suppression(model: "onnx.ModelProto", threshold: float) -> None:
    """Put ONNX's own NonMaxSuppression, class by class, behind `boxes` and `scores`.

    The outputs become, for each of M objects: `picture`, `label`, `score`, and `box`.
    """
    from onnx import TensorProto as types
    from onnx import helper

    graph = model.graph
    constants = {
        "most": (types.INT64, _MOST),
        "overlap": (types.FLOAT, _OVERLAP),
        "threshold": (types.FLOAT, threshold),
    }
    for name, (kind, value) in constants.items():
        graph.initializer.append(helper.make_tensor(name, kind, [1], [value]))
    for name, numbers in (("of_picture", [0]), ("of_class", [1])):
        graph.initializer.append(helper.make_tensor(name, types.INT64, [1], numbers))
    for name, numbers in (("by_score", [0, 2, 1]), ("by_box", [0, 2])):
        graph.initializer.append(helper.make_tensor(name, types.INT64, [len(numbers)], numbers))
    graph.initializer.append(helper.make_tensor("flat", types.INT64, [1], [-1]))
    nodes: list[tuple[str, list[str], list[str], dict[str, int | list[int]]]] = [
        ("Transpose", ["scores"], ["scores_by_class"], {"perm": [0, 2, 1]}),
        (
            "NonMaxSuppression",
            ["boxes", "scores_by_class", "most", "overlap", "threshold"],
            ["chosen"],  # M×3: picture, class, place
            {},
        ),
        ("Gather", ["chosen", "by_score"], ["score_places"], {"axis": 1}),
        ("GatherND", ["scores", "score_places"], ["score"], {}),
        ("Gather", ["chosen", "by_box"], ["box_places"], {"axis": 1}),
        ("GatherND", ["boxes", "box_places"], ["box"], {}),
        ("Gather", ["chosen", "of_picture"], ["picture_column"], {"axis": 1}),
        ("Reshape", ["picture_column", "flat"], ["picture"], {}),
        ("Gather", ["chosen", "of_class"], ["label_column"], {"axis": 1}),
        ("Reshape", ["label_column", "flat"], ["label"], {}),
    ]
    for operator, inputs, outputs, attributes in nodes:
        node = helper.make_node(operator, inputs, outputs)
        node.attribute.extend(helper.make_attribute(*each) for each in attributes.items())
        graph.node.append(node)
    del graph.output[:]
    graph.output.extend(
        [
            helper.make_tensor_value_info("picture", types.INT64, ["objects"]),
            helper.make_tensor_value_info("label", types.INT64, ["objects"]),
            helper.make_tensor_value_info("score", types.FLOAT, ["objects"]),
            helper.make_tensor_value_info("box", types.FLOAT, ["objects", 4]),
        ]
    )
