"""A training takes one thread where the machine is crowded and one is faster, and nowhere else."""

import os

import pytest
import torch

from viewfinder.crowding import (
    as_if_spared,
    at_once,
    own_threads,
    spare_threads_if_crowded,
    threads_as_begun,
)
from viewfinder.events import listening


@pytest.fixture(autouse=True)
def unasked(monkeypatch):
    """Nobody says how many threads there are, and as many as before are left behind."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with own_threads():
        yield


def ask(monkeypatch, *, load, alone, threads=2):
    """What is said, how many threads are taken, and how many steps were timed, where a step with
    all threads takes 4 s."""
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    torch.set_num_threads(threads)
    timed = []

    def step():
        timed.append(torch.get_num_threads())
        return alone if timed[-1] == 1 else 4.0

    heard = []
    with listening(heard.append):
        spare_threads_if_crowded(step)
    assert timed in ([], [threads, 1], [threads, 1, threads, 1])
    first, *told = [each.text for each in heard] or [""]
    assert ("measuring whether one thread is faster" in first) == bool(timed)
    return told, torch.get_num_threads(), len(timed)


def test_one_thread_is_taken_where_it_is_faster_on_a_busy_machine(monkeypatch):
    (sentence,), threads, _ = ask(monkeypatch, load=15.0, alone=0.9)
    assert threads == 1
    assert "4 s with 2 threads, and 0.9 s with one, so it takes one" in sentence
    assert "OMP_NUM_THREADS=2" in sentence
    assert at_once() == 2
    assert ask(monkeypatch, load=15.0, alone=3.5) == ([], 2, 4)
    # What is beyond doubt is not measured twice.
    assert ask(monkeypatch, load=15.0, alone=0.9)[2] == 2
    assert ask(monkeypatch, load=15.0, alone=2.0)[2] == 4


def test_a_machine_that_is_not_busy_is_not_asked(monkeypatch):
    assert ask(monkeypatch, load=2.0, alone=0.9) == ([], 2, 0)


def test_of_one_thread_nothing_is_asked(monkeypatch):
    assert ask(monkeypatch, load=15.0, alone=0.9, threads=1) == ([], 1, 0)


def test_many_threads_are_kept_and_one_is_told_of(monkeypatch):
    """Once the others are done, one thread of many would be far slower."""
    (sentence,), threads, _ = ask(monkeypatch, load=64.0, alone=0.9, threads=8)
    assert threads == 8
    assert sentence.endswith("OMP_NUM_THREADS=1 before the command is faster")


def test_threads_that_were_asked_for_are_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    (sentence,), threads, _ = ask(monkeypatch, load=15.0, alone=0.9)
    assert threads == 2
    assert sentence.endswith("OMP_NUM_THREADS=1 before the command is faster")


def test_a_training_goes_on_with_the_threads_that_it_began_with(monkeypatch):
    torch.set_num_threads(2)
    heard = []
    with listening(heard.append):
        threads_as_begun(None)
        threads_as_begun(2)
        threads_as_begun(16)
        assert torch.get_num_threads() == 2
        assert heard == []
        threads_as_begun(1)
    assert torch.get_num_threads() == 1
    assert "goes on with 1 thread, as it began" in heard[0].text
    torch.set_num_threads(2)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    threads_as_begun(1)
    assert torch.get_num_threads() == 2


def test_what_tells_how_long_it_takes_computes_as_the_training_will(monkeypatch):
    torch.set_num_threads(2)
    for load, within in ((15.0, 1), (2.0, 2)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        with as_if_spared():
            assert torch.get_num_threads() == within
        assert torch.get_num_threads() == 2
    monkeypatch.setattr(os, "getloadavg", lambda: (15.0, 0.0, 0.0))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with as_if_spared():
        assert torch.get_num_threads() == 2
