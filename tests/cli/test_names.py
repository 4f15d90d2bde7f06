"""Names in strangers' files reach the terminal, tables and pages as data, whatever is in them."""

import csv
import io
import json
import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import console
from viewfinder.cli import main as command_line
from viewfinder.cli.main import main
from viewfinder.cli.output import print_json
from viewfinder.inference.answers import Answer
from viewfinder.inference.tables import write_rows
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.detect.detections import Detections
from viewfinder.wording import as_cell, shown

NASTY = "\x1b]0;pwned\x07\x1b[2J\u202egpj\u2028\n\x9b1m[red]"
UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def controls(text: str) -> set[str]:
    return {sign for sign in text if unicodedata.category(sign) in UNSEEN} - {"\n"}


@given(st.text())
def test_what_is_shown_controls_nothing_and_says_all_else(text):
    told = shown(text)
    assert not {sign for sign in told if unicodedata.category(sign) in UNSEEN}
    assert shown(told) == told
    if not any(unicodedata.category(sign) in UNSEEN for sign in text):
        assert told == text


def coco(root, numpy_picture):
    write_picture(root / "images" / "a.png", numpy_picture)
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 8}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 99, 3]}],
        "categories": [{"id": 1, "name": NASTY}, {"id": 2, "name": "cat"}],
    }
    (root / "annotations").mkdir()
    (root / "annotations/instances_train.json").write_text(json.dumps(document))
    return root


@pytest.fixture
def nasty_set(tmp_path):
    import numpy as np

    return coco(tmp_path / "set", np.full((8, 8, 3), 90, np.uint8))


@pytest.mark.parametrize("words", [["check"], ["classes"], ["classes", "rename", NASTY, "dog"]])
def test_names_control_no_terminal(nasty_set, words, capsys):
    assert main([words[0], str(nasty_set), *words[1:]]) in (0, 1)
    told = capsys.readouterr()
    assert not controls(told.out + told.err)
    if len(words) == 1:
        assert "\\x1b]0;pwned\\x07\\x1b[2J\\u202egpj\\u2028\\n\\x9b1m[red]: 1\n" in told.out


def test_names_in_errors_control_no_terminal(tmp_path, capsys):
    assert main(["check", str(tmp_path / NASTY)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert not controls(told.err)
    assert len(told.err.splitlines()) == 1


def test_an_error_has_an_end(capsys):
    assert main(["x" * 100_000]) == 2
    assert len(capsys.readouterr().err) < 2000


def test_json_is_as_it_was(nasty_set, capsys):
    assert main(["classes", str(nasty_set), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == {NASTY: 1, "cat": 0}


def test_names_in_tables_of_rich_are_data(monkeypatch):
    from rich.table import Table
    from rich.text import Text

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with console.names_shown():
        table = Table(box=None)
        table.add_column("name")
        table.add_row(Text(NASTY))
        made = console.rich_console(width=200, force_terminal=True)
        made.print(table)
        made.print(Text(NASTY, "bold"))
    plain = stream.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert not controls(plain)
    assert plain.count("\\x1b]0;pwned") == 2


def test_a_cell_is_no_formula(tmp_path):
    count = 8
    boxes = np.tile(np.array([[-1.5, 0, 2, 3]], np.float32), (count, 1))
    found = Detections(boxes, np.full(count, 0.5, np.float32), np.arange(count))
    names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "cat", "a=1"]
    write_rows([Answer("=a.png", (9, 9), found)], names, tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\\rx", "cat", "a=1"]
    assert [row["class"] for row in rows] == wanted == [as_cell(name) for name in names]
    assert {row["source"] for row in rows} == {"'=a.png"}
    assert {row["x1"] for row in rows} == {"-1.5"}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(closed, small_set):
    words = f'"{sys.executable}" -m viewfinder classes "{small_set}" {closed}'
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("blue: " in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_no_names_on_a_closed_input(small_run):
    words = f'"{sys.executable}" -m viewfinder predict "{small_run}" - <&-'
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: standard input names no picture")


def test_bad_usage_is_told_however_it_is_drawn(monkeypatch):
    import tyro

    def other(*_, **__):
        print("+-- oops --+\n", file=sys.stderr)
        raise SystemExit(2)

    monkeypatch.setattr(tyro, "cli", other)
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    assert command_line.main(["check", "x"]) == 2
    assert err.getvalue() == "error: +-- oops --+ (viewfinder check --help lists every flag)\n"


def test_json_that_is_printed_controls_no_terminal_and_reads_back(capsys):
    document = {"\u202e\x9b31m\u2028\U000e0041\ufeff": ["é\x1b[2J写👩‍👧", "\ud800"]}
    print_json(document)
    text = capsys.readouterr().out
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text) == document
