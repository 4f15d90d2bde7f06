"""`python -m viewfinder.explain train.py …`: a script whose mistakes of shape are explained."""

import sys

from viewfinder.explain.running import run_script

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("error: say which script to run: python -m viewfinder.explain train.py")
    sys.exit(run_script(sys.argv[1:]))
