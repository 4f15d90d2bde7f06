"""What a network makes of the parts of a picture, found by a process beside the server."""

import base64
import http.client
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import impressions
from viewfinder.studio.learning.impressions import Impressions, impression
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import open_store

LEARNER = str(Path(__file__).with_name("learner.py"))


def pooled(path, box):
    """The mean of a map within shares of the picture, of length 1."""
    found = np.frombuffer(base64.b64decode(impression(path)), np.int8).reshape(32, 32, 112)
    x1, y1, x2, y2 = (int(32 * each) for each in box)
    mean = found[y1:y2, x1:x2].astype(float).mean((0, 1))
    return mean / np.linalg.norm(mean)


def test_what_looks_alike_has_like_numbers(tmp_path):
    random = np.random.default_rng(0)
    picture = np.full((320, 640, 3), 120, np.uint8)
    for x in (20, 340):  # stripes twice, and noise between them
        picture[40:140, x : x + 120] = (np.arange(120) // 10 % 2 * 200)[None, :, None]
    picture[200:300, 20:140] = random.integers(0, 255, (100, 120, 3))
    write_picture(tmp_path / "a.png", picture)
    stripes, more = (pooled(tmp_path / "a.png", (x, 0.125, x + 0.18, 0.43)) for x in (0.04, 0.54))
    noise = pooled(tmp_path / "a.png", (0.04, 0.63, 0.22, 0.93))
    assert stripes @ more > 0.9 > stripes @ noise + 0.1


def test_the_process_stays_and_is_begun_again(tmp_path, monkeypatch):
    monkeypatch.setattr(impressions, "_IMPRESS", (LEARNER, "impress"))
    made = Impressions()
    write_picture(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert len(made.of(tmp_path / "a.png")) == 32 * 32 * 112
    first = made._process
    with pytest.raises(InputError, match="no such file"):
        made.of(tmp_path / "b.png")
    assert made._process is first
    first.kill()
    first.wait()
    with pytest.raises(InputError, match="ended"):
        made.of(tmp_path / "a.png")
    assert len(made.of(tmp_path / "a.png")) == 32 * 32 * 112
    second = made._process
    made.close()
    assert second.returncode == 0
    # One that does not end is killed.
    made.of(tmp_path / "a.png")
    stubborn = made._process
    monkeypatch.setattr(impressions, "_PATIENCE", 0.2)
    stubborn.send_signal(signal.SIGSTOP)
    made.close()
    assert stubborn.returncode == -signal.SIGKILL


def test_a_server_that_ends_does_not_wait_for_it(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(
        impressions, "_IMPRESS", ("-c", "import time; print('{}', flush=True); time.sleep(99)")
    )
    begun = threading.Event()
    begin = impressions.calm
    monkeypatch.setattr(impressions, "calm", lambda pid: (begin(pid), begun.set()))
    write_picture(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    with (
        open_store(tmp_path, wait=True) as store,
        studio_server(store, person="ann", port=0) as (server, bound, address),
    ):
        work = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        work.start()
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
        connection.request("GET", address.url.partition(str(address.port))[2])
        first = connection.getresponse()
        first.read()
        cookie = first.headers["Set-Cookie"].partition(";")[0]
        connection.request("GET", "/api/pictures/1/impression", headers={"Cookie": cookie})
        assert begun.wait(60)
        server.should_exit = True
        told = connection.getresponse()
        assert told.status == 400  # and not cut off
        told.close()
        connection.close()
        work.join(60)
        assert not work.is_alive()
    assert not caplog.records
