"""Proposals on the page: accepted, corrected, refused, and taken by sliders."""

import numpy as np
from studio_page import until

from viewfinder.labelling.proposals import Proposals
from viewfinder.tasks.detect.detections import Detections


def proposed(served):
    corners = np.array(
        [[20, 20, 90, 90], [120, 20, 190, 90], [220, 20, 290, 90], [20, 220, 90, 290]]
    )
    path = served.store.picture(1).picture.path
    made = Proposals(
        paths=(path,),
        sizes=np.array([[640, 480]]),
        classes=("mug", "<b>plate</b>"),
        pictures=np.zeros(4, np.int64),
        found=Detections(
            corners.astype(np.float64), np.array([0.93, 0.8, 0.7, 0.3]), np.array([0, 0, 1, 0])
        ),
        sources=("run:a",) * 4,
    )
    assert served.store.propose("run:a", made) == 4


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
