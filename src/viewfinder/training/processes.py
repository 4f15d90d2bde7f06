"""One process that trains, or several that share each batch."""

from typing import Any

import torch
from lightning_fabric import Fabric

from viewfinder.errors import InputError


def make_fabric(device: torch.device, count: int) -> Fabric:
    """Fabric for one process, or for `count` that it will start.

    Raises:
        InputError: fewer GPUs than asked for.
    """
    if device.type == "cuda" and count > torch.cuda.device_count():
        raise InputError(
            f"--devices {count}: this machine has {torch.cuda.device_count()} CUDA GPUs"
        )
    options: dict[str, Any] = {"strategy": "ddp_spawn"} if count > 1 else {}
    return Fabric(accelerator=device.type, devices=count, **options)
