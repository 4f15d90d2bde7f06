"""A made-up machine on which everything is as it should be, to change parts of."""

from dataclasses import replace
from typing import Any

from viewfinder import nets
from viewfinder.cpu import CpuFeatures
from viewfinder.doctor.machine import (
    Disk,
    Environment,
    Gpu,
    Installation,
    InstalledPackage,
    Library,
    Machine,
    Memory,
    Network,
    Nvidia,
    PackagedWeights,
    Python,
    System,
    Torch,
    WrittenFolder,
)
from viewfinder.doctor.speed import POINTWISE, PRODUCT, Rate, Speed
from viewfinder.doctor.workload import SAMPLES, Workload

GIB = 1 << 30
H100 = Gpu("NVIDIA H100 80GB HBM3", 80 * GIB, 79 * GIB, (9, 0))
ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
CPU = CpuFeatures("EPYC", 16, 32, 32, avx2=True, avx512=True, vnni=True, bf16=True, amx=False)


def speed(device: str = "cpu", threads: int = 16, **changes: Any) -> Speed:
    """Rates of which each arrangement has its own: bfloat16 in channels_last is the fastest."""
    rates = []
    for arithmetic, worth in (("32", 1.0), ("bf16", 3.0)):
        rates.append(Rate(PRODUCT, arithmetic, "", threads, 100 * worth))
        for layout, better in (("contiguous", 1.0), ("channels_last", 1.5)):
            for what in (POINTWISE, *(each.kind for each in SAMPLES)):
                rates.append(Rate(what, arithmetic, layout, threads, 50 * worth * better))
    made = Speed(device, threads, tuple(rates), updates=0.5, pictures=900.0, measured=1.0)
    return replace(made, **changes)


def network(name: str, side: int = 224) -> Workload:
    """About what ResNet-18 costs."""
    macs = {each.kind: 10**8 for each in SAMPLES}
    return Workload(name, side, 11_700_000, macs, 10**6, 23 * 10**6, 22 * 10**6)


WHOLE = Machine(
    quick=False,
    system=System("Debian 12", "6.1.0", "x86_64", "", load=0.4),
    cpu=CPU,
    memory=Memory(64 * GIB, 50 * GIB, 8 * GIB, 8 * GIB, 32 * GIB, None),
    places=(
        WrittenFolder("runs", "./runs", 100 * GIB, writable=True),
        WrittenFolder("cache", "~/.cache/viewfinder", 100 * GIB, writable=True),
    ),
    python=Python((3, 12, 1), ">=3.11", True, "CPython", 64, "virtual environment", "utf-8"),
    installation=Installation(
        packages=(
            InstalledPackage("numpy", "2.4.6", ">=2.2", True, ("2.4.6",), "2.4.6", True),
            InstalledPackage("torch", "2.15.0", ">=2.10", True, ("2.15.0",), "2.15.0", True),
            InstalledPackage("torchvision", "0.29.2", ">=0.25", True, ("0.29.2",), "0.29.2", True),
        ),
        torch="2.15.0+cu132",
        cuda=(13, 2),
        vision="0.29.2+cu132",
        vision_wants=">=2.14.0",
        vision_fits=True,
        cudnn="9.26.0.51",
        nccl="2.30.7",
        opencvs=("opencv-python-headless",),
        nvidia={"nvidia-cudnn-cu13": 13, "nvidia-nccl-cu13": 13},
    ),
    weights=PackagedWeights(whole=True, says=""),
    environment=Environment(),
    nvidia=Nvidia(1, 1, "works", "", (580, 95, 5), (13, 2), (H100,)),
    torch=Torch(
        works=True,
        seconds=1.5,
        threads=16,
        capability="AVX512",
        cuda=True,
        driver_cuda=(13, 2),
        architectures=ARCHITECTURES,
        cudnn=(9, 26, 0),
        gpus=(H100,),
        libraries=(
            Library("libcudnn.so.9", "~/env/nvidia/cudnn/lib", ours=True),
            Library("libgomp.so.1", "~/env/torch/lib", ours=True),
        ),
    ),
    network=Network("", None),
    speed=speed(),
    disks=(Disk(("runs", "cache"), 500.0, 2000.0),),
    networks=tuple(map(network, nets.names())),
)
"""A workstation with one GPU."""


def changed(machine: Machine = WHOLE, **parts: Any) -> Machine:
    """The machine with some parts changed: `cpu={"avx2": False}` changes fields of a part, and what
    is no table takes its place."""
    new = {}
    for name, value in parts.items():
        part = getattr(machine, name)
        new[name] = replace(part, **value) if isinstance(value, dict) and part else value
    return replace(machine, **new)
