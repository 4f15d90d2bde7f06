"""What is installed, read from metadata and files: nothing is imported."""

import contextlib
import importlib.metadata as metadata
import re
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from viewfinder.doctor.machine import Installation, InstalledPackage, Python, Version
from viewfinder.doctor.nvidia import version as as_version
from viewfinder.doctor.tested import is_as_tested, pinned_versions

_OURS = "viewfinder"
_OPENCV = re.compile(r"opencv(-contrib)?-python(-headless)?")
# What torch brings that computes.
_OF_TORCH = re.compile(r"triton|nvidia-(cublas|cuda-runtime|cudnn|cufft|nccl)(-cu\d\d)?")
_NVIDIA = re.compile(r"nvidia-[a-z-]+-cu(\d\d)")


def python() -> Python:
    """The interpreter, held against what this package's metadata asks for."""
    number = tuple(sys.version_info[:3])
    wanted = ""
    with contextlib.suppress(metadata.PackageNotFoundError, KeyError):
        wanted = metadata.metadata(_OURS)["Requires-Python"] or ""
    return Python(
        version=number,
        wanted=wanted,
        fits=_fits(".".join(map(str, number)), wanted),
        implementation={"cpython": "CPython", "pypy": "PyPy"}.get(
            sys.implementation.name, sys.implementation.name
        ),
        bits=8 * struct.calcsize("P"),
        environment=_environment(),
        encoding=sys.getfilesystemencoding(),
    )


def _environment() -> str:
    with contextlib.suppress(OSError):
        if (Path(sys.prefix) / "conda-meta").is_dir():
            return "conda"
    return "virtual environment" if sys.prefix != sys.base_prefix else "the system's Python"


def installation() -> Installation:
    """Every package that this one asks for, and what torch was built for."""
    copies, tested = _copies(), pinned_versions()
    every = _required()
    packages = [_package(each, copies, tested) for each in every if _is_asked_for(each)]
    used = [each for each in every if not _is_asked_for(each)]
    used += [Requirement(name) for name in sorted(copies) if _OF_TORCH.fullmatch(name)]
    others = {each.name: _package(each, copies, tested) for each in used}
    vision = _file("torchvision", "torchvision/version.py")
    wants, fits = _vision_wants(_version("torch"))
    torch = _file("torch", "torch/version.py")
    return Installation(
        packages=tuple(packages),
        torch=_build(torch) or _version("torch"),
        cuda=_cuda(torch),
        vision=_build(vision) or _version("torchvision"),
        vision_wants=wants,
        vision_fits=fits,
        cudnn=_brought(copies, "cudnn"),
        nccl=_brought(copies, "nccl"),
        opencvs=tuple(sorted(name for name in copies if _OPENCV.fullmatch(name))),
        nvidia={
            name: int(found[1]) for name in sorted(copies) if (found := _NVIDIA.fullmatch(name))
        },
        others=tuple(each for each in others.values() if each.version),
    )


def _copies() -> dict[str, tuple[str, ...]]:
    """The versions of each installed package, in the order in which Python looks for them."""
    found: dict[str, list[str]] = {}
    seen = set()
    for each in metadata.distributions():
        with contextlib.suppress(Exception):  # a damaged folder of metadata may do anything
            name, place = canonicalize_name(each.metadata["Name"]), str(each.locate_file(""))
            # What of one package lies in one folder twice has two folders of metadata there.
            key = (name, Path(place).resolve(), each.version)
            if key not in seen:
                seen.add(key)
                found.setdefault(name, []).append(each.version)
    return {name: tuple(versions) for name, versions in found.items()}


def _required() -> list[Requirement]:
    """What this package asks for, that of its extras included."""
    try:
        return _parsed(metadata.requires(_OURS) or [])
    except metadata.PackageNotFoundError:
        return []


def _parsed(lines: Iterable[str]) -> list[Requirement]:
    found = []
    for line in lines:
        with contextlib.suppress(InvalidRequirement):
            found.append(Requirement(line))
    return found


def _is_asked_for(requirement: Requirement) -> bool:
    """Whether it is needed here, and not only by an extra."""
    if requirement.marker is None:
        return True
    try:
        return bool(requirement.marker.evaluate({"extra": ""}))
    except Exception:  # a marker of a kind that this Python does not know
        return False


def _package(
    requirement: Requirement, copies: dict[str, tuple[str, ...]], tested: dict[str, str]
) -> InstalledPackage:
    name = canonicalize_name(requirement.name)
    ours, meant = copies.get(name, ()), tested.get(name, "")
    found = _version(requirement.name) or next(iter(ours), "")
    wanted = str(requirement.specifier)
    fits, same = _fits(found, wanted), is_as_tested(found, meant)
    return InstalledPackage(requirement.name, found, wanted, fits, ours, meant, same)


def _version(name: str) -> str:
    try:
        return metadata.version(name) or ""
    except Exception:  # metadata may be damaged in any way
        return ""


def _fits(found: str, wanted: str) -> bool | None:
    if not found:
        return None
    try:
        return SpecifierSet(wanted).contains(found, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def _vision_wants(torch: str) -> tuple[str, bool | None]:
    try:
        lines = metadata.requires("torchvision") or []
    except metadata.PackageNotFoundError:
        return "", None
    wanted = next((str(each.specifier) for each in _parsed(lines) if each.name == "torch"), "")
    return wanted, _fits(torch, wanted) if wanted else None


def _file(package: str, inside: str) -> str:
    """The text of a file of an installed package; nothing where it cannot be read."""
    try:
        place = metadata.distribution(package).locate_file(inside)
        return Path(str(place)).read_text(encoding="utf-8", errors="replace")
    except (metadata.PackageNotFoundError, OSError):
        return ""


def _build(text: str) -> str:
    found = re.search(r"^__version__[^=\n]*=\s*['\"]([\w.+!-]{1,40})['\"]", text, re.MULTILINE)
    return found[1] if found else ""


def _cuda(text: str) -> Version | None:
    """CUDA's version in torch's `version.py`; () where it says None, None where it says nothing."""
    found = re.search(r"^cuda\b[^=\n]*=\s*(?:['\"]([\d.]+)['\"]|(None))", text, re.MULTILINE)
    if not found:
        return None
    return () if found[2] else as_version(found[1])


def _brought(copies: dict[str, tuple[str, ...]], library: str) -> str:
    names = sorted(name for name in copies if re.fullmatch(rf"nvidia-{library}(-cu\d\d)?", name))
    return ", ".join(copies[name][0] for name in names)
