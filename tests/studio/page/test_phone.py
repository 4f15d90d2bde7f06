"""The page on a phone, in a browser that is touched: nothing that drawing needs is out of reach."""

import pytest
from studio_page import Person, until

from viewfinder.studio.store import Operation, PutClass


@pytest.fixture
def phone(served, chromium):
    """A phone with a page of two classes open, and what sends it a finger's stroke."""
    names = [f"class {number}" for number in range(9)]
    classes = tuple(PutClass(f"c{n}", name, 0, position=n) for n, name in enumerate(names))
    served.store.apply(Operation("classes", classes))
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(served.address.url)
    page.locator("#chips button").first.wait_for()
    yield page
    context.close()


def stroke(page, start, end):
    """Draw with a finger."""
    finger = page.context.new_cdp_session(page)
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    for kind, place in (
        ("touchStart", start),
        ("touchMove", middle),
        ("touchMove", end),
        ("touchEnd", None),
    ):
        points = [{"x": place[0], "y": place[1]}] if place else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    finger.detach()


def choose(page, name):
    """Tap a class; once more where the browser took it for a long press, as it was busy."""
    chip = page.locator("#chips button", has_text=name)

    def chosen():
        chip.tap()
        return chip.get_attribute("aria-pressed") == "true"

    until(chosen)


def test_classes_are_chosen_below_the_picture_without_scrolling_it_away(phone, served):
    person = Person(phone, served.store)
    row, stage = (phone.locator(each).bounding_box() for each in ("#chips", "#stage"))
    assert stage["y"] + stage["height"] <= row["y"] + 1
    assert row["y"] + row["height"] < 844
    choose(phone, "class 1")
    stroke(phone, person.place(100, 100), person.place(300, 300))
    until(lambda: [label for label, _ in person.boxes()] == ["class 1"])
    choose(phone, "class 2")
    until(lambda: [label for label, _ in person.boxes()] == ["class 2"])
    # The class of what is drawn is pushed into sight, wherever it stands in the row.
    phone.evaluate("viewfinder.run('deselect')")
    phone.evaluate("viewfinder.studio.label = 'c8', viewfinder.draw()")
    last = phone.locator("#chips button[aria-pressed='true']")
    until(lambda: last.inner_text() == "class 8")
    place = last.bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390
    phone.set_viewport_size({"width": 1280, "height": 720})
    phone.locator("#chips").wait_for(state="hidden")
