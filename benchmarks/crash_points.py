"""Kill every command that writes before each of its file operations, and see what comes of it.

  uv run python benchmarks/crash_points.py                     every point of all: hours
  uv run python benchmarks/crash_points.py classes take-back   those that begin so
  uv run python benchmarks/crash_points.py train-detect=6      six points of one
  uv run python benchmarks/crash_points.py demo=0::2           every second of one; demo=1::2 are
                                                               the others, beside it

Prints a row for each: its file operations, the points tried, and how many did not end where one
ends that nobody disturbed; then what went wrong.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the jobs of `tests/crash_jobs.py`, and tell."""
    jobs = Path(__file__).resolve().parents[1] / "tests" / "crash_jobs.py"
    command = [sys.executable, str(jobs), *sys.argv[1:]]
    failed = 0
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        print("| command | file operations | points | wrong |\n|---|---|---|---|")
        for line in running.stdout:
            row = json.loads(line)
            wrong = row["wrong"]
            failed += len(wrong)
            print(f"| {row['name']} | {row['operations']} | {row['points']} | {len(wrong)} |")
            print("".join(f"    {what}\n" for what in wrong), end="", flush=True)
    return int(running.returncode != 0 or failed > 0)


if __name__ == "__main__":
    sys.exit(main())
