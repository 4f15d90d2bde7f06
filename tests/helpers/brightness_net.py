"""A network of saliency as other people hand it on: bright is what catches the eye."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_brightness(
    file: Path, *, channels: int = 3, height: int | str = "H", width: int | str = "W"
) -> Path:
    """A network whose map is the mean over the channels."""
    nodes = [helper.make_node("ReduceMean", ["picture", "axes"], ["map"], keepdims=1)]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [
            helper.make_tensor_value_info(
                "picture", TensorProto.FLOAT, ["N", channels, height, width]
            )
        ],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, None)],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, file)
    return file
