"""What the terminal shows: what is good in a line, what is not in full, in 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from viewfinder.doctor.about import about, when
from viewfinder.doctor.document import works
from viewfinder.doctor.estimate import PICTURES, Epoch
from viewfinder.doctor.finding import Finding, joined, told_nowhere
from viewfinder.doctor.machine import Machine
from viewfinder.doctor.rules import RULES
from viewfinder.doctor.rules.telling import gib, sentence
from viewfinder.doctor.speed import POINTWISE, PRODUCT, Speed
from viewfinder.doctor.workload import SAMPLES
from viewfinder.wording import counted

UNIT = (
    "10⁹ multiply–accumulates a second, forward and backward; of convolutions by their kernel and "
    "by how many channels go in: few up to 16, some up to 128"
)
"""What the figures of the table of speeds are."""
_MARKS = {"broken": "✗", "warning": "!", "unknown": "?"}
_STYLES = {"broken": "bold red", "warning": "yellow", "unknown": "cyan"}
_ARITHMETICS = {"32": "float32", "bf16": "bfloat16", "16": "float16"}
# Signs of the first column of facts; of the name of a row, and of a figure, in the table of speeds.
_LABEL, _ROW, _CELL = 11, 26, 9
# Columns from which on epochs have all of theirs.
_WIDE = 78


class StyledLine(NamedTuple):
    """A line, and rich's style for it."""

    text: str
    style: str = ""


def page(
    machine: Machine, found: Sequence[Finding], epochs: Sequence[Epoch], *, width: int = 80
) -> list[StyledLine]:
    """All lines, none longer than `width` but addresses."""
    lines = [line for name, text in about(machine) for line in _fact(name, text, width)]
    lines += [StyledLine(""), *_verdict(found, width)]
    for level in ("broken", "warning"):
        for each in found:
            if each.level == level:
                lines += [StyledLine(""), *_finding(each, width)]
    lines += _unknowns(found, width)
    lines += [
        StyledLine(line, "dim")
        for trouble in told_nowhere(machine.troubles, found)
        for line in _wrap(trouble, width, "  ")
    ]
    if machine.speed:
        lines += [StyledLine(""), *_speed(machine, machine.speed, width), StyledLine("")]
        if machine.networks is None:  # a finding tells why
            return lines
        lines += _epochs(epochs, width)
    return lines


def _fact(name: str, text: str, width: int) -> Iterator[StyledLine]:
    parts = textwrap.wrap(text, width - _LABEL, break_on_hyphens=False) or [""]
    for index, part in enumerate(parts):
        yield StyledLine(f"{name if index == 0 else '':<{_LABEL}}{part}")


def _verdict(found: Sequence[Finding], width: int) -> Iterator[StyledLine]:
    style = "bold green" if works(found) else _STYLES["broken"]
    words = f"{'✓' if works(found) else '✗'} {verdict(found)}"
    return (StyledLine(text, style) for text in _wrap(words, width, ""))


def verdict(found: Sequence[Finding]) -> str:
    """How much is well, and how much of the rest is what, in a sentence without its full stop."""
    levels = [each.level for each in found]
    bad, slow, unknown = (levels.count(level) for level in ("broken", "warning", "unknown"))
    fine = len(RULES) - len(found)
    text = f"{fine} of {counted(len(RULES), 'thing')} looked at are as they should be"
    parts = [f"{bad} {'does' if bad == 1 else 'do'} not work"] if bad else []
    parts += [f"{counted(slow, 'warning')}"] if slow else []
    parts += [f"{unknown} not known"] if unknown else []
    return f"{text}; {', '.join(parts)}" if parts else text


def _finding(each: Finding, width: int) -> Iterator[StyledLine]:
    mark, style = _MARKS[each.level], _STYLES[each.level]
    first = f"{mark} {sentence(each.says)}"
    yield from (StyledLine(text, style) for text in _wrap(first, width, "  ", ""))
    yield from (StyledLine(text) for text in _wrap(f"{sentence(each.why)}.", width, "  "))
    yield from (
        StyledLine(text, "bold") for text in _wrap(f"→ {sentence(each.fix)}", width, "    ", "  ")
    )
    yield StyledLine(
        f"  {each.source}", "dim"
    )  # whole, however long: half an address leads nowhere


def _unknowns(found: Sequence[Finding], width: int) -> Iterator[StyledLine]:
    for each in joined(found):
        yield StyledLine("")
        words = f"? Not known: {each.says}"
        yield from (StyledLine(text, _STYLES["unknown"]) for text in _wrap(words, width, "  ", ""))
        yield from (StyledLine(text) for text in _wrap(f"{sentence(each.why)}.", width, "  "))
        fix = f"→ {sentence(each.fix)}"
        yield from (StyledLine(text, "bold") for text in _wrap(fix, width, "    ", "  "))


def _wrap(text: str, width: int, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def columns(speed: Speed) -> list[tuple[str, str, int]]:
    """The arrangements that were measured, each with its threads: what stands in the table."""
    known: dict[tuple[str, str, int], None] = {}
    for rate in speed.rates:
        if rate.what != PRODUCT:
            known[rate.arithmetic, rate.layout, rate.threads] = None
    return list(known)


def rows(speed: Speed) -> list[tuple[str, list[float]]]:
    """What was measured, with its rate in each of `columns`; 0 where there was no time for it."""
    whats = dict.fromkeys(rate.what for rate in speed.rates)
    order = [
        PRODUCT,
        *dict.fromkeys(each.kind for each in SAMPLES),
        POINTWISE,
    ]
    table = {(r.what, r.arithmetic, r.layout, r.threads): r.value for r in speed.rates}
    found = []
    for what in order:
        if what in whats:
            places = [("" if what == PRODUCT else layout) for _, layout, _ in columns(speed)]
            values = [
                table.get((what, arithmetic, place, threads), 0.0)
                for (arithmetic, _, threads), place in zip(columns(speed), places, strict=True)
            ]
            found.append((what, values))
    return found


def heading(column: tuple[str, str, int], speed: Speed) -> tuple[str, str, str]:
    """A column's name in three lines of at most eight signs."""
    arithmetic, layout, threads = column
    on = "GPU" if speed.device == "cuda" else f"{threads} thr."
    order = "ch. last" if layout == "channels_last" else "contig."
    return _ARITHMETICS.get(arithmetic, arithmetic[:8]), order, on


def _speed(machine: Machine, speed: Speed, width: int) -> Iterator[StyledLine]:
    words = f"Speed, {when(machine, speed)}"
    yield from (StyledLine(text, "bold") for text in _wrap(words, width, ""))
    yield from (StyledLine(text, "dim") for text in _wrap(UNIT, width, ""))
    shown = columns(speed)[: max(1, (width - _ROW) // _CELL)]
    for line in zip(*(heading(each, speed) for each in shown), strict=True):
        yield StyledLine(" " * _ROW + "".join(f"{word:>{_CELL}}" for word in line), "dim")
    for what, values in rows(speed):
        words = "".join(f"{figure(value):>{_CELL}}" for value in values[: len(shown)])
        yield StyledLine(f"{row_name(what)[:_ROW]:<{_ROW}}{words}")
    if speed.pictures:
        words = f"reading: {speed.pictures:,.0f} JPEGs of 640×480 a second in one thread"
        yield from (StyledLine(text) for text in _wrap(words, width, ""))


def row_name(what: str) -> str:
    """What was measured, with its unit where it has another."""
    return f"{what}, GB/s" if what == POINTWISE else what


def figure(value: float) -> str:
    """A rate in three figures; a dash for one that there was no time for."""
    return "–" if not value else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _epochs(epochs: Sequence[Epoch], width: int) -> Iterator[StyledLine]:
    if not epochs:
        yield StyledLine("There was no time to measure what the networks here consist of.")
        return
    yield StyledLine(f"An epoch of {PICTURES:,} pictures takes about", "bold")
    wide = width >= _WIDE
    figures = f"{'pictures':>9}{'batch':>6}{'time':>9}{'memory':>10}" if wide else f"{'time':>9}"
    yield StyledLine(f"{'':<18}{figures}  --precision auto"[:width], "dim")
    for each in epochs:
        text = choice(each)
        side, time = f"{each.side}×{each.side}", in_figures(each.seconds)
        figures = (
            f"{side:>9}{each.batch:>6}{time:>9}{gib(each.memory):>10}" if wide else f"{time:>9}"
        )
        yield StyledLine(f"{each.net:<18}{figures}  {text}"[:width])


def choice(each: Epoch) -> str:
    """What `--precision auto` is likely to take, or took here before."""
    if each.remembered:
        return f"{each.arithmetic} {each.layout} (chosen)"
    if each.compared < 2:
        return "not compared"
    text = f"{each.arithmetic} {each.layout}"
    if each.compared < each.wanted:  # The others may be faster: there was no time for them.
        text += f" ({each.compared} of {each.wanted})"
    return text


def in_figures(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3.1 min`, `2.2 h`: two figures, which is all that is known."""
    if seconds < 99.5:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 99.5:
        return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h"
