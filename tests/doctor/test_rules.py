"""Each rule on a made-up machine: it speaks where it should, and is silent where not."""

from dataclasses import fields, replace

import pytest
from made_up_machine import GIB, H100, WHOLE, changed

from viewfinder.doctor.machine import (
    Disk,
    Environment,
    Gpu,
    InstalledPackage,
    Library,
    Machine,
    Network,
    Nvidia,
    PackagedWeights,
    SearchFolder,
    ShadowingFile,
    Torch,
    WrittenFolder,
)
from viewfinder.doctor.rules import RULES, findings
from viewfinder.doctor.rules.telling import sentence

OLD = Gpu("Tesla P100", 16 * GIB, 15 * GIB, (6, 0))
NEW = Gpu("NVIDIA B300", 200 * GIB, 199 * GIB, (10, 3))
OPENMP = Library("libiomp5.so", "~/env/lib", ours=True)
CUDNN = Library("libcudnn.so.9", "/usr/local/cuda/lib64", ours=False)
SEARCH = Environment(search=(SearchFolder("/usr/local/cuda/lib64", ("libcudnn.so.9",)),))
NO_CARDS = Nvidia(0, 0, "absent", "", None, None, ())
UNANSWERED = {"smi": "absent", "gpus": (), "driver": None, "cuda": None, "devices": 0}


def places(**cache):
    return (WHOLE.places[0], replace(WHOLE.places[1], **cache))


def settings(**given):
    return Environment(settings=given)


# The rule, the machine, the level, and words of what is said.
SPEAKS = [
    ("driver absent", changed(nvidia=UNANSWERED, torch=None), "broken", "no driver"),
    ("driver absent", changed(nvidia=None), "unknown", "lacks its driver"),
    (
        "GPU outside the container",
        changed(nvidia=UNANSWERED, system={"container": "Docker"}),
        "warning",
        "this container sees none",
    ),
    ("driver hangs", changed(nvidia={"smi": "hangs"}), "broken", "does not answer"),
    ("driver hangs", changed(nvidia={"smi": "hangs"}, quick=True), "unknown", "driver answers"),
    ("driver of two versions", changed(nvidia={"smi": "mismatch"}), "broken", "two versions"),
    ("driver answers", changed(nvidia={"smi": "failed", "smi_says": "Oh"}), "broken", "says: Oh"),
    ("driver answers", changed(nvidia={"smi": "garbled", "smi_says": "?"}), "unknown", "which GPU"),
    ("driver too old", changed(nvidia={"driver": (550, 54)}), "broken", "needs 580 or newer"),
    ("driver too old", changed(nvidia={"driver": None}), "unknown", "new enough"),
    ("driver too old", changed(installation={"cuda": (14, 0)}), "unknown", "new enough"),
    ("torch without CUDA", changed(installation={"cuda": ()}), "broken", "built without CUDA"),
    ("torch without CUDA", changed(installation={"cuda": None}), "unknown", "built for GPUs"),
    (
        "GPU not usable",
        changed(torch={"cuda": False, "cuda_error": "error 802", "gpus": ()}),
        "broken",
        "torch cannot use it: error 802",
    ),
    ("GPU not usable", changed(torch=None), "unknown", "torch can use the GPU"),
    ("GPU not built for", changed(torch={"gpus": (OLD,)}), "broken", "Tesla P100 (sm_60)"),
    ("GPU not built for", changed(torch=None), "unknown", "built for this GPU"),
    (
        "GPU not built for",
        changed(torch={"gpus": (NEW,), "architectures": ("sm_90", "sm_110")}),
        "broken",
        "B300 (sm_103)",
    ),
    ("GPU hidden", changed(environment=settings(CUDA_VISIBLE_DEVICES="")), "warning", "hides"),
    (
        "GPU memory taken",
        changed(torch={"gpus": (replace(H100, free=GIB // 2),)}),
        "warning",
        "only 512 MiB are free",
    ),
    (
        "CUDA twice",
        changed(installation={"nvidia": {"nvidia-cudnn-cu12": 12, "nvidia-cudnn-cu13": 13}}),
        "warning",
        "cuDNN twice",
    ),
    ("libraries of others", changed(torch={"libraries": (CUDNN,)}), "warning", "/usr/local/cuda"),
    ("libraries of others", changed(environment=SEARCH, torch=None), "unknown", "win over"),
    (
        "shared memory",
        changed(nvidia={"gpus": (H100, H100)}, memory={"shared": 64 << 20}),
        "warning",
        "/dev/shm has 64 MiB",
    ),
    ("Python too old", changed(python={"version": (3, 9, 2), "fits": False}), "broken", "3.9.2"),
    ("Python too old", changed(python={"fits": None}), "unknown", "that fits"),
    ("Python of another kind", changed(python={"bits": 32}), "broken", "32 bits"),
    ("names of files", changed(python={"encoding": "ascii"}), "warning", "ascii"),
    (
        "packages missing",
        changed(installation={"packages": (InstalledPackage("av", "", ">=15", None),)}),
        "broken",
        "av is not installed",
    ),
    ("packages missing", changed(installation=None), "unknown", "is installed"),
    (
        "packages drifted",
        changed(installation={"packages": (InstalledPackage("numpy", "1.26.4", ">=2.2", False),)}),
        "broken",
        "numpy 1.26.4 (asked for >=2.2)",
    ),
    (
        "packages drifted",
        changed(installation={"others": (InstalledPackage("onnx", "1.2", ">=1.19", False),)}),
        "warning",
        "onnx 1.2 (asked for >=1.19)",
    ),
    (
        "packages drifted",
        changed(installation={"packages": (InstalledPackage("numpy", "dev", ">=2.2", None),)}),
        "unknown",
        "whether numpy fits",
    ),
    (
        "packages doubled",
        changed(
            installation={
                "packages": (InstalledPackage("numpy", "2.4", ">=2", True, ("2.4", "1.26")),)
            }
        ),
        "warning",
        "numpy (2.4 and 1.26)",
    ),
    (
        "torch and torchvision",
        changed(installation={"vision_fits": False}),
        "broken",
        "asks for torch >=2.14.0",
    ),
    (
        "torch and torchvision",
        changed(installation={"vision": "0.29.2+cpu"}),
        "broken",
        "two builds",
    ),
    (
        "torch works",
        changed(torch={"works": False, "error": "libcudnn.so.9: cannot open shared object file"}),
        "broken",
        "libcudnn.so.9",
    ),
    ("torch works", changed(torch=None), "unknown", "torch works"),
    (
        "other libraries",
        changed(torch={"broken": (("cv2", "ImportError: libGL.so.1: cannot open"),)}),
        "broken",
        "cv2 (ImportError",
    ),
    (
        "other libraries",
        changed(torch={"broken": (("torchvision", "RuntimeError: boom"),)}),
        "broken",
        "torchvision (RuntimeError: boom)",
    ),
    ("other libraries", changed(torch={"unfinished": "av"}), "unknown", "other libraries"),
    (
        "OpenCV doubled",
        changed(installation={"opencvs": ("opencv-python", "opencv-python-headless")}),
        "warning",
        "opencv-python and opencv-python-headless",
    ),
    (
        "modules hidden",
        changed(
            environment=Environment(
                shadows=(ShadowingFile("random", "random.py", "working folder"),)
            )
        ),
        "warning",
        "random.py in this folder",
    ),
    (
        "modules hidden",
        changed(environment=Environment(shadows=(ShadowingFile("numpy", "numpy/", "PYTHONPATH"),))),
        "warning",
        "a folder of PYTHONPATH",
    ),
    (
        "weights whole",
        changed(weights=PackagedWeights(False, "x is missing")),
        "broken",
        "x is missing",
    ),
    ("weights whole", changed(weights=PackagedWeights(None, "no digest")), "unknown", "come along"),
    ("cache", changed(places=places(writable=False)), "broken", "cannot be written"),
    ("cache", changed(places=places(free=1 << 20)), "broken", "has 1 MiB left"),
    ("cache", changed(places=places(free=GIB)), "warning", "has 1.0 GiB left"),
    ("cache", changed(places=places(free=None)), "unknown", "can be written"),
    ("runs", changed(places=(WrittenFolder("runs", "./runs", GIB, False),)), "warning", "for runs"),
    ("runs", changed(places=()), "unknown", "the folder for runs"),
    (
        "disks",
        changed(disks=(Disk(("runs", "cache"), error="Disk quota exceeded"),)),
        "broken",
        "runs and the cache seems to be writable, and writing to it fails: Disk quota exceeded",
    ),
    (
        "disks",
        changed(disks=(Disk(("runs",), 400.0, 900.0), Disk(("cache",), 9.0, None))),
        "warning",
        "the disk of the cache writes 9 MB/s",
    ),
    (
        "memory for recipes",
        changed(memory={"free": int(1.2 * GIB)}, torch=None),
        "warning",
        "too little for train",
    ),
    ("memory for recipes", changed(memory=None, torch=None), "unknown", "fit into memory"),
    ("memory for recipes", changed(networks=None), "unknown", "fit into memory"),
    ("memory for recipes", changed(networks=None, torch=None), "unknown", "fit into memory"),
    (
        "memory for recipes",
        changed(networks=None, torch=Torch(works=False, error="gone")),
        "unknown",
        "fit into memory",
    ),
    ("memory", changed(memory={"free": GIB // 4, "limit": GIB}), "warning", "container may use"),
    ("memory", changed(memory={"swap_free": 0}), "warning", "of swap are taken"),
    ("memory", changed(memory=None), "unknown", "memory is free"),
    ("threads", changed(cpu={"threads": 2}), "warning", "takes 16 threads"),
    ("threads", changed(torch={"threads": 1}), "warning", "takes 1 of 16 cores"),
    ("threads", changed(environment=settings(OMP_NUM_THREADS="many")), "warning", "no number"),
    ("threads", changed(torch=None, cpu={"threads": 2}), "unknown", "keep 2 busy"),
    ("instructions", changed(cpu={"avx2": False}), "warning", "no AVX2"),
    ("instructions", changed(cpu=None), "unknown", "instructions"),
    (
        "instructions held back",
        changed(environment=settings(ATEN_CPU_CAPABILITY="default")),
        "warning",
        "ATEN_CPU_CAPABILITY is set",
    ),
    ("instructions held back", changed(torch={"capability": "DEFAULT"}), "warning", "default"),
    ("instructions held back", changed(torch=None), "unknown", "instructions"),
    ("bytecode", changed(environment=settings(PYTHONDONTWRITEBYTECODE="1")), "warning", "is set"),
    ("debugging", changed(environment=settings(CUDA_LAUNCH_BLOCKING="1")), "warning", "debugging"),
    ("debugging", changed(environment=None), "unknown", "debugging"),
    ("PYTHONHOME", changed(environment=settings(PYTHONHOME="(set)")), "warning", "PYTHONHOME"),
    (
        "OpenMP twice",
        changed(torch={"libraries": (*WHOLE.torch.libraries, OPENMP)}),
        "warning",
        "libiomp5 of ~/env/lib",
    ),
    ("OpenMP twice", changed(torch={"libraries": ()}), "unknown", "OpenMP"),
    ("busy", changed(system={"load": 80.0}), "warning", "80.0 processes"),
    ("speed", changed(speed=None), "unknown", "how fast"),
    ("speed", changed(speed=None, torch={"broken": (("numpy", "x"),)}), "unknown", "how fast"),
    ("network", changed(network=Network("the host", False, "no answer")), "warning", "no answer"),
]


@pytest.mark.parametrize(("rule", "machine", "level", "says"), SPEAKS)
def test_a_rule_speaks_where_it_should(rule, machine, level, says):
    (found,) = [each for each in findings(machine) if each.rule == rule]
    assert found.level == level
    assert says in found.says
    assert found.why
    assert found.fix
    assert found.source.startswith("https://")
    assert not found.says.endswith(".")


def test_on_a_whole_machine_every_rule_is_silent():
    assert findings(WHOLE) == []


def test_each_rule_is_tried():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule for rule, *_ in SPEAKS} == set(names)


# What is nearly what a rule speaks of, and is none.
SILENT = [
    ("driver absent", changed(nvidia=NO_CARDS)),
    ("driver absent", changed(nvidia=UNANSWERED, system={"container": "Docker"})),
    ("driver absent", changed(nvidia={"smi": "absent"})),
    ("GPU outside the container", changed(nvidia=UNANSWERED, system={"container": "WSL"})),
    ("GPU outside the container", changed(system={"container": "Docker"})),
    ("driver too old", changed(nvidia=NO_CARDS)),
    ("driver too old", changed(nvidia={"driver": (580, 0)})),
    ("driver too old", changed(installation={"cuda": (12, 8)}, nvidia={"driver": (525, 60)})),
    ("torch without CUDA", changed(installation={"cuda": ()}, nvidia=NO_CARDS)),
    ("GPU not usable", changed(torch={"cuda": False}, nvidia={"driver": (470, 1)})),
    ("GPU not built for", changed(torch={"gpus": (replace(OLD, capability=(8, 9)),)})),
    ("GPU not built for", changed(torch={"gpus": (NEW,)})),
    ("GPU not built for", changed(torch={"gpus": (OLD,), "architectures": ("compute_50",)})),
    ("GPU hidden", changed(environment=settings(CUDA_VISIBLE_DEVICES="0"))),
    ("GPU hidden", changed(environment=settings(CUDA_VISIBLE_DEVICES=""), nvidia=NO_CARDS)),
    ("GPU memory taken", changed(torch={"gpus": (replace(H100, free=None, memory=None),)})),
    ("libraries of others", changed(environment=SEARCH)),
    ("shared memory", changed(memory={"shared": 64 << 20})),
    (
        "packages drifted",
        changed(installation={"packages": (InstalledPackage("av", "", ">=15", None),)}),
    ),
    ("torch and torchvision", changed(installation={"vision": "0.29.2"})),
    ("OpenCV doubled", changed(installation={"opencvs": ()})),
    ("disks", changed(disks=(Disk(("runs",)), Disk(("cache",), 400.0, None)))),
    ("memory for recipes", changed(memory={"free": GIB})),  # the GPU's counts
    ("memory", changed(memory={"swap": 0, "swap_free": 0})),
    ("threads", changed(environment=settings(OMP_NUM_THREADS="16,2"))),
    ("threads", changed(torch=None)),
    ("instructions", changed(cpu={"avx2": False}, system={"architecture": "aarch64"})),
    ("bytecode", changed(environment=settings(PYTHONDONTWRITEBYTECODE=""))),
    ("debugging", changed(environment=settings(CUDA_LAUNCH_BLOCKING="0"))),
    ("busy", changed(system={"load": None})),
    ("speed", changed(speed=None, quick=True)),
    ("network", changed(network=Network("the host", True, "in 3 ms"))),
]


@pytest.mark.parametrize(("rule", "machine"), SILENT)
def test_a_rule_is_silent_where_it_should_be(rule, machine):
    assert [each for each in findings(machine) if each.rule == rule] == []


def test_a_rule_that_cannot_know_says_so_and_nothing_breaks():
    """Whatever part of a machine is missing, and if all are."""
    empty = Machine(True, *[None] * 3, (), *[None] * 7)
    assert {each.level for each in findings(empty)} == {"unknown"}
    for part in fields(Machine):
        if part.name not in ("quick", "places", "disks", "troubles"):
            assert all(f.level == "unknown" for f in findings(replace(WHOLE, **{part.name: None})))


def test_what_does_not_work_comes_first():
    found = findings(
        changed(weights=PackagedWeights(False, "gone"), speed=None, system={"load": 90.0})
    )
    assert [each.level for each in found] == ["broken", "warning", "unknown"]


def test_a_command_to_paste_stays_as_it_is():
    numpy = InstalledPackage("numpy", "1.26.4", ">=2.2", False, (), "2.4.6", False)
    (found,) = findings(changed(installation={"packages": (numpy,)}))
    assert sentence(found.fix) == "pip install 'numpy==2.4.6', or uv sync in a clone"
    older = replace(numpy, tested="")
    (found,) = findings(changed(installation={"packages": (older,)}))
    assert sentence(found.fix).startswith("pip install 'numpy>=2.2'")
    assert sentence("torch works") == "Torch works"
