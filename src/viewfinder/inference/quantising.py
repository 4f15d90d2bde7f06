"""An ONNX program whose convolutions and matrix products multiply whole numbers of 8 bits.

Weights are scaled channel by channel, and what flows between layers by the values that it takes on
pictures that stand for those to come (static quantisation; Jacob et al., Quantization and training
of neural networks for efficient integer-arithmetic-only inference, 2018). What makes answers of the
last maps stays in float32. A processor with VNNI multiplies four such numbers where it would
multiply one of float32.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError

# What multiplies, and what passes values on between two products without leaving 8 bits.
_PRODUCTS = ("Conv", "Gemm", "MatMul")


def quantised(program: bytes, pictures: Iterable[NDArray[np.float32]]) -> bytes:
    """A program in 8 bits, of one in float32 that takes `pictures`.

    Args:
        pictures: each 1×3×H×W in [0, 1]; by the values that they give, layers are scaled.

    Raises:
        InputError: onnxruntime cannot do it.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Given(CalibrationDataReader):  # type: ignore[misc]
        """The pictures, one by one."""

        def __init__(self) -> None:
            self._left = iter(pictures)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(({"pictures": each} for each in self._left), None)

    with tempfile.TemporaryDirectory() as folder, _silent():
        whole, ready, done = (Path(folder) / f"{name}.onnx" for name in ("whole", "ready", "done"))
        whole.write_bytes(program)
        try:
            quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
            quantize_static(
                str(ready),
                str(done),
                Given(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8,
                op_types_to_quantize=list(_PRODUCTS),
            )
        except (RuntimeError, ValueError, TypeError, KeyError, AssertionError) as error:
            raise InputError(
                f"onnxruntime cannot bring this net to 8 bits: {str(error)[:120]}; leave --int8 out"
            ) from error
        found, own = onnx.load(str(done)), onnx.load_model_from_string(program)
    del found.metadata_props[:]
    found.metadata_props.extend(own.metadata_props)
    return bytes(found.SerializeToString())


@contextmanager
def _silent() -> Iterator[None]:
    """Within, onnxruntime's tools do not log what they would do otherwise."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
