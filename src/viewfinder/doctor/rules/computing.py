"""Rules about the processor, settings and the network."""

import re

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine, is_busy
from viewfinder.doctor.rules.telling import (
    Rule,
    listed,
    unasked,
    unknown,
    untold,
    warning,
)

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
        return unknown("how fast this machine computes", lacks, "fix that first, and ask again")
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
_PYTHON = "https://docs.python.org/3/using/cmdline.html"
_BYTES = f"{_PYTHON}#envvar-PYTHONDONTWRITEBYTECODE"
_BACKENDS = (
    "https://docs.pytorch.org/docs/stable/backends.html#torch.backends.cpu.get_cpu_capability"
)
_THREADS = "https://docs.pytorch.org/docs/stable/notes/cpu_threading_torchscript_inference.html"

RULES = (
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
