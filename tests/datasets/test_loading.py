"""Pixels are the same wherever they are kept, and nothing half-written is taken for them."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import cv2
import numpy as np
import pytest
import torch

from viewfinder.datasets import decoded, loading
from viewfinder.datasets.decoded import ahead
from viewfinder.datasets.framing import DARKNET, STRETCHED, Framing, frame_file
from viewfinder.datasets.loading import open_pixels, pixels_from_files, prepare
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture

SIZE = (16, 16)
KEEPS = ["memory", "disk", "none"]


@pytest.fixture
def root(tmp_path):
    random = np.random.default_rng(0)
    for name in ("cat", "图"):
        for number in range(5):
            shape = (20 + 7 * number, 50 - 6 * number, 3)
            picture = random.integers(0, 256, shape, dtype=np.uint8)
            write_picture(tmp_path / "set" / name / f"{number}.png", picture)
    return tmp_path / "set"


@pytest.mark.parametrize(("width", "height"), [(64, 16), (16, 64), (40, 40), (32, 32), (300, 3)])
def test_a_picture_is_brought_to_the_square_without_stretching(tmp_path, width, height):
    write_picture(tmp_path / "a.png", np.full((height, width, 3), (200, 10, 30), np.uint8))
    square = prepare(tmp_path / "a.png", (32, 32))
    assert square.shape == (32, 32, 3)
    assert square.dtype == np.uint8
    inside = (square == (200, 10, 30)).all(axis=2)
    scale = 32 / max(width, height)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert len(rows) == max(1, round(height * scale))
    assert len(columns) == max(1, round(width * scale))
    assert abs(rows[0] - (31 - rows[-1])) <= 1
    assert abs(columns[0] - (31 - columns[-1])) <= 1
    assert (square[~inside] == loading.LETTERBOX_FILL).all()


def test_shrinking_is_opencvs_average_over_area(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    write_picture(tmp_path / "a.png", picture)
    expected = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(prepare(tmp_path / "a.png", (32, 32)).astype(int) - expected).max() <= 1


def test_the_three_ways_of_keeping_agree(root, tmp_path):
    dataset = open_dataset(root)
    order = [7, 0, 0, 9, 3]
    expected = np.stack([prepare(dataset.file(i), (24, 24)) for i in order])
    for keep in KEEPS:
        pixels = open_pixels(dataset, (24, 24), keep=keep, cache=tmp_path / "cache")
        assert len(pixels) == 10
        for indices in (order, torch.tensor(order)):
            taken = pixels.take(indices)
            assert taken.shape == (5, 3, 24, 24)
            assert taken.dtype == torch.uint8
            assert np.array_equal(taken.permute(0, 2, 3, 1).numpy(), expected), keep


@pytest.mark.parametrize("keep", KEEPS)
def test_pixels_can_be_sent_to_another_process(root, tmp_path, keep):
    pixels = open_pixels(open_dataset(root), (16, 16), keep=keep, cache=tmp_path / "cache")
    sent = pickle.dumps(pixels)
    assert torch.equal(pickle.loads(sent).take([3, 1]), pixels.take([3, 1]))
    if keep != "memory":
        assert len(sent) < 10 * 3 * 16 * 16


def test_the_cache_is_used_again_and_never_for_changed_pictures(root, tmp_path):
    dataset, cache = open_dataset(root), tmp_path / "cache"
    open_pixels(dataset, (16, 16), keep="disk", cache=cache)
    (file,) = cache.rglob("*.u8")
    written = file.stat().st_mtime_ns
    open_pixels(dataset, (16, 16), keep="disk", cache=cache)
    assert [f.stat().st_mtime_ns for f in cache.rglob("*.u8")] == [written]
    open_pixels(dataset, (12, 12), keep="disk", cache=cache)
    assert len(list(cache.rglob("*.u8"))) == 2
    # Painted over: other pixels in a file of the same size.
    write_picture(root / "cat/black.bmp", np.zeros((20, 50, 3), np.uint8))
    black = open_dataset(root)
    first = open_pixels(black, (16, 16), keep="disk", cache=cache).take(range(len(black)))
    size = (root / "cat/black.bmp").stat().st_size
    time.sleep(0.02)
    write_picture(root / "cat/black.bmp", np.full((20, 50, 3), 255, np.uint8))
    assert (root / "cat/black.bmp").stat().st_size == size
    second = open_pixels(open_dataset(root), (16, 16), keep="disk", cache=cache).take(
        range(len(black))
    )
    index = black.paths.index("cat/black.bmp")
    assert first[index].min() == 0
    assert second[index].max() == 255


def test_a_cache_file_that_is_too_short_is_written_anew(root, tmp_path):
    dataset, cache = open_dataset(root), tmp_path / "cache"
    whole = open_pixels(dataset, (16, 16), keep="disk", cache=cache).take(range(10))
    (file,) = cache.rglob("*.u8")
    os.truncate(file, 1000)
    again = open_pixels(dataset, (16, 16), keep="disk", cache=cache).take(range(10))
    assert torch.equal(whole, again)


def test_a_cache_file_of_other_bytes_is_written_anew(root, tmp_path):
    dataset, cache = open_dataset(root), tmp_path / "cache"
    whole = open_pixels(dataset, (16, 16), keep="disk", cache=cache).take(range(10))
    (file,) = cache.rglob("*.u8")
    file.write_bytes(bytes(file.stat().st_size))
    again = open_pixels(dataset, (16, 16), keep="disk", cache=cache).take(range(10))
    assert torch.equal(whole, again)
    assert again.any()


def test_a_kill_while_decoding_leaves_no_cache_file(root, tmp_path):
    script = f"""
import os, signal
from pathlib import Path
from viewfinder.datasets import loading
from viewfinder.datasets.opening import open_dataset
prepare, calls = loading.prepare, []
def killed(path, size, **more):
    calls.append(path)
    if len(calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(path, size, **more)
loading.prepare = killed
cache = Path({str(tmp_path)!r})
loading.open_pixels(open_dataset({str(root)!r}), (16, 16), keep="disk", cache=cache)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(tmp_path.rglob("*.u8")) == []
    # As an earlier version would have left it.
    (tmp_path / "pixels" / f"{'0' * 24}.4194304.writing").write_bytes(b"half")
    pixels = open_pixels(open_dataset(root), (16, 16), keep="disk", cache=tmp_path)
    assert [file.suffix for file in (tmp_path / "pixels").iterdir()] == [".u8"]
    assert torch.equal(
        pixels.take([8]),
        open_pixels(open_dataset(root), (16, 16), keep="none", cache=tmp_path).take([8]),
    )


@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_a_damaged_picture_is_named_and_leaves_no_cache_file(root, tmp_path, keep):
    (root / "cat/2.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2\.png"):
        open_pixels(open_dataset(root), (16, 16), keep=keep, cache=tmp_path / "cache")
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


def test_pictures_decoded_as_they_are_asked_for_name_the_damaged_one(root, tmp_path):
    (root / "cat/2.png").write_bytes(b"no picture")
    pixels = open_pixels(open_dataset(root), (16, 16), keep="none", cache=tmp_path)
    assert pixels.take([0, 1]).shape == (2, 3, 16, 16)
    with pytest.raises(InputError, match=r"2\.png"):
        pixels.take(range(len(pixels)))


@pytest.mark.parametrize("framing", [DARKNET, STRETCHED, Framing(grey=7), Framing("stretch")])
def test_pictures_framed_for_other_nets_keep_their_values(root, framing):
    dataset = open_dataset(root)
    read = partial(frame_file, framing=framing)
    pixels = pixels_from_files(dataset, (24, 16), read, values=framing.values)
    taken = pickle.loads(pickle.dumps(pixels)).take([9, 2, 2]).permute(0, 2, 3, 1).numpy()
    assert taken.dtype == framing.values
    expected = np.stack([frame_file(dataset.file(i), (24, 16), framing) for i in (9, 2, 2)])
    assert np.array_equal(taken, expected)
    assert len(pixels.take([])) == 0
    other = pixels_from_files(dataset, (24, 16), read, values=np.dtype(np.int16))
    with pytest.raises(TypeError):
        other.take([0])


@pytest.mark.parametrize("keep", KEEPS)
def test_records_may_be_of_several_lengths(root, tmp_path, keep):
    dataset, lengths = open_dataset(root), np.arange(10) * 3
    opened = decoded.open_decoded(
        dataset, lengths, written, words="numbers", keep=keep, cache=tmp_path
    )
    assert len(opened) == 10
    for each in (opened, pickle.loads(pickle.dumps(opened))):
        assert [record.tolist() for record in each.take([4, 0, 1])] == [[4] * 12, [], [1] * 3]
        assert each.take([]) == []
        with pytest.raises(ValueError, match="several lengths"):
            each.together([1, 2])


def written(number, record):
    record[...] = number


def test_what_is_kept_in_memory_is_shared_with_other_processes(root, tmp_path):
    """Torch moves a tensor to shared memory when it is sent; what is taken stays the same."""
    pixels = open_pixels(open_dataset(root), (16, 16), keep="memory", cache=tmp_path)
    before = pixels.take([3, 1])
    pixels.decoded._records.share_memory_()
    assert torch.equal(pixels.take([3, 1]), before)


def test_auto_takes_memory_then_disk_then_neither(root, tmp_path, monkeypatch):
    def kind():
        pixels = open_pixels(
            open_dataset(root), (16, 16), keep="auto", cache=tmp_path / "cache" / "new"
        )
        return type(pixels.decoded).__name__

    assert kind() == "InMemory"
    monkeypatch.setattr(decoded, "free_memory", lambda: 10_000)
    assert kind() == "OnDisk"
    monkeypatch.setattr(decoded, "_DISK_SHARE", 0.0)
    assert kind() == "FromFiles"


def test_ahead_makes_the_next_while_this_one_is_used():
    made = []

    def make():
        for number in range(4):
            made.append(number)
            yield number

    items = ahead(make())
    assert next(items) == 0
    deadline = time.time() + 10
    while made != [0, 1] and time.time() < deadline:
        time.sleep(0.001)
    assert made == [0, 1]
    assert list(items) == [1, 2, 3]
    assert list(ahead([])) == []


def test_ahead_passes_errors_on_and_stops_its_thread():
    def broken():
        yield 1
        raise InputError("2 is damaged")

    before = threading.active_count()
    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(InputError, match="2 is damaged"):
        next(items)
    left = ahead(iter(range(1000)))
    next(left)
    assert threading.active_count() == before + 1
    left.close()
    assert threading.active_count() == before
