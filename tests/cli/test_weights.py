"""`viewfinder weights`: what there is to start from, and where."""

import hashlib
import json
from pathlib import Path

import pytest

from viewfinder.cli.main import main
from viewfinder.nets import published
from viewfinder.nets.published import COCO_FILE


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache, no network."""
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("VIEWFINDER_WEIGHTS", raising=False)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, object]]:
    assert main(["weights", *words, "--json"]) == 0
    return {each["net"]: each for each in json.loads(capsys.readouterr().out)["weights"]}


def test_every_set_is_told_and_what_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = listed(capsys)
    assert known["vgg16"]["within"] == ["a2dele", "a2dele-depth"]
    assert known["vgg16"]["file"] is None
    assert known["yolov3"] | {"colours": None} == {
        "net": "yolov3",
        "init": "coco",
        "within": [],
        "colours": None,
        "from": "https://pjreddie.com/media/files/yolov3.weights",
        "licence": "public domain",
        "bytes": 248_007_048,
        "exact": True,
        "sha256": "523e4e69e1d015393a1b0a441cef1d9c7659e3eb2d7e15f793f060a21b32f297",
        "file": None,
        "place": None,
        "other": None,
    }
    assert known["yolov3-tiny"]["file"] == str(COCO_FILE)
    lite = known["efficientnet-lite0"]
    assert Path(str(lite["file"])).stat().st_size == lite["bytes"]
    assert lite["place"] == "installed package"
    assert main(["weights"]) == 0
    text = capsys.readouterr().out
    assert all(f"{net}: --init" in text for net in known)


def test_here_is_what_is_published_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brought = tmp_path / "brought"
    monkeypatch.setenv("VIEWFINDER_WEIGHTS", str(brought))
    assert main(["weights"]) == 2
    assert "which is no folder" in capsys.readouterr().err
    brought.mkdir()
    file = brought / "yolov3.weights"
    monkeypatch.setitem(published._PUBLISHED, "yolov3", (4, hashlib.sha256(b"good").hexdigest()))
    for content in (b"<html>", b"evil"):
        file.write_bytes(content)
        found = listed(capsys)["yolov3"]
        assert (found["file"], found["place"], found["other"]) == (None, None, str(file))
        assert main(["weights"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert f"not here: {file} is damaged or another file ({len(content)} bytes" in said
    file.write_bytes(b"good")
    assert listed(capsys)["yolov3"]["place"] == "VIEWFINDER_WEIGHTS"
    monkeypatch.setenv("VIEWFINDER_WEIGHTS", "")
    assert listed(capsys)["yolov3"]["place"] is None


def test_getting_prints_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "get", "yolov3-tiny", "a2dele-lite0"]) == 0
    tiny, lite = capsys.readouterr().out.splitlines()
    assert tiny == str(COCO_FILE)
    assert lite.endswith(".pth"), "that of its backbone"
    assert list(listed(capsys, "get", "yolov3-tiny")) == ["yolov3-tiny"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["get", "yolov3"], "cannot get the COCO weights of yolov3 from https://pjreddie.com/"),
        (["get", "resnet18"], "bring resnet18-f37072fd.pth from elsewhere into the folder that"),
        (["get", "yolo3"], "(did you mean yolov3?)"),
        (["get", "lenet"], "there are no pretrained weights called 'lenet'"),
        (["get"], "get what?"),
        (["fetch"], "'fetch' is nothing to do here"),
    ],
)
def test_what_cannot_be_had_is_said(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["weights", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
