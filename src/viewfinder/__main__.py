"""`python -m viewfinder`, the same as the command `viewfinder`."""

from viewfinder.cli.main import entry

if __name__ == "__main__":
    entry()
