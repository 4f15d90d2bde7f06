"""What this machine's processor is, and how much of it this process may use.

Linux tells in `/proc/cpuinfo` and in the files of control groups; elsewhere torch is asked.
"""

import math
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.groups import control_groups

WITHOUT = "VIEWFINDER_CPU_WITHOUT"
"""Names instructions to do without, as `bf16,amx`, to see what such a processor would do."""

# What each is called: in /proc/cpuinfo, then by torch. One of an entry's names is enough.
_NAMES = {
    "avx2": {"avx2"},
    "avx512": {"avx512f", "avx512_f"},
    "vnni": {"avx512_vnni", "avx_vnni"},
    "bf16": {"avx512_bf16", "amx_bf16", "bf16", "svebf16", "sve_bf16"},
    "amx": {"amx_tile"},
}
_PROC = Path("/proc")


@dataclass(frozen=True)
class CpuFeatures:
    """The processor, and what it can do.

    Attributes:
        name: its model, in its maker's words.
        physical: cores.
        logical: threads that they run at once, where each core may run two.
        threads: how many of these this process may keep busy: fewer where it is bound to some
            (affinity), or in a container that may use only so much time.
        avx2, avx512, vnni, amx: instructions of x86; VNNI multiplies 8-bit whole numbers.
        bf16: it multiplies bfloat16 itself, by AVX-512, AMX or Arm's instructions.
    """

    name: str
    physical: int
    logical: int
    threads: int
    avx2: bool
    avx512: bool
    vnni: bool
    bf16: bool
    amx: bool


def cpu_features() -> CpuFeatures:
    """This machine's processor; what cannot be found out is said to be absent.

    Raises:
        InputError: `$VIEWFINDER_CPU_WITHOUT` names an instruction that is not among the attributes.
    """
    logical = os.cpu_count() or 1
    name, physical, words = _from_linux() or _from_torch()
    known = set(words)
    without = _without()
    return CpuFeatures(
        name=name or platform.processor() or platform.machine(),
        physical=min(physical or logical, logical),
        logical=logical,
        threads=_threads(logical),
        **{each: bool(known & names) and each not in without for each, names in _NAMES.items()},
    )


def _without() -> set[str]:
    named = set(os.environ.get(WITHOUT, "").replace(",", " ").split())
    if unknown := named - set(_NAMES):
        raise InputError(
            f"{WITHOUT} names {min(unknown)!r}: give some of {', '.join(_NAMES)}, or unset it"
        )
    return named


def _from_linux() -> tuple[str, int, Iterable[str]] | None:
    """Name, cores (0 if unknown) and instructions, if `/proc/cpuinfo` tells them."""
    try:
        text = (_PROC / "cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # A paragraph for each thread of the processor.
    each = [_table(paragraph) for paragraph in text.split("\n\n")]
    threads = [table for table in each if "processor" in table]
    if not threads:
        return None
    first = threads[0]
    cores = {(table["physical id"], table["core id"]) for table in threads if "core id" in table}
    part = f"Arm part {first['CPU part']}" if "CPU part" in first else ""
    words = first.get("flags") or first.get("Features") or ""
    return first.get("model name") or part, len(cores), words.split()


def _table(paragraph: str) -> dict[str, str]:
    lines = (line.partition(":") for line in paragraph.splitlines())
    table = {key.strip(): value.strip() for key, _, value in lines}
    return {"physical id": "0"} | table


def _from_torch() -> tuple[str, int, Iterable[str]]:
    """As `_from_linux`, of any system, as far as torch is there and knows."""
    try:
        import torch

        features: dict[str, object] = dict(torch.cpu.get_capabilities())
    except (ImportError, AttributeError, RuntimeError):
        return "", 0, ()
    words = [word for word, value in features.items() if value is True]
    cores = features.get("num_physical_cores")
    return str(features.get("cpu_name", "")), cores if isinstance(cores, int) else 0, words


def _threads(logical: int) -> int:
    """How many threads can be at work at once in this process."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return max(1, math.ceil(min(bound, _quota())))


def _quota() -> float:
    """Processors' time that this process's control groups may use, in processors."""
    return min(map(_quota_of, control_groups("cpu")), default=math.inf)


def _quota_of(group: Path) -> float:
    try:
        if (group / "cpu.max").exists():
            most, period = (group / "cpu.max").read_text(encoding="ascii").split()
        else:
            most, period = (
                (group / f"cpu.cfs_{name}_us").read_text(encoding="ascii").strip()
                for name in ("quota", "period")
            )
        # Without a limit: "max", or -1.
        return int(most) / int(period) if int(most) > 0 and int(period) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf
