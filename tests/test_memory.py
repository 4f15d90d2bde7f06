"""Large blocks that were freed come back without the system's help."""

import platform
import subprocess
import sys

import pytest

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
