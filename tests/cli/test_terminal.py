"""A training as a person sees it: in a terminal of 80 columns."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from viewfinder.cli.output import in_lines

_WIDTH = 80


@pytest.fixture(scope="module")
def seen(small_set, tmp_path_factory):
    """All that a training writes to a terminal."""
    place = tmp_path_factory.mktemp("terminal")
    words = ["train", "classify", str(small_set), "--net", "lenet", "--epochs", "12"]
    command = [sys.executable, "-m", "viewfinder", *words, "--precision", "32", "--out", "run"]
    given = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    terminal, other_end = pty.openpty()
    fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, _WIDTH, 0, 0))
    training = subprocess.Popen(
        command,
        cwd=place,
        env=given | {"TERM": "xterm-256color"},
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    written = b""
    while True:
        try:
            more = os.read(terminal, 1 << 16)
        except OSError:  # What Linux says when nobody holds the other end any more.
            more = b""
        if not more:
            break
        written += more
    os.close(terminal)
    assert training.wait() == 0
    return written.decode("utf-8")


def without_colours(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_the_bar_stays_on_its_line_and_goes_when_it_is_done(seen):
    drawn = re.findall(r"\x1b\[2K([^\r\n\x1b]*epoch \d+ of 12[^\r\n\x1b]*)", without_colours(seen))
    assert len(drawn) >= 2
    assert max(map(len, drawn)) <= _WIDTH
    assert re.search(r"loss \d\.\d{3}  val accuracy \d+\.\d% of \d+ +about \d+ s left", drawn[-1])
    # The cursor is hidden while it moves, and shown again.
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") > 0


def test_what_stays_fits_and_ends_with_what_to_do_next(seen):
    shown = without_colours(seen)
    lines = shown[shown.rindex("\x1b[2K") + len("\x1b[2K") :].splitlines()
    assert "\x1b" not in "".join(lines)
    # Names of files are the reader's own, and are not broken.
    assert [line for line in lines if len(line) > _WIDTH and str(os.sep) not in line] == []
    assert sum(line.startswith(("test ", "val ", "train ")) for line in lines) == 3
    assert lines[-1] == "next   viewfinder predict run new.jpg"


def test_where_nobody_looks_on_a_line_is_a_side():
    parts = [f"accuracy {number}%" for number in range(20)]
    assert in_lines("val", parts) == ["val   " + "  ".join(parts)]
