"""A selection of crash points of the commands that change files; `benchmarks/crash_points.py` runs
every point of every command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

# Jobs, and of each at most so many points, spread evenly.
CHOSEN = {
    "classes-yolo-drop": 12,
    "classes-folders-merge": 8,
    "classes-coco-rename": 5,
    "classes-voc-merge": 5,
    "take-back-yolo-drop": 5,
    "take-back-folders-merge": 5,
    "accept": 4,
    "unaccept": 4,
    "convert-copy": 3,
    "frames": 3,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each run is a fork of one process")
def test_killed_at_any_file_operation_a_command_can_be_given_again():
    command = [sys.executable, TESTS / "crash_jobs.py"]
    words = [f"{name}={most}" for name, most in CHOSEN.items()]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert {outcome["name"] for outcome in outcomes} >= CHOSEN.keys()
    assert [wrong for outcome in outcomes for wrong in outcome["wrong"]] == []
    assert all(outcome["points"] >= 3 for outcome in outcomes)
