"""Large blocks that were freed come back without the system's help."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from viewfinder import memory

SCRIPT = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    from viewfinder.memory import keep_freed
    keep_freed()
np.ones(1 << 23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(1 << 23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Pages that ten arrays of 64 MiB, made and freed in turn, had to be given anew."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="glibc's settings; this is another C library"
)
def test_freed_blocks_are_kept():
    # 64 MiB are 16,384 pages of 4 KiB, or, where the system gives huge ones, 32 of 2 MiB.
    assert page_faults("kept") < page_faults("freed") / 4


def test_free_memory_is_what_a_container_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = memory.free_memory()
    assert everything > 0
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("2500\n")
    (tmp_path / "memory.stat").write_text("anon 2000\ninactive_file 400\n")
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    assert memory.free_memory() == 900
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() > 900
