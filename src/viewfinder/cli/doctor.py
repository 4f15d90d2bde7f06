"""What this machine and this installation can do, and how to mend what they cannot.

What is good is told in a line, what is not in full, each with its reason, a fix and a source. How
fast the machine computes is measured once, for at most 20 seconds, and remembered in the cache.
Nothing that is printed or written names you, your folders or a secret.

Exit status 1 if something does not work.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json
from viewfinder.console import rich_console

_WIDEST = 80


@dataclass(frozen=True)
class Flags:
    quick: bool = False
    """At most 2 seconds: torch is not asked and nothing is measured; what follows from neither is
    told as not known."""
    again: bool = False
    """Measure, though it was measured before on this machine."""
    network: Annotated[str | None, tyro.conf.arg(metavar="HOST")] = None
    """Ask this host, once, whether a network is there. Otherwise only a proxy or an index that
    your environment names is asked, or nobody."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write all of it as a page, FILE.html, to send to whoever helps."""
    json: bool = False
    """Print one JSON document: works, findings, machine, speed, epochs."""


def run(flags: Flags) -> int:
    """Look at the machine, and tell."""
    return _machine(flags)


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

    width = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    console = rich_console(no_color="NO_COLOR" in os.environ, highlight=False, soft_wrap=True)
    from rich.text import Text

    for line in page(machine, found, times, width=max(40, width)):
        console.print(Text(line.text, style=line.style))
    if flags.report:
        console.print(Text(f"\nreport {flags.report}"))
    return 0 if works(found) else 1
