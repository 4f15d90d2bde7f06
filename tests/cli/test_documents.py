"""Every command in README and docs is one: its verb, flags and choices are there."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from viewfinder.cli.main import VERBS
from viewfinder.cli.main import _parsed as parsed
from viewfinder.cli.meant import refuse_misspelt_net

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What is no command of ours, and is run by people or by other tests.
OTHERS = {"git clone … && cd viewfinder", "scripts/demo", "scripts/test"}


def commands() -> list[tuple[str, str]]:
    """Each line of each block of shell commands, without its comment, with its page."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(
            r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL
        ):
            lines = (line.partition(" #")[0].strip() for line in block.splitlines())
            found += [(page.name, line) for line in lines if line and line not in OTHERS]
    return found


def test_there_are_commands_on_the_pages():
    assert {"README.md", "explain.md", "labelling.md"} <= {page for page, _ in commands()}


@pytest.mark.parametrize(("page", "line"), commands(), ids=lambda value: value[:70])
def test_a_command_on_a_page_is_understood(page, line):
    program, verb, *words = shlex.split(line.removeprefix("uv run "))
    if program == "cp":
        return
    assert program == "viewfinder", f"{page}: {line}"
    assert verb in VERBS
    flags = parsed(importlib.import_module(f"viewfinder.cli.{verb}"), verb, words)
    if verb == "train":
        refuse_misspelt_net(flags.recipe.net, flags.task)


def test_every_block_of_code_says_what_it_is():
    """So that no command stands in a block that the test above passes over."""
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
        assert set(fences) <= {"sh", "python", "toml", "text", "json", "console", ""}, page.name


def test_what_git_passes_over_is_no_package():
    """A wheel leaves out what git does: `runs/` without a root took a package with it."""
    names = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    folders = {folder.name for folder in (ROOT / "src/viewfinder").iterdir() if folder.is_dir()}
    assert not {name.rstrip("/") for name in names if name[0] != "/"} & (folders - {"__pycache__"})
