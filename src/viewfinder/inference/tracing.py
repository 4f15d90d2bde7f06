"""A network of torch's as an ONNX program."""

import warnings
from collections.abc import Sequence

import torch
from torch import nn

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Size

_OPSET = 18


def require_libraries() -> None:
    """See that what writes and runs ONNX files is here.

    Raises:
        InputError: it is not.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"exporting needs {error.name}: install it with `pip install viewfinder[export]`"
        ) from error


def traced(module: nn.Module, names: Sequence[str], size: Size) -> bytes:
    """The module as ONNX, for a batch of any size."""
    width, height = size
    example = torch.rand(2, 3, height, width)
    with warnings.catch_warnings():
        # The exporter warns of its own inner workings, which a user can do nothing about.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (example,),
            input_names=["pictures"],
            output_names=list(names),
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "the exporter returns a program where no file is named"
    return bytes(program.model_proto.SerializeToString())
