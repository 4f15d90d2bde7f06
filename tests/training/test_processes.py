"""Processes are ours to start, and to miss when they die."""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from viewfinder.errors import InputError
from viewfinder.training.processes import Outcome, judge, launch, refuse_torchrun

CPU = torch.device("cpu")


@contextmanager
def killed_at_its_start(number):
    """Within, so-and-so many'th process that is started is killed as soon as it is there."""

    def watch():
        while len(children := multiprocessing.active_children()) < number:
            if over.wait(0.001):
                return
        os.kill(max(child.pid for child in children), signal.SIGKILL)

    over = threading.Event()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("number", [1, 2])
def test_a_process_killed_at_its_very_start_is_told_of(number):
    # More than a pipe holds, so that whoever writes it there waits for a reader.
    work = partial(methodcaller("barrier"), np.zeros(1_000_000))
    says = rf"process {number} of 2 \(number \d+\) ended with SIGKILL.*--resume.*--batch"
    with killed_at_its_start(number), pytest.raises(InputError, match=says):
        launch(CPU, 2, work)
    assert not multiprocessing.active_children()


class Exits:
    """Work that ends whoever opens it."""

    def __reduce__(self):
        return os._exit, (7,)


def test_a_process_that_ends_without_a_word_is_told_of():
    says = r"process \d of 2 \(number \d+\) ended with status 7 in the middle.*--resume$"
    with pytest.raises(InputError, match=says):
        launch(CPU, 2, Exits())
    assert not multiprocessing.active_children()


def ended(outcome):
    return SimpleNamespace(outcome=lambda: outcome, death=lambda: "process 1 of 2 ended")


def test_what_began_the_trouble_is_told_and_not_what_followed_from_it():
    lost = ended(Outcome(raised="ValueError: connection lost"))
    stopped, died = ended(Outcome(stopped=True)), ended(None)
    refused = ended(Outcome(error=InputError("the disk is full")))
    with pytest.raises(InputError, match="process 1 of 2 ended"):
        judge([lost, died], [])
    with pytest.raises(InputError, match="the disk is full"):
        judge([lost, stopped, refused], [])
    with pytest.raises(RuntimeError, match="connection lost"):
        judge([ended(Outcome()), lost], [])
    assert judge([lost, stopped, ended(Outcome())], [])


def test_one_of_torchruns_processes_is_refused(monkeypatch):
    refuse_torchrun()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "1")
    refuse_torchrun()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="without torchrun"):
        refuse_torchrun()
