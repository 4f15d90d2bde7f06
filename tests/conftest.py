"""What every test stands on: one thread, fixed seeds, small sets, and the shared test material."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from viewfinder.listeners.terminal import Terminal
from viewfinder.pictures.writing import write_picture

# What is held here to the last bit, a GPU adds up in any order: `benchmarks/on_cuda.py` tries one.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

SHARED = Path(__file__).resolve().parents[2] / "shared"

# How long an example takes says how busy the machine is, and nothing about what is tested; and the
# same examples each time tell a change of ours from a draw that never came before.
settings.register_profile("viewfinder", deadline=None, derandomize=True)
settings.load_profile("viewfinder")

# What tells the classes apart: the mean of red, green and blue.
COLOURS = {"amber": (200, 140, 30), "blue": (40, 70, 200), "green": (50, 170, 60)}

MakeSet = Callable[..., Path]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two threads on a busy two-core machine are slower than one, and sums come out the same."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was measured elsewhere decides nothing here, and nothing of a test is kept."""
    os.environ["VIEWFINDER_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True, scope="session")
def heard_interrupts() -> None:
    """A shell lets what it runs in the background ignore Ctrl-C, as nohup does the terminal's end,
    and so would what tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for request in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(request) is signal.SIG_IGN:
            signal.signal(request, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def whole_notes() -> Iterator[Callable[[Terminal, str], None]]:
    """Notes in a pipe are compared as sentences, wherever their lines would be broken.

    Yields:
        what breaks them.
    """
    broken = Terminal._print_note

    def printed(terminal: Terminal, text: str) -> None:
        (broken if terminal._stream.isatty() else Terminal._print)(terminal, text)

    # Of its own: a test that takes back what it patched must not take this back.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Terminal, "_print_note", printed)
        yield broken


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and independent programs' outputs; tests skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here: it holds the real pictures this test reads")
    return SHARED


@pytest.fixture
def darknet_found(shared: Path) -> Callable[[str], list[tuple[str, float, list[float]]]]:
    """What C Darknet finds in a golden picture: class, score, x1, y1, x2, y2; the best first."""

    def found(name: str) -> list[tuple[str, float, list[float]]]:
        rows = []
        file = shared / f"golden/darknet/{name}.mask123.darknet_cpu.t025.txt"
        for line in file.read_text().splitlines():
            label, _, rest = line.rpartition(": ")
            score, _, x, _, y, _, w, _, h = rest.split()
            centre, half = np.array([float(x), float(y)]), np.array([float(w), float(h)]) / 2
            rows.append((label, float(score), [*(centre - half), *(centre + half)]))
        return sorted(rows, key=lambda row: -row[1])

    return found


def write_set(
    root: Path,
    *,
    train: int = 12,
    val: int = 6,
    test: int = 6,
    size: int = 32,
    told_apart: bool = True,
) -> Path:
    """Class folders of noisy coloured pictures, which a net can learn in seconds.

    With `told_apart=False` the labels say nothing about the pictures.
    """
    random = np.random.default_rng(0)
    colours = list(COLOURS.values())
    for side, count in (("train", train), ("val", val), ("test", test)):
        for name, colour in COLOURS.items():
            for number in range(count):
                mean = colour if told_apart else colours[random.integers(len(colours))]
                noise = random.normal(0, 40, (size, size, 3))
                picture = np.clip(np.array(mean) + noise, 0, 255).astype(np.uint8)
                write_picture(root / side / name / f"{number:03}.png", picture)
    return root


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """`write_set` into this test's own folder."""
    return lambda **options: write_set(tmp_path / "set", **options)


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small set that tests read and never change."""
    return write_set(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="session")
def small_run(small_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained on `small_set` until it knows it; tests read it and never change it."""
    from viewfinder.tasks.classify.recipe import ClassifyRecipe
    from viewfinder.training.train import train

    recipe = ClassifyRecipe(net="lenet", epochs=12, batch=9, precision="32", keep="memory")
    return train("classify", small_set, recipe, out=tmp_path_factory.mktemp("run") / "run").folder


@pytest.fixture(scope="session")
def subject_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered pictures of one subject each, with masks and depth; tests never change it."""
    from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes

    root = tmp_path_factory.mktemp("scenes") / "set"
    options = SceneOptions(size=96, subject=True)
    counts = SplitCounts(train=12, val=4, test=4)
    write_scenes(root, options=options, counts=counts, seed=3, processes=1)
    return root


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, one for all: a process takes Playwright's synchronous interface once."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no chromium on the PATH to open pages in: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=program, headless=True, args=["--no-sandbox"])
        yield opened
        opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser has processes and a clock of its own: what fails in it has a second try, and the
    summary names it, for it is looked into all the same."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))
