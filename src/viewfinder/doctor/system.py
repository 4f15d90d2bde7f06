"""The operating system, memory, and the folders that are written to."""

import contextlib
import os
import platform
import shutil
import sys
from pathlib import Path

from viewfinder.doctor.machine import Memory, System, WrittenFolder
from viewfinder.doctor.privacy import Cleaner
from viewfinder.files import cache_folder
from viewfinder.memory import free_memory, limit_of_container

_PROC, _ETC, _DEVICES = Path("/proc"), Path("/etc"), Path("/dev")
_MARKS = {"/.dockerenv": "Docker", "/run/.containerenv": "Podman"}


def system(cleaner: Cleaner) -> System:
    """What runs here, and within what."""
    return System(
        name=cleaner.clean(_name() or platform.system()),
        kernel=cleaner.clean(platform.release()),
        architecture=platform.machine(),
        container=_container(),
        load=_load(),
    )


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _name() -> str:
    with contextlib.suppress(OSError):
        lines = (_ETC / "os-release").read_text(encoding="utf-8", errors="replace").splitlines()
        table = dict(line.split("=", 1) for line in lines if "=" in line)
        return table.get("PRETTY_NAME", "").strip("\"'")
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}".strip()
    return ""


def _container() -> str:
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "Kubernetes"
    for mark, name in _MARKS.items():
        with contextlib.suppress(OSError):
            if Path(mark).exists():
                return name
    with contextlib.suppress(OSError):
        if "microsoft" in (_PROC / "version").read_text(encoding="utf-8").lower():
            return "WSL"
    if named := os.environ.get("container", ""):  # noqa: SIM112  # systemd and Podman spell it so
        return named if named.isalnum() and len(named) < 20 else "a container"
    return ""


def memory() -> Memory:
    """Bytes of it."""
    table = _meminfo()
    shared = None
    with contextlib.suppress(OSError):
        shared = shutil.disk_usage(_DEVICES / "shm").total
    return Memory(
        total=table.get("MemTotal") or _total(),
        free=free_memory() if table else None,
        swap=table.get("SwapTotal"),
        swap_free=table.get("SwapFree"),
        shared=shared,
        limit=limit_of_container(),
    )


def _meminfo() -> dict[str, int]:
    found = {}
    with contextlib.suppress(OSError):
        for line in (_PROC / "meminfo").read_text(encoding="ascii", errors="replace").splitlines():
            name, _, rest = line.partition(":")
            words = rest.split()
            if words and words[0].isdigit():
                found[name] = 1024 * int(words[0])
    return found


def _total() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def folders() -> dict[str, Path]:
    """Where runs go by default, and the cache."""
    return {"runs": Path("runs"), "cache": cache_folder()}


def places(cleaner: Cleaner) -> tuple[WrittenFolder, ...]:
    """What is known of them."""
    return tuple(_place(name, folder, cleaner) for name, folder in folders().items())


def _place(name: str, folder: Path, cleaner: Cleaner) -> WrittenFolder:
    there = nearest(folder)
    free: int | None = None
    writable: bool | None = None
    if there is not None:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(there).free
        with contextlib.suppress(OSError):
            # A disk that is mounted read-only denies it to everyone; a file in the way is none.
            writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return WrittenFolder(
        "runs" if name == "runs" else "cache", cleaner.path(folder), free, writable
    )


def nearest(folder: Path) -> Path | None:
    """The folder itself, or the nearest above it that is there."""
    try:
        place = Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100
        return next((each for each in (place, *place.parents) if os.path.lexists(each)), None)
    except (OSError, RuntimeError):
        return None
