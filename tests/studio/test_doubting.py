"""Labels are compared as was asked for last, whatever was under way."""

import threading
import time
from types import SimpleNamespace

import pytest

from viewfinder.studio.learning import doubting


@pytest.mark.parametrize("asked", [("", "run"), ("run", ""), ("", "run", "")])
def test_another_way_ends_what_is_under_way(monkeypatch, tmp_path, asked):
    boxes = {name: SimpleNamespace(picture=1, corners=(0, 0, 1, 1), label=name) for name in "ab"}
    rows = [("1.png", SimpleNamespace(id=name, **vars(box))) for name, box in boxes.items()]
    began, monitored = threading.Event(), []
    monkeypatch.setattr(doubting, "_boxes", lambda store: rows)

    def compared(worker, by, found):
        monitored.append(by)
        began.set()
        # All but the last wait until they are stopped.
        deadline = time.monotonic() + 10
        while len(monitored) == 1 and not worker.stopping and time.monotonic() < deadline:
            time.sleep(0.01)
        return [(found, "c", 0.5)]

    monkeypatch.setattr(doubting, "mistaken", lambda _, worker, run, of: compared(worker, run, "a"))
    looking = doubting.Doubting(SimpleNamespace(data=tmp_path))
    monkeypatch.setattr(looking, "_compared", lambda _: compared(looking._worker, "", "b"))
    looking.look(asked[0])
    assert began.wait(10)
    for way in asked[1:]:
        looking.look(way)
    deadline = time.monotonic() + 10
    while (found := looking.found())["busy"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [crop["box"] for crop in found["crops"]] == ["a" if asked[-1] else "b"]
    assert (monitored[0], monitored[-1]) == (asked[0], asked[-1])
    looking.close()
