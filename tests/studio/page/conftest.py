"""A studio on an address of its own, and a page of it in Chromium."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from studio_page import HEARD, Person

from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server import news
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutClass, Store, open_store
from viewfinder.tasks.detect.detections import Detections


def write_pictures(folder: Path, count: int = 4, size: tuple[int, int] = (640, 480)) -> Path:
    """Pictures of noise around another grey each."""
    random = np.random.default_rng(0)
    for number in range(count):
        grey = random.integers(60, 200)
        coarse = random.normal(grey, 12, (size[1] // 16, size[0] // 16, 3))
        picture = np.clip(coarse, 0, 255).astype(np.uint8).repeat(16, axis=0).repeat(16, axis=1)
        write_picture(folder / f"{number:03}.png", picture)
    return folder


class Served:
    """A studio that answers: its store, its address and the whole address with the token."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._thread: threading.Thread | None = None
        self.start(None)

    def start(self, port: int | None) -> None:
        """Begin to answer, at any port or the one of before."""
        self._made = studio_server(self.store, person="tester", port=port or 0)
        self.server, self._bound, self.address = self._made.__enter__()
        self.root = f"http://127.0.0.1:{self.address.port}"
        work = {"target": self.server.run, "kwargs": {"sockets": [self._bound]}}
        self._thread = threading.Thread(**work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread is not None:
            self.server.should_exit = self.server.force_exit = True
            self._thread.join(60)
            self._made.__exit__(None, None, None)
            self._thread = None


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """A studio of four pictures without labels."""
    with open_store(write_pictures(folder), wait=True) as store:
        made = Served(store)
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(autouse=True)
def rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not look at the folder by itself while a test asks it to."""
    monkeypatch.setattr(news, "EVERY", 3600)


@pytest.fixture
def serve() -> Iterator[Callable[[Store], Served]]:
    """Serve a store that a test has opened; it stops it before it closes the store."""
    made: list[Served] = []

    def begin(store: Store) -> Served:
        made.append(Served(store))
        return made[-1]

    yield begin
    for each in made:
        each.stop()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A studio of its own."""
    with serving(tmp_path / "photos") as made:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio for tests that change nothing."""
    with serving(tmp_path_factory.mktemp("standing") / "photos") as made:
        yield made


@pytest.fixture
def visit(chromium):
    """Opens pages at an address, each in a browser without a past; they must end without an error.

    A second argument is what the browser does before anything of the page.
    """
    made = []

    def begin(url, before=""):
        context = chromium.new_context(viewport={"width": 1280, "height": 720})
        context.set_default_timeout(60_000)
        context.add_init_script(HEARD + before)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        made.append((context, errors))
        page.goto(url)
        return page

    yield begin
    for context, _ in made:
        context.close()
    assert not [error for _, errors in made for error in errors]


@pytest.fixture
def page(served, visit):
    """The page of `served`, open."""
    return visit(served.address.url)


@pytest.fixture
def person(page, served):
    """Whoever is before the page."""
    return Person(page, served.store)


@pytest.fixture
def proposed(served):
    """Two classes, and two proposals in the first picture, of which one is shifted."""
    store = served.store
    store.apply(Operation("classes", (PutClass("c1", "mug", 0), PutClass("c2", "plate", 0))))
    made = Proposals(
        paths=(store.picture(1).picture.path,),
        sizes=np.array([[640, 480]]),
        classes=("mug", "plate"),
        pictures=np.zeros(2, np.int64),
        found=Detections(
            np.array([[20.0, 20, 90, 90], [120, 20, 190, 90]]),
            np.array([0.9, 0.8]),
            np.array([0, 1]),
        ),
        sources=("plate",) * 2,
    )
    store.propose("plate", made)
    return store
