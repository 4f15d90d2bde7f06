"""Rules about Python and what is installed."""

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import InstalledPackage, Machine, ShadowingFile
from viewfinder.doctor.rules.telling import (
    Rule,
    broken,
    dotted,
    listed,
    unasked,
    unknown,
    untold,
    warning,
)
from viewfinder.wording import some

_AGAIN = "install viewfinder anew: uv sync, or pip install --force-reinstall viewfinder"
_SLOW = "wait until the machine is less busy, and ask again"
_WITHOUT_VISION = (
    "your own code that imports it fails, and so does explain of one of its nets; training and "
    "answering do not need it"
)
# What an error of an import says, and what fixes it.
_CURES = (
    ("No module named 'torch'", "install it: uv sync, or pip install viewfinder"),
    ("libGL.so", "pip uninstall opencv-python, then pip install opencv-python-headless"),
    ("operator torchvision::", "install torch and torchvision together, of one release"),
    ("undefined symbol", "unset LD_LIBRARY_PATH; if it stays, install torch anew"),
    ("cannot open shared object", "install torch anew, with the NVIDIA packages that it asks for"),
    ("cannot allocate memory", "close other programs, or give the container more memory"),
    ("GLIBC", "this system is too old for this build: update it, or use a newer container"),
    ("SIGILL", "this processor lacks instructions that the build needs: install an older torch"),
    (
        "Error #15",
        "remove all but one of the packages that bring OpenMP (intel-openmp, mkl, llvm-openmp)",
    ),
    ("numpy", "install numpy anew, of a version that fits (pip install --force-reinstall numpy)"),
    ("too long", "see that the disk with Python's packages answers; a network disk may be down"),
)


def _cure(error: str) -> str:
    return next((cure for words, cure in _CURES if words.lower() in error.lower()), _AGAIN)


def _python_old(machine: Machine) -> Finding | None:
    python = machine.python
    if python is None:
        return untold("whether Python is of a version that fits", machine, "python")
    if python.fits is None:
        return unknown(
            "whether Python is of a version that fits", "the metadata does not say", _AGAIN
        )
    if python.fits:
        return None
    return broken(
        f"this is Python {dotted(python.version)}, and viewfinder asks for {python.wanted}",
        "parts of it will not start",
        "make an environment with a newer Python: uv venv --python 3.12",
    )


def _python_small(machine: Machine) -> Finding | None:
    python = machine.python
    if python is None:
        return untold("whether Python is of 64 bits", machine, "python")
    if python.bits >= 64 and python.implementation == "CPython":
        return None
    return broken(
        f"this is {python.implementation} of {python.bits} bits",
        "torch is built for CPython of 64 bits alone",
        "install CPython of 64 bits",
    )


def _encoding(machine: Machine) -> Finding | None:
    python = machine.python
    if python is None or python.encoding.lower().replace("-", "") == "utf8":
        return None
    return warning(
        f"names of files are read as {python.encoding}",
        "a picture whose name has other letters may not be found",
        "set LANG=C.UTF-8, or PYTHONUTF8=1",
    )


def _missing(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None or not installed.packages:
        return untold("whether all that viewfinder asks for is installed", machine, "installation")
    gone = [each.name for each in installed.packages if not each.version]
    if not gone:
        return None
    return broken(
        f"{listed(gone)} {'is' if len(gone) == 1 else 'are'} not installed",
        "whatever needs it fails",
        f"pip install {' '.join(gone)}, or uv sync in a clone",
    )


def _drifted(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None:
        return untold("whether packages are of versions that fit", machine, "installation")
    off = [each for each in installed.packages if each.version and each.fits is False]
    if off:
        parts = [f"{each.name} {each.version} (asked for {each.wanted})" for each in off]
        asked = " ".join(map(_to_install, off))
        return broken(
            f"of a version that does not fit: {listed(parts)}",
            "viewfinder was neither made for it nor tested with it",
            f"pip install {asked}, or uv sync in a clone",
        )
    extra = [each for each in installed.others if each.fits is False]
    if extra:
        parts = [f"{each.name} {each.version} (asked for {each.wanted})" for each in extra]
        return warning(
            f"of a version that does not fit: {listed(parts)}",
            "what uses it, as viewfinder export does onnx, may fail",
            "pip install " + " ".join(map(_to_install, extra)),
        )
    unread = [each.name for each in installed.packages if each.version and each.fits is None]
    if unread:
        return unknown(f"whether {listed(unread)} fits", "its metadata cannot be read", _AGAIN)
    return None


def _to_install(package: InstalledPackage) -> str:
    """For pip: the version that was tested, else one that fits."""
    wanted = f"=={package.tested}" if package.tested else package.wanted
    return f"'{package.name}{wanted}'"


def _doubled(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None:
        return untold("whether a package is installed twice", machine, "installation")
    twice = [each for each in installed.packages if len(each.copies) > 1]
    if not twice:
        return None
    parts = [f"{each.name} ({listed(each.copies)})" for each in twice]
    names = " ".join(each.name for each in twice)
    return warning(
        f"installed more than once: {listed(parts)}",
        "files of one may stand beside those of another, or an old one be found first",
        f"pip uninstall {names} until none is left, then install anew",
    )


def _vision(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None:
        return untold("whether torch and torchvision go together", machine, "installation")
    if not installed.torch or not installed.vision:
        return None
    ours, theirs = (text.partition("+")[2] for text in (installed.torch, installed.vision))
    mixed = bool(ours and theirs and ours != theirs)
    if installed.vision_fits is None and not mixed:
        return unknown(
            "whether torch and torchvision go together", "their metadata does not say", _AGAIN
        )
    if installed.vision_fits and not mixed:
        return None
    reason = (
        "are of two builds"
        if mixed
        else f"do not go together: it asks for torch {installed.vision_wants}"
    )
    return broken(
        f"torch {installed.torch} and torchvision {installed.vision} {reason}",
        "torchvision's own operators are missing, and importing it fails",
        "install both at once, from one index: pip install --force-reinstall torch torchvision",
    )


def _import(machine: Machine) -> Finding | None:
    if machine.torch is None:
        return unasked("whether torch works")
    if machine.torch.works:
        return None
    return broken(
        f"torch does not work: {machine.torch.error}",
        "nothing that trains or answers will",
        _cure(machine.torch.error),
    )


def _others(machine: Machine) -> Finding | None:
    if machine.torch is None:
        return unasked("whether the other libraries can be imported")
    if not machine.torch.broken:
        if machine.torch.unfinished:
            slow = f"the time was up while {machine.torch.unfinished} was imported"
            return unknown("whether the other libraries can be imported", slow, _SLOW)
        return None
    parts = [f"{name} ({error})" for name, error in machine.torch.broken]
    vision = {name for name, _ in machine.torch.broken} == {"torchvision"}
    return broken(
        f"cannot be imported: {listed(parts)}",
        _WITHOUT_VISION if vision else "whatever needs it fails",
        _cure(machine.torch.broken[0][1]),
    )


def _opencv(machine: Machine) -> Finding | None:
    installed = machine.installation
    if installed is None:
        return untold("whether OpenCV is installed twice", machine, "installation")
    if len(installed.opencvs) < 2:
        return None
    return warning(
        f"{listed(installed.opencvs)} are installed together",
        "all are one folder cv2, whose files they write over each other",
        f"pip uninstall {' '.join(installed.opencvs)}, then pip install opencv-python-headless",
    )


def _shadowed(machine: Machine) -> Finding | None:
    environment = machine.environment
    if environment is None:
        return untold("whether a file hides a module", machine, "environment")
    if not environment.shadows:
        return None

    def of(by: str) -> list[ShadowingFile]:
        return [each for each in environment.shadows if each.by == by]

    everywhere, here = of("PYTHONPATH"), of("working folder")
    places = [
        f"{some([each.file for each in found])} in {where}"
        for found, where in ((everywhere, "a folder of PYTHONPATH"), (here, "this folder"))
        if found
    ]
    first = (everywhere or here)[0]
    return warning(
        f"{' and '.join(places)} would be imported in place of {first.module}"
        + (" and others" if len(environment.shadows) > 1 else ""),
        "every program fails, or does something else"
        if everywhere
        else "programs and notebooks that are started here, and python -m viewfinder, fail or do "
        "something else",
        "unset PYTHONPATH, or rename the file" if everywhere else "rename it, or start elsewhere",
    )


def _weights(machine: Machine) -> Finding | None:
    weights = machine.weights
    if weights is None:
        return untold("whether the weights that come along are whole", machine, "weights")
    if weights.whole:
        return None
    if weights.whole is None:
        return unknown("whether the weights that come along are whole", weights.says, _AGAIN)
    return broken(
        f"the weights that come along are not whole: {weights.says}",
        "predict coco, propose --by coco and --init coco fail, or answer nonsense",
        _AGAIN,
    )


_CMDLINE = "https://docs.python.org/3/using/cmdline.html#envvar-PYTHONUTF8"
_METADATA = "https://docs.python.org/3/library/importlib.metadata.html"

RULES = (
    Rule("Python too old", "https://devguide.python.org/versions/", _python_old),
    Rule("Python of another kind", "https://pytorch.org/get-started/locally/", _python_small),
    Rule("names of files", _CMDLINE, _encoding),
    Rule("packages missing", _METADATA, _missing),
    Rule("packages drifted", _METADATA, _drifted),
    Rule("packages doubled", _METADATA, _doubled),
    Rule("torch and torchvision", "https://github.com/pytorch/vision#installation", _vision),
    Rule("torch works", "https://pytorch.org/get-started/locally/", _import),
    Rule("other libraries", "https://github.com/opencv/opencv-python", _others),
    Rule("OpenCV doubled", "https://github.com/opencv/opencv-python", _opencv),
    Rule("modules hidden", "https://docs.python.org/3/library/sys_path_init.html", _shadowed),
    Rule("weights whole", "https://docs.python.org/3/library/hashlib.html#file-hashing", _weights),
)
