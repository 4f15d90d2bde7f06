"""The page of what was found in somebody's code: one file, nothing fetched."""

from pathlib import Path

from viewfinder.doctor.code.looking import CodeFindings
from viewfinder.doctor.code.sharing import without_user
from viewfinder.doctor.html import write_page
from viewfinder.wording import shown

_TITLES = {"broken": "No longer works", "warning": "Could be better"}


def write_report(file: Path, looked: CodeFindings) -> None:
    """Write the page.

    Raises:
        InputError: the file is none of HTML, or cannot be written.
    """
    looked = without_user(looked)
    by_level = {
        title: [each for each in looked.remarks if each.level == level]
        for level, title in _TITLES.items()
    }
    found = {title: remarks for title, remarks in by_level.items() if remarks}
    write_page(
        file, "code.html.jinja", {"looked": looked, "found": found}, filters={"shown": shown}
    )
