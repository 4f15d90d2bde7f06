"""What was measured on this machine, kept in the cache until the machine or torch changes."""

import json
import time
from dataclasses import asdict

from viewfinder.doctor.machine import Machine
from viewfinder.doctor.speed import Speed
from viewfinder.files import cache_folder, write_json

_FILE = "doctor/speed.json"
# Seconds after which it is measured anew: drivers, cooling and neighbours change.
_FRESH = 30 * 86_400.0
_LARGEST = 1 << 20


def remember(machine: Machine, speed: Speed) -> None:
    """Keep it.

    Raises:
        InputError: the cache cannot be written.
    """
    document = {"machine": _key(machine), "speed": asdict(speed)}
    write_json(cache_folder() / _FILE, document)


def recall(machine: Machine) -> Speed | None:
    """What was kept of this very machine, unless it is old or damaged."""
    file = cache_folder() / _FILE
    try:
        if file.stat().st_size > _LARGEST:
            return None
        document = json.loads(file.read_text(encoding="utf-8"))
        speed = Speed.from_json(document["speed"])
        known = document["machine"] == _key(machine)
        return speed if known and 0 <= time.time() - speed.measured < _FRESH else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _key(machine: Machine) -> list[str]:
    """What changes speeds when it changes."""
    cpu, installed, cards = machine.cpu, machine.installation, machine.nvidia
    settings = machine.environment.settings if machine.environment else {}
    return [
        cpu.name if cpu else "",
        str(cpu.threads if cpu else 0),
        installed.torch if installed else "",
        *(gpu.name for gpu in (cards.gpus if cards else ())),
        *(f"{name}={settings[name]}" for name in sorted(settings) if name.isupper()),
    ]
