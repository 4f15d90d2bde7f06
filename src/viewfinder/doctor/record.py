"""What a run keeps of the machine that trained it: a few facts, to compare runs by."""

from viewfinder.cpu import cpu_features
from viewfinder.doctor.nvidia import driver_in_kernel
from viewfinder.doctor.privacy import cleaner
from viewfinder.doctor.rules.telling import driver_version
from viewfinder.doctor.system import memory, system

_INSTRUCTIONS = ("avx2", "avx512", "vnni", "bf16", "amx")


def machine_record() -> dict[str, object]:
    """As `run.json` has it; for a process that has torch already."""
    import torch

    here, cpu, room = system(cleaner()), cpu_features(), memory()
    facts: dict[str, object] = {
        "system": here.name,
        "architecture": here.architecture,
        "container": here.container,
        "processor": cpu.name,
        "instructions": [name for name in _INSTRUCTIONS if getattr(cpu, name)],
        "cores": cpu.physical,
        "usable_threads": cpu.threads,
        "memory": room.total,
        "memory_limit": room.limit,
        "gpus": [],
        "cuda": torch.version.cuda,
        "driver": None,
    }
    if torch.cuda.is_available():
        about = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
        facts["gpus"] = [{"name": gpu.name, "memory": gpu.total_memory} for gpu in about]
        driver = driver_in_kernel()
        facts["driver"] = driver_version(driver) if driver else None
    return facts
