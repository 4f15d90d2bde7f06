"""One thread is told of where the machine is crowded and one is faster, and nowhere else."""

import os

import pytest
import torch

from viewfinder.events import listening
from viewfinder.training.crowding import tell_if_crowded


@pytest.fixture
def told(monkeypatch):
    """What is told of a step of 4 s with both threads, by how many programs compute and how long
    one thread takes."""
    usual = torch.get_num_threads()
    torch.set_num_threads(2)

    def ask(load, alone):
        monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
        threads = []

        def step():
            threads.append(torch.get_num_threads())
            return alone

        heard = []
        with listening(heard.append):
            tell_if_crowded(4.0, step)
        assert torch.get_num_threads() == 2
        assert threads in ([], [1])
        return [each.text for each in heard], len(threads)

    yield ask
    torch.set_num_threads(usual)


def test_one_thread_is_told_of_where_it_is_faster_on_a_busy_machine(told):
    (sentence,), _ = told(15.0, 0.9)
    assert "4 s with 2 threads, and 0.9 s with one" in sentence
    assert "OMP_NUM_THREADS=1" in sentence
    assert told(15.0, 3.5) == ([], 1)


def test_a_machine_that_is_not_busy_is_not_asked(told):
    assert told(2.0, 0.9) == ([], 0)


def test_of_one_thread_nothing_is_asked(told):
    torch.set_num_threads(1)

    def step():
        pytest.fail("one thread was timed twice")

    with listening():
        tell_if_crowded(4.0, step)
    torch.set_num_threads(2)
