"""What the benchmark for GPUs prints of the doctor's document, on made-up machines."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_machine import changed, speed

from viewfinder.doctor.document import document
from viewfinder.doctor.estimate import epochs
from viewfinder.doctor.machine import Machine
from viewfinder.doctor.rules import findings

FILE = Path(__file__).parents[2] / "benchmarks/on_cuda.py"


@pytest.fixture(scope="module")
def on_cuda():
    spec = importlib.util.spec_from_file_location("on_cuda", FILE)
    module = importlib.util.module_from_spec(spec)
    # Its dataclass looks for its own module.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "on_cuda", module)
        spec.loader.exec_module(module)
        yield module


def told(machine):
    """As the doctor prints it."""
    return json.dumps(document(machine, findings(machine), epochs(machine), seconds=21.5))


def test_the_doctors_facts_of_a_gpu_are_printed(on_cuda, monkeypatch):
    machine = changed(speed=speed("cuda", 0), system={"load": 99.0})
    done = subprocess.CompletedProcess([], 0, told(machine), "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    lines = list(on_cuda.doctor())
    assert lines[:3] == [
        "doctor: works True, in 21.5 s",
        "doctor: 1 on the bus, nvidia-smi works, driver 580.95.5, runs CUDA 13.2",
        "doctor: NVIDIA H100 80GB HBM3, 80.0 GiB, 79.0 GiB free, capability 9.0",
    ]
    assert lines[3].startswith("doctor: torch uses CUDA: True ; cuDNN 9.26.0; sm_75")
    assert lines[4].startswith("doctor: warning: the machine is busy")
    assert "doctor: measured on cuda: 10⁹ multiply–accumulates a second 32 100, bf16 300" in lines
    assert any(line.startswith("doctor: 1,000 pictures by resnet18: ") for line in lines)


@pytest.mark.parametrize("printed", ["", "{}", "[]", "error", '{"machine": null}'])
def test_a_doctor_that_says_something_else_stops_nothing(on_cuda, monkeypatch, printed):
    done = subprocess.CompletedProcess([], 2, printed, "error: odd")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    (line,) = on_cuda.doctor()
    assert line.startswith("doctor: status 2")
    assert line.endswith("error: odd")


def test_a_net_is_trained_stopped_and_asked(on_cuda, capsys):
    asked = ["--device", "cpu", "--nets", "lenet", "--precisions", "32", "--pictures", "8"]
    assert on_cuda.main([*asked, "--epochs", "2", "--batch", "4"]) == 0
    told = capsys.readouterr().out.splitlines()
    (row,) = [line.split() for line in told if line.startswith("lenet")]
    resumed, again, cpu = row[8:11]
    assert (float(resumed), again, float(cpu)) == (0, "nan", 0)


def test_a_machine_of_which_nothing_is_known_is_printed(on_cuda):
    empty = Machine(True, *[None] * 3, (), *[None] * 7)
    lines = list(on_cuda.gpu_facts(json.loads(told(empty))))
    assert lines[1].endswith("driver not known, runs CUDA not known")
    assert lines[2].startswith("doctor: torch uses CUDA: None")
