"""The page of what was found in somebody's code: one file, nothing fetched."""

from pathlib import Path

from viewfinder.doctor.code.looking import Looked
from viewfinder.errors import InputError
from viewfinder.evaluation.templating import environment_of
from viewfinder.files import write_text
from viewfinder.wording import shown

_TITLES = {"broken": "No longer works", "warning": "Could be better"}


def write_report(file: Path, looked: Looked) -> None:
    """Write the page.

    Raises:
        InputError: the file is none of HTML, or cannot be written.
    """
    if file.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--report {file}: the page is HTML, name it {file.with_suffix('.html')}")
    templates = environment_of("viewfinder.doctor")
    templates.filters["shown"] = shown
    page = templates.get_template("code.html.jinja")
    by_level = {
        title: [each for each in looked.remarks if each.level == level]
        for level, title in _TITLES.items()
    }
    found = {title: remarks for title, remarks in by_level.items() if remarks}
    write_text(file, page.render(looked=looked, found=found))
