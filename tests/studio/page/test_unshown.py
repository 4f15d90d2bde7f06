"""A picture that cannot be shown is said, with the server's reason, and so is what the folder does
while the page is open."""

import pytest
from studio_page import Person, until

from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import encode_picture
from viewfinder.studio.server import news


@pytest.fixture
def quick(monkeypatch):
    """The folder is glanced at all the time."""
    monkeypatch.setattr(news, "EVERY", 0.05)


def heard(page, text):
    """Wait until the page has told something, which it asks the server for all the time."""
    script = """(text) => viewfinder.status().then(
        () => window.told.some((each) => each.includes(text)))"""
    until(lambda: page.evaluate(script, text))


def reason(page):
    page.locator("#unshown").wait_for()
    return page.locator("#unshown").inner_text()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_is_cut_off_says_which_and_why_and_comes_back_once_it_is_whole(
    served, page, person, suffix
):
    file = served.store.data / "000.png"
    whole = encode_picture(read_picture(file), suffix)
    file.write_bytes(whole[: len(whole) // 2])
    page.locator("#unshown").wait_for(state="hidden")
    page.evaluate("viewfinder.look()")
    said = reason(page)
    assert "000.png cannot be shown" in said
    assert "cut short" in said
    assert "look again" in said.lower()
    assert str(served.store.data) not in said
    assert page.locator("#stage .under img").count() == 0
    person.drag((10, 10), (200, 200))
    assert person.boxes() == []
    file.write_bytes(whole)
    page.get_by_role("button", name="Look again").click()
    page.locator("#unshown").wait_for(state="hidden")
    person.drag((10, 10), (200, 200))
    person.named("mug")
    assert len(person.boxes()) == 1


def test_a_picture_that_is_deleted_or_written_anew_while_it_is_shown_is_noticed(
    quick, served, visit
):
    folder = served.store.data
    page = visit(served.address.url)
    Person(page, served.store)
    page.evaluate("viewfinder.strip.refresh()")
    other = (folder / "001.png").read_bytes()
    (folder / "000.png").rename(folder.parent / "away.png")
    heard(page, "1 picture missing (000.png): moved away or deleted")
    assert "there is no file 000.png" in reason(page)
    page.locator(".thumb .none").wait_for()
    (folder.parent / "away.png").rename(folder / "000.png")
    heard(page, "1 picture came back (000.png)")
    page.locator("#unshown").wait_for(state="hidden")
    page.locator(".thumb .none").wait_for(state="detached")
    # Written into the same file: the folder's time is what it was.
    with (folder / "000.png").open("wb") as file:
        file.write(other)
    heard(page, "1 picture changed since labelled (000.png)")
    until(lambda: "changed" in page.locator("#state").inner_text())
