"""What computes: the CPU, or a GPU that torch can use."""

import platform

import torch
from torch import Tensor

from viewfinder.errors import InputError
from viewfinder.wording import counted


def pick_device(wanted: str) -> torch.device:
    """`auto` is CUDA where there is a GPU that torch can use, else the CPU.

    Raises:
        InputError: CUDA was asked for and is not there.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise InputError(
            "--device cuda: torch sees no CUDA GPU on this machine; use --device cpu, or check "
            "with nvidia-smi that the driver runs and suits this torch"
        )
    return torch.device("cuda" if available and wanted in ("auto", "cuda") else "cpu")


def send(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The same on a device; a GPU fetches it by itself, while the CPU goes on.

    Only from memory that the system never moves can it do so.
    """
    if tensor.device.type == "cpu" and torch.device(device).type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def describe_device(device: torch.device, count: int) -> str:
    """The device in words, for the run."""
    if device.type == "cuda":
        return f"{count} × {torch.cuda.get_device_name(device)}"
    processes = f", {count} processes" if count > 1 else ""
    machine = platform.processor() or platform.machine()
    return f"CPU {machine}, {counted(torch.get_num_threads(), 'thread')}{processes}"
