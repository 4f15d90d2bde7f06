"""What trainings on this machine chose before: the files that `training/choosing.py` keeps."""

import json
from collections.abc import Iterator
from pathlib import Path

from viewfinder.doctor.machine import Machine
from viewfinder.files import cache_folder
from viewfinder.tasks.measured import FOLDER
from viewfinder.values import as_table

# Bytes beyond which a file is not one that was written here, and files that are looked at.
_LARGEST, _MOST = 1 << 16, 1000


def chosen(machine: Machine) -> dict[str, tuple[str, str]]:
    """Arithmetic and layout that the latest training of each network took here by measuring."""
    found: dict[str, tuple[str, str]] = {}
    for document in _documents(cache_folder() / FOLDER):
        try:
            of, taken = as_table(document["of"]), as_table(document["arrangement"])
            if _is_ours(of, machine):
                found[str(of["net"])] = str(taken["arithmetic"]), str(taken["layout"])
        except (KeyError, ValueError):
            continue  # of an earlier version, or damaged
    return found


def _documents(folder: Path) -> Iterator[dict[str, object]]:
    """The files' contents, the oldest first."""
    try:
        files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    except OSError:
        return
    for file in files[-_MOST:]:
        try:
            if file.stat().st_size <= _LARGEST:
                yield as_table(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            continue


def _is_ours(of: dict[str, object], machine: Machine) -> bool:
    """Whether it was chosen by this processor, this torch, and what computes now."""
    cpu, installed, speed = machine.cpu, machine.installation, machine.speed
    if cpu is None or installed is None or speed is None:
        return False
    on_gpu = not str(of["device"]).startswith("CPU ")
    processor = as_table(of["processor"])
    same = processor["name"] == cpu.name and processor["threads"] == cpu.threads
    # Metadata names the version without the build that it may be given with.
    torch = installed.torch.partition("+")[0] == str(of["torch"]).partition("+")[0]
    return bool(same and torch and on_gpu == (speed.device == "cuda"))
