"""What the tests of every task's report stand on."""

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

import pytest

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.report import write_report
from viewfinder.runs.run import RunFolder

# What needs no other file: pictures within the page, and places in it.
OWN = ("data:image/jpeg;base64,", "data:image/png;base64,", "#")


class Page(HTMLParser):
    """A page's tags, its text, and what of it would be fetched or run.

    Attributes:
        source: the file's text.
        told: all that a reader sees, between single spaces.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self._text: list[str] = []
        self.feed(source)
        self.told = " ".join(" ".join(self._text).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        words = {"img": "alt", "svg": "aria-label"}.get(tag)
        assert words is None or dict(attributes).get(words), f"<{tag}> says nothing to the blind"
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                self.fetched.append(value or "")
            assert not name.startswith("on"), f"<{tag} {name}> would run"

    def handle_data(self, data: str) -> None:
        self._text.append(data)


PageOf = Callable[[RunFolder, Dataset, Mapping[str, Judgement]], Page]


@pytest.fixture
def page_of() -> PageOf:
    """Writes a report and reads it back; it must be one file that fetches and runs nothing."""

    def write(run: RunFolder, dataset: Dataset, judgements: Mapping[str, Judgement]) -> Page:
        write_report(run, dataset, judgements)
        page = Page(run.report_file.read_text(encoding="utf-8"))
        assert {"script", "link", "iframe", "object", "b2", "i", "u", "em"}.isdisjoint(page.tags)
        assert all(url.startswith(OWN) for url in page.fetched)
        assert not re.search(r"@import|url\((?!#)", page.source)
        return page

    return write
