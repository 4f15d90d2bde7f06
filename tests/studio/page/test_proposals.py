"""Proposals on the page: accepted, corrected, refused, and taken by sliders."""

from dataclasses import replace

import numpy as np
import pytest
from studio_page import until

from viewfinder.labelling.proposals import Proposals
from viewfinder.studio.store import Operation, PutBox, PutClass
from viewfinder.tasks.detect.detections import Detections


def proposed(served):
    assert served.store.propose("run:a", proposed_of(served)) == 4


def proposed_of(served):
    corners = np.array(
        [[20, 20, 90, 90], [120, 20, 190, 90], [220, 20, 290, 90], [20, 220, 90, 290]]
    )
    path = served.store.picture(1).picture.path
    return Proposals(
        paths=(path,),
        sizes=np.array([[640, 480]]),
        classes=("mug", "<b>plate</b>"),
        pictures=np.zeros(4, np.int64),
        found=Detections(
            corners.astype(np.float64), np.array([0.93, 0.8, 0.7, 0.3]), np.array([0, 0, 1, 0])
        ),
        sources=("run:a",) * 4,
    )


def test_accepting_correcting_and_refusing(person, served):
    proposed(served)
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    person.press("p", "y")  # the surest, and then the next is chosen
    until(lambda: len(served.store.picture(1).boxes) == 1)
    assert person.boxes() == [("mug", [20, 20, 90, 90])]
    person.drag((190, 90), (200, 110))  # corrected and so accepted
    until(lambda: len(served.store.picture(1).boxes) == 2)
    assert person.boxes()[1] == ("mug", [120, 20, 200, 110])
    person.press("x")
    until(lambda: served.store.picture(1).picture.proposals == 1)
    person.press("Control+z")
    until(lambda: served.store.picture(1).picture.proposals == 2)
    person.press("Control+y")
    until(lambda: served.store.picture(1).picture.proposals == 1)
    box = served.store.picture(1).boxes[0]
    assert (box.source, round(box.score, 2)) == ("run:a", 0.93)
    proposed_again = [each.state for each in served.store.picture(1).proposals]
    assert sorted(proposed_again) == ["accepted", "accepted", "open", "rejected"]


def test_what_is_proposed_goes_by_the_name_that_its_class_has_now(person, served):
    page = person.page
    classes = (PutClass("m", "mug", 0), PutClass("p", "<b>plate</b>", 0, position=1))
    served.store.apply(Operation("classes", classes))
    proposed(served)
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    page.get_by_role("button", name="Change mug").click()
    page.get_by_role("button", name="Rename").click()
    page.locator("dialog input").fill("cup")
    person.press("Enter")
    person.answered()
    shown = "[...new Set(viewfinder.studio.ghosts().map((each) => each.name))].sort().join()"
    assert page.evaluate(shown) == "<b>plate</b>,cup"
    person.press("p", "y")
    until(lambda: len(served.store.picture(1).boxes) == 1)
    page.get_by_role("button", name="Change <b>plate</b>").click()
    page.get_by_role("button", name="Merge into another").click()
    person.named("cup")
    assert page.evaluate(shown) == "cup"
    person.press("Shift+Y")
    until(lambda: len(served.store.picture(1).boxes) == 3)
    assert {each.label for each in served.store.picture(1).boxes} == {"m"}
    assert len(served.store.classes()) == 2


def test_what_is_decided_is_marked_no_more_under_a_pointer_that_rests(person, served):
    proposed(served)
    page = person.page
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    page.mouse.move(*person.place(55, 55))
    marked = "viewfinder.stage.pointed?.join()"
    until(lambda: page.evaluate(marked) == "20,20,90,90")
    person.press("x")
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == 3)
    assert page.evaluate(marked) is None


def test_a_stroke_with_a_key_held_decides_all_that_it_passes(person, served):
    proposed(served)
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    person.page.keyboard.down("x")
    # Between its two events the pointer passes the first; what was swept shows before it is kept.
    person.page.mouse.move(*person.place(10, 50))
    person.page.mouse.down()
    person.page.mouse.move(*person.place(205, 50))
    until(lambda: person.page.evaluate("viewfinder.studio.swept.size") == 2)
    person.press("Escape")
    person.rest()
    person.page.mouse.up()
    assert person.page.evaluate("viewfinder.studio.ghosts().length") == 4
    person.page.keyboard.up("x")
    person.page.keyboard.down("y")
    person.drag((10, 50), (300, 50))
    person.page.keyboard.up("y")
    until(lambda: len(served.store.picture(1).boxes) == 3)
    assert [name for name, _ in person.boxes()] == ["mug", "mug", "<b>plate</b>"]
    person.drag((300, 100), (400, 200))  # without a key, it draws
    until(lambda: len(served.store.picture(1).boxes) == 4)
    person.press("Control+z", "Control+z")
    until(lambda: not served.store.picture(1).boxes)
    # The key refuses the one under the pointer, and the drag goes on from there: what lies beneath
    # it is not passed.
    beneath = replace(
        proposed_of(served),
        pictures=np.zeros(1, np.int64),
        found=Detections(np.array([[5.0, 200, 110, 310]]), np.array([0.2]), np.zeros(1, np.int64)),
        sources=("run:b",),
    )
    assert served.store.propose("run:b", beneath) == 1
    person.reload()
    until(lambda: person.page.evaluate("viewfinder.studio.ghosts().length") == 5)
    person.page.mouse.move(*person.place(50, 250))
    person.page.keyboard.down("x")
    person.rest()
    person.drag((50, 250), (80, 250))
    person.page.keyboard.up("x")
    person.saved()
    assert served.store.picture(1).picture.proposals == 4


def test_a_proposal_chosen_by_itself_is_not_in_the_way_of_drawing(person, served):
    """The next is chosen once one is accepted; a drag within it draws all the same."""
    proposed(served)
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    person.press("p", "y")
    until(lambda: len(served.store.picture(1).boxes) == 1)
    person.drag((140, 35), (180, 75))
    until(lambda: len(served.store.picture(1).boxes) == 2)
    assert person.boxes()[1] == ("mug", [140, 35, 180, 75])
    assert served.store.picture(1).picture.proposals == 3


def test_sliders_say_what_they_would_take_and_are_remembered(person, served):
    proposed(served)
    person.page.reload()
    accept = person.page.locator("#accept-all")
    until(lambda: accept.is_visible() and accept.inner_text() == "accept 3")
    slider = person.page.get_by_label("Least score of mug")
    slider.fill("0.9")
    until(lambda: accept.inner_text() == "accept 2")
    slider.dispatch_event("change")
    until(lambda: "0.9" in (served.store.meta("settings:tester") or ""))
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.above().length") == 2)
    person.press("Shift+y")
    until(lambda: len(served.store.picture(1).boxes) == 2)
    assert [name for name, _ in person.boxes()] == ["mug", "<b>plate</b>"]
    person.press("Control+z")
    until(lambda: not served.store.picture(1).boxes)
    assert served.store.picture(1).picture.proposals == 4


def test_keys_are_for_the_proposal_under_the_pointer(person, served):
    proposed(served)
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)

    def over(x, y, key, left):
        person.page.mouse.move(*person.place(x, y))
        until(lambda: person.page.evaluate("viewfinder.studio.pointed()"))
        person.press(key)
        until(lambda: person.page.evaluate("viewfinder.studio.ghosts().length") == left)
        assert person.page.evaluate("viewfinder.studio.ghost") is None

    over(50, 50, "x", 3)
    over(150, 50, "y", 2)
    over(250, 50, "1", 1)  # the plate is a mug, too
    person.press("Escape")
    person.page.mouse.move(*person.place(50, 250))
    person.press("1")  # not to be taken, below the slider: the class of the next box
    assert person.boxes() == [("mug", [120, 20, 190, 90]), ("mug", [220, 20, 290, 90])]
    assert served.store.picture(1).picture.proposals == 1


def test_sliders_follow_what_was_right_in_pictures_that_are_done(person, served):
    proposed(served)
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    script = """() => { const { studio } = viewfinder; const found = [];
        for (const done of [1, 2]) {
          const boxes = new Map([["b", { label: "m", corners: [20, 220, 90, 290] }]]);
          studio.sliders.saw({ ...studio.content, boxes }, () => "mug");
          found.push([studio.least("mug"), studio.least("<b>plate</b>")]);
        }
        return found; }"""
    # The one at 0.3 was right, those at 0.93 and 0.8 were not: nothing is to be taken from 0.5 on.
    assert person.page.evaluate(script) == [[0.95, 0.5], [0.95, 0.75]]
    faint = "viewfinder.stage.shapes(false).filter((each) => each.below).length"
    assert person.page.evaluate(faint) == 4
    person.page.evaluate("viewfinder.keep()")
    until(lambda: "0.95" in (served.store.meta("settings:tester") or ""))
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    slider = person.page.get_by_label("Least score of mug")
    until(lambda: slider.input_value() == "0.95")
    slider.fill("0.6")
    slider.dispatch_event("change")
    person.page.get_by_label("Let the slider of mug follow what you decide").click()
    until(lambda: slider.input_value() == "0.95")


def test_what_has_a_box_is_not_taken_again(person, served):
    """Proposals may come while a picture is labelled."""
    proposed(served)
    boxes = (PutClass("m", "mug", 0), PutBox("b", 1, "m", (22, 18, 92, 88), 0))
    served.store.apply(Operation("drawn", boxes))
    person.page.reload()
    until(lambda: person.page.evaluate("window.viewfinder?.studio.ghosts().length") == 4)
    person.press("Shift+y")
    until(lambda: len(served.store.picture(1).boxes) == 3)
    assert served.store.picture(1).picture.proposals == 2


def test_what_is_told_is_not_in_the_way_of_drawing(person, served):
    person.page.evaluate("viewfinder.dialogs.say('Something long enough to lie there.', 100)")
    note = person.page.locator(".note span").bounding_box()
    x, y = note["x"] + note["width"] / 2, note["y"] + note["height"] / 2
    person.rest()
    person.page.mouse.move(x, y)
    person.page.mouse.down()
    person.page.mouse.move(x - 60, y - 60, steps=3)
    person.page.mouse.up()
    person.named("mug")
    until(lambda: len(served.store.picture(1).boxes) == 1)


@pytest.mark.parametrize("right", [True, False])
def test_where_most_is_refused_the_page_advises_to_draw_and_hides_what_is_proposed(
    person, served, right
):
    """What is left open in a picture that is done was refused too."""
    page, store = person.page, served.store
    store.apply(Operation("k", (PutClass("k", "mug", 0),)))
    corners = np.array([[20.0 + 100 * n, 20, 90 + 100 * n, 90] for n in range(4)])
    made = Proposals(
        paths=tuple(each.path for each in store.pictures().pictures),
        sizes=np.array([[640, 480]] * 4),
        classes=("mug",),
        pictures=np.arange(4).repeat(4),
        found=Detections(np.tile(corners, (4, 1)), np.full(16, 0.9), np.zeros(16, np.int64)),
        sources=("saliency: a",) * 16,
    )
    store.propose("saliency: a", made)
    person.reload()
    for number in (1, 2, 3):
        until(lambda number=number: person.shown() == number)
        person.press("Shift+Enter" if right else "Enter")
    until(lambda: person.shown() == 4)
    poor = page.evaluate("viewfinder.studio.worth.poor('saliency: a')")
    if right:
        assert poor is None
        return
    page.get_by_text("Of the last 12 that saliency: a proposed, 0 were right").wait_for()
    page.locator("#advice-hide").click()
    page.get_by_text("They are hidden").wait_for()
    assert page.evaluate("viewfinder.studio.ghosts().length") == 0
    page.locator("#advice-show").click()
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == 4)
    page.locator("#advice-propose").click()
    page.get_by_text("Propose boxes for what is to do").wait_for()
