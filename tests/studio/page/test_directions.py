"""Names that are written from the right, or ask to be, turn nothing of what stands beside them."""

import pytest
from studio_page import until

from viewfinder.studio.store import Operation, PutBox, PutClass

SHALOM, EVIL = "שלום", "\u202eevil"

# Where each of some words begins on the screen, within an element.
PLACES = """(element, words) => words.map((word) => {
    for (const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT); walk.nextNode();) {
      const at = walk.currentNode.data.indexOf(word);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(walk.currentNode, at);
      range.setEnd(walk.currentNode, at + word.length);
      return range.getBoundingClientRect().left;
    }
    return null;
  })"""


@pytest.mark.parametrize("name", [SHALOM, EVIL, "mug"])
def test_a_name_turns_nothing_beside_it(person, name):
    page, store = person.page, person.store
    box = PutBox("b", 1, "c", (10, 10, 60, 70), 0, track=name, key_frame=True)
    store.apply(Operation("o1", (PutClass("c", name, 0), box)))
    person.reload()

    def in_order(place, *words):
        found = place.evaluate(PLACES, list(words))
        assert None not in found
        assert found == sorted(found)

    line = page.locator("#boxes .line button.name")
    line.wait_for()
    in_order(line, "#", "50", "×", "60")
    page.evaluate("(name) => viewfinder.classes.labels.named(name)", name)
    page.get_by_role("button", name="Add a class").click()
    person.named(name)
    note = page.locator("#notes .note", has_text="There is a class")
    note.wait_for()
    in_order(note, "There is a class", "already")
    person.press("Shift+H")
    said = page.locator("#dialog .says").first
    said.wait_for()
    in_order(said, "1 box drawn", "000")


def test_a_sentence_of_the_server_in_which_a_name_asks_for_another_direction(person):
    page = person.page
    page.evaluate("viewfinder.dialogs.say('1 picture missing (a\\u202egpj.b): put back')")
    note = page.locator("#notes .note", has_text="1 picture missing")
    until(lambda: "a\\u202egpj.b" in note.inner_text())
