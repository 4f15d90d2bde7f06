"""Two people at two pages of one set: each sees who is where, and has pictures of their own."""

import pytest
from studio_page import Person, told, until

from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState


@pytest.fixture
def pages(served, visit):
    """Opens pages, each in a browser of its own, by the name of who is before it."""

    def begin(name=None):
        named = f"localStorage.setItem('viewfinder person', '{name}')" if name else ""
        return Person(visit(served.address.url, named), served.store)

    return begin


def test_two_pages_are_handed_pictures_of_their_own(pages, served):
    store = served.store
    store.apply(Operation("k", (PutClass("k", "K", 0),)))
    ann = pages("Ann")
    until(lambda: store.seats.there() and store.seats.there()[0].picture == 1)
    bea = pages("Bea")
    assert bea.shown() != ann.shown()
    bea.page.evaluate("viewfinder.travel.open(1)")
    bea.page.get_by_text("Ann has this picture: look, and do not edit").wait_for()
    bea.drag((10, 10), (200, 200))
    told(bea.page, "Ann has this picture now.")
    assert store.picture(1).boxes == ()
    bea.press("Enter")
    until(lambda: bea.shown() != 1)
    bea.saved()
    assert store.picture(1).picture.state == "todo"
    ann.drag((10, 10), (200, 200))
    ann.press("Enter")
    until(lambda: ann.shown() != 1)
    until(lambda: [each.person for each in store.history(count=2)] == ["Ann", "Ann"])
    ann.page.close()  # all that she had is free
    until(lambda: [each.person for each in store.seats.there()] == ["Bea"])


def test_a_browser_whose_page_could_not_say_that_it_was_closed_goes_on_where_it_was(pages, served):
    served.store.apply(Operation("k", (PutClass("k", "K", 0),)))
    first = pages()
    first.page.evaluate("viewfinder.travel.open(2)")
    until(lambda: [each.picture for each in served.store.seats.there()] == [2])
    second = first.page.context.new_page()
    second.goto(served.address.url)
    assert Person(second, served.store).shown() == 1
    second.close()
    until(lambda: [each.picture for each in served.store.seats.there()] == [2])
    served.stop()
    context = first.page.context
    first.page.close()
    served.start(served.address.port)
    page = context.new_page()
    page.goto(served.address.url)
    again = Person(page, served.store)
    assert again.shown() == 2
    again.drag((10, 10), (200, 200))
    until(lambda: len(again.boxes(2)) == 1)


def test_what_is_done_is_reopened_on_purpose(pages, served):
    put = PutBox("b", 1, "k", (10, 10, 200, 200), 0)
    served.store.apply(Operation("k", (PutClass("k", "K", 0), put, SetState(1, "done", 1))))
    person = pages()
    person.page.evaluate("viewfinder.travel.open(1)")
    person.page.get_by_role("button", name="Reopen (u)").wait_for()
    person.drag((300, 300), (400, 400))
    told(person.page, "This picture is done: u reopens it.")
    assert len(person.boxes()) == 1
    person.press("u")
    until(lambda: person.page.locator("#state").inner_text() == "to do")
    person.drag((300, 300), (400, 400))
    until(lambda: len(person.boxes()) == 2)


def test_a_second_opinion_is_given_and_what_differs_is_decided(pages, served):
    store = served.store
    drawn = (PutBox("a", 1, "k", (10, 10, 100, 100), 0), PutBox("b", 1, "k", (300, 10, 400, 90), 0))
    classes = PutClass("k", "mug", 0), PutClass("m", "plate", 0, position=1)
    store.apply(Operation("k", (*classes, *drawn, SetState(1, "done", 1)), "Ann"))
    store.opinions.ask_for(100)
    bea = pages("Bea")
    bea.page.get_by_text("Second opinion: label this picture anew").wait_for()
    assert bea.shown() == 1 + SECOND
    assert bea.page.evaluate("viewfinder.studio.boxes.size") == 0
    bea.press("2")
    bea.drag((12, 10), (100, 102))
    bea.press("Enter")
    until(lambda: bea.shown() < SECOND)
    bea.saved()
    assert store.counts().states["done"] == 1
    bea.page.locator("#people").click()
    bea.page.locator("#decide").click()
    bea.page.get_by_text("1 of 2 · 000.png · They name it differently; 0 alike").wait_for()
    bea.press("2")
    bea.page.get_by_text("Only the first has this box").wait_for()
    bea.press("1")
    told(bea.page, "Nothing differs any more.")
    until(lambda: not store.opinions.compared()[0].differences)
    labels = [(each.label, each.corners[0]) for each in store.picture(1).boxes]
    assert labels == [("m", 12.0), ("k", 300.0)]


def test_others_than_this_machine_are_asked_their_name_once(chromium, served):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/api/start", lambda route: answered(route))

    def answered(route):
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"local": False})

    page.goto(served.address.url)
    page.get_by_label("Your name").fill("Čeněk")
    page.keyboard.press("Enter")
    until(lambda: page.locator("#people").inner_text() == "Čeněk")
    page.reload()
    until(lambda: page.locator("#people").inner_text() == "Čeněk")
    assert not page.locator("dialog").is_visible()
    context.close()
