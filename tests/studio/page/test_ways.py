"""From opening a picture to the next one: with keys alone, a mouse alone, a pen, fingers."""

import pytest
from studio_page import until


def finished(store):
    """What the first picture has come to, by class."""
    until(lambda: store.picture(1).picture.state == "done")
    names = {each.id: each.name for each in store.classes()}
    one = store.picture(1)
    assert not [each for each in one.proposals if each.state == "open"]
    return sorted((names[each.label], *map(round, each.corners)) for each in one.boxes)


def test_with_keys_alone(proposed, person):
    press = person.press
    press("p", "y")  # one accepted
    # The other is chosen now; a nudge corrects it and so accepts it, and it stays chosen.
    press("Shift+ArrowRight", "ArrowDown", "Alt+Shift+ArrowRight", "Alt+ArrowUp")
    press("w", "2", "Shift+ArrowUp", "Shift+ArrowUp", "Alt+Shift+ArrowLeft")
    press("w", "c")
    person.page.locator("dialog input").wait_for()
    person.page.keyboard.type("lid")
    press("Enter")
    person.answered()
    press("ArrowDown", "ArrowDown", "Delete", "Control+z", "Enter")
    assert finished(proposed) == [
        ("lid", 256, 194, 384, 290),
        ("mug", 20, 20, 90, 90),
        ("plate", 130, 21, 210, 90),
        ("plate", 256, 172, 374, 268),
    ]
    until(lambda: person.shown() == 2)


def test_with_a_mouse_alone(proposed, person):
    page = person.page
    click = lambda name: page.get_by_role("button", name=name, exact=True).click()  # noqa: E731
    person.click(50, 50)
    click("Accept")
    person.drag((190, 90), (200, 110))  # the next is chosen: pulled, and so accepted
    person.drag((300, 300), (400, 380))
    click("plate")
    person.click(350, 340)
    person.drag((350, 340), (360, 345))
    person.drag((20, 300), (90, 380))
    click("Delete")
    person.drag((20, 300), (99, 380))
    click("mug")
    page.get_by_role("button", name="Done: to the next picture to do").click()
    assert finished(proposed) == [
        ("mug", 20, 20, 90, 90),
        ("mug", 20, 300, 99, 380),
        ("plate", 120, 20, 200, 110),
        ("plate", 310, 305, 410, 385),
    ]
    until(lambda: person.shown() == 2)


def test_after_a_click_on_a_button_keys_are_the_pictures(proposed, person):
    """Enter says done, and does not click the button once more."""
    person.drag((300, 300), (400, 380))
    person.page.get_by_role("button", name="plate", exact=True).click()
    person.press("Enter")
    until(lambda: person.shown() == 2)


class Hands:
    """A pen and fingers, as the browser hears of them from a tablet."""

    def __init__(self, person):
        self._person, self._devtools = person, person.page.context.new_cdp_session(person.page)

    def pen(self, start, end):
        for kind, (x, y), down in (
            ("mousePressed", self._person.place(*start), 1),
            ("mouseMoved", self._person.place(*end), 1),
            ("mouseReleased", self._person.place(*end), 0),
        ):
            self._devtools.send(
                "Input.dispatchMouseEvent",
                {"type": kind, "x": x, "y": y, "button": "left", "buttons": down, "clickCount": 1,
                 "pointerType": "pen", "force": 0.5},
            )  # fmt: skip

    def fingers(self, *paths):
        """Each finger's path, on the screen; all begin and end at once."""
        self._touch("touchStart", [path[0] for path in paths])
        for places in list(zip(*paths, strict=True))[1:]:
            self._touch("touchMove", places)
        self._touch("touchEnd", [])

    def _touch(self, kind, places):
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        self._devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_pen_draws_a_finger_pans_and_two_fingers_zoom(proposed, person):
    hands = Hands(person)
    view = lambda: person.page.evaluate("({...viewfinder.stage.view})")  # noqa: E731
    hands.pen((300, 300), (400, 380))
    until(lambda: len(proposed.picture(1).boxes) == 1)
    assert person.boxes() == [("mug", [300, 300, 400, 380])]
    before = view()
    hands.fingers([(500, 300), (520, 320), (560, 330)])
    along = {**before, "x": before["x"] + 60, "y": before["y"] + 30}
    until(lambda: view() == pytest.approx(along))
    under = person.place(320, 240)
    spread = [[(under[0] - d, under[1]) for d in (40, 60, 80)]]
    spread += [[(under[0] + d, under[1]) for d in (40, 60, 80)]]
    hands.fingers(*spread)
    until(lambda: view()["scale"] == pytest.approx(2 * before["scale"], rel=1e-3))
    assert person.place(320, 240) == pytest.approx(under, abs=1)
    assert len(person.boxes()) == 1
    # A tap chooses, a finger pulls a handle of what is chosen, and does not move the picture.
    person.press("f")
    person.rest()
    tap = person.place(350, 340)
    hands.fingers([tap, tap])
    start, end = person.place(400, 380), person.place(420, 390)
    hands.fingers([start, end, end])
    until(lambda: person.boxes() == [("mug", [300, 300, 420, 390])])
