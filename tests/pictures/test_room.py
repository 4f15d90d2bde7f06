"""Threads that decode wait for memory, and never for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from viewfinder.errors import InputError
from viewfinder.pictures import room
from viewfinder.pictures.room import Room


def most_at_once(needed: int, free: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of eight threads are within at the same time."""
    monkeypatch.setattr(room, "free_memory", lambda: free)
    monkeypatch.setattr(room, "_FRESH", 60)
    shared, lock = Room(), threading.Lock()
    within, most = 0, 0

    def work(_: int) -> None:
        nonlocal within, most
        with shared.taken(needed):
            with lock:
                within += 1
                most = max(most, within)
            threading.Event().wait(0.02)
            with lock:
                within -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    return most


def test_as_many_as_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_at_once(10, free=60, monkeypatch=monkeypatch) == 3


def test_all_where_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_at_once(10, free=10_000, monkeypatch=monkeypatch) == 8


def test_one_goes_on_where_there_is_not_enough_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_at_once(10, free=0, monkeypatch=monkeypatch) == 1


def test_room_is_given_back_when_decoding_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 0)
    shared = Room()
    for _ in range(3):
        with pytest.raises(InputError, match="damaged"), shared.taken(10):
            raise InputError("damaged")
