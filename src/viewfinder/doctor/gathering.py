"""All facts, each part on its own: what fails costs that part, and is reported."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from viewfinder import nets
from viewfinder.cpu import cpu_features
from viewfinder.doctor import nvidia as nvidia_facts
from viewfinder.doctor.asking import TorchFacts, ask_torch
from viewfinder.doctor.disk import disks
from viewfinder.doctor.environment import environment
from viewfinder.doctor.machine import Installation, Machine, Python, is_busy
from viewfinder.doctor.network import network
from viewfinder.doctor.privacy import Cleaner, cleaner
from viewfinder.doctor.remembering import (
    recall,
    recall_disks,
    recall_networks,
    remember,
    remember_disks,
    remember_networks,
)
from viewfinder.doctor.system import memory, places, system
from viewfinder.doctor.weights import weights
from viewfinder.doctor.workload import Workload
from viewfinder.wording import counted, some

Part = TypeVar("Part")
# Seconds for `nvidia-smi`, which starts the driver where nothing keeps it awake; quickly, and not.
_SMI_QUICK, _SMI = 1.0, 8.0
_NETWORK_QUICK, _NETWORK = 1.0, 2.0
# Seconds for measuring, and after which torch is asked no further, those before it included.
_MEASURING, _LIMIT = 14.0, 27.0


def gather(*, quick: bool, host: str | None = None, again: bool = False) -> Machine:
    """The machine's facts: at most about 2 s quickly, else 30.

    Args:
        quick: ask no torch and measure nothing.
        host: what to ask for a network.
        again: measure, though it is remembered.

    Raises:
        InputError: `host` is none.
    """
    start, clean = time.perf_counter(), cleaner()
    collected = _Parts(clean)
    variables = dict(os.environ)
    with ThreadPoolExecutor(4) as pool:
        smi = _SMI_QUICK if quick else _SMI
        cards = pool.submit(collected.part, "nvidia", lambda: nvidia_facts.nvidia(clean, smi))
        there = pool.submit(network, host, variables, _NETWORK_QUICK if quick else _NETWORK)
        whole = pool.submit(collected.part, "weights", weights)
        installed = pool.submit(collected.part, "installation", _installation)
        machine = Machine(
            quick=quick,
            system=collected.part("system", lambda: system(clean)),
            cpu=collected.part("cpu", cpu_features),
            memory=collected.part("memory", memory),
            places=collected.part("places", lambda: places(clean)) or (),
            python=collected.part("python", _python),
            environment=collected.part("environment", lambda: environment(clean, variables)),
            installation=installed.result(),
            weights=whole.result(),
            nvidia=cards.result(),
            network=there.result(),
            torch=None,
        )
    machine = _with_disks(machine, collected, again=again)
    left = _LIMIT - (time.perf_counter() - start)
    machine = _with_torch(machine, collected, variables, again=again, seconds=left)
    return replace(machine, troubles=tuple(collected.troubles))


def _python() -> Python:
    # Imported here: what it is read with may be missing itself.
    from viewfinder.doctor.installation import python

    return python()


def _installation() -> Installation:
    from viewfinder.doctor.installation import installation

    return installation()


class _Parts:
    """Gathers parts, and what kept each from being gathered."""

    def __init__(self, clean: Cleaner) -> None:
        self.clean = clean
        self.troubles: list[str] = []

    def part(self, name: str, gathered: Callable[[], Part]) -> Part | None:
        """One part; None where it failed, in whatever way a strange machine makes it fail."""
        try:
            return gathered()
        except Exception as error:
            self.troubles.append(self.clean.clean(f"{name}: {type(error).__name__}: {error}"))
            return None


def _with_torch(
    machine: Machine,
    collected: _Parts,
    variables: dict[str, str],
    *,
    again: bool,
    seconds: float,
) -> Machine:
    """The same with what torch says, what networks cost, and how fast all is: asked now, for at
    most so many seconds, or remembered."""
    speed = None if again else collected.part("memory of speed", lambda: recall(machine))
    known = collected.part("memory of networks", lambda: recall_networks(machine)) or {}
    if machine.quick:
        return replace(machine, networks=tuple(known.values()) or None, speed=speed)
    missing = [name for name in nets.names() if name not in known]

    def asking() -> TorchFacts:
        return ask_torch(
            collected.clean,
            measuring=0.0 if speed else _MEASURING,
            limit=seconds,
            variables=variables,
            networks=missing,
        )

    asked = collected.part("torch", asking)
    if asked is not None:
        known |= {each.net: each for each in asked.networks}
        collected.troubles += _untold(asked, missing, known)
        if asked.networks:
            collected.part("cache", lambda: remember_networks(machine, known))
    fresh = replace(asked.speed, measured=time.time()) if asked and asked.speed else None
    # Of a busy machine it holds for now alone.
    if fresh and not is_busy(machine):
        collected.part("cache", lambda: remember(machine, fresh))
    return replace(
        machine,
        torch=asked.torch if asked else None,
        speed=speed or fresh,
        networks=tuple(known.values()) or None,
    )


def _with_disks(machine: Machine, collected: _Parts, *, again: bool) -> Machine:
    """The same with how fast the disks are: remembered, or measured now."""
    before = {} if again else collected.part("memory of disks", lambda: recall_disks(machine))
    before = before or {}
    now = collected.part("disks", lambda: disks(machine, before, collected.clean)) or {}
    fresh = any(disk not in before and each.written for disk, each in now.items())
    if fresh and not is_busy(machine):
        collected.part("cache", lambda: remember_disks(machine, before | now))
    return replace(machine, disks=tuple(now.values()))


def _untold(asked: TorchFacts, missing: list[str], known: dict[str, Workload]) -> list[str]:
    """What kept networks from being counted, where torch works."""
    if asked.troubles or not asked.torch.works:
        return list(asked.troubles)
    late = [name for name in missing if name not in known]
    few = f"{counted(len(late), 'network')} could be counted ({some(late)})"
    return [f"networks: the time was up before {few}"] if late else []
