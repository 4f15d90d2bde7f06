"""Rules about NVIDIA's driver: whether it is there, answers, and is new enough for torch."""

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine, Version
from viewfinder.doctor.rules.telling import (
    Rule,
    broken,
    dotted,
    driver_version,
    has_gpu,
    unknown,
    untold,
)
from viewfinder.wording import counted

LOOK = "compare what nvidia-smi says with NVIDIA's table"
"""What fixes an answer that is not known."""

# The oldest driver for each major version of CUDA: NVIDIA's table of minor version compatibility.
_DRIVERS: dict[int, Version] = {11: (450,), 12: (525,), 13: (580,)}


def _driver_absent(machine: Machine) -> Finding | None:
    nvidia, system = machine.nvidia, machine.system
    if nvidia is None:
        return untold("whether a GPU lacks its driver", machine, "nvidia")
    if nvidia.smi not in ("absent", "no driver") or nvidia.driver or not has_gpu(nvidia):
        return None
    if system and system.container:
        return None
    return broken(
        f"this machine has {counted(nvidia.cards or nvidia.devices, 'NVIDIA GPU')}, and no driver "
        "for it runs",
        "no program can use it",
        f"install NVIDIA's driver, {_wanted_driver(machine)}, and restart",
    )


def _wanted_driver(machine: Machine) -> str:
    cuda = machine.installation.cuda if machine.installation else None
    least = _DRIVERS.get(cuda[0]) if cuda else None
    return f"version {driver_version(least)} or newer" if least else "the newest"


def _driver_hangs(machine: Machine) -> Finding | None:
    nvidia = machine.nvidia
    if nvidia is None or nvidia.smi != "hangs":
        return None
    if machine.quick:
        return unknown("whether the GPU's driver answers", "nvidia-smi took longer than a second")
    return broken(
        "nvidia-smi does not answer",
        "the driver or a GPU hangs, and whatever uses it would hang too",
        "restart the machine; if it happens again, look for NVRM in the kernel's log (dmesg)",
    )


def _driver_mismatch(machine: Machine) -> Finding | None:
    nvidia = machine.nvidia
    if nvidia is None or nvidia.smi != "mismatch":
        return None
    return broken(
        "the GPU's driver in the kernel and its libraries are of two versions",
        "it was updated while it ran, and no program can use the GPU until it is loaded anew",
        "restart the machine",
    )


def _driver_answers(machine: Machine) -> Finding | None:
    nvidia = machine.nvidia
    if nvidia is None or nvidia.smi not in ("failed", "garbled", "no driver"):
        return None
    if nvidia.smi == "garbled":
        return unknown(
            "which GPUs there are",
            f"nvidia-smi prints what cannot be read: {nvidia.smi_says or 'nothing'}",
            "run nvidia-smi yourself, and see that it is NVIDIA's",
        )
    if nvidia.smi == "no driver" and not nvidia.driver:
        return None  # `driver absent` tells of it, where there is a GPU
    return broken(
        f"nvidia-smi says: {nvidia.smi_says}",
        "the driver is there, and cannot reach a GPU",
        "run nvidia-smi; if it says the same, install the driver anew and restart",
    )


def too_old(machine: Machine) -> Finding | None:
    """That torch's CUDA needs a newer driver; None where it does not, or there is no GPU."""
    nvidia, installed = machine.nvidia, machine.installation
    if nvidia is None or installed is None:
        return untold("whether the driver is new enough for torch", machine, "nvidia")
    if not installed.cuda or not has_gpu(nvidia):
        return None
    least = _DRIVERS.get(installed.cuda[0])
    if nvidia.driver is None or least is None:
        lacks = "the driver's version" if nvidia.driver is None else "what this CUDA asks for"
        return unknown("whether the driver is new enough for torch", f"{lacks} is not known", LOOK)
    if nvidia.driver >= least:
        return None
    fitting = [major for major, driver in _DRIVERS.items() if driver <= nvidia.driver]
    other = f", or a torch built for CUDA {max(fitting)}" if fitting else ""
    return broken(
        f"the GPU's driver is version {driver_version(nvidia.driver)}, and torch "
        f"{installed.torch} is built for CUDA {dotted(installed.cuda)}, which needs "
        f"{driver_version(least)} or newer",
        "torch cannot use the GPU, and trains on the CPU",
        f"install a driver of version {driver_version(least)} or newer{other}",
    )


_COMPATIBILITY = (
    "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"
)
_SMI = "https://docs.nvidia.com/deploy/nvidia-smi/"

RULES = (
    Rule("driver absent", _COMPATIBILITY, _driver_absent),
    Rule("driver hangs", _SMI, _driver_hangs),
    Rule("driver of two versions", _SMI, _driver_mismatch),
    Rule("driver answers", _SMI, _driver_answers),
    Rule("driver too old", _COMPATIBILITY, too_old),
)
