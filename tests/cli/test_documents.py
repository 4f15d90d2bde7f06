"""What must hold of README and docs beside what stands in their commands (`test_pages.py`)."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_block_of_code_says_what_it_is():
    """So that no command stands in a block that is not run."""
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
        assert set(fences) <= {"sh", "python", "toml", "text", "console"}, page.name


def test_what_git_passes_over_is_no_package():
    """A wheel leaves out what git does: `runs/` without a root took a package with it."""
    names = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    folders = {folder.name for folder in (ROOT / "src/viewfinder").iterdir() if folder.is_dir()}
    assert not {name.rstrip("/") for name in names if name[0] != "/"} & (folders - {"__pycache__"})
