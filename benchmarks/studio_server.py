"""What a person waits for at the studio's server: 100,000 pictures with 500,000 boxes.

    uv run python benchmarks/studio_server.py                          about ten minutes
    uv run python benchmarks/studio_server.py 1000 5000 [FOLDER]       other numbers, another disk

`viewfinder label` runs as a process of its own, and is asked over HTTP as the page asks. Each row
is the quietest of three series, as other programs run beside; the load is said. At the end every
fsync takes two seconds longer (a library that is compiled here; Linux with a compiler).
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from faults_client import Client
from faults_servers import slow_disk
from large_set import make

begun: list[subprocess.Popen[str]] = []


class Server:
    """The command, begun."""

    def __init__(self, root: Path, work: Path) -> None:
        start = time.perf_counter()
        words = [sys.executable, "-m", "viewfinder", "label", str(root), "--no-browser"]
        self._process = subprocess.Popen(
            [*words, "--port", "0"], env=slow_disk(work), stdout=subprocess.PIPE, text=True
        )
        begun.append(self._process)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]
        self.address = time.perf_counter() - start
        self.client = Client(lambda: self.url, [1], 0)
        self.started = self.ask("/api/start")
        self.page = time.perf_counter() - start
        while not self.ask("/api/pictures?count=100")["pictures"]:
            time.sleep(0.01)
        first = self.ask("/api/pictures?count=1")["pictures"][0]["id"]
        self.client.ask_bytes(f"/api/pictures/{first}/pixels")
        self.first = time.perf_counter() - start
        while (stage := self.ask("/api/status")["progress"]["stage"]) not in ("done", "failed"):
            time.sleep(0.5)
        assert stage == "done"
        self.whole = time.perf_counter() - start

    def ask(self, path: str, document: object = None) -> dict:
        method = "GET" if document is None else "POST"
        status, answer = self.client.until_answered(method, path, document)
        assert status == 200, answer
        return answer

    def memory(self) -> int:
        said = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in said if line.startswith("VmHWM"))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def row(what: str, said: str) -> None:
    print(f"| {what} | {said} |", flush=True)


def timed(what: str, work: Callable[[int], object], times: int) -> None:
    """The quietest of three series: its median and its 95th of a hundred."""
    series = []
    for start in range(0, 3 * times, times):
        spent = []
        for number in range(start, start + times):
            began = time.perf_counter()
            work(number)
            spent.append((time.perf_counter() - began) * 1000)
        series.append(np.percentile(spent, [50, 95]))
    middle, late = min(series, key=lambda each: float(each[1]))
    row(what, f"{middle:.1f} ms, p95 {late:.1f} ms")


def edit(server: Server, label: str, picture: int) -> None:
    put = {"do": "PutBox", "id": uuid.uuid4().hex, "picture": picture, "label": label, "base": 0}
    changes = [put | {"corners": [0, 0, 9, 9]}]
    server.ask("/api/operations", {"id": uuid.uuid4().hex, "changes": changes})


def measure(root: Path, work: Path, pictures: int) -> None:
    def some(number: int) -> int:
        return 1 + 7 * number % pictures

    server = Server(root, work)
    row("first time: the address is printed", f"{server.address:.2f} s")
    row("first time: first picture sent, while reading goes on", f"{server.first:.2f} s")
    row("first time: everything taken in", f"{server.whole:.1f} s")
    row("memory of that server at most", f"{server.memory()} MB")
    server.end()
    again = [Server(root, work) for _ in range(1)]
    for _ in range(2):
        again[-1].end()
        again.append(Server(root, work))
    server = again[-1]
    row("second time: the address is printed", f"{min(each.address for each in again):.2f} s")
    row("second time: the page's first answer", f"{min(each.page for each in again):.2f} s")
    row("second time: first picture sent", f"{min(each.first for each in again):.2f} s")
    label = server.started["classes"][0]["id"]
    timed("an edit acknowledged", lambda n: edit(server, label, some(n)), 200)
    timed("a picture's labels", lambda n: server.ask(f"/api/pictures/{some(n)}"), 200)
    timed("a picture's pixels", lambda n: server.client.ask_bytes(
        f"/api/pictures/{some(n)}/pixels"), 200)  # fmt: skip
    timed("the next three to do", lambda n: server.ask(
        f"/api/next?after={some(n)}&state=todo&count=3"), 100)  # fmt: skip
    timed(
        "a page of the list",
        lambda n: server.ask(f"/api/pictures?start={100 * some(n) % pictures}"),
        50,
    )
    timed("the status", lambda n: server.ask("/api/status"), 20)
    slow(server, work, label)
    row("memory of the server at most", f"{server.memory()} MB")
    server.end()


def slow(server: Server, work: Path, label: str) -> None:
    """What a person asks for while another connection's edit waits for a slow disk."""
    other = Client(lambda: server.url, [1], 1)
    ended = threading.Event()

    def edits() -> None:
        while not ended.is_set():
            put = {"do": "PutBox", "id": uuid.uuid4().hex, "picture": 9, "label": label, "base": 0}
            body = {"id": uuid.uuid4().hex, "changes": [put | {"corners": [0, 0, 9, 9]}]}
            other.until_answered("POST", "/api/operations", body)

    (work / "slow").touch()
    thread = threading.Thread(target=edits)
    thread.start()
    time.sleep(0.5)
    timed("every fsync 2 s slower: a picture's labels",
          lambda n: server.ask(f"/api/pictures/{1 + n}"), 100)  # fmt: skip
    ended.set()
    (work / "slow").unlink()
    thread.join()


@contextlib.contextmanager
def large_set(pictures: int, boxes: int, place: str | None = None) -> Iterator[Path]:
    """A set of so many, in a folder of its own; at the end no server of it is left."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        root = make(Path(folder), pictures, boxes)
        print(f"{pictures:,} pictures, {boxes:,} boxes; load {os.getloadavg()[0]:.1f} on "
              f"{os.cpu_count()} cores", flush=True)  # fmt: skip
        try:
            yield root
        finally:
            for process in begun:
                process.kill()
                process.wait()
        print(f"\nload at the end {os.getloadavg()[0]:.1f}")


def main() -> None:
    pictures, boxes = (int(word) for word in (sys.argv[1:3] or ("100000", "500000")))
    place = sys.argv[3] if len(sys.argv) > 3 else None
    with large_set(pictures, boxes, place) as root:
        print("\n| what | time |\n|---|---|", flush=True)
        measure(root, root.parent, pictures)


if __name__ == "__main__":
    main()
