"""`viewfinder ablate`: its table, its one-line refusals, and what kill -9 and Ctrl-C leave."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

QUICK = '[base]\nnet = "lenet"\nepochs = 1\nbatch = 18\nprecision = "32"\nkeep = "memory"\n'


@pytest.fixture
def grid(small_set, tmp_path):
    """A function that writes a small grid's file."""

    def write(rates="[0.01, 0.02]", seeds="2", more=""):
        file = tmp_path / "rates.toml"
        text = f"task = 'classify'\ndata = '{small_set}'\nseeds = {seeds}\n{QUICK}{more}\n"
        file.write_text(text + f"[grid]\nlearning_rate = {rates}\n")
        return file

    return write


def finished_files(out: Path) -> dict[Path, tuple[int, bytes]]:
    """All files of the runs that have their scores and report, with their times."""
    return {
        file: (file.stat().st_mtime_ns, file.read_bytes())
        for report in out.glob("*/*/report.html")
        for file in report.parent.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def start():
    """A function that begins a command in a process of its own."""
    begun = []

    def run(*words):
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "viewfinder", "ablate", *map(str, words)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        )
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def wait_for(what, process):
    # Long enough for a machine that has much else to do.
    deadline = time.monotonic() + 300
    while not what():
        assert process.poll() is None or process.returncode == -signal.SIGKILL, process.returncode
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_a_grid_becomes_a_table_a_page_and_one_document(ask, grid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = ask("ablate", grid("[0.01, 0.02]"))
    assert (status, out.splitlines()[-1]) == (0, "report runs/rates/report.html")
    heading, first, second = out.splitlines()[:3]
    assert heading.split()[:2] == ["cell", "test.accuracy,"]
    assert first.split()[0] == "learning_rate=0.01"
    assert first.rstrip().endswith("baseline")
    assert second.split()[0] == "learning_rate=0.02"
    assert "seeds are few" in out
    assert "4 of 4 done" in err
    names = {path.name for path in (tmp_path / "runs" / "rates").iterdir()}
    assert {"ablation.csv", "ablation.json", "report.html", "ablation.toml"} <= names
    status, latex, _ = ask("ablate", grid("[0.01, 0.02]"), "--latex")
    assert latex == (tmp_path / "runs/rates/table.tex").read_text(encoding="utf-8")
    rows = [line for line in latex.splitlines() if line.startswith(r"learning\_rate")]
    assert [row.count(" & ") for row in rows] == [5, 5]
    assert r"Recipe & Accuracy (test), \% $\uparrow$" in latex
    assert r"\textbf{" in latex
    before = finished_files(tmp_path / "runs")
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdout.isatty", lambda: True)
        terminal.setenv("COLUMNS", "80")
        status, out, _ = ask("ablate", grid("[0.01, 0.02]"))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.splitlines()]
    assert max(map(len, lines)) <= 80
    # Names are whole, whatever the width.
    assert {"learning_rate=0.01", "learning_rate=0.02"} <= set(lines)
    status, out, err = ask("ablate", grid("[0.01, 0.02]"), "--json")
    document = json.loads(out)
    assert (status, err, document["report"]) == (0, "", "runs/rates/report.html")
    assert [cell["n"] for cell in document["cells"]] == [2, 2]
    saved = json.loads((tmp_path / "runs" / "rates" / "ablation.json").read_text())
    assert {name: document[name] for name in saved} == saved
    assert finished_files(tmp_path / "runs") == before


def test_a_training_that_fails_gives_status_1_and_the_rest(ask, grid, tmp_path):
    file = grid("[0.01, 1e30]", seeds="1", more="clip = 0.0\nwarmup = 0.0")
    status, out, err = ask("ablate", file, "--out", tmp_path / "out")
    assert status == 1
    assert out.splitlines()[2].rstrip().endswith("failed")
    assert "learning_rate=1e+30, seed 0, failed: the loss became NaN" in out
    assert "learning_rate=1e+30, seed 0: failed: the loss became NaN" in err
    assert not (tmp_path / "out" / "learning_rate=1e+30" / "seed-0").exists()


@pytest.mark.parametrize(
    ("rates", "words", "says"),
    [
        ("[0.1, 'fast']", [], "cell learning_rate=fast: --learning-rate must be a number"),
        ("[]", [], "[grid] learning_rate must be a list"),
        ("[0.1", [], "is not TOML"),
        ("[0.1]", ["--jobs", "0"], "--jobs 0: give 1 or more"),
        ("[0.1]", ["--jobs", "two"], "--jobs"),
        ("[0.1]", ["--out", "taken"], "taken is not an ablation's folder"),
        ("[0.1]", ["--out", "taken/letter.txt/x"], "a part of that path is a file"),
    ],
)
def test_what_cannot_be_done_is_one_line(ask, grid, tmp_path, monkeypatch, rates, words, says):
    work = tmp_path / "work"
    (work / "taken").mkdir(parents=True)
    (work / "taken" / "letter.txt").write_text("mine")
    monkeypatch.chdir(work)
    status, out, err = ask("ablate", grid(rates), *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert says in err
    assert sorted(str(path.relative_to(work)) for path in work.rglob("*")) == [
        *("taken", "taken/letter.txt"),
    ]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="children are found in /proc")
def test_kill_9_costs_nothing_that_is_finished(ask, grid, tmp_path, start):
    out = tmp_path / "out"
    file = grid("[0.01, 0.02, 0.03]")
    process = start(file, "--out", out, "--jobs", "2")
    wait_for(lambda: list(out.glob("*/*/report.html")), process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    before = finished_files(out)
    assert 0 < len({file.parent for file in before if file.name == "run.json"}) < 6
    assert len(children) >= 2
    # No training goes on by itself, beside the one that is begun next.
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children), process)
    status, told, _ = ask("ablate", file, "--out", out, "--json")
    assert (status, [cell["n"] for cell in json.loads(told)["cells"]]) == (0, [2, 2, 2])
    after = finished_files(out)
    assert {file: after[file] for file in before} == before
    assert len(list(out.glob("*/*/scores.json"))) == 6


def test_ctrl_c_leaves_what_is_finished_and_can_be_gone_on_with(grid, tmp_path, start):
    out = tmp_path / "out"
    file = grid(seeds="1")
    text, _, _ = file.read_text().partition("[grid]")
    short, long = (f"[[cells]]\nname = '{n}'\nepochs = {n}\n" for n in (1, 100_000))
    file.write_text(text + short + long)
    process = start(file, "--out", out)
    wait_for((out / "100000" / "seed-0" / "history.csv").exists, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert told.splitlines()[-1].startswith("stopped: the same command goes on")
    assert "Traceback" not in told
    assert (out / "100000" / "seed-0" / "weights.safetensors").exists()
    assert [report.parent.parent.name for report in out.glob("*/*/report.html")] == ["1"]
