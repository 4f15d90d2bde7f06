"""Mutated files of every parser are read or refused; `benchmarks/fuzz.py` tries many more."""

import contextlib
import os
import re
import signal
import time
import zipfile
from pathlib import Path

import pytest
from fuzz_parsers import PARSERS, resume, run_folder
from fuzzing import Parser, attempt, prepare

from viewfinder import reading
from viewfinder.datasets.formats.yolo.data_yaml import read_data_yaml
from viewfinder.errors import InputError

SECURITY = Path(__file__).resolve().parents[1] / "docs/security.md"
# Slow to begin with, or to read: the benchmark tries these alone.
SLOW = {
    *("state.ckpt", "videos", "videos of other kinds", "rendered set's CSV", "ONNX"),
    *("run.json, detect", "run.json, saliency", "history.csv, resumed", "pictures.csv, scored"),
    *("scores.json, thresholds", "state.ckpt, detect", "folds.json", "runs of folds"),
    *("weights, detect", "weights, saliency"),
}
QUICK = [parser for parser in PARSERS if parser.name not in SLOW]
EACH = 21


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parser", QUICK, ids=[parser.name for parser in QUICK])
def test_a_mutated_file_is_read_or_refused_in_a_sentence(parser: Parser, tmp_path: Path) -> None:
    prepare(parser, tmp_path)
    for number in range(EACH):
        outcome, told = attempt(parser, tmp_path, number)
        assert outcome in ("read", "refused"), f"{parser.name} {number}: {told}"


# The last is read by the test itself.
PIPED = [parser for parser in QUICK if parser.name != "state.ckpt, progress"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parser", PIPED, ids=[parser.name for parser in PIPED])
def test_a_pipe_in_a_files_place_is_not_waited_for(parser: Parser, tmp_path: Path) -> None:
    prepare(parser, tmp_path)
    file = min(tmp_path.glob(parser.files))
    file.unlink()
    os.mkfifo(file)
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for the pipe"))
    signal.alarm(20)
    try:
        with contextlib.suppress(InputError, OSError):
            parser.read(tmp_path)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_state_that_would_grow_as_it_is_read_is_refused(tmp_path: Path) -> None:
    run_folder(tmp_path)
    file = tmp_path / "run/state.ckpt"
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    with pytest.raises(InputError, match="the training cannot be resumed") as refused:
        resume(tmp_path)
    assert "compressed" in str(refused.value.__cause__)


def test_a_file_larger_than_the_free_memory_is_not_begun_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.json"
    file.touch()
    os.truncate(file, 1 << 36)  # a hole, which takes nothing on the disk
    monkeypatch.setattr(reading, "free_memory", lambda: 1 << 34)
    with pytest.raises(InputError, match="68,719,476,736 bytes do not fit"):
        read_data_yaml(file, {"names"})


def test_as_many_as_are_promised() -> None:
    assert EACH * len(QUICK) >= 500


def test_the_page_on_security_names_every_parser() -> None:
    page = SECURITY.read_text(encoding="utf-8")
    listed = page.partition("<!-- parsers -->")[2].partition("<!-- end -->")[0]
    assert set(re.findall(r"`([^`]+)`", listed)) == {parser.name for parser in PARSERS}


@pytest.mark.parametrize(
    "line",
    [
        *("a" + " " * 60_000 + "b", "a: " + "[" * 60_000, "- " * 30_000, '"' * 60_001),
        *("a:" * 30_000, "a: {" + "b: c, " * 10_000, "a: '" + "''" * 30_000, "\\" * 60_000),
    ],
    ids=lambda line: line[:5],
)
def test_long_lines_take_no_long_time(line: str, tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(f"{line}\nnames: {line}\n")
    begun = time.process_time()
    with contextlib.suppress(InputError):
        read_data_yaml(file, {"names", "a"})
    # A quadratic pattern takes tens of seconds for a line of this length.
    assert time.process_time() - begun < 5
