"""Outputs as shares of the subject: a net's own, an export's, an ONNX file's."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.tasks.answering import Answering, outputs
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.portable import Arrays, Outputs, as_floats, require_count
from viewfinder.tasks.views import several, sized, times

# The other size of pictures that are asked about several times, in whole strides.
_SMALLER, _STRIDE = 0.8, 32


class Subjects(Answering):
    """N×3×H×W to N×H×W shares of the subject, or the N×2×H×W logits that they come from."""

    def __init__(self, net: nn.Module, *, raw: bool) -> None:
        super().__init__()
        self.net, self.raw = net, raw

    def forward(self, pictures: Tensor) -> Tensor:  # N×3×H×W
        logits: Tensor = self.net(pictures).logits
        return logits if self.raw else logits.softmax(dim=1)[:, 1]


def shares_of_subject(
    net: nn.Module, shown: Tensor, config: ModelConfig, device: torch.device
) -> NDArray[np.float32]:
    """N×h×w shares of the subject, of N×3×H×W pictures or N×1×H×W depth maps."""
    if not several(config):
        return _shares(net, shown, config, device)
    found = [_shares(net, shown, config, device)]
    found.append(_shares(net, shown.flip(3), config, device)[:, :, ::-1])
    if not isinstance(net, Answering):  # a file may take one size alone
        size = (shown.shape[3], shown.shape[2])
        small = sized(shown, times(size, _SMALLER, _STRIDE))
        for pictures, step in ((small, 1), (small.flip(3), -1)):
            maps = torch.from_numpy(_shares(net, pictures, config, device)[:, :, ::step].copy())
            near = sized(maps[:, None], (found[0].shape[2], found[0].shape[1]))
            found.append(near[:, 0].numpy())
    return np.asarray(np.mean(found, axis=0), np.float32)


def _shares(
    net: nn.Module, shown: Tensor, config: ModelConfig, device: torch.device
) -> NDArray[np.float32]:
    answer = outputs(net, shown, config.normalisation, device)
    # Of the student's several the logits come first.
    logits = answer if isinstance(answer, Tensor) else answer[0]
    if isinstance(net, Answering):
        return np.asarray(logits.float().cpu().numpy())
    return logits.float().softmax(dim=1)[:, 1].cpu().numpy()


def read_maps(found: Arrays, shape: tuple[int, int, int], outputs: Outputs) -> Tensor:
    """N×H×W shares of the subject, of a file that answers with these.

    Raises:
        ValueError: it does not.
    """
    if outputs == "unmarked":
        return _spread(found[0], shape)
    (maps,) = require_count(found, 1)
    return as_floats(maps, shape)


def _spread(values: NDArray[np.generic], shape: tuple[int, int, int]) -> Tensor:
    """N×H×W: the first output of some saliency network, each map brought to [0, 1].

    Raises:
        ValueError: it is no map a picture.
    """
    count, height, width = shape
    if values.size != count * height * width or values.dtype.kind != "f":
        raise ValueError(
            f"does not answer with one map of {width}×{height}, as a saliency network does, "
            "and is no detector that `viewfinder export` wrote"
        )
    if not np.isfinite(values).all():
        raise ValueError("answers with values that are no numbers")
    maps = values.astype(np.float32).reshape(shape)
    low = maps.min(axis=(1, 2), keepdims=True)
    spread = np.maximum(maps.max(axis=(1, 2), keepdims=True) - low, np.float32(1e-6))
    return torch.from_numpy(np.clip((maps - low) / spread, 0, 1))
