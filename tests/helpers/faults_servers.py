"""Servers that `studio_faults.py` breaks: the studio, forked anew in a moment, and PostgreSQL.

Run as a program it is what the studio is forked from: it has imported everything, and its clock and
its disk can be made wrong.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WRONG_BY = 3600
SLOW_BY = 2.0
SHIM = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static void wait_for_it(void) {{
  const char *file = getenv("SLOW_DISK");
  if (file && access(file, F_OK) == 0) usleep({int(SLOW_BY * 1e6)});
}}
int fsync(int fd) {{
  wait_for_it();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}}
int fdatasync(int fd) {{
  wait_for_it();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}}
"""


def slow_disk(work: Path) -> dict[str, str]:
    """Environment in which every fsync takes two seconds while the file `work/slow` is there."""
    library = work / "slow.so"
    if not library.exists():
        (work / "slow.c").write_text(SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, work / "slow.c", "-ldl"],
                       check=True)  # fmt: skip
    return os.environ | {"LD_PRELOAD": str(library), "SLOW_DISK": str(work / "slow")}


class Studio:
    """`viewfinder label`, which can be killed and begun again."""

    def __init__(self, data: Path, database: str | None, work: Path, port: int) -> None:
        words = [sys.executable, __file__, str(data), database or "", str(port)]
        self._mother = subprocess.Popen(
            words, env=slow_disk(work), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = port
        self.url = ""
        self.pid = 0

    def start(self) -> None:
        """Begin; its whole address is `url` afterwards. It is tried until it stands."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        while True:
            self._mother.stdin.write("start\n")
            self._mother.stdin.flush()
            for line in self._mother.stdout:
                if line.startswith("pid "):
                    self.pid = int(line.split()[1])
                elif line.startswith("ended"):
                    break
                elif "label at" in line:
                    self.url = line.split()[-1]
                    # The address is told before anybody answers there.
                    if self._answers():
                        return
            time.sleep(0.5)

    def _answers(self) -> bool:
        """Wait until somebody answers at its port; False where it ended before."""
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=1),
            ):
                return True
            with contextlib.suppress(OSError):
                state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    time.sleep(0.02)
                    continue
            return False

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def memory(self) -> int:
        """Megabytes that it has had at most."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) // 1024
        return 0

    def close(self) -> None:
        self.kill()
        if self._mother.stdin is not None:
            self._mother.stdin.close()
        self._mother.wait()


class Postgres:
    """Debian's PostgreSQL in a folder of its own, as `nobody` where we are root."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self._folder, self._data = folder, folder / "data"
        nowhere = subprocess.DEVNULL
        self._asked: dict[str, Any] = {
            "cwd": folder,
            "stdout": nowhere,
            "stderr": nowhere,
            "env": slow_disk(work),
        }
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
            self._asked["user"] = "nobody"
        self.url = f"postgresql://me@/postgres?host={folder}"
        if not self._data.exists():
            words: list[object] = [
                "-D",
                self._data,
                "-U",
                "me",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
            ]
            self._run("initdb", words)

    def start(self) -> None:
        """Begin, however it ended; processes that outlived their parent are waited for."""
        self.kill()
        options = f"-k {self._folder} -c listen_addresses= -c max_connections=60"
        options += " -c max_wal_size=64MB"  # the disk is small
        words: list[object] = [
            "-D",
            self._data,
            "-w",
            "-o",
            options,
            "-l",
            self._folder / "log",
            "start",
        ]
        while self._run("pg_ctl", words):
            time.sleep(0.5)

    def _run(self, program: str, words: list[object]) -> int:
        command = [str(self._programs / program), *map(str, words)]
        return int(subprocess.run(command, **self._asked).returncode)

    def stands(self) -> bool:
        """Whether it answers, or is about to."""
        return self._run("pg_ctl", ["-D", self._data, "status"]) == 0

    def kill(self) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def main() -> None:
    """Fork a studio whenever asked; SIGUSR1 puts its clock back by an hour, or right again."""
    right, off = time.time, [0]
    time.time = lambda: right() - off[0]
    from viewfinder.cli import label
    from viewfinder.studio.server import serving  # noqa: F401  what `label` imports when it runs

    data, database, port = sys.argv[1:]
    child = 0
    for _ in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if child:
            print("pid", child, flush=True)
            continue
        signal.signal(signal.SIGUSR1, lambda *_: off.__setitem__(0, WRONG_BY - off[0]))
        code = 1
        try:
            code = label.run(
                label.Flags(Path(data), browser=False, port=int(port), database=database or None)
            )
        except BaseException as error:
            print("ended", repr(error)[:300], file=sys.stderr)
        print("ended", flush=True)
        os._exit(code)
    if child:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
