"""Read mutations of real files with every parser, and see that each is read or refused in a line.

  uv run python benchmarks/fuzz.py                     20,000 mutations of all parsers
  uv run python benchmarks/fuzz.py 500 COCO            so many of those whose names begin so
  uv run python benchmarks/fuzz.py 1 COCO 17           the seventeenth alone, with its traceback

Each runs in a process that may take 10 s of CPU time and 2 GiB more of address space. Prints a row
a parser: how many were refused in a sentence, how many were read, and those that went wrong: errors
inside, tracebacks, warnings, raw controls on the terminal, hangs, memory, crashes.
"""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"


def main() -> None:
    """Run `tests/helpers/fuzzing.py` in this process's place."""
    os.execve(
        sys.executable,
        [sys.executable, str(TESTS / "helpers/fuzzing.py"), *sys.argv[1:]],
        os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS)},
    )


if __name__ == "__main__":
    main()
