"""The command `viewfinder`, and `python -m viewfinder`, which is the same."""

import sys


def entry() -> None:
    """The console script: a Ctrl-C while the command line is being imported is answered too."""
    try:
        from viewfinder.cli.main import entry as begin
    except KeyboardInterrupt:
        # As `viewfinder.interrupts` has it, which may not have been imported yet.
        sys.stderr.write(
            "stopped before it began: all is as it was; the same command begins it again\n"
        )
        # Else Python ends by the signal, if that fell into a dataclass.
        exec("")
        sys.exit(130)
    begin()


if __name__ == "__main__":
    entry()
