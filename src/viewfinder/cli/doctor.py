"""What this machine, this installation or your own code can do, and how to fix what they cannot.

What is good is said in a line, what is not in full, each with its reason, a fix and a source. How
fast the machine computes is measured once, for at most 20 seconds, and remembered in the cache.
Nothing that is printed or written names you, your folders or a secret.

With PATHs, Python files, notebooks or folders of them, your own code is looked at instead: what in
it no longer works with today's torch, NumPy, OpenCV and the like, or is no longer needed, with a
line to paste. Nothing of it is run.

Exit status 1 if something does not work.

Example:

  viewfinder doctor --report doctor.html
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import print_json
from viewfinder.console import rich_console
from viewfinder.errors import InputError

if TYPE_CHECKING:
    from viewfinder.doctor.page import StyledLine

_WIDEST = 80


@dataclass(frozen=True)
class Flags:
    paths: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Your own code: files, notebooks, folders."""
    quick: bool = False
    """At most 2 seconds: torch is not asked and nothing is measured; what follows from neither is
    shown as not known."""
    again: bool = False
    """Measure, though it was measured before on this machine."""
    network: Annotated[str | None, tyro.conf.arg(metavar="HOST")] = None
    """Ask this host, once, whether a network is there. Otherwise only a proxy or an index that
    your environment names is asked, or nobody."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write all of it as a page, FILE.html, to send to whoever helps."""
    json: bool = False
    """Print one JSON document: works, findings, machine, speed, epochs; of code works, files,
    unread, empty, remarks."""


def run(flags: Flags) -> int:
    """Look at the machine, or at somebody's code, and print what was found."""
    return _code(flags) if flags.paths else _machine(flags)


def _code(flags: Flags) -> int:
    from viewfinder.doctor.code.looking import look
    from viewfinder.doctor.code.page import document, page

    asked = {"--quick": flags.quick, "--again": flags.again, "--network": flags.network}
    for flag, value in asked.items():
        if value:
            raise InputError(f"{flag} is about the machine: leave it, or the paths, away")
    looked = look(list(flags.paths))
    if flags.report:
        from viewfinder.doctor.code.report import write_report

        write_report(flags.report, looked)
    if flags.json:
        print_json(document(looked))
    else:
        _print(page(looked, width=_width()), flags.report)
    return 0 if looked.works else 1


def _machine(flags: Flags) -> int:
    from viewfinder.doctor.document import document, works
    from viewfinder.doctor.estimate import epochs
    from viewfinder.doctor.gathering import gather
    from viewfinder.doctor.rules import findings

    start = time.perf_counter()
    machine = gather(quick=flags.quick, host=flags.network, again=flags.again)
    found = findings(machine)
    times = epochs(machine)
    if flags.report:
        from viewfinder.doctor.report import write_report

        write_report(flags.report, machine, found, times)
    if flags.json:
        print_json(document(machine, found, times, seconds=time.perf_counter() - start))
        return 0 if works(found) else 1
    from viewfinder.doctor.page import page

    _print(page(machine, found, times, width=_width()), flags.report)
    return 0 if works(found) else 1


def _width() -> int:
    return max(40, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))


def _print(lines: "Sequence[StyledLine]", report: Path | None) -> None:
    try:
        console = rich_console(no_color="NO_COLOR" in os.environ, highlight=False, soft_wrap=True)
        from rich.text import Text
    except ImportError:  # then without colours
        print(*(line.text for line in lines), *([f"\nreport {report}"] if report else []), sep="\n")
        return
    for line in lines:
        console.print(Text(line.text, style=line.style))
    if report:
        console.print(Text(f"\nreport {report}"))
