"""Processes are ours to start."""

import pytest

from viewfinder.errors import InputError
from viewfinder.training.processes import refuse_torchrun


def test_one_of_torchruns_processes_is_refused(monkeypatch):
    refuse_torchrun()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "1")
    refuse_torchrun()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="without torchrun"):
        refuse_torchrun()
