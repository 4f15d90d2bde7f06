"""What the system, the driver and `nvidia-smi` say of NVIDIA's GPUs; torch is not asked."""

import contextlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from viewfinder.doctor.commands import Reply, ask
from viewfinder.doctor.machine import Gpu, Nvidia, SmiState, Version
from viewfinder.doctor.privacy import Cleaner

_PCI, _DEVICES = Path("/sys/bus/pci/devices"), Path("/dev")
_MODULE = Path("/proc/driver/nvidia/version")
# Where it lies when it is not on the PATH; the first is WSL's.
_ELSEWHERE = ("/usr/lib/wsl/lib/nvidia-smi", "/usr/bin/nvidia-smi", "/opt/nvidia/bin/nvidia-smi")
_MAKER, _DISPLAY = "0x10de", "0x03"
_QUERY = (
    "--query-gpu=name,driver_version,memory.total,memory.free,compute_cap",
    "--format=csv,noheader,nounits",
)
_FIELDS = 5
_MIB = 1 << 20
# What it says, by which its state is known.
_SAYINGS: tuple[tuple[str, SmiState], ...] = (
    ("version mismatch", "mismatch"),
    ("couldn't communicate", "no driver"),
    ("driver is not loaded", "no driver"),
    ("driver not loaded", "no driver"),
)


def nvidia(cleaner: Cleaner, seconds: float) -> Nvidia:
    """All of it, in about `seconds` at most."""
    program = _program()
    if program is None:
        state, says, gpus, driver, cuda = _absent()
    else:
        with ThreadPoolExecutor(2) as pool:
            table = pool.submit(ask, [program, *_QUERY], seconds)
            page = pool.submit(ask, [program], seconds)
            state, says, gpus, driver = read_table(table.result())
            cuda = read_cuda(page.result())
    return Nvidia(
        cards=_cards(),
        devices=_devices(),
        smi=state,
        smi_says=cleaner.clean(says),
        driver=driver or driver_in_kernel(),
        cuda=cuda,
        gpus=tuple(replace(gpu, name=cleaner.clean(gpu.name)) for gpu in gpus),
    )


def _absent() -> tuple[SmiState, str, tuple[Gpu, ...], Version | None, Version | None]:
    return "absent", "", (), None, None


def _program() -> str | None:
    if found := shutil.which("nvidia-smi"):
        return found
    for place in _ELSEWHERE:
        with contextlib.suppress(OSError):
            if Path(place).is_file():
                return place
    return None


def read_table(reply: Reply) -> tuple[SmiState, str, tuple[Gpu, ...], Version | None]:
    """What `nvidia-smi --query-gpu …` answered: its state, what it says instead, GPUs, driver."""
    lines = (reply.out.strip() or reply.err.strip()).splitlines()
    says = lines[0] if lines else ""
    if reply.ended == "not in time":
        return "hangs", says, (), None
    both = f"{reply.out}\n{reply.err}".lower()
    for words, state in _SAYINGS:
        if words in both:
            return state, says, (), None
    if reply.ended != "well":
        return "failed", says or f"exit status {reply.status}", (), None
    rows = [[cell.strip() for cell in line.split(",")] for line in reply.out.splitlines() if line]
    if "no devices were found" in both:
        return "failed", says, (), None
    gpus, drivers = [], []
    for row in rows:
        driver = version(row[1]) if len(row) == _FIELDS else None
        if driver is None:
            return "garbled", says, (), None
        drivers.append(driver)
        gpus.append(Gpu(_name(row[0]), _mib(row[2]), _mib(row[3]), version(row[4])))
    if not gpus:
        return "garbled", says or "nothing", (), None
    return "works", "", tuple(gpus), drivers[0]


def read_cuda(reply: Reply) -> Version | None:
    """The newest CUDA that the driver runs, from the page that `nvidia-smi` prints."""
    found = re.search(r"CUDA (?:\w+ )?Version\s*:\s*(\d{1,3}\.\d{1,3})", reply.out)
    return version(found[1]) if found else None


def version(text: str) -> Version | None:
    """`580.95.05` as numbers; None of anything else."""
    if re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,4}", text.strip(), re.ASCII):
        return tuple(map(int, text.strip().split(".")))
    return None


def _name(text: str) -> str:
    return re.sub(r"[^\w .()/+-]", "", text)[:60]


def _mib(text: str) -> int | None:
    """Bytes; None where it says `[N/A]`, as of a GPU that shares the machine's memory."""
    return int(text) * _MIB if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _cards() -> int | None:
    try:
        devices = list(_PCI.iterdir())
    except OSError:
        return None
    found = 0
    for device in devices:
        with contextlib.suppress(OSError):
            maker = (device / "vendor").read_text(encoding="ascii").strip()
            kind = (device / "class").read_text(encoding="ascii").strip()
            found += maker == _MAKER and kind.startswith(_DISPLAY)
    return found


def _devices() -> int:
    try:
        return sum(bool(re.fullmatch(r"nvidia\d+", each.name)) for each in _DEVICES.iterdir())
    except OSError:
        return 0


def driver_in_kernel() -> Version | None:
    """The version of the driver's module in the kernel, as Linux tells it."""
    with contextlib.suppress(OSError):
        text = _MODULE.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"Kernel Module\D*?(\d+\.\d+(?:\.\d+)?)", text):
            return version(found[1])
    return None
