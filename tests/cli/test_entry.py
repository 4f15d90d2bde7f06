"""The console script answers a Ctrl-C that comes before the command line is there."""

import os
import signal
import subprocess
import sys

import pytest

from viewfinder import __main__ as script
from viewfinder.interrupts import STOPPED, UNBEGUN


class Interrupted:
    """Ctrl-C while the command line is being imported."""

    def find_spec(self, name, path=None, target=None):
        if name == "viewfinder.cli.main":
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_the_command_line_is_imported_is_one_line(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "viewfinder.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        script.entry()
    assert ended.value.code == STOPPED
    assert capsys.readouterr().err == UNBEGUN + "\n"


def test_nothing_is_imported_before_ctrl_c_is_answered():
    """Until then Python answers it, with a traceback."""
    code = (
        "import sys; before = set(sys.modules); import viewfinder.__main__\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['viewfinder', 'viewfinder.__main__']\n"
