"""What torch says of itself and of this machine, asked in a process that may fail in any way."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from viewfinder.doctor.commands import Reply, ask
from viewfinder.doctor.machine import Gpu, Library, Torch, Version
from viewfinder.doctor.privacy import Cleaner
from viewfinder.doctor.speed import Rate, Speed
from viewfinder.doctor.workload import Workload
from viewfinder.values import as_list, as_number, as_number_or_none, as_table, as_tables, as_whole


@dataclass(frozen=True)
class TorchFacts:
    """What torch reported.

    Attributes:
        speed: None where nothing was measured.
        networks: what those that were counted cost.
        troubles: what kept others from being counted.
    """

    torch: Torch
    speed: Speed | None = None
    networks: tuple[Workload, ...] = ()
    troubles: tuple[str, ...] = ()


def ask_torch(
    cleaner: Cleaner,
    variables: Mapping[str, str],
    *,
    measuring: float,
    limit: float,
    networks: Sequence[str] = (),
) -> TorchFacts:
    """Torch's own facts and, unless `measuring` is 0, rates for about so many seconds.

    Args:
        networks: whose costs are to be counted.
        limit: seconds after which the process is ended; what it reported until then counts.
    """
    # -P: a file in the working folder is reported by itself, and must not stand in for others.
    command = [sys.executable, "-P", "-m", "viewfinder.doctor.probe"]
    words = [*command, str(measuring), str(limit - 3), *networks]
    reply = ask(words, limit, {**variables, **_QUIET})
    return read_reply(reply, cleaner)


# Else torch's own lines would take the place of the error's.
_QUIET = {"PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}


def read_reply(reply: Reply, cleaner: Cleaner) -> TorchFacts:
    """What the process reported, and how it ended."""
    lines = _lines(reply.out)
    if not lines or "threads" not in lines[0]:
        return TorchFacts(Torch(works=False, error=cleaner.clean(_why(reply))))
    try:
        torch = replace(
            _torch(lines[0], cleaner),
            libraries=tuple(_library(path, cleaner) for path in _libraries(lines)),
            unfinished=_begun(lines) if reply.ended == "not in time" else "",
            broken=tuple(_broken(lines, reply, cleaner)),
        )
        networks = tuple(
            Workload.from_json(as_table(each["network"])) for each in lines if "network" in each
        )
        troubles = tuple(
            cleaner.clean(f"networks: {each['unweighed']}: {each['error']}")
            for each in lines
            if "unweighed" in each
        )
        return TorchFacts(torch, _speed(lines[1:], torch.threads or 1), networks, troubles)
    except (KeyError, ValueError) as error:
        text = cleaner.clean(f"it tells what cannot be read: {error}")
        return TorchFacts(Torch(works=False, error=text))


def _lines(text: str) -> list[dict[str, object]]:
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # cut short
    return [each for each in found if isinstance(each, dict)]


def _why(reply: Reply) -> str:
    """Why nothing was reported, in one line."""
    last = next((line for line in reversed(reply.err.splitlines()) if line.strip()), "")
    if reply.ended == "not in time":
        return "importing it took too long, and was stopped"
    if reply.ended == "not started":
        return f"Python cannot be started: {last}"
    if reply.status < 0:
        try:
            name = signal.Signals(-reply.status).name
        except ValueError:
            name = f"signal {-reply.status}"
        return f"the process died of {name}" + (f": {last}" if last else "")
    return last or f"the process ended with status {reply.status} and said nothing"


def _torch(facts: dict[str, object], cleaner: Cleaner) -> Torch:
    driver = facts.get("driver_cuda")
    return Torch(
        works=True,
        seconds=as_number(facts["seconds"]),
        threads=as_whole(facts["threads"]),
        capability=str(facts["capability"])[:20],
        cuda=bool(facts["cuda"]),
        cuda_error=cleaner.clean(str(facts["cuda_error"])),
        driver_cuda=None if driver is None else tuple(map(as_whole, as_list(driver))),
        architectures=tuple(str(each)[:20] for each in as_list(facts.get("architectures", []))),
        cudnn=_cudnn(facts.get("cudnn")),
        gpus=tuple(_gpu(each) for each in as_tables(facts.get("gpus", []))),
    )


def _libraries(lines: list[dict[str, object]]) -> list[str]:
    return sorted({str(path) for each in lines for path in as_list(each.get("libraries", []))})


def _broken(
    lines: list[dict[str, object]], reply: Reply, cleaner: Cleaner
) -> Iterator[tuple[str, str]]:
    """Modules that cannot be imported; the last, if the process ended while it was."""
    for each in lines:
        if "broken" in each:
            yield str(each["broken"]), cleaner.clean(str(each["error"]))
    if (last := _begun(lines)) and reply.ended == "with an error":
        yield last, cleaner.clean(_why(reply))


def _begun(lines: list[dict[str, object]]) -> str:
    """The module that was being imported when the process ended; nothing where none was."""
    begun = [str(each["importing"]) for each in lines if "importing" in each]
    return begun[-1] if begun else ""


def _cudnn(number: object) -> Version | None:
    """9.10.2 of 91002; before its ninth version, 8.9.7 of 8907."""
    if not isinstance(number, int):
        return None
    major = number // 10_000 if number >= 90_000 else number // 1000
    rest = number - major * (10_000 if number >= 90_000 else 1000)
    return major, rest // 100, rest % 100


def _gpu(facts: dict[str, object]) -> Gpu:
    major, minor = map(as_whole, as_list(facts["capability"]))
    memory, free = as_whole(facts["memory"]), as_whole(facts["free"])
    return Gpu(str(facts["name"])[:60], memory, free, (major, minor))


def _library(path: str, cleaner: Cleaner) -> Library:
    place = Path(path)
    ours = "site-packages" in place.parts or place.is_relative_to(sys.prefix)
    return Library(place.name, cleaner.path(place.parent), ours)


def _speed(lines: list[dict[str, object]], threads: int) -> Speed | None:
    rates = tuple(Rate.from_json(as_table(line["rate"])) for line in lines if "rate" in line)
    about = next((line for line in lines if "device" in line), None)
    if about is None or not rates:
        return None
    return Speed(
        str(about["device"]),
        threads,
        rates,
        updates=as_number(about["updates"]),
        pictures=as_number_or_none(about["pictures"]),
    )
