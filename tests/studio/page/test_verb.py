"""The verb itself: an address in its first lines, torch left alone, and Ctrl-C as its end."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from viewfinder.cli.label import _frames_of
from viewfinder.errors import InputError
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import open_store


def test_label_prints_its_address_and_ends_by_ctrl_c(tmp_path):
    import numpy as np

    write_picture(tmp_path / "photos" / "a.png", np.zeros((40, 60, 3), np.uint8))
    command = [sys.executable, "-m", "viewfinder", "label", "photos", "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", first)[0]
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=60) as answer:
        assert "token" not in answer.geturl()
        assert b"Viewfinder" in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.partition("?")[0] + "api/start", timeout=60)
    with Path(f"/proc/{process.pid}/maps").open() as maps:
        assert "libtorch" not in maps.read()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in out


def test_an_address_and_a_store_take_no_web_framework_that_whoever_waits_for_them_would_wait_for():
    code = """import sys
from viewfinder.studio.server.address import address_at
from viewfinder.studio.store import open_store
print({"fastapi", "pydantic", "uvicorn", "starlette", "torch"} & set(sys.modules))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_video_is_opened_as_frames_of_it(tmp_path):
    import numpy as np

    random = np.random.default_rng(0)
    shown = [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(6)]
    write_video(tmp_path / "turn.mp4", [each.repeat(2, 0).repeat(2, 1) for each in shown], rate=2)
    folder = _frames_of(tmp_path / "turn.mp4")
    assert folder == tmp_path / "turn"
    assert len(list(folder.glob("*.jpg"))) == 6
    assert _frames_of(tmp_path / "turn.mp4") == folder  # those that are there already
    with open_store(folder, wait=True) as store:
        assert len(store.films.film(1).frames) == 6
    (tmp_path / "a.txt").write_text("no video")
    with pytest.raises(InputError, match="no folder and no video"):
        _frames_of(tmp_path / "a.txt")


def test_an_address_that_cannot_be_had_is_said(served):
    store = served.store
    for host, port in (("127.0.0.1", served.address.port), ("nowhere.invalid", 0), ("::1", 70000)):
        with pytest.raises(InputError, match="cannot listen"):
            studio_server(store, person="a", host=host, port=port).__enter__()


def test_a_folder_that_is_none_is_said(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        open_store(tmp_path / "nothing")
