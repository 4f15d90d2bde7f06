"""Templates of pages: everything escaped, nothing undefined passed over, numbers alike."""

import functools
from datetime import date
from importlib.metadata import version

import jinja2
import numpy as np

from viewfinder.wording import counted, shown_lines


@functools.cache
def environment_of(*packages: str) -> jinja2.Environment:
    """The templates in the folders `templates` of packages, the first's before the others', with
    the colours and filters that pages share. Made once, with what it compiles."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(each) for each in (*packages, "viewfinder.evaluation")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    environment.filters["percent"] = lambda share: "–" if share is None else f"{share:.1%}"
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:.3f}"
    environment.filters["signed"] = lambda value: f"{value:+z.3f}"
    environment.filters["counted"] = counted
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment


def _seen(value: object) -> object:
    """A name of strangers with what cannot be seen written out: a direction mark turns its page."""
    return shown_lines(value) if type(value) is str else value


def made_with() -> str:
    """The versions that a page's figures were made with, and today's date."""
    versions = f"Viewfinder {version('viewfinder')}, NumPy {np.__version__}"
    return f"{versions}, {date.today().isoformat()}"
