"""Rules about GPUs, their driver, and the libraries by which torch uses them."""

import re

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine, Version
from viewfinder.doctor.rules.drivers import LOOK, too_old
from viewfinder.doctor.rules.telling import (
    GIB,
    Rule,
    broken,
    gib,
    has_gpu,
    listed,
    unasked,
    unknown,
    untold,
    warning,
)
from viewfinder.wording import counted

# Less of a GPU's memory than this is little to train with.
_LITTLE = 2 * GIB
_SHARED = GIB
_NO_GPUS = ("", "-1", "NoDevFiles")


def _outside_container(machine: Machine) -> Finding | None:
    nvidia, system = machine.nvidia, machine.system
    if nvidia is None or system is None:
        return untold("whether a container keeps a GPU out", machine, "nvidia")
    inside = system.container not in ("", "WSL")
    if not inside or not nvidia.cards or nvidia.devices or nvidia.gpus:
        return None
    return warning(
        f"the machine has {counted(nvidia.cards, 'NVIDIA GPU')}, and this container sees none",
        "training takes the CPU",
        "start the container with --gpus all, with NVIDIA's container toolkit on the machine",
    )


def _cpu_build(machine: Machine) -> Finding | None:
    nvidia, installed = machine.nvidia, machine.installation
    if nvidia is None or installed is None:
        return untold("whether torch can use a GPU", machine, "installation")
    if not installed.torch or not has_gpu(nvidia):
        return None
    if installed.cuda is None:
        return unknown("whether torch is built for GPUs", "its version.py does not say", _REINSTALL)
    if installed.cuda:
        return None
    return broken(
        f"torch {installed.torch} is built without CUDA, and this machine has a GPU",
        "training takes the CPU, many times slower",
        "install the build for CUDA, which pytorch.org/get-started tells, of torch and torchvision",
    )


_REINSTALL = "install torch anew"


def _unusable(machine: Machine) -> Finding | None:
    nvidia, torch, installed = machine.nvidia, machine.torch, machine.installation
    if nvidia is None or not nvidia.gpus or _hidden(machine) or (installed and not installed.cuda):
        return None
    if torch is None:
        return unasked("whether torch can use the GPU")
    if not torch.works or torch.cuda or too_old(machine):
        return None
    return broken(
        f"the driver sees {counted(len(nvidia.gpus), 'GPU')}, and torch cannot use it"
        + (f": {torch.cuda_error}" if torch.cuda_error else ""),
        "training takes the CPU",
        "restart the machine if the driver was updated; else compare the driver with torch's CUDA "
        "above, and install torch anew",
    )


def _architecture(machine: Machine) -> Finding | None:
    nvidia, torch = machine.nvidia, machine.torch
    gpus = (torch.gpus if torch else ()) or (nvidia.gpus if nvidia else ())
    known = [gpu for gpu in gpus if gpu.capability]
    if not gpus or (machine.installation and not machine.installation.cuda):
        return None
    if torch is None:
        return unasked("whether torch was built for this GPU")
    if not torch.architectures or not known:
        return unknown("whether torch was built for this GPU", "it does not say for which", LOOK)
    unfit = [gpu for gpu in known if not _runs(gpu.capability or (), torch.architectures)]
    if not unfit:
        return None
    names = listed(
        sorted({f"{gpu.name} (sm_{''.join(map(str, gpu.capability or ()))})" for gpu in unfit})
    )
    return broken(
        f"torch was not built for {names}, only for {', '.join(torch.architectures)}",
        "it fails with `no kernel image is available`",
        "install a torch whose build names this GPU: a newer one for a new GPU, one for an older "
        "CUDA for an old GPU",
    )


def _runs(capability: Version, architectures: tuple[str, ...]) -> bool:
    """Whether code for one of these runs: binaries within their major version from their minor one
    on, intermediate code on all that is newer."""
    for each in architectures:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", each)
        if found:
            built = (int(found[2]), int(found[3]))
            same = found[1] == "compute" or built[0] == capability[0]
            if same and built <= capability:
                return True
    return False


def _hides(machine: Machine) -> Finding | None:
    if machine.nvidia is None or not has_gpu(machine.nvidia) or not _hidden(machine):
        return None
    return warning(
        "CUDA_VISIBLE_DEVICES hides every GPU",
        "training takes the CPU",
        "unset CUDA_VISIBLE_DEVICES, or set it to the numbers of the GPUs to use, as 0",
    )


def _hidden(machine: Machine) -> bool:
    settings = machine.environment.settings if machine.environment else {}
    return settings.get("CUDA_VISIBLE_DEVICES", "0") in _NO_GPUS


def _memory_taken(machine: Machine) -> Finding | None:
    gpus = (machine.torch.gpus if machine.torch else ()) or (
        machine.nvidia.gpus if machine.nvidia else ()
    )
    low = [
        g for g in gpus if g.free is not None and g.memory and g.free < min(_LITTLE, g.memory // 2)
    ]
    if not low:
        return None
    gpu = low[0]
    return warning(
        f"of the memory of {gpu.name}, {gib(gpu.memory or 0)}, only {gib(gpu.free or 0)} are free",
        "other programs hold it, and a training may not find room",
        "see in nvidia-smi which processes hold it, and end those that are yours",
    )


def _two_cudas(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None:
        return untold("whether CUDA's libraries are of one version", machine, "installation")
    by_major: dict[int, list[str]] = {}
    for name, major in installed.nvidia.items():
        by_major.setdefault(major, []).append(name)
    if len(by_major) < 2:
        return None
    built = installed.cuda[0] if installed.cuda else max(by_major)
    useless = [name for major, names in by_major.items() if major != built for name in names]
    twice = any("cudnn" in name for name in useless)
    return warning(
        f"NVIDIA's packages for CUDA {listed([str(m) for m in sorted(by_major)])} are installed, "
        + ("cuDNN twice" if twice else "beside each other"),
        "cuDNN's and others' files of one overwrite those of the other",
        f"pip uninstall {' '.join(sorted(useless))}, and then install torch anew",
    )


def _foreign(machine: Machine) -> Finding | None:
    environment, torch = machine.environment, machine.torch
    if torch and torch.works:
        loaded = [
            each
            for each in torch.libraries
            if not each.ours and not re.match(r"lib(g|i)?omp", each.name)
        ]
        if not loaded:
            return None
        return warning(
            f"torch has loaded {listed([f'{each.name} of {each.shown}' for each in loaded[:3]])}",
            "it was built with those that it brings; others fail or compute wrongly, at any time",
            "unset LD_LIBRARY_PATH and LD_PRELOAD where you start viewfinder",
        )
    if environment is None:
        return untold("whether torch finds its own libraries", machine, "environment")
    if not environment.search:
        return None
    first = environment.search[0]
    held = ", ".join(first.libraries[:3])
    return unknown(
        f"whether libraries in {first.shown} win over those that torch brings ({held})",
        "LD_LIBRARY_PATH names that folder, and torch was not asked"
        if torch is None
        else "LD_LIBRARY_PATH names that folder, and torch does not work",
        "unset LD_LIBRARY_PATH where you start viewfinder, or run doctor without --quick",
    )


def _shared_memory(machine: Machine) -> Finding | None:
    nvidia, memory = machine.nvidia, machine.memory
    if nvidia is None or len(nvidia.gpus) < 2:
        return None
    if memory is None or memory.shared is None:
        return unknown(
            "whether GPUs can exchange by shared memory", "/dev/shm cannot be seen", _SHM
        )
    if memory.shared >= _SHARED:
        return None
    return warning(
        f"there are {len(nvidia.gpus)} GPUs, and /dev/shm has {gib(memory.shared)}",
        "with --devices 2 or more NCCL exchanges by it, and fails where it is too small",
        _SHM,
    )


_SHM = "start the container with --shm-size=1g"

_VARIABLES = (
    "https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html"
)
_CONTAINERS = (
    "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/sample-workload.html"
)
_START = "https://pytorch.org/get-started/locally/"
_SMI = "https://docs.nvidia.com/deploy/nvidia-smi/"

RULES = (
    Rule("GPU outside the container", _CONTAINERS, _outside_container),
    Rule("torch without CUDA", _START, _cpu_build),
    Rule("GPU not usable", _START, _unusable),
    Rule("GPU not built for", "https://github.com/pytorch/pytorch/pull/45130", _architecture),
    Rule("GPU hidden", _VARIABLES, _hides),
    Rule("GPU memory taken", _SMI, _memory_taken),
    Rule("CUDA twice", "https://github.com/pytorch/pytorch/issues/119989", _two_cudas),
    Rule("libraries of others", "https://github.com/pytorch/pytorch/issues/80637", _foreign),
    Rule(
        "shared memory",
        "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting/"
        "runtime_and_mpi_issues.html",
        _shared_memory,
    ),
)
