"""Why what was learnt answers a picture so: a key, and a page beside the studio's."""

import threading
from pathlib import Path

import pytest
from studio_page import told, until

from viewfinder.errors import InputError
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.server import reasons


class Asked:
    """Stands for the process of `viewfinder why`."""

    words: tuple[str, ...] = ()
    status = 0

    def lines(self, words, environment=None):
        type(self).words = tuple(words)
        page = f"<code>viewfinder why --html {words[-1]}</code>"
        page += "<h1>reasons</h1><script>document.title = 'awake'</script>"
        Path(words[-1]).write_text(page)
        yield "page why.html\n"


def test_a_key_shows_the_reasons_in_a_new_tab(page, person, monkeypatch):
    page.locator("#stage").focus()
    person.press("Shift+e")
    told(page, "so there is nothing to ask")
    monkeypatch.setattr(Teacher, "learnt", lambda _: "runs/first")
    monkeypatch.setattr(reasons, "Worker", Asked)
    page.evaluate(
        "Object.defineProperty(viewfinder.learning, 'state',"
        " { get: () => ({ finished: 'runs/first' }), set() {} })"
    )
    with page.context.expect_page() as opened:
        person.press("Shift+e")
    opened.value.get_by_role("heading", name="reasons", exact=True).wait_for()
    assert opened.value.title() == "awake"
    assert opened.value.locator("code").inner_text() == "viewfinder why --html why.html"
    file = Path(Asked.words[4])
    assert Asked.words[:4] == ("-m", "viewfinder", "why", "runs/first")
    assert file == person.store.path_of(person.shown())
    # It is of no origin, so that nothing in it can ask the server.
    assert opened.value.evaluate("self.origin") == "null"
    opened.value.close()


def test_while_reasons_are_looked_for_and_where_there_are_none_a_page_says_so(
    served, page, monkeypatch
):
    goes_on = threading.Event()

    class Slow(Asked):
        def lines(self, words, environment=None):
            assert goes_on.wait(60)
            yield "no page is written\n"

    monkeypatch.setattr(Teacher, "learnt", lambda _: "runs/first")
    monkeypatch.setattr(reasons, "Worker", Slow)
    folder = served.store.data
    (folder / "000.png").rename(folder / "<b>\u202ex.png")
    served.store.look_at_disk()
    url = f"{served.root}/api/pictures/1/why"
    page.goto(url, wait_until="commit")
    # While another page is on its way, only the browser itself tells what it shows.
    browser = page.context.new_cdp_session(page)
    asked = {"expression": "document.body?.innerText ?? ''"}

    def shown():
        return browser.send("Runtime.evaluate", asked)["result"]["value"]

    until(lambda: "Looking for reasons" in shown())
    assert "a minute or two" in shown()
    assert "<b>\u202ex.png" in shown()
    assert "&lt;b&gt;" in page.context.request.get(url).text()
    goes_on.set()
    until(lambda: "No reasons" in shown())
    assert "what was learnt finds nothing in this picture" in shown()
    answer = page.goto(f"{served.root}/api/pictures/99/why")  # none of this number
    assert answer.status == 400
    assert "There are none to show" in page.locator("p").first.inner_text()


def test_what_cannot_be_asked_is_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="not in frames of videos"):
        reasons.reasons_page("runs/first", tmp_path / "frame")

    class Failed(Asked):
        status = 2

        def lines(self, words, environment=None):
            yield "error: runs/first does not exist\n"

    monkeypatch.setattr(reasons, "Worker", Failed)
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=r"^runs/first does not exist$"):
        reasons.reasons_page("runs/first", tmp_path / "a.png")

    class Finds(Asked):
        """Nothing, of which `why` writes no page."""

        def lines(self, words, environment=None):
            yield "no page is written, as there is no answer to show the reasons of\n"

    monkeypatch.setattr(reasons, "Worker", Finds)
    with pytest.raises(InputError, match="finds nothing in this picture"):
        reasons.reasons_page("runs/first", tmp_path / "a.png")
