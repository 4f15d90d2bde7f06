"""What was measured on this machine, and counted of the networks, kept in the cache until the
machine, torch or the networks change."""

import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path

from viewfinder import nets
from viewfinder.doctor.machine import Disk, Machine
from viewfinder.doctor.speed import Speed
from viewfinder.doctor.workload import SAMPLES, Workload
from viewfinder.files import cache_folder, write_json
from viewfinder.values import as_number, as_number_or_none, as_table, as_tables, as_text

_SPEED, _DISKS, _NETWORKS = "doctor/speed.json", "doctor/disks.json", "doctor/networks.json"
# What a damaged or a strange file may raise.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
# Seconds after which it is measured anew: drivers, cooling and neighbours change.
_FRESH = 30 * 86_400.0
_LARGEST = 1 << 20


def remember(machine: Machine, speed: Speed) -> None:
    """Keep it.

    Raises:
        InputError: the cache cannot be written.
    """
    document = {"machine": _key(machine), "speed": asdict(speed)}
    write_json(cache_folder() / _SPEED, document)


def recall(machine: Machine) -> Speed | None:
    """What was kept of this very machine, unless it is old or damaged."""
    try:
        document = _read(_SPEED)
        speed = Speed.from_json(as_table(document["speed"]))
        known = document["machine"] == _key(machine)
        return speed if known and _is_fresh(speed.measured) else None
    except _DAMAGE:
        return None


def remember_disks(machine: Machine, disks: dict[str, Disk]) -> None:
    """Keep how fast each is, under the name that it is known by.

    Raises:
        InputError: the cache cannot be written.
    """
    table = {
        name: {"written": each.written, "read": each.read}
        for name, each in disks.items()
        if each.written
    }
    document = {"machine": _key(machine), "measured": time.time(), "disks": table}
    write_json(cache_folder() / _DISKS, document)


def recall_disks(machine: Machine) -> dict[str, Disk]:
    """What was kept of this very machine's disks, unless it is old or damaged."""
    try:
        document = _read(_DISKS)
        if document["machine"] != _key(machine) or not _is_fresh(as_number(document["measured"])):
            return {}
        disks = {name: as_table(each) for name, each in as_table(document["disks"]).items()}
        return {
            name: Disk((), as_number(each["written"]), as_number_or_none(each["read"]))
            for name, each in disks.items()
        }
    except _DAMAGE:
        return {}


def remember_networks(machine: Machine, networks: dict[str, Workload]) -> None:
    """Keep what networks cost.

    Raises:
        InputError: the cache cannot be written.
    """
    document = {"sources": _sources(machine), "networks": [asdict(w) for w in networks.values()]}
    write_json(cache_folder() / _NETWORKS, document)


def recall_networks(machine: Machine) -> dict[str, Workload]:
    """What was kept of the networks as they are now; nothing of those that are no longer there."""
    try:
        document = _read(_NETWORKS)
        if document["sources"] != _sources(machine):
            return {}
        found = {
            as_text(each["net"]): Workload.from_json(each)
            for each in as_tables(document["networks"])
        }
        return {name: found[name] for name in nets.names() if name in found}
    except _DAMAGE:
        return {}


def _is_fresh(measured: float) -> bool:
    return 0 <= time.time() - measured < _FRESH


def _read(name: str) -> dict[str, object]:
    file = cache_folder() / name
    if file.stat().st_size > _LARGEST:
        raise ValueError("it is longer than what is kept")
    return as_table(json.loads(file.read_text(encoding="utf-8")))


def _sources(machine: Machine) -> str:
    """A digest of what the counts come of: the networks' files, the counting, and torch."""
    digest = hashlib.sha256()
    counting = Path(__file__).with_name("weighing.py")
    for file in (*sorted(Path(nets.__file__).parent.rglob("*.py")), counting):
        digest.update(file.read_bytes())
    digest.update((machine.installation.torch if machine.installation else "").encode())
    return digest.hexdigest()


def _key(machine: Machine) -> list[str]:
    """What changes speeds when it changes."""
    cpu, installed, cards = machine.cpu, machine.installation, machine.nvidia
    settings = machine.environment.settings if machine.environment else {}
    return [
        *(each.kind for each in SAMPLES),
        cpu.name if cpu else "",
        str(cpu.threads if cpu else 0),
        installed.torch if installed else "",
        *(gpu.name for gpu in (cards.gpus if cards else ())),
        *(f"{name}={settings[name]}" for name in sorted(settings) if name.isupper()),
    ]
