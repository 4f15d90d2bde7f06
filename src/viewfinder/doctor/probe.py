"""Asks torch, in a process of its own: `python -m viewfinder.doctor.probe SECONDS IN_ALL [NET…]`.

Prints a line of JSON with what torch says, a line for what each NET costs and, if there are SECONDS
to measure for, a line for each rate, as long as no more than IN_ALL have gone by. The process may
be killed at any time, by the system or by who started it: the lines that it printed until then are
good.
"""

import ctypes
import importlib
import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

_LIBRARIES = re.compile(
    r"/(lib(?:i?omp5?|gomp|iomp5md|cudnn|cublas|cudart|nccl|torch|torch_cpu|torch_cuda|c10)"
    r"(?:-[0-9a-f]{6,})?\.(?:so|dylib)[.\d]*)$"
)

_OTHERS = (
    *("numpy", "cv2", "PIL.Image", "av", "safetensors.torch"),
    *("tyro", "rich.console", "jinja2"),
)
_VISION = "torchvision"


def main(seconds: float, in_all: float, networks: Sequence[str]) -> None:
    """Print what torch says, what networks cost, and how fast it is."""
    start = time.perf_counter()
    import torch

    facts: dict[str, object] = {"seconds": time.perf_counter() - start}
    # Broken libraries are often found out by the first product only.
    left = torch.ones(64, 64)
    if float((left @ left).sum()) != 64.0**3:
        raise RuntimeError("torch multiplies wrongly")
    facts |= {
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cuda": False,
        "cuda_error": "",
        "driver_cuda": _driver_cuda(),
    }
    if torch.version.cuda:
        facts |= _of_cuda()
    _print(facts)
    _print({"libraries": _loaded()})
    _import_others()
    _print({"libraries": _loaded()})
    _weigh(networks, start + in_all)
    left_over = min(seconds, in_all - (time.perf_counter() - start))
    if left_over > 0:
        _measure("cuda" if facts["cuda"] else "cpu", left_over)


def _import_others() -> None:
    """Import what works with torch, each reported beforehand: one may take the process with it."""
    for name in (*_OTHERS, _VISION):
        _print({"importing": name})
        try:
            if name == _VISION:
                _load_operators()  # Whose error tells more than that of what follows.
            importlib.import_module(name)
        except Exception as error:  # whatever a broken module does
            _print({"broken": name, "error": f"{type(error).__name__}: {error}"})
    _print({"importing": ""})


def _load_operators() -> None:
    """Load torchvision's own, which is what does not go together with another torch."""
    import torch

    found = importlib.util.find_spec(_VISION)
    for folder in (found and found.submodule_search_locations) or ():
        for file in Path(folder).glob("_C.*"):
            torch.ops.load_library(file)  # type: ignore[no-untyped-call]


def _of_cuda() -> dict[str, object]:
    import torch

    facts: dict[str, object] = {"architectures": (torch._C._cuda_getArchFlags() or "").split()}
    try:
        facts["cudnn"] = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        facts["cuda"] = bool(torch.cuda.is_available())
        if not facts["cuda"]:
            # Which says why not.
            torch.cuda.init()  # type: ignore[no-untyped-call]
        facts["gpus"] = [_gpu(index) for index in range(torch.cuda.device_count())]
        side = torch.ones(64, 64, device="cuda")
        if float((side @ side).sum()) != 64.0**3:
            raise RuntimeError("the GPU multiplies wrongly")
    except (RuntimeError, AssertionError, OSError) as error:
        facts |= {"cuda": False, "cuda_error": str(error)}
    return facts


def _gpu(index: int) -> dict[str, object]:
    import torch

    about = torch.cuda.get_device_properties(index)
    free, _ = torch.cuda.mem_get_info(index)
    return {
        "name": about.name,
        "memory": about.total_memory,
        "free": free,
        "capability": [about.major, about.minor],
    }


def _driver_cuda() -> list[int] | None:
    """The newest CUDA that the driver's library can run."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        number = ctypes.c_int()
        if library.cuDriverGetVersion(ctypes.byref(number)) == 0:
            return [number.value // 1000, number.value % 1000 // 10]
    except (OSError, AttributeError):
        pass
    return None


def _loaded() -> list[str]:
    """Paths of the loaded libraries of OpenMP, CUDA and torch; Linux tells them."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            paths = {line.rstrip("\n").partition("/")[2] for line in file}
    except OSError:
        return []
    return sorted(f"/{path}" for path in paths if _LIBRARIES.search(f"/{path}"))


def _weigh(networks: Sequence[str], end: float) -> None:
    """Count what networks cost; one of which that cannot be counted costs the others nothing."""
    if not networks:
        return
    try:
        from viewfinder.doctor.weighing import weigh
    except ImportError as error:
        _print({"unweighed": networks[0], "error": f"{type(error).__name__}: {error}"})
        return
    for name in networks:
        if time.perf_counter() > end:
            return
        try:
            _print({"network": asdict(weigh(name))})
        except Exception as error:  # whatever a network does
            _print({"unweighed": name, "error": f"{type(error).__name__}: {error}"})


def _measure(device: str, seconds: float) -> None:
    from viewfinder.doctor.measuring import pictures, rates, updates

    _print({"device": device, "updates": updates(device), "pictures": pictures()})
    for rate in rates(device, seconds):
        _print({"rate": asdict(rate)})


def _print(document: dict[str, object]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
