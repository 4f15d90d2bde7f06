"""The scripts that set everything up."""

import os
import subprocess
from pathlib import Path

import pytest

UV = Path(__file__).parents[1] / "scripts" / "uv"


@pytest.mark.skipif(os.name == "nt", reason="a script of the POSIX shell")
def test_uv_is_found_behind_the_script_that_looks_for_it(tmp_path):
    real = tmp_path / "some programs" / "uv"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\necho "$@"\n')
    real.chmod(0o755)
    path = os.pathsep.join([str(UV.parent), str(real.parent), "/usr/bin", "/bin"])
    ran = subprocess.run(
        [UV, "run", "a", "b c"],
        env={"PATH": path, "UV_PROJECT_ENVIRONMENT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    expected = f"--project {UV.parents[1]} run --no-compile-bytecode a b c\n"
    assert ran.stdout == expected
