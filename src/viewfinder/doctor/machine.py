"""The facts about a machine and an installation, as plain data; None is what is not known.

No text in it names the user, their folders or anything secret: see `privacy.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from viewfinder.cpu import CpuFeatures
from viewfinder.doctor.speed import Speed
from viewfinder.doctor.workload import Workload

Version = tuple[int, ...]


@dataclass(frozen=True)
class System:
    """The operating system.

    Attributes:
        container: what this runs within; empty where nothing.
        load: how many processes wanted to compute, on average of the last minute.
    """

    name: str
    kernel: str
    architecture: str
    container: str
    load: float | None


@dataclass(frozen=True)
class Memory:
    """In bytes: of the machine, free, swap, `/dev/shm`; and what a container may use (limit)."""

    total: int | None
    free: int | None
    swap: int | None
    swap_free: int | None
    shared: int | None
    limit: int | None


@dataclass(frozen=True)
class WrittenFolder:
    """A folder that is written to: bytes free on its disk, and whether it can be written."""

    name: Literal["runs", "cache"]
    shown: str
    free: int | None
    writable: bool | None


@dataclass(frozen=True)
class Disk:
    """What one or several places lie on; 10⁶ bytes a second that it writes and reads, None where
    that was not measured; and why it cannot be written, though it seemed so."""

    places: tuple[str, ...]
    written: float | None = None
    read: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Python:
    """The interpreter; `wanted` is what this package asks for, as `>=3.11`."""

    version: Version
    wanted: str
    fits: bool | None
    implementation: str
    bits: int
    environment: str
    encoding: str


@dataclass(frozen=True)
class InstalledPackage:
    """A package that this one asks for, or uses.

    Attributes:
        version: the one that is imported; empty where it is not installed.
        wanted: as `>=2.2`.
        fits: None where the metadata cannot be read.
        copies: the versions of all installed copies, the imported one first.
        tested: the version that this project was tested with; empty where that is not known.
        as_tested: whether it is of that version; None where either is not known.
    """

    name: str
    version: str
    wanted: str
    fits: bool | None
    copies: tuple[str, ...] = ()
    tested: str = ""
    as_tested: bool | None = None


@dataclass(frozen=True)
class Installation:
    """What is installed, read from metadata and files without importing any of it.

    Attributes:
        torch, vision: with the build behind a plus, as `2.10.0+cu130`; empty where not installed.
        cuda: of torch's build, as (13, 0); () for a build without CUDA; None where not known.
        vision_wants: torchvision's requirement on torch, as `>=2.14.0`.
        vision_fits: whether the installed torch meets it.
        cudnn, nccl: versions of the packages that torch brings; empty where it brings none.
        opencvs: the names of all installed packages that provide `cv2`.
        nvidia: CUDA's major version that each installed `nvidia-…-cuNN` package is for.
        others: packages of which torch, or an extra of this one, makes use, where they are
            installed.
    """

    packages: tuple[InstalledPackage, ...]
    torch: str
    cuda: Version | None
    vision: str
    vision_wants: str
    vision_fits: bool | None
    cudnn: str
    nccl: str
    opencvs: tuple[str, ...]
    nvidia: Mapping[str, int]
    others: tuple[InstalledPackage, ...] = ()


@dataclass(frozen=True)
class PackagedWeights:
    """The weights that come with the package: whole, or what is wrong with them."""

    whole: bool | None
    says: str


@dataclass(frozen=True)
class ShadowingFile:
    """A file that is imported in place of the module of its name, by what starts in its folder."""

    module: str
    file: str
    by: Literal["working folder", "PYTHONPATH"]


@dataclass(frozen=True)
class SearchFolder:
    """A folder of `LD_LIBRARY_PATH` that holds libraries which torch brings itself."""

    shown: str
    libraries: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """Settings by the environment: those that are looked at, and libraries on the search path."""

    settings: Mapping[str, str] = field(default_factory=dict)
    search: tuple[SearchFolder, ...] = ()
    shadows: tuple[ShadowingFile, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """A GPU: bytes of memory, and its compute capability, as (9, 0)."""

    name: str
    memory: int | None
    free: int | None
    capability: Version | None


SmiState = Literal["works", "absent", "hangs", "mismatch", "no driver", "failed", "garbled"]


@dataclass(frozen=True)
class Nvidia:
    """What the system, the driver and `nvidia-smi` say of NVIDIA's GPUs.

    Attributes:
        cards: how many the PCI bus has.
        devices: how many of `/dev/nvidia0`, … there are.
        smi: how `nvidia-smi` answers, and `smi_says` its first line where it does not work.
        driver: its version, as (580, 95, 5); by `nvidia-smi`, else by the kernel's module.
        cuda: the newest CUDA that the driver's library can run, as (13, 0).
    """

    cards: int | None
    devices: int
    smi: SmiState
    smi_says: str
    driver: Version | None
    cuda: Version | None
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True)
class Library:
    """A library that the process that imported torch has loaded; `ours` if it came with Python's
    packages."""

    name: str
    shown: str
    ours: bool


@dataclass(frozen=True)
class Torch:
    """What torch says, asked in a process of its own.

    Attributes:
        works: it could be imported, and multiplied two matrices.
        error: why not.
        seconds: that importing took.
        threads: that it computes with.
        capability: the instructions that it uses, as `AVX512`.
        cuda: it can use a GPU.
        cuda_error: what torch says of a GPU that it cannot use.
        driver_cuda: the newest CUDA that the driver's library says it can run.
        architectures: of GPUs that it was built for, as `sm_90`.
        cudnn: as (9, 10, 2).
        gpus: those that it sees.
        libraries: those of OpenMP, CUDA, cuDNN and torch itself that are loaded.
        broken: other modules that cannot be imported beside it, and why.
        unfinished: the one that was being imported when the time was up.
    """

    works: bool
    error: str = ""
    seconds: float = 0.0
    threads: int | None = None
    capability: str = ""
    cuda: bool | None = None
    cuda_error: str = ""
    driver_cuda: Version | None = None
    architectures: tuple[str, ...] = ()
    cudnn: Version | None = None
    gpus: tuple[Gpu, ...] = ()
    libraries: tuple[Library, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    unfinished: str = ""


@dataclass(frozen=True)
class Network:
    """Whether a network is there.

    Attributes:
        asked: what was asked, in words; empty where nobody was.
        answers: None where nobody was asked.
    """

    asked: str
    answers: bool | None
    says: str = ""


@dataclass(frozen=True)
class Machine:
    """All facts; a part is None where it could not be gathered, and `troubles` says why.

    Attributes:
        quick: torch was not asked, and nothing measured.
        networks: what each network here costs, as far as it was counted: torch counts it, and what
            it counted before is remembered.
    """

    quick: bool
    system: System | None
    cpu: CpuFeatures | None
    memory: Memory | None
    places: tuple[WrittenFolder, ...]
    python: Python | None
    installation: Installation | None
    weights: PackagedWeights | None
    environment: Environment | None
    nvidia: Nvidia | None
    torch: Torch | None
    network: Network | None
    speed: Speed | None = None
    networks: tuple[Workload, ...] | None = None
    disks: tuple[Disk, ...] = ()
    troubles: tuple[str, ...] = ()


def workload(machine: Machine, net: str) -> Workload | None:
    """What a network costs; None where that was not counted."""
    return next((each for each in machine.networks or () if each.net == net), None)


# Waiting processes for each thread of the processor from which measured times are others' too.
_BUSY = 1.5


def is_busy(machine: Machine) -> bool | None:
    """Whether others keep the machine so busy that what is measured is slower than it; None where
    that is not known."""
    if machine.system is None or machine.cpu is None or machine.system.load is None:
        return None
    return machine.system.load >= _BUSY * machine.cpu.logical
