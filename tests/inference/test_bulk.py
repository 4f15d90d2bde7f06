"""Very many pictures on a cluster of two: the same answers, whoever dies on the way."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from viewfinder import api
from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.inference.bulk.parts import begin, deal
from viewfinder.runs.run import open_run


@pytest.fixture
def predict_many():
    """Without Ray, what needs it is not tested."""
    for name in ("pyarrow", "ray"):
        pytest.importorskip(name, reason=f"{name} is not here: pip install viewfinder[ray]")
    from viewfinder.inference.bulk.asking import predict_many

    return predict_many


@pytest.fixture
def job(small_run, small_set, tmp_path):
    """36 pictures in parts of one."""
    model = open_run(small_run).model
    return deal(model, None, str(small_set / "train"), str(tmp_path / "out"), size=1)


def test_pictures_are_dealt_in_order_and_a_folder_is_of_one_job(job, small_run, small_set):
    assert job.parts == len(job.files) == 36
    assert list(job.files) == sorted(job.files)
    assert job.of(35) == job.files[35:]
    assert begin(job) == list(range(36))
    Path(job.file(7)).write_bytes(b"")
    assert begin(job) == [part for part in range(36) if part != 7]
    model = open_run(small_run).model
    other = deal(model, None, str(small_set / "val"), job.out, size=1)
    with pytest.raises(InputError, match="holds answers to other pictures: give another OUT"):
        begin(other)
    with pytest.raises(InputError, match="a model that was asked in another way"):
        begin(deal(model, 0.9, str(small_set / "train"), job.out, size=1))
    (Path(job.out) / "bulk.json").unlink()
    with pytest.raises(InputError, match="exists already and holds no such answers"):
        begin(job)


def test_what_holds_no_pictures_is_refused(small_run, tmp_path):
    model = open_run(small_run).model
    (tmp_path / ".hidden.png").write_bytes(b"")
    with pytest.raises(InputError, match="holds no pictures"):
        deal(model, None, str(tmp_path), "out")
    with pytest.raises(InputError, match="nowhere://a cannot be opened"):
        deal(model, None, "nowhere://a", "out")


def _kill_a_worker_once(out: Path, killed: list[int]) -> None:
    import psutil

    for _ in range(6000):
        if len(list(out.glob("part-*"))) >= 2:
            for each in psutil.Process(os.getpid()).children(recursive=True):
                if "MapWorker" in " ".join(each.cmdline()):
                    each.send_signal(signal.SIGKILL)
                    killed.append(each.pid)
                    return
        time.sleep(0.005)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_changes_nothing(
    predict_many, small_run, small_set, tmp_path, monkeypatch
):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    # Enough of them that a worker is killed before all are answered.
    for number in range(400):
        source = small_set / f"train/{('amber', 'blue', 'green')[number % 3]}/{number % 12:03}.png"
        (pictures / f"{number:03}.png").write_bytes(source.read_bytes())
    (pictures / "200.png").write_bytes(b"no picture")
    model, out, killed = open_run(small_run).model, tmp_path / "out", list[int]()
    watcher = threading.Thread(target=_kill_a_worker_once, args=(out, killed))
    watcher.start()
    found = predict_many(model, str(pictures), str(out), workers=2, part=2)
    watcher.join()
    assert killed
    assert (found.pictures, found.parts, found.now) == (400, 200, 200)
    assert list(found.failed) == [f"file://{pictures}/200.png"]
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(sorted(out.glob("part-*.parquet"))).to_pylist()
    assert [row["source"] for row in rows] == [f"file://{pictures}/{n:03}.png" for n in range(400)]
    expected = {
        each["source"]: each for each in api.open_run(small_run).predict(pictures, device="cpu")
    }
    for row in rows:
        if row["error"] is None:
            wanted = expected[row["source"].removeprefix("file://")]
            assert row["label"] == wanted["label"]
            assert row["scores"] == pytest.approx(list(wanted["scores"].values()), abs=1e-5)
    # And it goes on where files are missing, alike.
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    for file in (out / "part-000003.parquet", out / "part-000100.parquet"):
        file.unlink()
    again = predict_many(model, str(pictures), str(out), workers=2, part=2)
    assert again.now == 2
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert json.loads(before["bulk.json"])["pictures"] == 400


def test_without_ray_nothing_is_begun(small_run, small_set, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["bulk", str(small_run), str(small_set / "train"), str(tmp_path / "out")]
    assert main(words) == 2
    assert "pip install viewfinder[ray]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
