"""What the processor is said to be, from the texts that machines give."""

import sys
from dataclasses import replace

import pytest
import torch

from viewfinder import cpu, groups
from viewfinder.cpu import CpuFeatures, cpu_features
from viewfinder.errors import InputError

# As Linux writes them, but for what is not read.
ZEN4 = "fpu sse2 avx avx2 avx512f avx512dq avx512bw avx512vl avx512_bf16 avx512_vnni"
SAPPHIRE = "avx2 avx512f avx512_vnni avx_vnni avx512_bf16 amx_bf16 amx_tile amx_int8"
HASWELL = "fpu sse2 avx avx2 fma"
SANDY = "fpu sse2 avx"


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine with eight threads that says of itself what a test writes."""
    monkeypatch.setattr(cpu, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(groups, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(groups, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv(cpu.WITHOUT, raising=False)
    return tmp_path


def write(place, text):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def x86(flags, *, cores=4):
    """`/proc/cpuinfo` of a processor with eight threads on so many cores."""
    return "".join(
        f"processor\t: {thread}\nmodel name\t: A: B @ 2 GHz\nphysical id\t: 0\n"
        f"core id\t\t: {thread % cores}\nflags\t\t: {flags}\n\n"
        for thread in range(8)
    )


@pytest.mark.parametrize(
    ("flags", "able"),
    [
        (ZEN4, {"avx2", "avx512", "vnni", "bf16"}),
        (SAPPHIRE, {"avx2", "avx512", "vnni", "bf16", "amx"}),
        (HASWELL, {"avx2"}),
        (SANDY, set()),
    ],
)
def test_an_x86_processor_is_what_linux_says(machine, flags, able):
    write(machine / "proc/cpuinfo", x86(flags))
    every = {name: name in able for name in ("avx2", "avx512", "vnni", "bf16", "amx")}
    assert cpu_features() == CpuFeatures("A: B @ 2 GHz", 4, 8, 8, **every)


@pytest.mark.parametrize(("words", "bf16"), [("fp asimd i8mm bf16", True), ("fp asimd", False)])
def test_an_arm_processor_has_its_own_words(machine, words, bf16):
    each = [f"processor\t: {n}\nFeatures\t: {words}\nCPU part\t: 0xd40\n" for n in range(8)]
    write(machine / "proc/cpuinfo", "\n".join(each))
    found = cpu_features()
    assert (found.name, found.physical, found.bf16) == ("Arm part 0xd40", 8, bf16)
    assert not any((found.avx2, found.avx512, found.vnni, found.amx))


@pytest.mark.parametrize("text", [None, "", "no table\n", "processor: 0\n\ncore id: x\n"])
def test_where_linux_says_little_there_is_still_an_answer(machine, monkeypatch, text):
    told = {"cpu_name": "Chip", "num_physical_cores": 2, "avx2": True, "amx_tile": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told)
    if text is not None:
        write(machine / "proc/cpuinfo", text)
    found = cpu_features()
    assert found.name
    assert (found.avx512, found.bf16, found.amx, found.logical) == (False, False, False, 8)
    if not text or "processor" not in text:
        assert found == CpuFeatures("Chip", 2, 8, 8, True, False, False, False, False)


def test_without_torch_nothing_is_known_and_nothing_breaks(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    found = cpu_features()
    assert (found.physical, found.threads, found.avx2, found.bf16) == (8, 8, False, False)


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"a/cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "100000 100000", "a/b/cpu.max": "400000 100000"}, 1),
        ({"a/b/cpu.max": "20000 100000"}, 1),
        ({"a/b/cpu.max": "damaged"}, 8),
        ({"other/cpu.max": "100000 100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_a_container_may_use_as_many_threads_as_its_time_is_worth(machine, files, threads):
    write(machine / "proc/self/cgroup", "0::/a/b\n")
    for name, text in files.items():
        write(machine / "cgroup" / name, text)
    assert cpu_features().threads == threads


@pytest.mark.parametrize(("quota", "threads"), [("150000", 2), ("-1", 8), ("0", 8)])
@pytest.mark.parametrize("group", ["", "docker/x/"])
def test_control_groups_of_the_first_version_count_too(machine, quota, threads, group):
    write(machine / "proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/docker/x\n0::/\n")
    write(machine / f"cgroup/cpu/{group}cpu.cfs_quota_us", quota)
    write(machine / f"cgroup/cpu/{group}cpu.cfs_period_us", "100000")
    assert cpu_features().threads == threads


def test_a_process_that_is_bound_to_some_processors_has_no_more(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert cpu_features().threads == 3


def test_instructions_can_be_done_without(machine, monkeypatch):
    write(machine / "proc/cpuinfo", x86(SAPPHIRE))
    whole = cpu_features()
    monkeypatch.setenv(cpu.WITHOUT, "bf16, amx")
    assert cpu_features() == replace(whole, bf16=False, amx=False)
    monkeypatch.setenv(cpu.WITHOUT, "bf61")
    with pytest.raises(InputError, match=r"CPU_WITHOUT names 'bf61': give some of avx2, avx512"):
        cpu_features()


def test_this_very_machine_has_a_name_and_a_core(monkeypatch):
    monkeypatch.undo()
    found = cpu_features()
    assert found.name
    assert 1 <= found.physical <= found.logical
    assert 1 <= found.threads <= found.logical
