"""Running a command in this process."""

import pytest

from viewfinder.cli.main import main


@pytest.fixture
def ask(capsys):
    """A function that runs a command and returns its status and what it printed."""

    def run(*words):
        status = main([str(word) for word in words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run
