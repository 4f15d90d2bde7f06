"""Mutations of real files, and what a parser makes of each: it reads, refuses, or is at fault.

A mutation is a function of the parser's name and a number, so that what falls can be tried again.
"""

import contextlib
import copy
import io
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viewfinder.console import names_shown
from viewfinder.errors import InputError

SECONDS = 10
GROWTH = 2 << 30
"""Bytes of address space that one mutation may add."""

# Where a raw one of these is printed, a name has reached the terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028]")
_WORDS = [
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"\x1b]0;pwned\x07\x1b[2J",
        b"\xe2\x80\xae",
    ),
    *(b"nan", b"NaN", b"Infinity", b"-inf", b"1e999", b"-1", b"0", b"1e308", b"1" * 25, b"9" * 400),
    *(b"null", b"true", b"{", b"[", b"]", b"}", b'"', b"'", b",", b":", b"#", b"&a", b"*a", b"!!x"),
    *(b"../", b"/etc/passwd", b"=1+1", b"<!DOCTYPE a>", b"[" * 3000, b" " * 60_000, b"a" * 60_000),
    *("\u0661\u00b2".encode(), b"_", b"0x10", b"1_0", b"\xed\xa0\x80", b"-", b".", b";", b"\t"),
]
_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2.5, 1e308, -1e308, 10**20, 10**400, float("nan"), float("inf")),
    *(
        "",
        "x",
        "1",
        "nan",
        "\x1b[2J\u202e",
        "../x",
        "/x",
        "\x00",
        "x" * 5000,
        [],
        {},
        [[]],
        [1, "x"],
    ),
    *(
        {"x": 1},
        [None],
        [10**30],
        [1, "x"],
        [1e308] * 4,
        [-5] * 4,
        list(range(2000)),
        "a\nb",
        "\ud800",
    ),
]


@dataclass(frozen=True)
class Parser:
    """What reads a kind of strangers' files.

    Attributes:
        make: writes a folder that is read as it should be.
        files: those of it that are mutated, as patterns.
        read: reads the folder, as the commands do.
        json: how the files' bytes hold JSON, for mutations of its values: its beginning, or None.
    """

    name: str
    make: Callable[[Path], object]
    files: str
    read: Callable[[Path], object]
    json: int | None = None


@dataclass
class Tally:
    """What came of a parser's mutations; `faults` has a line for each that should not be."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def mutated(data: bytes, dice: random.Random, begins: int | None) -> bytes:
    """The bytes of a file, one thing or two of which are others."""
    for _ in range(dice.choice((1, 1, 1, 2))):
        if begins is not None and dice.random() < 0.6:
            data = _of_values(data, dice, begins)
        else:
            data = _of_bytes(data, dice)
    return data


def _of_bytes(data: bytes, dice: random.Random) -> bytes:
    # Most of what is read lies at the beginning of a large file.
    length = min(len(data), dice.choice((64, 1024, len(data))))
    at = dice.randrange(length + 1)
    end = min(len(data), at + dice.choice((1, 2, 4, 16, 200)))
    match dice.randrange(7):
        case 0:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:end] + data[at:]
        case 3:
            return data[: dice.randrange(len(data) + 1)]
        case 4:
            return data[:at] + dice.choice(_WORDS) + data[at:]
        case 5:
            numbers = list(re.finditer(rb"-?\d+(\.\d+)?", data[:100_000]))
            if not numbers:
                return data[:at] + dice.randbytes(4) + data[at:]
            found = dice.choice(numbers)
            return data[: found.start()] + dice.choice(_WORDS) + data[found.end() :]
        case _:
            wide = struct.pack(dice.choice(("<I", ">I")), dice.choice((0, 1, 2**31 - 1, 2**32 - 1)))
            return data[:at] + wide + data[at + 4 :]


def _of_values(data: bytes, dice: random.Random, begins: int) -> bytes:
    """JSON, a value of which is another, missing, or there twice."""
    try:
        length = len(data) if begins == 0 else 8 + struct.unpack("<Q", data[:8])[0]
        document = json.loads(data[begins:length])
    except (ValueError, struct.error):
        return _of_bytes(data, dice)
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        here = waiting.pop()
        pairs = here.items() if isinstance(here, dict) else enumerate(here)
        for key, value in list(pairs)[:300]:
            places.append((here, key))
            if isinstance(value, (dict, list)):
                waiting.append(value)
    if not places:
        return _of_bytes(data, dice)
    where, key = dice.choice(places)
    match dice.randrange(5):
        case 0:
            del where[key]
        case 1 if isinstance(where, list):
            where.append(copy.deepcopy(where[key]))
        case 2 if isinstance(where, dict):
            where[dice.choice(("x", "", "\x1b[2J", key + " "))] = where.pop(key)
        case _:
            where[key] = copy.deepcopy(dice.choice(_VALUES))
    text = json.dumps(document).encode()
    return text if begins == 0 else struct.pack("<Q", len(text)) + text + data[length:]


def prepare(parser: Parser, clean: Path) -> None:
    """Write the files of a parser into an empty folder, and see that they are read."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        parser.make(clean)
        with tempfile.TemporaryDirectory() as place:
            parser.read(Path(shutil.copytree(clean, Path(place) / "set")))
    assert list(clean.glob(parser.files)), f"{parser.name}: no {parser.files}"


def attempt(parser: Parser, clean: Path, number: int) -> tuple[str, str]:
    """Read what a mutation made of a clean folder: `read`, `refused` or a fault, and its words."""
    dice = random.Random(f"{parser.name} {number}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        shutil.copytree(clean, folder)
        file = dice.choice(sorted(folder.glob(parser.files)))
        file.write_bytes(mutated(file.read_bytes(), dice, parser.json))
        said = io.StringIO()
        outcome, told = "read", ""
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), names_shown():
            try:
                parser.read(folder)
            except InputError as error:
                outcome, told = "refused", " ".join(str(error).split())
            except OSError as error:
                outcome, told = "refused", str(error)
            except MemoryError:
                outcome, told = "memory", traceback.format_exc()
            except Exception:
                outcome, told = "inside", traceback.format_exc()
    lines = said.getvalue().split("\n")
    if "Traceback" in said.getvalue():
        return "traceback", said.getvalue()
    if "Warning: " in said.getvalue():
        return "warning", said.getvalue()[:1000]
    if any(_CONTROL.search(line) for line in lines):
        return "control", said.getvalue()[:300]
    return outcome, told


def run_all(
    parsers: list[Parser], counts: dict[str, int], *, begin: int = 0, processes: int = 2
) -> Iterator[tuple[str, Tally]]:
    """Try so many mutations of each parser, in processes that may take no more than the limits."""
    for parser in parsers:
        with tempfile.TemporaryDirectory() as place:
            clean = Path(place) / "set"
            clean.mkdir()
            prepare(parser, clean)
            yield parser.name, _shared(parser, clean, begin, counts[parser.name], processes)


def _shared(parser: Parser, clean: Path, begin: int, count: int, processes: int) -> Tally:
    tally = Tally()
    shares = [list(range(begin + first, begin + count, processes)) for first in range(processes)]
    with contextlib.ExitStack() as stack:
        workers = [_Worker(parser, clean, share) for share in shares if share]
        for worker in workers:
            stack.callback(worker.stop)
        while alive := [worker for worker in workers if worker.left]:
            ready, _, _ = select.select([worker.pipe for worker in alive], [], [], 1.0)
            for worker in alive:
                worker.take(tally, ready=worker.pipe in ready)
    return tally


class _Worker:
    """A process that tries mutations one by one; a new one goes on where the last one died."""

    def __init__(self, parser: Parser, clean: Path, numbers: list[int]) -> None:
        self.parser, self.clean, self.left = parser, clean, numbers
        self._start()

    def _start(self) -> None:
        reading, writing = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(reading)
            with contextlib.suppress(BaseException), os.fdopen(writing, "w") as out:
                _work(self.parser, self.clean, self.left, out)
            os._exit(0)
        os.close(writing)
        self.pipe = os.fdopen(reading, encoding="utf-8")
        self.since = time.monotonic()

    def take(self, tally: Tally, *, ready: bool) -> None:
        """Count the next outcome, where there is one, or the process's end."""
        line = self.pipe.readline() if ready else ""
        if line:
            self._count(tally, *json.loads(line))
        elif ready or time.monotonic() - self.since > 12 * SECONDS:
            os.kill(self.process, signal.SIGKILL)
            status = self._end()
            by = -os.waitstatus_to_exitcode(status)
            hung = not ready or by == signal.SIGXCPU
            self._count(tally, "hang" if hung else "crash", f"by signal {by}")
            if self.left:
                self._start()
        if not self.left:
            self._end()

    def _count(self, tally: Tally, outcome: str, told: str) -> None:
        number = self.left.pop(0)
        self.since = time.monotonic()
        tally.tried += 1
        tally.outcomes[outcome] += 1
        if outcome not in ("read", "refused"):
            tally.faults.append(f"{self.parser.name} {number}: {outcome}: {told}")

    def _end(self) -> int:
        if self.process == 0:
            return 0
        process, self.process = self.process, 0
        self.pipe.close()
        return os.waitpid(process, 0)[1]

    def stop(self) -> None:
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            self._end()


def _work(parser: Parser, clean: Path, numbers: list[int], out: Any) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what libraries in C print
        os.dup2(nothing, stream)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + GROWTH, resource.RLIM_INFINITY))
    for number in numbers:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + SECONDS + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        out.write(json.dumps(attempt(parser, clean, number)) + "\n")
        out.flush()


def main() -> int:
    """`fuzzing.py [COUNT [PARSER [NUMBER]]]`: a table; with NUMBER, one mutation's outcome."""
    from fuzz_parsers import PARSERS, WEIGHTS

    words = sys.argv[1:]
    total = int(words[0]) if words else 20_000
    parsers = [each for each in PARSERS if len(words) < 2 or each.name.startswith(words[1])]
    if len(words) > 2:
        with tempfile.TemporaryDirectory() as place:
            prepare(parsers[0], Path(place))
            print(*attempt(parsers[0], Path(place), int(words[2])), sep="\n")
        return 0
    shares = sum(WEIGHTS.get(each.name, 4) for each in parsers)
    counts = {each.name: -(-total * WEIGHTS.get(each.name, 4) // shares) for each in parsers}
    return _table(run_all(parsers, counts))


def _table(rows: Iterator[tuple[str, Tally]]) -> int:
    kinds = (
        "refused",
        "read",
        "inside",
        "traceback",
        "warning",
        "control",
        "hang",
        "memory",
        "crash",
    )
    print(f"| parser | tried | {' | '.join(kinds)} |\n|---|{'---:|' * (1 + len(kinds))}")
    total = Tally()
    for name, tally in rows:
        print(f"| {name} | {tally.tried} | {' | '.join(str(tally.outcomes[k]) for k in kinds)} |")
        sys.stdout.flush()
        total.tried += tally.tried
        total.outcomes += tally.outcomes
        total.faults += tally.faults
        print("".join(f"\n{fault}\n" for fault in tally.faults), end="", file=sys.stderr)
    print(f"| all | {total.tried} | {' | '.join(str(total.outcomes[k]) for k in kinds)} |")
    return int(bool(total.faults))


if __name__ == "__main__":
    sys.exit(main())
