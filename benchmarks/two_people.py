"""Two scripted people on one set: is any edit lost, or a picture handed to both?

    uv run python benchmarks/two_people.py               SQLite, then PostgreSQL: 10 minutes each
    uv run python benchmarks/two_people.py 60 0.2        seconds of each, and between pictures

Each is a process that labels over HTTP as the page does: it is handed pictures, draws, corrects,
says done, and reopens when nothing is left; between pictures both add 1 to one box that they share.
With SQLite both speak to one `viewfinder label`; with PostgreSQL each has one of their own, on the
one database. Every minute a server is killed and begun again, and its clock put back by an hour or
right again: seats must hold meanwhile.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from faults_servers import Postgres, Studio
from pair_person import SHARED, faults

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Operation, PutBox, PutClass, open_store

NAMES = ("Ann", "Bea")
PICTURES = 40
PERSON = Path(__file__).parents[1] / "tests" / "helpers" / "pair_person.py"
EVERY = 60.0


def label(work: Path, url: str | None, seconds: float, pause: float) -> None:
    data = work / "photos"
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        write_picture(
            data / f"{number:02}.png", random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        )
    with open_store(data, url=url, wait=True) as store:
        shared = PutBox(SHARED, 1, "k", (0, 0, 1, 1), 0)
        store.apply(Operation("begin", (PutClass("k", "K", 0), shared)))
    ports = (18790, 18791) if url else (18790,)
    servers = [Studio(data, url, work, port) for port in ports]
    addresses = [work / f"address-{port}" for port in ports]
    for server, file in zip(servers, addresses, strict=True):
        server.start()
        file.write_text(server.url)
    people = []
    for number, name in enumerate(NAMES):
        words = map(str, (addresses[number % len(ports)], name, seconds, pause, work / name))
        people.append(subprocess.Popen([sys.executable, PERSON, *words]))
    restarts, last = 0, time.monotonic()
    while any(each.poll() is None for each in people):
        time.sleep(0.2)
        if time.monotonic() - last > EVERY and all(each.poll() is None for each in people):
            number = restarts % len(servers)
            servers[number].kill()
            servers[number].start()
            servers[number].send(signal.SIGUSR1)
            addresses[number].write_text(servers[number].url)
            restarts, last = restarts + 1, time.monotonic()
    for server in servers:
        server.close()
    assert all(each.returncode == 0 for each in people)
    told = [json.loads((work / name).read_text()) for name in NAMES]
    with open_store(data, url=url, wait=True) as store:
        boxes = {b.id: b.corners[2] for n in range(PICTURES) for b in store.picture(1 + n).boxes}
    held, done = (sum(len(each["held"]) for each in told), sum(each["operations"] for each in told))
    print(
        f"{'PostgreSQL' if url else 'SQLite'}, {seconds:g} s, {restarts} servers killed: {held:,} "
        f"pictures handed out, {done:,} edits, {sum(each['added'] for each in told):,} to one box "
        f"({sum(each['conflicts'] for each in told)} refused and made anew)"
    )
    for what, count in faults(told, boxes, boxes[SHARED] - 1).items():
        print(f"  {what}: {count}", flush=True)


def main() -> None:
    seconds, pause = (*map(float, sys.argv[1:]), *(600.0, 0.2)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as place:
        label(Path(place), None, seconds, pause)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        work = Path(place)
        work.chmod(0o755)
        (work / "pg").mkdir()
        postgres = Postgres(work / "pg", work)
        postgres.start()
        try:
            label(work, postgres.url, seconds, pause)
        finally:
            postgres.kill()


if __name__ == "__main__":
    main()
