"""`python -m viewfinder.doctor [--quick]`: the page, also where what reads flags is broken."""

import os
import sys

from viewfinder.doctor.document import works
from viewfinder.doctor.estimate import epochs
from viewfinder.doctor.gathering import gather
from viewfinder.doctor.page import page
from viewfinder.doctor.rules import findings


def main(words: list[str]) -> int:
    """Print the page, and return the exit status: 1 if something does not work."""
    machine = gather(quick="--quick" in words)
    found = findings(machine)
    try:
        for line in page(machine, found, epochs(machine)):
            print(line.text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the page has gone, as `head` does; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if works(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
