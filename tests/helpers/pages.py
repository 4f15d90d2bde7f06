"""The blocks of code on README.md and docs/*.md, and running them in order in one folder."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# A comment that stands before a block which no test can run, and says why.
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\n+\Z", re.DOTALL)
# What the numbers of these flags cost is time alone: the command is the same with smaller ones.
_MEASURES = frozenset(
    (
        "--epochs",
        "--minutes",
        "--seeds",
        "--count",
        "--size",
        "--train",
        "--val",
        "--test",
        "--shift",
    )
)
# And these say nothing of what the command does.
_MEANS = frozenset({"--precision", "--processes", "--keep"})

Ask = Callable[..., tuple[int, str, str]]
"""From a command's words to its status, its standard output and its standard error."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        kind: what its fence says.
        not_run: why no test runs it, if none does.
    """

    page: str
    kind: str
    text: str
    not_run: str | None

    def commands(self) -> list[str]:
        """The commands of a block for a shell, without their comments."""
        if self.kind == "console":
            return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        lines = (line.partition(" #")[0].strip() for line in self.text.splitlines())
        return [line for line in lines if line]


def blocks(page: Path) -> list[Block]:
    """A page's fenced blocks, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        why = NOT_RUN.search(text[: match.start()])
        found.append(Block(page.name, match[1], match[2], why[1] if why else None))
    return found


@dataclass(frozen=True)
class Shorter:
    """What makes the blocks of a page short enough for a test, and changes nothing else.

    Attributes:
        flags: by a command of the page, measures to add to it, or to give instead of its own.
        text: by a piece of a block that is no command, the piece with smaller numbers, or with
            more arguments.
    """

    flags: Mapping[str, str]
    text: Mapping[str, str]

    def of_command(self, line: str) -> list[str]:
        """A command's words, with its measures."""
        words = shlex.split(line)
        given = shlex.split(self.flags.get(line, ""))
        for flag, value in zip(given[::2], given[1::2], strict=True):
            assert flag in _MEASURES | _MEANS, f"{flag} is no measure: {line}"
            if flag not in words:
                words += [flag, value]
                continue
            assert flag in _MEASURES, f"{line}: says its {flag}"
            place = words.index(flag) + 1
            assert float(value) < float(words[place]), f"{line}: {flag} {value} is no less"
            words[place] = value
        return words

    def of_text(self, text: str) -> str:
        for piece, short in self.text.items():
            assert _is_shorter(piece, short), f"{short!r} is not {piece!r} made shorter"
            text = text.replace(piece, short)
        return text


def _is_shorter(piece: str, short: str) -> bool:
    """Whether only numbers are smaller, lists are shorter, or a measure was added behind."""
    if re.fullmatch(r', epochs=\d+(, size=\d+)?(, precision="32")?', short.removeprefix(piece)):
        return True
    ((name, had),), ((same, has),) = (tomllib.loads(text).items() for text in (piece, short))
    return name == same and (set(has) < set(had) if isinstance(had, list) else has < had)


def run_page(page: Path, ask: Ask, shorter: Shorter) -> list[str]:
    """Run a page's blocks in the folder of now, in order; the commands that were run.

    A block of TOML is kept as the file that the next command names.
    """
    done: list[str] = []
    toml = ""
    for block in blocks(page):
        if block.not_run:
            continue
        if block.kind == "toml":
            toml = shorter.of_text(block.text)
        if block.kind == "python":
            exec(compile(shorter.of_text(block.text), page.name, "exec"), {})
            done.append(block.text)
        if block.kind not in ("sh", "console"):
            continue
        for line in block.commands():
            if toml:
                Path(shlex.split(line)[-1]).write_text(toml, encoding="utf-8")
                toml = ""
            status, told = _run(line, ask, shorter)
            below = _below(block, line)
            assert status in _statuses(line, below, told), f"{line}:\n{told}"
            assert _is_told(below, told), f"{line} says:\n{told}\nand not:\n{below}"
            done.append(line)
    return done


def _run(line: str, ask: Ask, shorter: Shorter) -> tuple[int, str]:
    """Run one command as the shell would; its status and all that it printed."""
    # What stands in single quotes a shell leaves alone.
    plain = re.sub(r"'[^']*'", "", line)
    assert not re.search(r"[|<>&;$`*?~\\]", plain), f"{line}: no shell runs it here"
    words = shorter.of_command(line)
    program, *words = words[2:] if words[:2] == ["uv", "run"] else words
    if program == "cp":
        shutil.copy(*words)
        return 0, ""
    if program == "python":
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr + done.stdout
    assert program == "viewfinder", line
    status, out, err = ask(*words)
    return status, err + out


def _below(block: Block, line: str) -> str:
    """What stands below a command, as what it says."""
    return block.text.partition(f"$ {line}\n")[2].partition("\n$ ")[0].rstrip("\n")


def _statuses(line: str, below: str, told: str) -> tuple[int, ...]:
    """2 of an error that the page expects, 1 of a shape that does not fit, else 0."""
    if below.startswith("error: "):
        return (2,)
    if line.startswith("viewfinder doctor"):
        return (0, 1)  # The machine may be ill.
    return (1,) if "\n✗ " in told else (0,)


def _is_told(below: str, told: str) -> bool:
    """Whether a command said what stands below it; `…` stands for anything."""
    return bool(re.search(".*".join(map(re.escape, below.split("…"))), told, re.DOTALL))
