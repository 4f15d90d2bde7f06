"""What cannot be asked: layers that make no maps."""

import torch

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.heat import layers
from viewfinder.errors import InputError


def require_layer(asked: ExplainedNet, layer: str) -> None:
    """Raises InputError where a layer is named that makes no maps."""
    width, height = asked.config.size
    known = layers(asked, torch.full((1, 3, height, width), 0.5))
    if layer not in known:
        if not known:
            raise InputError(
                f"--layer {layer}: no layer of this model makes maps; leave it out, and windows of "
                "pictures are covered"
            )
        last = ", ".join(known[-6:])
        before = ", and those before" if len(known) > 6 else ""
        raise InputError(f"--layer {layer}: the layers that make maps are {last}{before}")
