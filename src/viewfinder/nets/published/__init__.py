"""Weights that come with the package: YOLOv3-tiny on the 80 classes of COCO, by Darknet's author.

Darknet and its weights are in the public domain. `coco_download` says where those of the larger
nets are. `yolov3-tiny-coco.safetensors` holds the numbers
of `yolov3-tiny.weights` (https://pjreddie.com/media/files/yolov3-tiny.weights, 35,434,956 bytes,
sha256 `ORIGIN_SHA256`): the kernels of convolutions in half precision, which moves a detection's
score by about a thousandth, all else as it was. `scripts/ship_weights` makes the file.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder.nets.facts import Download

if TYPE_CHECKING:
    from torch import Tensor

ORIGIN_SHA256 = "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c"
COCO = "coco"
"""The word for the detector of COCO's 80 classes, wherever a run may stand."""
COCO_NET = "yolov3-tiny"
COCO_FILE = Path(__file__).parent / "yolov3-tiny-coco.safetensors"
_PUBLISHED = {
    "yolov3": (
        248_007_048,
        "523e4e69e1d015393a1b0a441cef1d9c7659e3eb2d7e15f793f060a21b32f297",
    ),
    "yolov3-spp": (
        252_209_544,
        "87a1e8c85c763316f34e428f2295e1db9ed4abcec59dd9544f8052f50de327b4",
    ),
}
COCO_NETS = (COCO_NET, *_PUBLISHED)
"""Those that start from COCO's weights."""
# Kernels have four dimensions; norms and biases are few, and stay whole.
_HALVED = 4


def coco_weights() -> "dict[str, Tensor]":
    """The state dict of `yolov3-tiny` for COCO's 80 classes, in float32."""
    import safetensors.torch

    state: dict[str, Tensor] = safetensors.torch.load_file(COCO_FILE)
    return {name: tensor.float() for name, tensor in state.items()}


def coco_download(net: str) -> Download | None:
    """Where Darknet's author publishes a net's weights for COCO; None of those that come along."""
    if net not in _PUBLISHED:
        return None
    length, digest = _PUBLISHED[net]
    address = f"https://pjreddie.com/media/files/{net}.weights"
    return Download(address, length, digest, "public domain")


def halved(state: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """The state as it is kept: kernels in half precision."""
    import torch

    return {
        name: tensor.to(torch.float16 if tensor.dim() == _HALVED else torch.float32).contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
