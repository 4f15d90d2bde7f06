"""The page of speed is what the benchmarks wrote."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_is_made_of_the_figures():
    files = sorted((ROOT / "benchmarks/results").glob("*.json"))
    assert files
    command = [sys.executable, str(ROOT / "benchmarks/performance.py"), *map(str, files)]
    made = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    assert made.decode("utf-8") == (ROOT / "docs/performance.md").read_text(encoding="utf-8")
