"""A machine in a few lines of words, for the terminal and the page alike."""

import time

from viewfinder.doctor.machine import (
    Disk,
    Installation,
    InstalledPackage,
    Machine,
    WrittenFolder,
    is_busy,
)
from viewfinder.doctor.rules.telling import dotted, driver_version, gib, listed
from viewfinder.doctor.speed import Speed
from viewfinder.wording import counted

_INSTRUCTIONS = (("avx512", "AVX-512"), ("vnni", "VNNI"), ("bf16", "BF16"), ("amx", "AMX"))
_UNKNOWN = "not known"
_WEIGHTY = ("torch", "torchvision", "numpy", "opencv-python-headless")
# Packages of other versions than were tested that are named.
_MOST = 4
# Seconds; what is remembered was measured before.
_JUST_NOW = 120


def about(machine: Machine) -> list[tuple[str, str]]:
    """What there is, each with its name."""
    parts = [
        ("processor", _processor(machine)),
        ("memory", _memory(machine)),
        ("GPU", _gpu(machine)),
        ("system", _system(machine)),
        ("Python", _python(machine)),
        ("packages", _packages(machine)),
        ("torch", _torch(machine)),
        ("disk", _disk(machine)),
        ("network", _network(machine)),
    ]
    return [(name, text) for name, text in parts if text]


def _processor(machine: Machine) -> str:
    cpu = machine.cpu
    if cpu is None:
        return _UNKNOWN
    cores = counted(cpu.physical, "core")
    if cpu.logical != cpu.physical:
        cores += f" for {cpu.logical} threads"
    if cpu.threads < cpu.logical:
        cores += f", of which this process may keep {cpu.threads} busy"
    extra = [name for field, name in _INSTRUCTIONS if getattr(cpu, field)]
    plain = ["AVX2"] if cpu.avx2 and not cpu.avx512 else []
    taken = machine.torch.threads if machine.torch else None
    threads = f"; torch takes {counted(taken, 'thread')}" if taken else ""
    return f"{cpu.name}, {cores}; {', '.join(plain + extra) or 'no AVX2'}{threads}"


def _memory(machine: Machine) -> str:
    memory = machine.memory
    if memory is None or memory.total is None:
        return _UNKNOWN
    free = "" if memory.free is None else f"{gib(memory.free)} free of "
    limited = memory.limit is not None and memory.limit < memory.total
    limit = f", of which the container may use {gib(memory.limit or 0)}" if limited else ""
    swap = "no swap" if memory.swap == 0 else f"swap {gib(memory.swap)}" if memory.swap else ""
    return f"{free}{gib(memory.total)}{limit}" + (f"; {swap}" if swap else "")


def _gpu(machine: Machine) -> str:
    nvidia = machine.nvidia
    gpus = (machine.torch.gpus if machine.torch else ()) or (nvidia.gpus if nvidia else ())
    if not gpus:
        return _UNKNOWN if nvidia is None else "none that answers" if nvidia.cards else "none"
    names = [
        f"{gpu.name}{f' with {gib(gpu.memory)}' if gpu.memory else ''}"
        f"{f', {gib(gpu.free)} free' if gpu.free else ''}"
        for gpu in gpus
    ]
    if not nvidia or not nvidia.driver:
        return listed(names)
    newest = (machine.torch.driver_cuda if machine.torch else None) or nvidia.cuda
    runs = f", which runs CUDA up to {dotted(newest)}" if newest else ""
    return f"{listed(names)}; driver {driver_version(nvidia.driver)}{runs}"


def _system(machine: Machine) -> str:
    system = machine.system
    if system is None:
        return _UNKNOWN
    within = f" in {system.container}" if system.container else ""
    return f"{system.name}{within}, {system.architecture}, kernel {system.kernel}"


def _python(machine: Machine) -> str:
    python = machine.python
    if python is None:
        return _UNKNOWN
    return f"{python.implementation} {dotted(python.version)}, {python.environment}"


def _packages(machine: Machine) -> str:
    """Whether they fit, and whether they are of the versions that this project was tested with."""
    installed = machine.installation
    if installed is None or not installed.packages:
        return _UNKNOWN
    fitting = sum(each.fits is True for each in installed.packages)
    every = len(installed.packages)
    text = f"{f'all {every}' if fitting == every else f'{fitting} of {every}'} fit"
    held = [each for each in by_weight(installed) if each.as_tested is not None]
    if not held:
        return f"{text}; with which versions this was tested is not known"
    drifted = [each for each in held if not each.as_tested]
    if not drifted:
        return f"{text}, and are of the versions that this was tested with"
    names = [f"{each.name} {each.version} in place of {each.tested}" for each in drifted]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{text}; not as tested: {', '.join(names[:_MOST])}{more}"


def by_weight(installed: Installation) -> list[InstalledPackage]:
    """All packages, those first whose version matters most."""
    every = (*installed.packages, *installed.others)
    return sorted(every, key=lambda each: each.name not in _WEIGHTY)


def _torch(machine: Machine) -> str:
    installed, torch = machine.installation, machine.torch
    if installed is None or not installed.torch:
        return "not installed" if installed else _UNKNOWN
    text = f"{installed.torch}, torchvision {installed.vision or 'not installed'}"
    if installed.cuda is not None:
        text += f"; CUDA {dotted(installed.cuda)}" if installed.cuda else "; without CUDA"
    text += f", cuDNN {installed.cudnn}" if installed.cudnn else ""
    text += f", NCCL {installed.nccl}" if installed.nccl else ""
    if torch and torch.works:
        text += f"; uses {torch.capability}, imported in {torch.seconds:.1f} s"
    return text


def _disk(machine: Machine) -> str:
    """Where runs and the cache lie, and how fast that is: once, where it is one disk."""
    known = {each.name: each for each in machine.places}
    parts, rest = [], dict(known)
    for disk in machine.disks:
        here = [known[name] for name in disk.places if name in known]
        for each in here:
            rest.pop(each.name, None)
        if here:
            parts.append(_one_disk(here, disk))
    return "; ".join([*parts, *(_one_disk([each], None) for each in rest.values())]) or _UNKNOWN


def _one_disk(here: list[WrittenFolder], disk: Disk | None) -> str:
    names = listed([f"{each.name} in {each.shown}" for each in here])
    free = "?" if here[0].free is None else gib(here[0].free)
    text = f"{names}{', on one disk' if len(here) > 1 else ''}, {free} free"
    if disk and disk.written:
        read = f", reads {disk.read:,.0f}" if disk.read else ""
        text += f", writes {disk.written:,.0f}{read} MB/s"
    return text


def _network(machine: Machine) -> str:
    network = machine.network
    if network is None:
        return _UNKNOWN
    if network.answers is None:
        return "not asked (--network HOST asks one host, once)"
    how = "answers" if network.answers else "does not answer:"
    return f"{network.asked} {how} {network.says}"


def when(machine: Machine, speed: Speed) -> str:
    """That it was measured, how long ago, and whether others took part of the machine then."""
    passed = time.time() - speed.measured
    if passed < _JUST_NOW and is_busy(machine):
        return "measured just now, on a busy machine: it can do better"
    days = int(passed // 86_400)
    if days < 1:
        return "measured today"
    return f"measured {counted(days, 'day')} ago (--again measures anew)"
