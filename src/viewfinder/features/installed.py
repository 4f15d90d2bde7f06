"""The net that describes pictures and crops for the whole house, with the weights that come along.

EfficientNet-lite0 as ImageNet taught it; its vectors are the 1,280 numbers that its last layer is
asked of. Its norms and activations lie within its convolutions, which saves a good third of the
time.
"""

import functools
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.features.quick import quick_copy
from viewfinder.features.vectors import Extractor, make_extractor
from viewfinder.nets.building import undrawn
from viewfinder.nets.efficientnet_lite import EfficientNetLite, efficientnet_lite0
from viewfinder.nets.obtaining import imagenet_file
from viewfinder.nets.weight_files import read_weights
from viewfinder.pictures.geometry import Size

_NET = "efficientnet-lite0"


# Of the net's maps, the last with this many pixels of the picture to a place.
_STRIDE = 16


@functools.cache
def installed_extractor(device: torch.device, *, size: Size, made: str) -> Extractor:
    """The extractor on a device, made once for each way to bring pictures to it.

    Args:
        size: width and height of the pictures that it is given.
        made: how they were made, in words: vectors of pictures made otherwise have other names.
    """
    net = _loaded(device)

    def ask(net: nn.Module, pictures: Tensor) -> Tensor:
        ready = _prepared(pictures, device)
        # As everywhere here a GPU answers in whole float32.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            answer: Tensor = net(ready)
        return answer

    # It is named before it is folded, which processors round in their own ways.
    extractor = make_extractor(net, ask, size=size, made=f"{made}, folded")
    return replace(extractor, net=quick_copy(net))


def installed_map(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the net makes of each part of a picture: h×w×112, a place for 16×16 pixels.

    Args:
        picture: H×W×3, of sides that 32 divides.
    """
    device = torch.device("cpu")
    pictures = torch.from_numpy(picture).permute(2, 0, 1)[None]
    # Weights that are made within such a mode are of no use to whoever asks for gradients later.
    net = _loaded(device)
    with torch.inference_mode():
        maps = net.feature_maps(_prepared(pictures, device))
    wide = picture.shape[1] // _STRIDE
    found: Tensor = next(each for each in reversed(maps) if each.shape[3] == wide)
    return np.asarray(found[0].permute(1, 2, 0).numpy(), np.float32)


@functools.cache
def _loaded(device: torch.device) -> EfficientNetLite:
    with undrawn():
        net = efficientnet_lite0()
    net.load_state_dict(read_weights(imagenet_file(_NET), net), strict=False)
    net.eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net


def _prepared(pictures: Tensor, device: torch.device) -> Tensor:
    colours = nets.colours(_NET)
    assert colours is not None, "it has ImageNet weights"
    mean, std = (torch.tensor(each, device=device).view(3, 1, 1) for each in colours)
    ready = (pictures.to(device).float() / 255 - mean) / std
    return ready.contiguous(memory_format=torch.channels_last)
