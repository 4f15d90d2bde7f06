"""What is broken beneath the server costs nobody an edit, and no answer waits for a network."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from studio_page import ready, until

from viewfinder.errors import InputError
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, Unavailable


def test_an_edit_waits_in_the_page_while_the_disk_is_full(served, person, page, monkeypatch):
    served.store.apply(Operation("k", (PutClass("k", "K", 0),)))
    person.reload()
    right = served.store.apply

    def full(_operation: Operation) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(served.store, "apply", full)
    person.drag((10, 10), (200, 200))
    page.locator("#sending", has_text="offline").wait_for()
    assert served.store.picture(1).boxes == ()
    monkeypatch.setattr(served.store, "apply", right)
    assert person.boxes() == [("K", [10, 10, 200, 200])]


def test_a_page_whose_server_was_begun_anew_says_what_to_do_and_goes_on(served, person, page):
    served.store.apply(Operation("k", (PutClass("k", "K", 0),)))
    person.reload()
    port = served.address.port

    def says(text):
        page.evaluate("viewfinder.status().catch(() => {})")
        return text in (page.locator("#away").text_content() or "")

    served.stop()
    person.drag((10, 10), (200, 200))
    until(lambda: says("The server does not answer") and says("1 edit is kept"))
    served.start(port)
    until(lambda: says("The studio was started anew"))
    assert page.locator("#away").is_visible()
    page.context.new_page().goto(served.address.url)
    page.locator("#away").wait_for(state="hidden")
    assert person.boxes() == [("K", [10, 10, 200, 200])]


def test_a_new_address_in_the_same_tab_opens_the_picture_in_hand(served, person, page):
    served.store.apply(Operation("done", (SetState(3, "done", 1),)))
    person.open(3)
    until(lambda: person.shown() == 3)
    port = served.address.port
    served.stop()
    served.start(port)
    page.goto(served.address.url)
    ready(page)
    assert person.shown() == 3
    assert page.evaluate("location.hash") == "#3"


@pytest.mark.parametrize(
    ("raised", "status"), [(Unavailable("full"), 503), (InputError("wrong"), 400)]
)
def test_what_would_be_right_later_is_told_from_what_is_wrong(
    served, page, monkeypatch, raised, status
):
    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.setattr(served.store, "apply", refuse)
    put = {"do": "PutClass", "id": "c", "name": "a", "base": 0}
    send = """(body) => fetch("/api/operations", {method: "POST", body: JSON.stringify(body),
        headers: {"content-type": "application/json"}}).then((answer) => answer.status)"""
    assert page.evaluate(send, {"id": "a", "changes": [put]}) == status


def test_answers_do_not_wait_for_acknowledgements(served):
    """Without TCP_NODELAY each answer of a head and a body took 40 ms more."""
    options = []

    async def accept() -> None:
        with studio_server(served.store, person="a", port=0) as (_, bound, address):

            def heard(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                link = writer.get_extra_info("socket")
                options.append(link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                writer.close()

            async with await asyncio.start_server(heard, sock=bound):
                _, writer = await asyncio.open_connection("127.0.0.1", address.port)
                while not options:
                    await asyncio.sleep(0.01)
                writer.close()

    # In a thread without a loop of its own: the browser's has one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, accept()).result(60)
    assert options[0] != 0


def test_an_answer_that_was_on_its_way_is_older_than_the_edit_that_was_kept_meanwhile(
    served, person, page
):
    """Else the next edit would be based on a revision that is no more, and be refused."""
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.saved()
    page.evaluate("""() => { const right = window.fetch;
        window.fetch = async (...asked) => {
          const answer = await right(...asked);
          if (String(asked[0]).endsWith("/api/pictures/1")) {
            window.held = true;
            await new Promise((go) => { window.release = go; });
          }
          return answer;
        };
        window.fresh = viewfinder.labels.load(1, {fresh: true}); }""")
    until(lambda: page.evaluate("Boolean(window.held)"))
    person.press("ArrowRight")
    until(lambda: person.boxes() == [("mug", [101, 100, 201, 180])])
    page.evaluate("() => { window.release(); return window.fresh; }")
    person.press("ArrowRight")
    until(lambda: person.boxes() == [("mug", [102, 100, 202, 180])])


def test_a_page_shows_what_another_did_and_stays_at_its_picture(person, served):
    page, store = person.page, served.store
    store.apply(Operation("class", (PutClass("c", "mug", 0),)))
    person.open(2)
    until(lambda: person.shown() == 2)
    store.apply(Operation("another", (PutBox("b", 2, "c", (10, 10, 90, 80), 0),), "another"))
    page.evaluate("viewfinder.status()")
    until(lambda: page.evaluate("viewfinder.studio.boxes.size") == 1)
    person.reload()
    assert person.shown() == 2


def test_nothing_is_said_to_be_kept_in_a_folder_that_was_moved(person, served):
    """An open file is written to wherever it went, and nobody would find it there."""
    page, store = person.page, served.store
    store.apply(Operation("class", (PutClass("c", "mug", 0),)))
    page.evaluate("viewfinder.status()")
    until(lambda: page.evaluate("viewfinder.labels.listed().length") == 1)
    away = store.data.with_name("away")
    store.data.rename(away)
    person.drag((20, 20), (90, 80))
    until(lambda: "kept here" in page.locator("#sending").inner_text())
    title = page.locator("#sending").get_attribute
    until(lambda: "moved, removed or replaced" in title("title"))
    away.rename(store.data)
    assert person.boxes() == [("mug", [20, 20, 90, 80])]


def test_a_database_that_is_away_is_said_and_not_a_server_that_answers(served, page, monkeypatch):
    until(lambda: page.evaluate("Boolean(window.viewfinder?.studio.picture)"))
    why = "PostgreSQL (db.lab:5432/screws) does not answer"

    def away(*_: object, **__: object) -> None:
        raise Unavailable(why)

    with monkeypatch.context() as patch:
        patch.setattr(served.store, "history", away)
        page.evaluate("viewfinder.status().catch(() => {})")
        until(lambda: why in (page.locator("#away").text_content() or ""))
        assert "The database does not answer." in page.locator("#away").text_content()
        assert "start" not in page.locator("#away").text_content()
    page.evaluate("viewfinder.status().catch(() => {})")
    page.locator("#away").wait_for(state="hidden")
