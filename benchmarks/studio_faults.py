"""Nothing that the studio acknowledged is lost or doubled, whatever is broken meanwhile.

    uv run python benchmarks/studio_faults.py WORK               SQLite; 50,000 edits, 126 faults
    uv run python benchmarks/studio_faults.py WORK --postgres    PostgreSQL, its server killed too
    uv run python benchmarks/studio_faults.py WORK --edits 2000  fewer

Eight clients, each with pictures of its own, send edits as the page does: with an id, again and
again until they are answered. In each round one thing is broken at a random moment: the studio or
PostgreSQL's server is killed (-9), a real Chromium is while edits wait in it, the studio is stopped
for a while (3 s, and once 60 s), the disk is full, the clock goes back by an hour, every fsync
takes 2 s longer. After each round all that the clients know is compared with what the studio
answers, box by box and revision by revision, and the ids with the log of operations. At the end
everything is undone, and the labels are compared with the first, byte for byte.

WORK is a folder that is kept: rounds that are done stand in `rounds.jsonl`, and the campaign goes
on after them. The labels lie on a disk of their own in memory (a tmpfs of 192 MB, which root may
mount), PostgreSQL's data folder too, so that it can be full; elsewhere those rounds are left out,
which is said. Linux alone.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from faults_browser import Browser
from faults_client import Client, together
from faults_servers import Postgres, Studio
from sqlalchemy import select

from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import (
    Operation,
    PutBox,
    PutClass,
    Store,
    open_store,
    tables,
    undoing,
)
from viewfinder.tasks.detect.detections import Detections

CLIENTS, EACH = 8, 4
PICTURES = CLIENTS * EACH + 1  # the last one is the browser's
DISK = 192 << 20
# Of a cycle of fourteen rounds; the first is killed in the middle of edits, as most are.
CYCLE = ("kill", "kill", "stop", "kill", "full", "kill", "clock", "kill", "browser", "kill", "slow",
         "kill", "kill", "browser")  # fmt: skip
DATABASE_CYCLE = ("database", "kill", "full", "stop", "database", "kill", "database", "clock",
                  "full", "browser", "database", "slow", "database", "kill")  # fmt: skip


@dataclass
class Round:
    """What one round did, and what was found after it."""

    kind: str
    edits: int
    again: int
    lost: int
    doubled: int
    refused: int
    seconds: float
    slowest: float
    memory: int


class Campaign:
    """One folder with its studio, and what is done to it."""

    def __init__(self, work: Path, *, postgres: bool) -> None:
        self.work, self.random = work, random.Random(time.time_ns())
        self.mounted = mounted(work / "disk")
        self.data = work / "disk" / "photos"
        self.database = None
        self.postgres = None
        self.ended_by_itself = 0
        if postgres:
            (work / "disk" / "pg").mkdir(exist_ok=True)
            self.postgres = Postgres(work / "disk" / "pg", work)
            self.postgres.start()
            self.database = self.postgres.url
        self._first()
        self.studio = Studio(self.data, self.database, work, 8900 + os.getpid() % 1000)
        self.studio.start()
        self.log = work / "rounds.jsonl"
        self.done = [Round(**json.loads(line)) for line in lines(self.log)]

    def store(self) -> Store:
        return open_store(self.data, url=self.database, wait=True)

    def _first(self) -> None:
        """Pictures, a class, boxes and proposals, of which the bytes are kept."""
        if (self.work / "first").exists():
            return
        random_ = np.random.default_rng(0)
        for number in range(PICTURES):
            noise = random_.integers(0, 256, (24, 40, 3)).astype(np.uint8)
            write_picture(self.data / f"{number:03}.png", noise)
        with self.store() as store:
            made = [PutBox(f"first-{n}", 1 + n % PICTURES, "k", (1, 1, 9, 9), 0)
                    for n in range(PICTURES)]  # fmt: skip
            store.apply(Operation("begin", (PutClass("k", "K", 0), *made), "before"))
            zero = np.zeros(PICTURES, np.int64)
            names = tuple(f"{number:03}.png" for number in range(PICTURES))
            corners = np.tile(np.array((2.5, 3, 20, 20)), (PICTURES, 1))
            store.propose("plate", Proposals(
                names, np.tile((40, 24), (PICTURES, 1)), ("K",), np.arange(PICTURES),
                Detections(corners, np.ones(PICTURES), zero), ("plate",) * PICTURES))  # fmt: skip
            (self.work / "first").write_bytes(store.contents())

    def round(self, kind: str, count: int) -> Round:
        """Let all clients edit, break something meanwhile, and compare."""
        start = time.perf_counter()
        pictures = [list(range(1 + n * EACH, 1 + (n + 1) * EACH)) for n in range(CLIENTS)]
        clients = [
            Client(lambda: self.studio.url, own, self.random.getrandbits(60)) for own in pictures
        ]
        for client in clients:
            client.adopt()
        threads = together(clients, count // CLIENTS)
        browser = Browser(self.work, PICTURES) if kind == "browser" else None
        if browser:
            browser.killed_at_work(self.studio.url, self.random)
        else:
            time.sleep(self.random.uniform(0, 0.004) * count)
            getattr(self, f"_{kind}")(self._all_done(threads))
        for thread in threads:
            thread.join()
        acknowledged = [id for client in clients for id in client.acknowledged]
        found = [client.faults() for client in clients]
        lost, doubled = sum(each[0] for each in found), sum(each[1] for each in found)
        if browser:
            own = browser.after(self.studio.url)
            lost, acknowledged = lost + own.lost, [*acknowledged, *own.acknowledged]
            doubled += own.doubled
        lost += len(acknowledged) - self._kept(acknowledged)
        refused = [each for client in clients for each in client.refused]
        with (self.work / "refused.txt").open("a") as file:
            file.writelines(f"{kind}: {each}\n" for each in refused)
        return Round(
            kind, len(acknowledged), sum(each.again for each in clients), lost, doubled,
            len(refused), time.perf_counter() - start,
            max(max(each.spent) for each in clients), self.studio.memory())  # fmt: skip

    def _all_done(self, threads: list[threading.Thread]) -> Callable[[], bool]:
        return lambda: not any(thread.is_alive() for thread in threads)

    def _kept(self, ids: list[str]) -> int:
        """How many of these operations the log has, once each as its `id` is unique."""
        column, count = tables.operation.c.id, 0
        with self.store() as store, store._database.read() as connection:
            for start in range(0, len(ids), 500):
                rows = select(column).where(column.in_(ids[start : start + 500]))
                count += len(connection.execute(rows).all())
        return count

    def _kill(self, _ended: Callable[[], bool]) -> None:
        self.studio.kill()
        self.studio.start()

    def _database(self, _ended: Callable[[], bool]) -> None:
        assert self.postgres is not None
        self.postgres.kill()
        self.postgres.start()

    def _stop(self, _ended: Callable[[], bool]) -> None:
        stops = sum(each.kind == "stop" for each in self.done)
        self.studio.send(signal.SIGSTOP)
        # Clients ask again after 8 s; so beyond them the length makes no difference.
        time.sleep(60 if stops == 1 else self.random.choice((1, 3, 10)))
        self.studio.send(signal.SIGCONT)

    def _full(self, ended: Callable[[], bool]) -> None:
        """PostgreSQL may end where it can write nothing: it is then begun again, as by hand."""
        filler = self.work / "disk" / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
            end = time.monotonic() + self.random.uniform(1, 4)
            while time.monotonic() < end and not ended():
                time.sleep(0.1)
            if self.random.random() < 0.5:
                self.studio.kill()  # and begun again where no byte can be written
                starting = threading.Thread(target=self.studio.start)
                starting.start()
                time.sleep(1)
                filler.unlink()
                starting.join()
        filler.unlink(missing_ok=True)
        if self.postgres and not self.postgres.stands():
            self.ended_by_itself += 1
            self.postgres.start()

    def _clock(self, _ended: Callable[[], bool]) -> None:
        self.studio.send(signal.SIGUSR1)

    def _slow(self, ended: Callable[[], bool]) -> None:
        (self.work / "slow").touch()
        end = time.monotonic() + 7
        while time.monotonic() < end and not ended():
            time.sleep(0.1)
        (self.work / "slow").unlink()

    def undo_everything(self) -> str:
        """Undo all operations after the first, and compare the bytes."""
        with self.store() as store:
            count, start = 0, time.perf_counter()
            while (last := last_in_force(store)) not in (None, 1):
                store.undo(f"undo-{last}-{time.time_ns()}", None, seq=last)
                count += 1
            same = store.contents() == (self.work / "first").read_bytes()
            seconds = time.perf_counter() - start
        return f"{count:,} operations undone in {seconds:.0f} s: {'exact' if same else 'NOT exact'}"

    def close(self) -> None:
        self.studio.close()
        if self.postgres:
            self.postgres.kill()


def last_in_force(store: Store) -> int | None:
    """The number of the last operation that is not undone."""
    with store._database.read() as connection:
        return undoing.last_done(connection, None)


def mounted(disk: Path) -> bool:
    """A small disk of its own at `disk`, if we may."""
    disk.mkdir(parents=True, exist_ok=True)
    if os.path.ismount(disk):
        return True
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "none", disk]
    return subprocess.run(words, capture_output=True).returncode == 0


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def table(done: list[Round]) -> None:
    """A row for each kind of fault."""
    print("\n| broken | rounds | edits | answered `again` | lost | doubled | refused | slowest |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in (*dict.fromkeys(each.kind for each in done), "all"):
        own = [each for each in done if kind in (each.kind, "all")]
        sums = [sum(getattr(each, name) for each in own)
                for name in ("edits", "again", "lost", "doubled", "refused")]  # fmt: skip
        said = " | ".join(f"{each:,}" for each in sums)
        print(f"| {kind} | {len(own)} | {said} | {max(each.slowest for each in own):.1f} s |")
    print(f"memory of the studio at most: {max(each.memory for each in done)} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--edits", type=int, default=50_000)
    parser.add_argument("--each", type=int, default=400)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(given.work.resolve(), postgres=given.postgres)
    cycle = DATABASE_CYCLE if given.postgres else CYCLE
    try:
        while sum(each.edits for each in campaign.done) < given.edits:
            kind = cycle[len(campaign.done) % len(cycle)]
            if kind == "full" and not campaign.mounted:
                print("a full disk is left out: only root may mount one")
                kind = "kill"
            campaign.done.append(made := campaign.round(kind, given.each))
            with campaign.log.open("a") as file:
                file.write(json.dumps(asdict(made)) + "\n")
            print(len(campaign.done), made, flush=True)
        table(campaign.done)
        if campaign.postgres:
            print(f"PostgreSQL ended by itself {campaign.ended_by_itself} times on a full disk")
        print(campaign.undo_everything())
    finally:
        campaign.close()


if __name__ == "__main__":
    main()
