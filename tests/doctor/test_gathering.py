"""Facts from odd machines: what is missing, hangs or prints anything costs its part alone."""

import hashlib
import importlib.metadata as metadata
import json
import os
import socket
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_machine import WHOLE, changed, speed
from made_up_machine import network as network_of
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from viewfinder.doctor import commands, disk, environment, gathering, installation, nvidia, system
from viewfinder.doctor.asking import TorchFacts, ask_torch, read_reply
from viewfinder.doctor.commands import Reply, ask
from viewfinder.doctor.disk import disk_speed
from viewfinder.doctor.machine import Disk
from viewfinder.doctor.network import address, network
from viewfinder.doctor.privacy import cleaner
from viewfinder.doctor.remembering import recall, recall_disks, remember, remember_disks
from viewfinder.doctor.rules import findings
from viewfinder.doctor.rules.telling import driver_version
from viewfinder.doctor.tested import is_as_tested, pinned_versions
from viewfinder.doctor.weights import weights
from viewfinder.errors import InputError

CLEAN = cleaner({})
OURS = [Requirement(line).name for line in metadata.requires("viewfinder")]
TABLE = "NVIDIA H100 80GB HBM3, 580.95.05, 81559, 81000, 9.0\n"


@pytest.mark.parametrize(
    ("reply", "state", "gpus"),
    [
        (Reply("well", 0, TABLE + TABLE, ""), "works", 2),
        (Reply("well", 0, "NVIDIA GB10, 580.95.05, [N/A], [N/A], 12.1\n", ""), "works", 1),
        (Reply("well", 0, "", ""), "garbled", 0),
        (Reply("well", 0, "<html>\x1b[31m\x00", ""), "garbled", 0),
        (Reply("well", 0, "a, b, c, d, e\n", ""), "garbled", 0),
        (Reply("well", 0, "No devices were found\n", ""), "failed", 0),
        (Reply("with an error", 255, "Unknown Error\n", ""), "failed", 0),
        (Reply("with an error", 1, "", ""), "failed", 0),
        (Reply("not in time", -1, "", ""), "hangs", 0),
        (Reply("not started", -1, "", "Permission denied"), "failed", 0),
        (
            Reply(
                "with an error",
                18,
                "Failed to initialize NVML: Driver/library version mismatch",
                "",
            ),
            "mismatch",
            0,
        ),
        (
            Reply(
                "with an error", 9, "NVIDIA-SMI has failed because it couldn't communicate with", ""
            ),
            "no driver",
            0,
        ),
    ],
)
def test_whatever_nvidia_smi_prints_is_understood(reply, state, gpus):
    told, _, found, driver = nvidia.read_table(reply)
    assert (told, len(found)) == (state, gpus)
    assert (driver is not None) == (state == "works")


def test_a_gpu_is_read_with_its_memory_and_capability():
    _, _, (gpu,), driver = nvidia.read_table(Reply("well", 0, TABLE, ""))
    assert (gpu.memory, gpu.free, gpu.capability) == (81559 << 20, 81000 << 20, (9, 0))
    assert driver == (580, 95, 5)
    page = Reply("well", 0, "| Driver Version: 580.95.05   CUDA Version: 13.0  |", "")
    assert nvidia.read_cuda(page) == (13, 0)
    assert nvidia.read_cuda(Reply("well", 0, "CUDA Version: N/A", "")) is None


@given(st.text(max_size=200), st.sampled_from(["well", "with an error", "not in time"]))
def test_no_output_is_an_exception(text, ended):
    nvidia.read_table(Reply(ended, 0, text, text))
    nvidia.read_cuda(Reply(ended, 0, text, ""))
    assert not read_reply(Reply(ended, 0, text, text), CLEAN).torch.works


def test_a_program_that_prints_without_end_is_ended():
    script = "while True: print('y' * 9999)"
    reply = ask([sys.executable, "-c", script], 30.0)
    assert reply.ended == "with an error"
    assert 1_000_000 < len(reply.out) < 2_000_000


def test_a_driver_is_told_as_nvidia_writes_it():
    assert driver_version((470, 57, 2)) == "470.57.02"
    assert driver_version((550, 1)) == "550.1"


def test_a_program_that_hangs_is_ended():
    start = time.perf_counter()
    script = "import time; print('begun', flush=True); time.sleep(60)"
    reply = ask([sys.executable, "-c", script], 3.0)
    assert (reply.ended, reply.out) == ("not in time", "begun\n")
    assert time.perf_counter() - start < 20


def test_a_program_that_takes_long_to_be_ended_is_taken_note_of_later(monkeypatch):
    begun = []
    popen = commands.subprocess.Popen

    def begin(*args, **how):
        begun.append(popen(*args, **how))
        return begun[-1]

    monkeypatch.setattr(commands.subprocess, "Popen", begin)
    monkeypatch.setattr(commands, "_kill", lambda process: None)  # which takes its time
    monkeypatch.setattr(commands, "_GRACE", 0.0)
    assert ask([sys.executable, "-c", "import time; time.sleep(60)"], 0.1).ended == "not in time"
    begun[0].kill()
    end = time.monotonic() + 20
    while begun[0].returncode is None:  # nobody here asks whether it ended
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_program_that_is_not_there_or_fails_is_told_of():
    assert ask(["/no/such/program"], 1.0).ended == "not started"
    assert ask(["bad\0name"], 1.0).ended == "not started"
    assert ask([sys.executable, "-c", "raise SystemExit(3)"], 60.0).status == 3


FACTS = {
    "seconds": 1.5,
    "threads": 4,
    "capability": "AVX2",
    "cuda": True,
    "cuda_error": "",
    "driver_cuda": [13, 0],
    "architectures": ["sm_90"],
    "cudnn": 91002,
    "gpus": [{"name": "H100", "memory": 80, "free": 70, "capability": [9, 0]}],
}
RATE = {"what": "x", "arithmetic": "32", "layout": "", "threads": 4, "value": 9.5}


def lines(*documents):
    return "".join(json.dumps(each) + "\n" for each in documents)


def test_what_torch_tells_until_it_is_ended_counts():
    text = lines(
        FACTS,
        {"libraries": ["/opt/a/libgomp.so.1"]},
        {"importing": "numpy"},
        {"importing": ""},
        {"network": asdict(network_of("lenet"))},
        {"unweighed": "odd", "error": "ValueError: no"},
        {"device": "cpu", "updates": 0.5, "pictures": None},
        {"rate": RATE},
    )
    asked = read_reply(Reply("not in time", -1, text + '{"rate": {"wh', ""), CLEAN)
    torch = asked.torch
    assert torch.works
    assert (torch.cudnn, torch.driver_cuda, torch.gpus[0].capability) == (
        (9, 10, 2),
        (13, 0),
        (9, 0),
    )
    assert [(each.name, each.shown, each.ours) for each in torch.libraries] == [
        ("libgomp.so.1", "/opt/a", False)
    ]
    assert torch.unfinished == ""
    assert asked.speed.rates[0].value == 9.5
    assert [each.net for each in asked.networks] == ["lenet"]
    assert asked.troubles == ("networks: odd: ValueError: no",)


def test_a_module_that_takes_the_process_with_it_is_named():
    text = lines(FACTS, {"broken": "cv2", "error": "libGL.so.1"}, {"importing": "av"})
    torch = read_reply(Reply("with an error", -11, text, ""), CLEAN).torch
    assert torch.broken == (("cv2", "libGL.so.1"), ("av", "the process died of SIGSEGV"))
    torch = read_reply(Reply("not in time", -1, text, ""), CLEAN).torch
    assert (torch.unfinished, len(torch.broken)) == ("av", 1)


@pytest.mark.parametrize(
    ("reply", "says", "mends"),
    [
        (Reply("with an error", -4, "", ""), "died of SIGILL", "lacks instructions"),
        (Reply("with an error", -99, "", ""), "signal 99", "anew"),
        (Reply("not in time", -1, "", ""), "took too long", "disk"),
        (Reply("not started", -1, "", "no python"), "cannot be started: no python", "anew"),
        (
            Reply(
                "with an error", 1, "", "…\nImportError: libcudnn.so.9: cannot open shared object\n"
            ),
            "libcudnn.so.9",
            "NVIDIA packages",
        ),
        (
            Reply("with an error", 1, "", "ModuleNotFoundError: No module named 'torch'"),
            "No module named",
            "install it",
        ),
        (Reply("with an error", 1, "", "x.so: undefined symbol: _ZN"), "undefined", "LD_LIBRARY"),
        (Reply("well", 0, lines(FACTS | {"gpus": [{}]}), ""), "cannot be read", "anew"),
    ],
)
def test_a_torch_that_does_not_work_is_a_finding(reply, says, mends):
    torch = read_reply(reply, CLEAN).torch
    (found,) = [f for f in findings(replace(WHOLE, torch=torch)) if f.rule == "torch works"]
    assert found.level == "broken"
    assert says in found.says
    assert mends in found.fix


def test_a_broken_torch_is_told_by_its_own_words(tmp_path):
    """A real process, with a module torch that fails as one does whose libraries are missing."""
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch_cpu.so: undefined symbol')\n")
    variables = os.environ | {"PYTHONPATH": str(tmp_path)}
    asked = ask_torch(CLEAN, variables, measuring=0.0, limit=120.0)
    assert (asked.torch.works, asked.speed) == (False, None)
    assert asked.torch.error == "ImportError: libtorch_cpu.so: undefined symbol"


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without /proc, /sys, /dev or /etc."""
    for module in (system, nvidia):
        for name in ("_PROC", "_ETC", "_DEVICES", "_PCI", "_MODULE"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, tmp_path / "nothing")
    monkeypatch.setattr(nvidia, "_ELSEWHERE", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_machine_without_anything_is_looked_at(bare, monkeypatch):
    monkeypatch.delattr("os.getloadavg")
    monkeypatch.setattr("viewfinder.cpu._PROC", bare / "nothing")
    monkeypatch.setattr("viewfinder.groups._PROC", bare / "nothing")
    machine = gathering.gather(quick=True)
    assert machine.troubles == ()
    assert machine.memory.free is None
    assert machine.nvidia.cards is None
    assert {f.level for f in findings(machine) if f.rule in ("memory", "runs")} == {"unknown"}


def test_whatever_part_fails_the_others_are_there(monkeypatch):
    parts = ("system", "memory", "_python", "cpu_features", "_installation", "weights", "places")
    for name in parts:

        def failing(*_):
            raise KeyError("odd")

        monkeypatch.setattr(gathering, name, failing)
    machine = gathering.gather(quick=True)
    assert len(machine.troubles) == len(parts)
    assert machine.nvidia is not None
    assert {found.level for found in findings(machine)} <= {"unknown", "broken", "warning"}


def test_nvidia_smi_that_hangs_does_not_hold_the_doctor(bare, monkeypatch):
    (bare / "nvidia-smi").write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    (bare / "nvidia-smi").chmod(0o755)
    start = time.perf_counter()
    assert nvidia.nvidia(CLEAN, 0.5).smi == "hangs"
    assert time.perf_counter() - start < 20


def test_gpus_on_the_bus_are_counted(bare, monkeypatch):
    for name, maker, kind in (
        ("a", "0x10de", "0x030200"),
        ("b", "0x10de", "0x040300"),
        ("c", "", ""),
    ):
        (bare / "pci" / name).mkdir(parents=True)
        (bare / "pci" / name / "vendor").write_text(f"{maker}\n")
        (bare / "pci" / name / "class").write_text(f"{kind}\n")
    monkeypatch.setattr(nvidia, "_PCI", bare / "pci")
    assert nvidia.nvidia(CLEAN, 1.0).cards == 1
    (bare / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module  580.95.05  Release\n"
    )
    monkeypatch.setattr(nvidia, "_MODULE", bare / "version")
    assert nvidia.driver_in_kernel() == (580, 95, 5)


def test_what_hides_modules_and_libraries_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("random.py", "mine.py", "torch.py.txt"):
        (tmp_path / name).touch()
    for name in ("numpy", "cv2"):
        (tmp_path / name).mkdir()
    (tmp_path / "cv2/__init__.py").touch()
    libraries = tmp_path / "cuda"
    libraries.mkdir()
    (libraries / "libcudnn.so.9").touch()
    (libraries / "libmine.so").touch()
    told = environment.environment(
        CLEAN,
        {
            "LD_LIBRARY_PATH": f"{libraries}:/no/such::{Path(sys.prefix)}",
            "PYTHONPATH": str(tmp_path),
            "OMP_NUM_THREADS": "4",
            "CUDA_VISIBLE_DEVICES": "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
            "MINE": "x",
        },
    )
    assert [(each.module, each.file) for each in told.shadows if each.by == "PYTHONPATH"] == [
        ("cv2", "cv2/"),
        ("random", "random.py"),
    ]
    assert len(told.shadows) == 4
    assert [(each.shown, each.libraries) for each in told.search] == [
        ("./cuda", ("libcudnn.so.9",))
    ]
    assert told.settings == {
        "OMP_NUM_THREADS": "4",
        "CUDA_VISIBLE_DEVICES": "(set)",
        "PYTHONPATH": "(set)",
    }


def test_an_installation_is_read_without_importing_it(tmp_path, monkeypatch):
    def install(name, version, *requires):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n{needs}")

    install(
        "viewfinder", "9.9", "torch>=2.10", "numpy>=2.2", "av>=15", "onnx>=1; extra == 'export'"
    )
    install("torch", "2.11.0")
    install("torchvision", "0.30.0", "torch (==2.12.0)")
    install("numpy", "1.26.4")
    install("numpy", "2.3.0")
    install("opencv_python", "4.12.0")
    install("opencv-python-headless", "4.12.0")
    install("nvidia-cudnn-cu12", "9.1.0")
    (tmp_path / "damaged-1.dist-info").mkdir()
    (tmp_path / "torch").mkdir()
    version = "__version__ = '2.11.0+cu128'\ncuda: Optional[str] = '12.8'\n"
    (tmp_path / "torch/version.py").write_text(version)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    copy = tmp_path / "viewfinder-9.9.dist-info/extra_metadata"
    copy.mkdir()
    pins = ["Torch==2.15.0", "numpy==1.26.4", "nvidia-cudnn-cu12==9.1.0", "onnx==1.23.2"]
    lines = f"[project]\nname = 'viewfinder'\n[tool.uv]\nconstraint-dependencies = {pins}\n"
    (copy / "pyproject.toml").write_text(lines)
    monkeypatch.setattr("viewfinder.doctor.tested._CLONE", tmp_path / "none")
    found = installation.installation()
    assert (found.torch, found.cuda, found.vision) == ("2.11.0+cu128", (12, 8), "0.30.0")
    assert (found.vision_wants, found.vision_fits) == ("==2.12.0", False)
    assert found.opencvs == ("opencv-python", "opencv-python-headless")
    assert found.nvidia == {"nvidia-cudnn-cu12": 12}
    assert [each.name for each in found.packages] == ["torch", "numpy", "av"]
    assert [each.fits for each in found.packages][::2] == [True, None]
    tested = [(each.tested, each.as_tested) for each in (*found.packages, *found.others)]
    numpy = found.packages[1].version == "1.26.4"
    assert tested == [("2.15.0", False), ("1.26.4", numpy), ("", None), ("9.1.0", True)]
    assert [each.name for each in found.others] == ["nvidia-cudnn-cu12"]
    assert sorted(found.packages[1].copies) == ["1.26.4", "2.3.0"]
    (tmp_path / "torch/version.py").write_text("__version__ = '2.11.0+cpu'\ncuda = None\n")
    assert installation.installation().cuda == ()


def test_the_versions_that_were_tested_are_those_of_this_clone():
    pins = pinned_versions()
    assert pins["torch"].startswith("2.")
    assert set(map(canonicalize_name, OURS)) <= set(pins), "whatever is asked for has a version"
    copied = metadata.distribution("viewfinder").read_text("extra_metadata/pyproject.toml")
    assert copied is None or 'name = "viewfinder"' in copied, "None of an install before it was"
    assert is_as_tested("2.15.0+cpu", "2.15.0")
    assert is_as_tested("2.15", "2.15.0")
    assert is_as_tested("2.15.1", "2.15.0") is False
    assert is_as_tested("dev", "2.15.0") is None


def test_weights_are_held_to_their_digest(tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"numbers")
    assert weights(tmp_path).whole is None
    told = f"{hashlib.sha256(b'numbers').hexdigest()}  a.safetensors\n"
    (tmp_path / "a.safetensors.sha256").write_text(told)
    assert weights(tmp_path).whole
    file.write_bytes(b"numbert")
    assert not weights(tmp_path).whole
    file.unlink()
    assert weights(tmp_path).says == "a.safetensors is missing"
    assert weights().whole, "those that come along"


def test_places_that_cannot_be_written_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "file" / "cache"))
    runs, cache = system.places(CLEAN)
    assert (runs.shown, runs.writable, cache.shown) == ("./runs", True, "./file/cache")
    assert cache.writable is False
    monkeypatch.setenv("VIEWFINDER_CACHE", "x" * 5000)
    assert len(system.places(CLEAN)) == 2


def test_a_disk_is_measured_and_left_as_it_was(tmp_path):
    written, read = disk_speed(tmp_path / "not" / "yet")
    assert written > 0
    assert read is None or read > 0
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_asked_unless_named():
    assert network(None, {}).answers is None
    assert network(None, {"PIP_INDEX_URL": "/srv/packages"}).answers is None


def test_the_named_host_is_asked_once():
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            asked.append(connection.recv(100))
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        found = network(None, {"HTTPS_PROXY": f"http://me:word@127.0.0.1:{port}"}, 30.0)
        thread.join()
    assert (found.asked, found.answers) == ("the proxy that HTTPS_PROXY names", True)
    assert asked == [b""], "nothing is sent"
    assert network(f"127.0.0.1:{port}", {}, 30.0).answers is False


def test_a_host_that_never_answers_costs_no_more_than_its_time(monkeypatch):
    done = threading.Event()

    def waiting(*_, **__):
        done.wait(60)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", waiting)
    start = time.perf_counter()
    assert network("example.invalid", {}, 0.2).answers is False
    assert time.perf_counter() - start < 30
    done.set()


@pytest.mark.parametrize("host", ["", "a b", "ftp://x", "x:99999999", "http://", "x:port"])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(InputError, match="--network: give a host"):
        address(host)


def test_hosts_are_read_in_each_form():
    assert address("example.org") == ("example.org", 443)
    assert address("example.org:8443") == ("example.org", 8443)
    assert address("http://example.org/x") == ("example.org", 80)
    assert address("[::1]:80") == ("::1", 80)


def test_what_was_measured_is_remembered_for_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    now = speed(measured=time.time())
    remember(WHOLE, now)
    assert recall(WHOLE) == now
    assert recall(changed(cpu={"name": "another"})) is None
    assert recall(changed(installation={"torch": "9.9"})) is None
    remember(WHOLE, replace(now, measured=time.time() - 40 * 86_400))
    assert recall(WHOLE) is None, "too old"
    file = tmp_path / "doctor/speed.json"
    for damage in ("", "{", "[]", '{"machine": [], "speed": {"rates": [{}]}}', "[" * 10_000):
        file.write_text(damage)
        assert recall(WHOLE) is None


def test_a_killed_program_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(commands, "_GRACE", 0.2)
    assert ask([sys.executable, "-c", "import time; time.sleep(60)"], 0.2).ended == "not in time"


def test_what_requirements_are_read_with_may_be_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    monkeypatch.delitem(sys.modules, "viewfinder.doctor.installation")
    machine = gathering.gather(quick=True)
    assert machine.installation is None
    assert machine.python is None
    assert any(each.startswith("installation: ") for each in machine.troubles)
    assert any(f.says.startswith("whether all that viewfinder asks for") for f in findings(machine))


def test_a_disk_is_measured_once_for_all_that_lies_on_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    asked = []

    def measuring(folder, most):
        asked.append((str(folder), most))
        return 500.0, None

    monkeypatch.setattr(disk, "disk_speed", measuring)
    (name, one), *others = disk.disks(WHOLE, {}, CLEAN).items()
    assert others == []
    assert one == Disk(("runs", "cache"), 500.0, None)
    remember_disks(WHOLE, {name: one})
    again = disk.disks(WHOLE, recall_disks(WHOLE), CLEAN)
    assert again == {name: one}
    assert asked == [("runs", 128 << 20), ("runs", 1 << 20)], "then only whether it can be written"
    quick = replace(WHOLE, quick=True)
    assert disk.disks(quick, recall_disks(WHOLE), CLEAN) == {name: one}
    assert disk.disks(quick, {}, CLEAN) == {name: Disk(("runs", "cache"))}
    full = tuple(replace(each, free=1 << 20) for each in WHOLE.places)
    assert disk.disks(replace(WHOLE, places=full), {}, CLEAN) == {name: Disk(("runs", "cache"))}
    assert len(asked) == 2
    text = (tmp_path / "cache/doctor/disks.json").read_text()
    for damage in ("", "{", "[]", text.replace("500.0", '"fast"'), text.replace("500.0", "null")):
        (tmp_path / "cache/doctor/disks.json").write_text(damage)
        assert recall_disks(WHOLE) == {}


def test_two_disks_are_measured_each(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "folders", lambda: {"runs": tmp_path, "cache": Path("/proc")})
    monkeypatch.setattr(disk, "disk_speed", lambda folder, most: (len(str(folder)), 1.0))
    assert list(disk.disks(WHOLE, {}, CLEAN).values()) == [
        Disk(("runs",), len(str(tmp_path)), 1.0),
        Disk(("cache",), 5, 1.0),
    ]


@pytest.mark.parametrize(
    ("failing", "says"),
    [
        (lambda *_: os.close(10**6), "Bad file descriptor"),
        (lambda *_: time.sleep(3), "no answer in 0 s"),
    ],
)
def test_a_disk_that_only_seems_writable_is_told(monkeypatch, failing, says):
    monkeypatch.setattr(disk, "disk_speed", failing)
    monkeypatch.setattr(disk, "_LIMIT", 0.1)
    assert {each.error for each in disk.disks(WHOLE, {}, CLEAN).values()} == {says}


@pytest.mark.parametrize(("load", "asked"), [(0.1, 1), (1e6, 2)])
def test_it_is_measured_once_unless_the_machine_is_busy(tmp_path, monkeypatch, load, asked):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    monkeypatch.setattr(disk, "disk_speed", lambda folder, most: (500.0, None))
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    given = []

    def answering(clean, variables, *, measuring, limit, networks):
        given.append(measuring)
        return TorchFacts(WHOLE.torch, speed() if measuring else None, (), ("networks: odd: no",))

    monkeypatch.setattr(gathering, "ask_torch", answering)
    first, second = (gathering.gather(quick=False) for _ in range(2))
    assert first.speed.rates == second.speed.rates == speed().rates
    assert sum(each > 0 for each in given) == asked
    assert gathering.gather(quick=False, again=True).speed.measured > 1
    assert given[-1] > 0
