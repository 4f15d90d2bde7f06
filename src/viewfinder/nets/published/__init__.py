"""Weights that come with the package: YOLOv3-tiny on the 80 classes of COCO, by Darknet's author.

Darknet and its weights are in the public domain. `yolov3-tiny-coco.safetensors` holds the numbers
of `yolov3-tiny.weights` (https://pjreddie.com/media/files/yolov3-tiny.weights, 35,434,956 bytes,
sha256 `ORIGIN_SHA256`): the kernels of convolutions in half precision, which moves a detection's
score by about a thousandth, all else as it was. `scripts/ship_weights` makes the file.
"""

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

ORIGIN_SHA256 = "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c"
COCO_NET = "yolov3-tiny"
COCO_FILE = Path(__file__).parent / "yolov3-tiny-coco.safetensors"
# Kernels have four dimensions; norms and biases are few, and stay whole.
_HALVED = 4


def coco_weights() -> dict[str, Tensor]:
    """The state dict of `yolov3-tiny` for COCO's 80 classes, in float32."""
    state: dict[str, Tensor] = safetensors.torch.load_file(COCO_FILE)
    return {name: tensor.float() for name, tensor in state.items()}


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state as it is kept: kernels in half precision."""
    return {
        name: tensor.to(torch.float16 if tensor.dim() == _HALVED else torch.float32).contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
