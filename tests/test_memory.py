"""Large blocks that were freed come back without the system's help."""

import platform
import subprocess
import sys

import pytest

from viewfinder import groups, memory

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


SECOND = {"memory.max": "3000\n", "memory.current": "2500\n"}
FIRST = {"memory.limit_in_bytes": "3000\n", "memory.usage_in_bytes": "2500\n"}


@pytest.mark.parametrize(
    ("line", "group", "files"),
    [
        ("0::/", "", SECOND),
        ("0::/a/b", "", SECOND),
        ("0::/a/b", "a", SECOND),
        ("4:memory:/docker/x", "memory", FIRST),
        ("4:cpu,memory:/docker/x", "memory/docker/x", FIRST),
    ],
)
def test_free_memory_is_what_a_container_leaves(tmp_path, monkeypatch, line, group, files):
    assert memory.free_memory() > 900
    monkeypatch.setattr(groups, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(groups, "_GROUPS", tmp_path / "cgroup")
    here = tmp_path / "cgroup" / group
    here.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"9:name=systemd:/\nodd\n{line}\n")
    for name, text in files.items():
        (here / name).write_text(text)
    (here / "memory.stat").write_text("anon 2000\ninactive_file 400\ntotal_inactive_file 400\n")
    assert (memory.free_memory(), memory.limit_of_container()) == (900, 3000)
    for name in ("memory.max", "memory.limit_in_bytes"):
        (here / name).write_text("max\n" if name == "memory.max" else f"{2**63 - 4096}\n")
    assert memory.free_memory() > 900
    assert memory.limit_of_container() is None
