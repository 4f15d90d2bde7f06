"""What a scripted person does to the pictures of a set at the studio's page, one after another.

A picture is done once each true box has a label of its class with IoU 0.7 or more, and there is no
other label. Counted are: a box drawn over a proposal, or where there is none, and the key for its
class where the page guesses another; a key for each proposal that is given another class, with the
pointer over it; for those that are refused, or taken alone, as are right ones below the sliders, a
drag with the key held over as many as lie on straight lines that pass no other; one key to take the
rest and go on.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from studio_page import until

from benchmarks.page_person import ENOUGH, Counted, Material, Thing, overlap
from benchmarks.strokes import Laid, Stroke, one_stroke, places, strokes
from viewfinder.studio.store import Proposal

THINGS = """() => { const {studio} = viewfinder;
  const name = (label) => studio.labels.classOf(label).name;
  return [...[...studio.boxes.values()].map((b) => ({id: b.id, ghost: false, name: name(b.label),
      corners: b.corners})),
    ...studio.above().map((g) => ({id: g.id, ghost: true, name: g.name, corners: g.corners}))]; }"""
FAINT = """() => { const above = new Set(viewfinder.studio.above());
  return viewfinder.studio.ghosts().filter((g) => !above.has(g) && g.track === undefined)
    .map((g) => ({id: g.id, name: g.name, corners: g.corners})); }"""
# From which overlap on the page takes a proposal for another opinion of one object.
ALIKE = 0.4


class Corrector:
    """Puts one picture right after another."""

    def __init__(self, person: Counted, material: Material) -> None:
        self.person, self.material = person, material
        self.did: Counter[str] = Counter()
        self.pictures, self.last = 0, ""

    def right(self) -> tuple[set[int], set[str], list[dict]]:
        """Which true boxes have one of theirs, by what, and all that would be labels."""
        things = self.person.page.evaluate(THINGS)
        met: set[int] = set()
        used: set[str] = set()
        for number, true in enumerate(self.truth):
            for each in things:
                good = each["id"] not in used and each["name"] == true.name
                if good and overlap(each["corners"], true.corners) >= ENOUGH:
                    met.add(number)
                    used.add(each["id"])
                    break
        return met, used, things

    def faint(self, met: set[int], things: Sequence[dict]) -> dict[int, str]:
        """Of true boxes that have none, the right proposal below the slider, where one is."""
        taken = [each["corners"] for each in things]
        found: dict[int, str] = {}
        for each in self.person.page.evaluate(FAINT):
            # A stroke passes by what is another opinion of something that has a box.
            if any(overlap(each["corners"], corners) >= ALIKE for corners in taken):
                continue
            for number, true in enumerate(self.truth):
                fits = number not in met and number not in found and each["name"] == true.name
                if fits and overlap(each["corners"], true.corners) >= ENOUGH:
                    found[number] = each["id"]
                    taken.append(each["corners"])
                    break
        return found

    def picture(self) -> None:
        """Whatever is wrong in the picture that is shown, and on to the next."""
        person = self.person
        self.pictures += 1
        path = person.store.picture(person.shown()).picture.path
        self.truth = self.material.truth[path]
        # In a person's time what a network makes of the picture is there before the first box.
        until(lambda: person.page.evaluate("viewfinder.studio.memory.impressions.rests"))
        # Where other proposals come meanwhile, it is looked at anew.
        while not self.put_right():
            self.did["looked at anew"] += 1
        person.saved()

    def put_right(self) -> bool:
        person = self.person
        self.reclass()
        while True:
            met, used, things = self.right()
            faint = self.faint(met, things)
            left = [n for n in range(len(self.truth)) if n not in met and n not in faint]
            if not left:
                break
            # All of the class that was drawn last, then the others: the fewest keys.
            self.draw(min((self.truth[n] for n in left), key=lambda t: (t.name != self.last, t)))
        boxes, ghosts = ([t for t in things if t["ghost"] is which] for which in (False, True))
        for each in boxes:
            if each["id"] not in used:
                self.remove(each)
        right = [each["id"] for each in ghosts if each["id"] in used]
        wrong = [each["id"] for each in ghosts if each["id"] not in used]
        below = sorted(faint.values())
        # All but the wrong ones at once, or the right ones alone: whichever is fewer strokes.
        laid = self.laid()
        apart = strokes(laid, wrong) + strokes(laid, below)
        if right and apart <= strokes(laid, [*right, *below]):
            decided = self.decide(below, "y") and self.decide(wrong, "x")
        else:
            decided, right = self.decide([*right, *below], "y"), []
        if not decided:
            return False
        person.finish("Shift+Enter" if right else "Enter")
        return True

    def laid(self) -> list[Laid]:
        """Proposals that lie on the picture, also those below the sliders."""
        script = "viewfinder.studio.ghosts().map((each) => [each.id, each.corners])"
        found = self.person.page.evaluate(script)
        return [Laid(id, (x1, y1, x2, y2)) for id, (x1, y1, x2, y2) in found]

    def decide(self, ids: Sequence[str], key: str) -> bool:
        """Refuse proposals (`x`), or take them (`y`), by as few strokes as can be; whether they
        were there until then."""
        person, left = self.person, set(ids)
        if left and person.page.evaluate("Boolean(viewfinder.studio.ghost)"):
            person.key("Escape")
        self.did["refused" if key == "x" else "accepted alone"] += len(left)
        while left:
            laid = self.laid()
            if not left <= {each.id for each in laid}:
                return False
            stroke = one_stroke(laid, sorted(left))
            self.did["strokes"] += 1
            if len(stroke.ids) > 1:
                self.stroke(stroke, key)
            else:
                ghosts = {each.id: {**each._asdict(), "ghost": True} for each in laid}
                self.key_over(ghosts[stroke.ids[0]], key)
            gone = {each.id for each in laid} - {each.id for each in self.laid()}
            if not gone <= left:
                print(f"    a stroke over {len(stroke.ids)} decided {len(gone - left)} others")
                return False
            assert gone, "a stroke decided nothing"
            left -= gone
        return True

    def stroke(self, stroke: Stroke, key: str) -> None:
        """A drag with a key held: one action."""
        self.person.actions += 1
        mouse, keyboard = self.person.page.mouse, self.person.page.keyboard
        mouse.move(*self.person.place(*stroke.points[0]))
        keyboard.down(key)
        mouse.down()
        for point in stroke.points[1:]:
            mouse.move(*self.person.place(*point))
        mouse.up()
        keyboard.up(key)
        self.person.rest()

    def look_over(self, run: str) -> int:
        """Twelve pictures at a glance of what a run proposed: those that are right are taken, the
        others put right there and then, as the page shows them; how many proposals were looked
        at."""
        person, looks = self.person, 0
        none = person.page.get_by_text("No picture to do has proposals")
        while person.store.counts().states["todo"]:
            person.key("b")
            cards = person.page.locator("dialog[open] .card")
            until(lambda cards=cards: cards.count() or none.count())
            if not cards.count():
                break
            paths = [card.get_attribute("title") for card in cards.all()]
            ids = {each.path: each.id for each in person.store.pictures(count=1000).pictures}
            wrong = 0
            for letter, path in zip("abcdefghijkl", paths, strict=False):
                found = [each for each in person.store.picture(ids[path]).proposals
                         if each.score >= 0.5 and each.state == "open"]  # fmt: skip
                looks += len(found)
                if not self.is_right(found, self.material.truth[path]):
                    person.key(letter)
                    wrong += 1
            person.key("Enter")
            until(lambda: not person.page.locator("dialog").is_visible())
            person.saved()
            for _ in range(wrong):
                self.picture()
            # Where the page says that most of it is wrong, nobody looks over more of it.
            if person.page.evaluate(f"Boolean(viewfinder.studio.worth.poor({run!r}))"):
                break
        return looks

    def is_right(self, found: Sequence[Proposal], truth: Sequence[Thing]) -> bool:
        """Whether what would be taken is all that there is, and no more."""
        return len(found) == len(truth) and all(
            any(
                each.name == thing.name and overlap(each.corners, thing.corners) >= ENOUGH
                for each in found
            )
            for thing in truth
        )

    def reclass(self) -> None:
        """A proposal that is in its place and of another class: the class's key over it."""
        met, used, things = self.right()
        for number, true in enumerate(self.truth):
            fits = [
                each
                for each in things
                if number not in met and each["ghost"] and each["id"] not in used
                and overlap(each["corners"], true.corners) >= ENOUGH
            ]  # fmt: skip
            if fits:
                self.key_over(fits[0], self.key_of(true.name))
                used.add(fits[0]["id"])
                self.did["given another class"] += 1

    def draw(self, true: Thing) -> None:
        before, self.last = len(self.right()[2]), true.name
        # A drag from a handle of the proposal that is chosen would pull that.
        if self.person.page.evaluate("Boolean(viewfinder.studio.ghost)"):
            self.person.key("Escape")
        self.person.draw(true.corners)
        self.did["drawn over one" if len(self.right()[2]) == before else "drawn"] += 1
        until(lambda: self.person.page.evaluate("viewfinder.studio.selected().length"))
        script = "viewfinder.labels.classOf(viewfinder.studio.selected()[0].label).name"
        if self.person.page.evaluate(script) != true.name:
            self.person.key(self.key_of(true.name))
            self.did["class key"] += 1

    def remove(self, box: dict) -> None:
        self.choose(box)
        self.person.key("Delete")
        self.did["removed"] += 1

    def key_over(self, ghost: dict, key: str) -> None:
        """A key for the proposal under the pointer; it is chosen first where others hide it."""
        person = self.person
        if person.page.evaluate("Boolean(viewfinder.studio.ghost)"):
            person.key("Escape")
        pointed = "viewfinder.studio.pointed()?.id"
        for place in places(ghost["corners"]):
            person.page.mouse.move(*person.place(*place))
            if person.page.evaluate(pointed) == ghost["id"]:
                break
        else:
            self.choose(ghost)
        person.key(key)
        left = "(id) => viewfinder.studio.ghosts().some((each) => each.id === id)"
        until(lambda: not person.page.evaluate(left, ghost["id"]))

    def choose(self, thing: dict) -> None:
        """Click it where nothing smaller lies; else press p until it is chosen."""
        x1, y1, x2, y2 = thing["corners"]
        self.person.actions += 1
        self.person.click((x1 + x2) / 2, (y1 + y2) / 2)
        chosen = "[viewfinder.studio.ghost, ...viewfinder.studio.selection].filter(Boolean)"
        for _ in range(200):
            if self.person.page.evaluate(chosen) == [thing["id"]]:
                return
            self.person.key("p" if thing["ghost"] else ".")
        raise AssertionError(f"{thing} cannot be chosen")

    def key_of(self, name: str) -> str:
        listed = self.person.page.evaluate("viewfinder.labels.listed().map((each) => each.name)")
        return str(listed.index(name) + 1)
