"""The verb itself: an address in its first lines, torch left alone, and Ctrl-C as its end."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import brought
import pytest

from viewfinder.cli.label import _frames_of
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutBox, PutClass, open_store


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


def test_what_was_exported_as_json_lines_is_begun_with(tmp_path, new_schema, monkeypatch):
    """In the folder, and in a server's database; pictures that are not there are named."""
    photos = tmp_path / "photos"
    for stem in "abc":
        brought.picture(photos / f"{stem}.png")
    with open_store(photos, wait=True) as store:
        one, two = PutBox("b", 1, "k", (1, 2, 9, 9), 0), PutBox("c", 3, "k", (3, 2, 9, 9), 0)
        store.apply(Operation("o1", (PutClass("k", "mug", 0), one, two), "ann"))
        store.write_lines(tmp_path / "all.jsonl")
        contents, history = store.contents(), store.history()
    for number, url in enumerate((None, new_schema())):
        copy = tmp_path / f"copy{number}"
        for stem in "ab":
            brought.picture(copy / f"{stem}.png")
        said, status = labelled(copy, "--restore", tmp_path / "all.jsonl", url=url)
        assert status == 0
        assert "restored 3 pictures with 2 boxes" in said
        assert "1 picture lacks a file" in said
        assert "(c.png)" in said
        with open_store(copy, url=url, wait=True) as store:
            assert (store.contents(), store.history()[-1]) == (contents, history[-1])
        if url:
            monkeypatch.setenv("VIEWFINDER_DATABASE", url)
        assert len(open_dataset(copy).boxes) == 2
        said, status = labelled(copy, "--restore", tmp_path / "all.jsonl", url=url)
        assert status == 2
        assert "has labels already" in said
    new = tmp_path / "new"
    new.mkdir()
    for file in (tmp_path / "none.jsonl", photos / "a.png"):
        said, status = labelled(new, "--restore", file)
        assert status == 2
        assert str(file) in said
        assert not (new / ".viewfinder").exists()


def labelled(data, *words, url=None):
    """What the verb prints before it serves, and how it ends."""
    words = [*words, *(["--database", url] if url else [])]
    command = [sys.executable, "-m", "viewfinder", "label", data, "--no-browser", "--port", "0"]
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    said = []
    with subprocess.Popen([*command, *words], **out, text=True) as process:
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends it" in line:
                url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", "".join(said))[0]
                opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
                opener.open(url, timeout=60).close()  # it serves
                process.send_signal(signal.SIGINT)
        return "".join(said), process.wait(60)
