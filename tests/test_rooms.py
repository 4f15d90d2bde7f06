"""The house stands: imports go down its rooms, and the command line does not wait for torch."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import viewfinder
from viewfinder.cli.main import VERBS
from viewfinder.doctor.code.names import uses

SOURCE = Path(viewfinder.__file__).parent
GROUND = {
    "errors",
    "wording",
    "files",
    "locks",
    "console",
    "events",
    "listeners",
    "interrupts",
    "memory",
    "student",
    "devices",
    "cpu",
    "crowding",
    "groups",
    "reading",
    "values",
}
ARCHITECTURE = (SOURCE.parents[1] / "docs/architecture.md").read_text(encoding="utf-8")


def table_of_rooms() -> dict[str, set[str]]:
    """A room, and the rooms that it imports, as the table in docs/architecture.md has them."""
    rows = re.findall(r"^\| `(\w+)/` \|.*\| ([^|]*) \|$", ARCHITECTURE, flags=re.MULTILINE)
    return {room: set(re.findall(r"\w+", re.sub(r"–.*", "", says))) for room, says in rows}


ROOMS = table_of_rooms()
assert ROOMS.pop("cli") == {"all"}
# What stands above every room.
ABOVE = {"api", "cli", "__init__", "__main__"}
READERS = {
    *(
        "cv2.imread",
        "cv2.imreadmulti",
        "cv2.VideoCapture",
        "PIL.Image.open",
        "PIL.ImageFile.Parser",
    ),
    *("torchvision.io.read_image", "torchvision.io.decode_image", "matplotlib.pyplot.imread"),
}
HEAVY = {"torch", "torchvision", "cv2", "PIL", "matplotlib", "av", "lightning_fabric"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(path: Path) -> set[str]:
    """The full names of the modules that a file imports, wherever in it, those for mypy too."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "viewfinder":
                found |= {f"viewfinder.{name.name}" for name in node.names}
            else:
                found.add(node.module or "")
    return found


@functools.cache
def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_every_room_is_known():
    assert {room_of(path) for path in files()} <= set(ROOMS) | GROUND | ABOVE
    assert len(files()) > 60


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_the_rooms_of_its_row_alone(room):
    allowed = ROOMS[room] | GROUND | {room}
    unused = set(ROOMS[room])
    for path in files():
        if room_of(path) == room:
            own = {n.split(".")[1] for n in imports(path) if n.startswith("viewfinder.")}
            assert own <= allowed, f"{path} imports {sorted(own - allowed)}"
            assert "viewfinder" not in imports(path), f"{path} imports the whole package"
            unused -= own
    assert not unused, f"the table says that {room} imports {sorted(unused)}, and it does not"


def test_the_picture_of_the_rooms_has_each_above_what_it_imports():
    drawn = (SOURCE.parents[1] / "docs/rooms.svg").read_text(encoding="utf-8")
    found = re.findall(r'y="([\d.]+)"[^>]*><tspan class="name">([a-z]+)<', drawn)
    floor = {room: float(y) for y, room in found}
    assert {*ROOMS, "api", "cli"} == {*floor}
    for room, below in ROOMS.items():
        assert all(floor[room] < floor[each] for each in below), room
        assert floor["cli"] == floor["api"] < floor[room]


def test_the_ground_imports_nothing_but_itself():
    below = {"errors", "wording", "groups", "memory", "locks"}
    for path in files():
        if room_of(path) in GROUND:
            # Events are heard by the terminal where nobody else was chosen to listen.
            more = {"console", "events", "listeners"}
            says = {"events", "listeners", "crowding"}  # what it chose
            allowed = below | more if room_of(path) in says else below
            own = {n.split(".")[1] for n in imports(path) if n.startswith("viewfinder.")}
            assert own <= allowed, path


def test_only_listeners_and_the_command_line_print():
    """All else says what happens as events: a server, a notebook and a log listen too."""
    # Programs of ours that run in a process of their own, where what they print is their answer.
    programs = {"doctor/probe.py", "doctor/__main__.py", "nets/published/__main__.py"}
    programs |= {"studio/learning/__main__.py"}
    # The console script itself, which answers before the command line is imported.
    programs |= {"__main__.py"}
    for path in files():
        where = path.relative_to(SOURCE).as_posix()
        if where in programs or room_of(path) in ("cli", "listeners", "console"):
            continue
        for node in ast.walk(tree_of(path)):
            said = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
            forbidden = ("print", "rich_console", "sys.stdout", "sys.stderr", "redirect_stderr")
            assert said.removeprefix("contextlib.") not in forbidden, f"{where} has {said}"


def test_nets_need_torch_alone():
    known = sys.stdlib_module_names | {"torch", "torchvision", "safetensors", "numpy", "viewfinder"}
    for path in files():
        if room_of(path) == "nets":
            tops = {name.split(".")[0] for name in imports(path)}
            assert tops <= known, f"{path} imports {sorted(tops - known)}"
            at_the_top = {
                name.name.split(".")[0] if isinstance(node, ast.Import) else ""
                for node in tree_of(path).body
                if isinstance(node, ast.Import)
                for name in node.names
            }
            assert "torchvision" not in at_the_top, f"{path} imports torchvision before it needs it"


def test_only_pictures_opens_image_files():
    """Unicode paths, EXIF and hostile files are solved once."""
    for path in files():
        if room_of(path) != "pictures":
            (found,) = uses([tree_of(path)])
            readers = {use.name for use in found} & READERS
            assert not readers, f"{path} reads pictures by itself: {readers}"


def test_files_of_strangers_are_opened_in_one_place():
    """A pipe or a device in a file's place would be waited for without end."""
    # What reads what the system says of itself, our own templates, or what was just written.
    ours = (
        *("reading.py", "memory.py", "cpu.py", "groups.py", "doctor/", "explain/rendering/"),
        *("position/", "composing/composed_set.py", "studio/web/"),
        *("datasets/editing/steps.py", "nets/published/__main__.py", "training/processes.py"),
    )
    opens = re.compile(r"\.read_bytes\(|\.read_text\(|\.open\((\)|\"r?b?\"|encoding)")
    for path in files():
        if not path.relative_to(SOURCE).as_posix().startswith(ours):
            found = opens.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path} has {found[0]!r}: take viewfinder.reading for it"


def test_the_command_line_and_the_names_import_nothing_heavy():
    quick = ["viewfinder", "viewfinder.cli.main", "viewfinder.nets", "viewfinder.tasks.recipe"]
    quick += [f"viewfinder.cli.{verb}" for verb in VERBS]
    script = f"""
import importlib, sys
for name in {quick!r}:
    importlib.import_module(name)
    heavy = sorted({HEAVY!r} & set(sys.modules))
    assert not heavy, f"{{name}} imports {{heavy}}"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_answering_needs_torch_alone(tmp_path):
    """Of what computes; nothing that trains, draws figures or compiles."""
    script = f"""
import sys
from pathlib import Path
import numpy as np
from viewfinder import nets, open_run
from viewfinder.nets.darknet import write_weights
from viewfinder.pictures.writing import write_picture

folder = Path({str(tmp_path)!r})
write_weights(nets.create("yolov3-tiny", classes=80), folder / "a.weights")
write_picture(folder / "a.png", np.zeros((48, 64, 3), np.uint8))
open_run(folder / "a.weights").predict(folder / "a.png")
unwanted = {{"lightning_fabric", "torch._dynamo", "tensorboard", "matplotlib", "torchvision"}}
assert not unwanted & set(sys.modules), unwanted & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_promised_name_is_there():
    for name in viewfinder.__all__:
        assert getattr(viewfinder, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = viewfinder.nothing


def test_every_promised_name_stands_in_the_document():
    promised = ARCHITECTURE.partition("## Promised to programs")[2].partition("| JSON of")[0]
    said = set(re.findall(r"viewfinder\.(\w+)", promised))
    assert said >= set(viewfinder.__all__)
    assert said <= {*viewfinder.__all__, "evaluation", "inference"}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_its_module(verb):
    import dataclasses
    import importlib

    module = importlib.import_module(f"viewfinder.cli.{verb}")
    kinds = getattr(module.Flags, "__args__", (module.Flags,))  # A verb may have one for each task.
    assert all(dataclasses.is_dataclass(getattr(kind, "__origin__", kind)) for kind in kinds)
    assert callable(module.run)
    assert module.__doc__
