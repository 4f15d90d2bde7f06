"""The versions that this project was tested with: the pins of its `pyproject.toml`.

A clone has that file; in a built package a copy of it lies beside the metadata, where the build
puts it (`extra-metadata` in `pyproject.toml`).
"""

import importlib.metadata as metadata
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from viewfinder.values import as_list, as_table

_CLONE = Path(__file__).parents[3] / "pyproject.toml"
_COPY = "extra_metadata/pyproject.toml"


def pinned_versions() -> dict[str, str]:
    """Of each package, what it was tested with; nothing where that cannot be read."""
    for text in (_of_clone(), _of_metadata()):
        try:
            document = tomllib.loads(text)
            if as_table(document["project"])["name"] == "viewfinder":
                lines = as_table(as_table(document["tool"])["uv"])["constraint-dependencies"]
                pairs = [str(line).partition("==") for line in as_list(lines)]
                return {canonicalize_name(name): version for name, _, version in pairs if version}
        except (ValueError, KeyError):
            continue
    return {}


def is_as_tested(found: str, tested: str) -> bool | None:
    """Whether two versions are one, whatever build the first is of; None where that is unknown."""
    if not found or not tested:
        return None
    try:
        return Version(Version(found).public) == Version(tested)
    except InvalidVersion:
        return None


def _of_clone() -> str:
    try:
        return _CLONE.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _of_metadata() -> str:
    try:
        return metadata.distribution("viewfinder").read_text(_COPY) or ""
    except Exception:  # metadata may be damaged in any way
        return ""
