"""Rules about the processor, memory, disks, settings and the network."""

import re

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine, is_busy, workload
from viewfinder.doctor.rules.telling import (
    GIB,
    Rule,
    broken,
    gib,
    listed,
    unasked,
    unknown,
    untold,
    warning,
)
from viewfinder.doctor.workload import defaults_of, training_memory
from viewfinder.tasks import NAMES

# Bytes of a disk below which nothing fits on it, and below which it will be full soon.
_FULL, _SOON = 200 << 20, 3 * GIB
# 10⁶ bytes a second: less than a photograph takes to be decoded, in one thread.
_SLOW_DISK = 20.0
_WHAT = {"runs": "the folder for runs", "cache": "the cache"}
_LITTLE_MEMORY = GIB
# A share of swap that is left, below which the machine is about to run out of memory.
_SWAPPED = 0.2
_DEBUGGING = {
    "CUDA_LAUNCH_BLOCKING": "the CPU waits for each operation of the GPU",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "the GPU's memory is asked for anew each time",
    "ONEDNN_VERBOSE": "each operation is printed",
    "DNNL_VERBOSE": "each operation is printed",
    "MKL_VERBOSE": "each operation is printed",
    "PYTHONMALLOC": "Python checks each piece of memory",
    "PYTHONDEVMODE": "Python checks each piece of memory",
    "PYTHONTRACEMALLOC": "Python notes where each piece of memory came from",
    "PYTHONPROFILEIMPORTTIME": "each import is printed",
}
_OFF = ("", "0", "default", "malloc", "pymalloc")
_HELD_BACK = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")
_PLAIN = ("DEFAULT", "NO AVX")


def _settings(machine: Machine) -> dict[str, str]:
    return dict(machine.environment.settings) if machine.environment else {}


def _cache(machine: Machine) -> Finding | None:
    return _place(machine, "cache", "set VIEWFINDER_CACHE to a folder on a disk with room")


def _runs(machine: Machine) -> Finding | None:
    return _place(machine, "runs", "start elsewhere, or name a folder with --out")


def _place(machine: Machine, name: str, fix: str) -> Finding | None:
    what = _WHAT[name]
    place = next((each for each in machine.places if each.name == name), None)
    if place is None:
        return untold(f"whether {what} can be written", machine, "places")
    if place.writable is False:
        say = broken if name == "cache" else warning
        why = (
            "sets that are larger than memory, and the embedded one, cannot be kept"
            if name == "cache"
            else "train writes there when no --out is given, and will refuse"
        )
        return say(f"{what}, {place.shown}, cannot be written", why, fix)
    if place.free is not None and place.free < _SOON:
        full = place.free < _FULL
        why = (
            "what is written fails"
            if full
            else "a set larger than memory, or some runs, will fill it"
        )
        say = broken if full else warning
        return say(f"the disk of {what}, {place.shown}, has {gib(place.free)} left", why, fix)
    if place.writable is None or place.free is None:
        return unknown(f"whether {what} can be written", f"{place.shown} cannot be looked at", fix)
    return None


def _disks(machine: Machine) -> Finding | None:
    for disk in machine.disks:
        names = listed([_WHAT[name] for name in disk.places])
        if disk.error:
            return broken(
                f"the disk of {names} seems to be writable, and writing to it fails: {disk.error}",
                "runs and whatever is cached cannot be kept, though there is room by its figures",
                "see whether your quota is used up (quota -s), or the disk fails (dmesg)",
            )
        slow = [
            f"{verb} {speed:.2g} MB/s"
            for verb, speed in (("writes", disk.written), ("reads", disk.read))
            if speed and speed < _SLOW_DISK
        ]
        if slow:
            return warning(
                f"the disk of {names} {listed(slow)}",
                "a training waits for what it reads there, and for each state that it keeps",
                "give train a folder on a faster disk with --out, and VIEWFINDER_CACHE another one",
            )
    return None


def _memory_for_recipes(machine: Machine) -> Finding | None:
    gpus = machine.torch.gpus if machine.torch and machine.torch.cuda else ()
    free = min((g.free for g in gpus if g.free), default=None)
    where = "the GPU's memory"
    if free is None:
        free, where = (machine.memory.free if machine.memory else None), "memory"
    if free is None:
        return untold("whether the recipes' batches fit into memory", machine, "memory")
    short = []
    for task in NAMES:
        recipe = defaults_of(task)
        work = workload(machine, recipe.net)
        if work is None:
            return _uncounted(machine)
        need = training_memory(work, recipe.batch)
        if need > free:
            fits = [n for n in (64, 32, 16, 8, 4, 2, 1) if n < recipe.batch]
            batch = next((n for n in fits if training_memory(work, n) <= free), None)
            short.append((task, recipe, need, batch))
    if not short:
        return None
    told = [
        f"train {task} with {recipe.net} ({gib(need)} at --batch {recipe.batch})"
        for task, recipe, need, _ in short
    ]
    batches = [f"--batch {batch} for {task}" for task, _, _, batch in short if batch]
    fix = f"give {listed(batches)}" if batches else "close other programs, or use another machine"
    return warning(
        f"{gib(free)} of {where} are free, too little for {listed(told)}",
        "the training ends when memory does",
        fix,
    )


def _uncounted(machine: Machine) -> Finding:
    what = "whether the recipes' batches fit into memory"
    if machine.torch is None:
        return unasked(what)
    if not machine.torch.works:
        lacks = "torch counts what the networks take, and does not work"
        return unknown(what, lacks, "mend torch, and ask again")
    return untold(what, machine, "networks")


def _memory_low(machine: Machine) -> Finding | None:
    memory = machine.memory
    if memory is None or memory.free is None:
        return untold("whether memory is free", machine, "memory")
    limited = memory.limit is not None and memory.total and memory.limit < memory.total
    if memory.free < _LITTLE_MEMORY:
        return warning(
            f"only {gib(memory.free)} of memory are free"
            + (f" of the {gib(memory.limit or 0)} that the container may use" if limited else ""),
            "pictures are read more slowly, and the system may end the training",
            "close other programs" + (", or give the container more memory" if limited else ""),
        )
    if memory.swap and memory.swap_free is not None and memory.swap_free < _SWAPPED * memory.swap:
        return warning(
            f"{gib(memory.swap - memory.swap_free)} of {gib(memory.swap)} of swap are taken",
            "memory ran short a while ago, and what was moved to the disk is slow",
            "close other programs before you train",
        )
    return None


def _threads(machine: Machine) -> Finding | None:
    cpu, settings = machine.cpu, _settings(machine)
    if cpu is None:
        return untold("whether torch takes as many threads as it may", machine, "cpu")
    named = settings.get("OMP_NUM_THREADS", settings.get("MKL_NUM_THREADS"))
    if named is not None and not re.fullmatch(r"[1-9]\d{0,4}(,[1-9]\d{0,4})*", named):
        return warning(
            "OMP_NUM_THREADS is no number of threads",
            "libraries ignore it, each in its own way",
            f"set it to {cpu.threads}, or unset it",
        )
    taken = machine.torch.threads if machine.torch else int(named.split(",")[0]) if named else None
    if taken is None:
        if cpu.threads >= cpu.logical:
            return None
        return unasked(
            f"how many threads torch takes, of which this process may keep {cpu.threads} busy"
        )
    if taken > cpu.threads:
        return warning(
            f"torch takes {taken} threads, and this process may keep {cpu.threads} busy",
            "they wait for each other: a step can take several times as long",
            f"set OMP_NUM_THREADS={cpu.threads}",
        )
    if taken * 2 <= min(cpu.threads, cpu.physical):
        return warning(
            f"torch takes {taken} of {min(cpu.threads, cpu.physical)} cores",
            "the others stand idle while it computes",
            "unset OMP_NUM_THREADS and MKL_NUM_THREADS"
            if named
            else f"set OMP_NUM_THREADS={min(cpu.threads, cpu.physical)}",
        )
    return None


def _instructions(machine: Machine) -> Finding | None:
    cpu, system = machine.cpu, machine.system
    if cpu is None or system is None:
        return untold("which instructions the processor has", machine, "cpu")
    if cpu.avx2 or system.architecture.lower() not in ("x86_64", "amd64"):
        return None
    return warning(
        "the processor has no AVX2",
        "torch computes several times more slowly, and some builds do not start",
        "if this is a virtual machine, let it pass the host's processor through; else use another",
    )


def _held_back(machine: Machine) -> Finding | None:
    cpu, torch = machine.cpu, machine.torch
    set_back = [name for name in _HELD_BACK if _settings(machine).get(name)]
    if set_back:
        return warning(
            f"{listed(set_back)} {'is' if len(set_back) == 1 else 'are'} set",
            "torch does without the processor's newer instructions",
            f"unset {' '.join(set_back)}",
        )
    if cpu is None:
        return untold("whether torch uses the processor's instructions", machine, "cpu")
    if not cpu.avx2:
        return None
    if torch is None:
        return unasked("whether torch uses the processor's instructions")
    if torch.capability not in _PLAIN:
        return None
    return warning(
        f"the processor has AVX2, and torch uses {torch.capability.lower()} instructions",
        "it computes several times more slowly than it could",
        "install torch from its own index, or PyPI: this build was made for any processor",
    )


def _bytecode(machine: Machine) -> Finding | None:
    if machine.environment is None:
        return untold("whether Python keeps what it compiles", machine, "environment")
    if not _settings(machine).get("PYTHONDONTWRITEBYTECODE"):
        return None
    return warning(
        "PYTHONDONTWRITEBYTECODE is set",
        "each start compiles anew whatever was not compiled before: seconds for torch",
        "unset PYTHONDONTWRITEBYTECODE, or compile once: "
        "python -m compileall -q \"$(python -c 'import sys; print(sys.prefix)')\"",
    )


def _debugging(machine: Machine) -> Finding | None:
    if machine.environment is None:
        return untold("whether settings for debugging are on", machine, "environment")
    settings = _settings(machine)
    on = [name for name in _DEBUGGING if settings.get(name, "") not in _OFF]
    if not on:
        return None
    return warning(
        f"{listed(on)} {'is' if len(on) == 1 else 'are'} set, for debugging",
        f"{_DEBUGGING[on[0]]}, which makes all slower",
        f"unset {' '.join(on)}",
    )


def _home(machine: Machine) -> Finding | None:
    if machine.environment is None or "PYTHONHOME" not in _settings(machine):
        return None
    return warning(
        "PYTHONHOME is set",
        "Python looks for its own modules there, which may be of another version",
        "unset PYTHONHOME",
    )


def _openmp(machine: Machine) -> Finding | None:
    torch = machine.torch
    if torch is None:
        return unasked("whether OpenMP is loaded twice")
    if not torch.works:
        return None
    found = {
        (match[1], each.shown)
        for each in torch.libraries
        if (match := re.match(r"lib(gomp|iomp5|omp)", each.name))
    }
    allowed = _settings(machine).get("KMP_DUPLICATE_LIB_OK")
    if not torch.libraries:
        return unknown("whether OpenMP is loaded twice", "this system does not tell", _LOADED)
    if len(found) < 2:
        return None
    names = listed([f"lib{name} of {place}" for name, place in sorted(found)])
    return warning(
        f"OpenMP is loaded {len(found)} times: {names}"
        + (", and KMP_DUPLICATE_LIB_OK hides it" if allowed else ""),
        "their threads take each other's cores, and the process may stop or compute wrongly",
        "remove the package that brings the second one (intel-openmp, mkl, llvm-openmp)",
    )


def _busy(machine: Machine) -> Finding | None:
    system, cpu = machine.system, machine.cpu
    if system is None or cpu is None or not is_busy(machine):
        return None
    return warning(
        f"the machine is busy: {system.load:.1f} processes want its {cpu.logical} cores",
        "what is measured now is slower than the machine, and so is what you train",
        "wait until the others are done; then viewfinder doctor --again",
    )


def _measured(machine: Machine) -> Finding | None:
    torch = machine.torch
    if machine.quick or machine.speed or torch is None or not torch.works:
        return None
    if torch.broken:
        lacks = f"measuring needs {listed([name for name, _ in torch.broken])} too"
        return unknown("how fast this machine computes", lacks, "mend that first, and ask again")
    return unknown(
        "how fast this machine computes",
        "the time was up before anything was measured",
        "wait until the machine is less busy, and ask again",
    )


def _network(machine: Machine) -> Finding | None:
    network = machine.network
    if network is None or network.answers is not False:
        return None
    return warning(
        f"{network.asked} does not answer: {network.says}",
        "--init imagenet and installing packages need a network; nothing else does",
        "see that the cable or the proxy is right; predict coco and --init coco need none",
    )


_LOADED = "if a training hangs or warns of OMP, see which packages bring OpenMP"
_KERNEL = "https://docs.kernel.org/admin-guide/cgroup-v2.html"
_PYTHON = "https://docs.python.org/3/using/cmdline.html"
_BYTES = f"{_PYTHON}#envvar-PYTHONDONTWRITEBYTECODE"
_BACKENDS = (
    "https://docs.pytorch.org/docs/stable/backends.html#torch.backends.cpu.get_cpu_capability"
)
_THREADS = "https://docs.pytorch.org/docs/stable/notes/cpu_threading_torchscript_inference.html"

RULES = (
    Rule("cache", "https://specifications.freedesktop.org/basedir-spec/latest/", _cache),
    Rule("runs", "https://docs.python.org/3/library/os.html#os.access", _runs),
    Rule("disks", "https://man7.org/linux/man-pages/man2/fsync.2.html", _disks),
    Rule("memory for recipes", _KERNEL, _memory_for_recipes),
    Rule("memory", _KERNEL, _memory_low),
    Rule("threads", _THREADS, _threads),
    Rule("instructions", _BACKENDS, _instructions),
    Rule("instructions held back", _BACKENDS, _held_back),
    Rule("bytecode", _BYTES, _bytecode),
    Rule(
        "debugging",
        "https://docs.pytorch.org/docs/stable/cuda_environment_variables.html",
        _debugging,
    ),
    Rule("PYTHONHOME", f"{_PYTHON}#envvar-PYTHONHOME", _home),
    Rule(
        "OpenMP twice",
        "https://github.com/joblib/threadpoolctl/blob/master/multiple_openmp.md",
        _openmp,
    ),
    Rule("busy", "https://docs.python.org/3/library/os.html#os.getloadavg", _busy),
    Rule("speed", _THREADS, _measured),
    Rule("network", "https://docs.python.org/3/library/socket.html", _network),
)
