"""Settings by environment variables, and files that are found before those that are meant."""

import contextlib
import itertools
import os
import re
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from viewfinder.doctor.machine import Environment, SearchFolder, ShadowingFile
from viewfinder.doctor.privacy import Cleaner

WATCHED = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "KMP_DUPLICATE_LIB_OK", "ATEN_CPU_CAPABILITY"),
    *("ONEDNN_MAX_CPU_ISA", "ONEDNN_VERBOSE", "DNNL_VERBOSE", "MKL_VERBOSE"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING", "PYTORCH_NO_CUDA_MEMORY_CACHING"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONMALLOC", "PYTHONDEVMODE", "PYTHONHOME", "PYTHONPATH"),
    *("PYTHONOPTIMIZE", "PYTHONPROFILEIMPORTTIME", "PYTHONTRACEMALLOC", "LD_PRELOAD"),
)
"""The settings that rules look at."""
# Values that say nothing of a person; others are only said to be set.
_PLAIN = re.compile(r"[\w.,:+-]{0,24}", re.ASCII)
_PATHS = ("PYTHONHOME", "PYTHONPATH", "LD_PRELOAD")
_BROUGHT = re.compile(
    r"lib(cudnn|cublas|cublasLt|cudart|nccl|cufft|cusparse|cusolver|curand|nvrtc|nvJitLink|cupti"
    r"|torch|torch_cpu|torch_cuda|c10|c10_cuda|gomp|iomp5)\.so(\.\d+)*"
)
_IMPORTED = frozenset(
    [
        "av",
        "cv2",
        "hotcoco",
        "jinja2",
        "lightning_fabric",
        "matplotlib",
        "numpy",
        "onnx",
        "onnxruntime",
        "packaging",
        "PIL",
        "rich",
        "safetensors",
        "tensorboard",
        "torch",
        "torchvision",
        "tyro",
        "typing_extensions",
    ]
)
# Modules of Python's that nothing imports while it computes.
_IDLE = frozenset(
    ["__main__", "antigravity", "idlelib", "lib2to3", "test", "this", "turtle", "turtledemo"]
)
# Entries of a folder that are looked at; a file of code, as `numpy.py` and `numpy.cpython-….so`.
_MOST = 20_000
_MODULE = re.compile(r"([A-Za-z_]\w*)(\.py|\.pyc|(\.[\w-]+)?\.(so|pyd))", re.ASCII)


def environment(cleaner: Cleaner, variables: Mapping[str, str]) -> Environment:
    """What is set, what of torch's libraries is on the search path, and what hides modules."""
    settings = {
        name: "(set)" if name in _PATHS or not _PLAIN.fullmatch(value) else cleaner.clean(value)
        for name in WATCHED
        if (value := variables.get(name)) is not None
    }
    search = []
    for entry in dict.fromkeys(variables.get("LD_LIBRARY_PATH", "").split(os.pathsep)):
        folder = Path(entry)
        # An empty entry is the working folder, to the loader too.
        if names := _brought_in(folder):
            search.append(SearchFolder(cleaner.path(folder), names))
    return Environment(settings, tuple(search), tuple(_shadows(variables)))


def _brought_in(folder: Path) -> tuple[str, ...]:
    """The libraries in a folder that torch brings itself; none in Python's own folders."""
    if _is_pythons(folder):
        return ()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        some = itertools.islice(entries, _MOST)
        return tuple(sorted(each.name for each in some if _BROUGHT.fullmatch(each.name)))
    return ()


def _is_pythons(folder: Path) -> bool:
    """Whether a folder is, or lies below, one that packages or Python itself are installed in."""
    try:
        place = folder.resolve()
    except (OSError, RuntimeError):
        return False
    homes = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}
    homes |= {Path(entry) for entry in sys.path if entry.endswith(("site-packages", "-dynload"))}
    return any(place.is_relative_to(home.resolve()) for home in homes)


def _shadows(variables: Mapping[str, str]) -> list[ShadowingFile]:
    found = []
    with contextlib.suppress(OSError):
        found += [ShadowingFile(name, file, "working folder") for name, file in _hiding(Path.cwd())]
    for entry in variables.get("PYTHONPATH", "").split(os.pathsep):
        if entry:
            found += [
                ShadowingFile(name, file, "PYTHONPATH") for name, file in _hiding(Path(entry))
            ]
    return found


def _hiding(folder: Path) -> list[tuple[str, str]]:
    """Modules, and the file or folder here that would be imported in place of each."""
    if _is_pythons(folder):
        return []
    known = (_IMPORTED | sys.stdlib_module_names) - _IDLE
    found: dict[str, str] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, _MOST):
            match = _MODULE.fullmatch(entry.name)
            if match and match[1] in known:
                found.setdefault(match[1], entry.name)
            elif entry.name in known and os.path.exists(os.path.join(entry.path, "__init__.py")):  # noqa: PTH110, PTH118
                found[entry.name] = f"{entry.name}/"
    return sorted(found.items())
