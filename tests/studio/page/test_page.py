"""A person's way through the page, in a real browser; what the store has is what counts."""

import contextlib
import itertools
from pathlib import Path

import pytest
from playwright.sync_api import Error
from studio_page import Person, ready, told, until

from viewfinder.studio.store import Operation, PutBox, PutClass


def test_drawing_moving_resizing_and_deleting(person):
    person.drag((100, 100), (200, 180))
    person.named("mug")
    assert person.boxes() == [("mug", [100, 100, 200, 180])]
    person.drag((120, 120), (150, 150))  # within the one just drawn
    assert person.boxes()[1:] == [("mug", [120, 120, 150, 150])]
    person.press("Escape")
    person.click(180, 110)
    person.drag((180, 110), (190, 130))  # within a box that was clicked: it moves
    assert person.boxes()[0] == ("mug", [110, 120, 210, 200])
    person.drag((210, 200), (260, 220), steps=1)
    assert person.boxes()[0] == ("mug", [110, 120, 260, 220])
    person.drag((110, 170), (90, 170))
    assert person.boxes()[0] == ("mug", [90, 120, 260, 220])
    person.press("ArrowRight", "Shift+ArrowDown", "Alt+ArrowLeft")
    assert person.boxes()[0] == ("mug", [91, 130, 260, 230])
    person.press("Delete")
    assert person.boxes() == [("mug", [120, 120, 150, 150])]


def test_edges_hold_boxes_and_no_stroke_is_lost(person):
    person.drag((600, 440), (700, 520))  # beyond the picture's edge
    person.named("mug")
    assert person.boxes() == [("mug", [600, 440, 640, 480])]
    person.press("Escape")
    person.click(620, 460)
    person.drag((620, 460), (100, 460), steps=1)
    person.drag((100, 460), (-300, 100), steps=1)
    assert person.boxes() == [("mug", [0, 80, 40, 120])]
    person.press("Escape")
    for side in (6, 8, 12):
        person.drag((200 + 20 * side, 50), (200 + 21 * side, 50 + side), steps=1)
    assert len(person.boxes()) == 4
    person.drag((300, 300), (420, 301))
    person.page.get_by_role("button", name="Keep it").click()
    person.answered()
    assert len(person.boxes()) == 5
    person.drag((300, 350), (420, 351))
    person.page.get_by_role("button", name="Leave it out").click()
    person.answered()
    assert len(person.boxes()) == 5


def test_undo_and_redo_of_everything_also_after_a_reload(person, served):
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.press("ArrowRight", "i", "Enter")
    person.saved()
    until(lambda: person.shown() == 2)
    person.press("Control+z")
    until(lambda: person.shown() == 1)  # where it was done
    person.press("Control+z", "Control+z")
    assert person.boxes() == [("mug", [100, 100, 200, 180])]
    person.press("Control+y", "Control+Shift+z")
    assert person.boxes() == [("mug", [101, 100, 201, 180])]
    assert served.store.picture(1).boxes[0].difficult
    person.reload()
    for _ in range(3):
        count = len(served.store.history())
        person.press("Control+z")
        until(lambda count=count: len(served.store.history()) > count)
    until(lambda: not served.store.picture(1).boxes)
    assert served.store.classes() == ()


def test_classes_by_digit_and_by_letters_and_their_panel(person, served):
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.press("c")
    person.named("plate")  # a new one
    assert person.boxes() == [("plate", [100, 100, 200, 180])]
    person.press("1")
    assert person.boxes()[0][0] == "mug"
    person.press("c")
    person.named("pl")
    assert person.boxes()[0][0] == "plate"
    page = person.page
    page.get_by_role("button", name="Change plate").click()
    page.get_by_role("button", name="Rename").click()
    page.locator("dialog input").fill("dish")
    person.press("Enter")
    person.answered()
    assert person.boxes()[0][0] == "dish"
    page.get_by_role("button", name="Change dish").click()
    page.get_by_role("button", name="Merge into another").click()
    person.named("mug")
    assert person.boxes()[0][0] == "mug"
    until(lambda: page.locator("#classes .count").inner_text() == "1")
    person.press("Control+z")
    until(lambda: page.locator("#classes .line").count() == 2)
    assert person.boxes()[0][0] == "dish"


def test_a_class_key_clashes_with_no_command(person, served):
    page = person.page
    person.drag((100, 100), (200, 180))
    person.named("mug")
    page.get_by_role("button", name="Change mug").click()
    page.get_by_role("button", name="Key", exact=True).click()
    page.get_by_text("Press a key").wait_for()
    keys = page.evaluate("viewfinder.commands().flatMap((each) => each.keys)")
    assert len(keys) == len(set(keys)) > 50
    for key in keys:
        if key != "Escape":
            person.press(key.replace("Ctrl", "Control"))
    assert page.locator("dialog").is_visible()
    person.press("m")
    person.answered()
    person.saved()
    until(lambda: served.store.classes()[0].key == "m")
    # Every command of the table does something.
    assert (
        page.evaluate("viewfinder.commands().filter((c) => !viewfinder.actions[c.id]).length") == 0
    )


def test_from_picture_to_picture(person, served):
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.press("Enter")
    until(lambda: person.shown() == 2)
    person.press("r")
    until(lambda: served.store.picture(2).boxes)
    assert person.boxes(2) == [("mug", [100, 100, 200, 180])]
    assert served.store.picture(1).boxes[0].id != served.store.picture(2).boxes[0].id
    person.press("k")
    until(lambda: person.shown() == 3)
    person.press("a")
    until(lambda: person.shown() == 2)
    person.press("d")
    until(lambda: person.shown() == 3)
    states = ["done", "skipped", "todo"]
    until(lambda: [served.store.picture(n).picture.state for n in (1, 2, 3)] == states)
    person.page.locator("#filter-state").select_option("done")
    until(lambda: person.shown() == 1)
    until(lambda: person.page.locator(".thumb").count() == 1)
    until(lambda: "2 of 4" in person.page.locator("#progress-text").inner_text())


def test_without_the_server_the_three_pictures_that_follow_are_there(person, served):
    ahead = "[2, 3, 4].every((id) => viewfinder.labels.contents.has(id))"
    until(lambda: person.page.evaluate(ahead))
    person.page.evaluate("Promise.all([2, 3, 4].map((id) => viewfinder.studio.cache.get(id)))")
    served.stop()
    for following in (2, 3, 4):
        person.press("d")
        until(lambda following=following: person.shown() == following)


def test_edits_wait_for_the_server_and_go_in_order_once(person, served):
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.saved()
    port = served.address.port
    served.stop()
    person.drag((300, 100), (400, 180))
    person.press("ArrowRight", "ArrowRight", "Control+z")
    sending = person.page.locator("#sending")
    until(lambda: "offline, 4" in sending.inner_text())
    assert len(served.store.picture(1).boxes) == 1
    # A browser that is closed and opened again has them still.
    served.start(port)
    person.page.goto(served.address.url)
    until(lambda: len(served.store.picture(1).boxes) == 2)
    ready(person.page)
    assert person.boxes()[1] == ("mug", [301, 100, 401, 180])
    assert len(served.store.history()) == 5


def test_closing_warns_only_if_something_is_unsaved(person, served):
    page = person.page
    asked: list[str] = []
    leave: list[bool] = []

    def answer(dialog):
        asked.append(dialog.type)
        # A busy browser may have gone on without an answer.
        with contextlib.suppress(Error):
            dialog.accept() if leave else dialog.dismiss()

    page.on("dialog", answer)
    person.drag((100, 100), (200, 180))
    person.named("mug")
    until(lambda: person.boxes() == [("mug", [100, 100, 200, 180])])
    until(lambda: page.evaluate("viewfinder.studio.selected().length") == 1)
    page.route("**/api/operations", lambda route: route.abort())
    person.press("ArrowRight")
    until(lambda: "offline, 1" in page.locator("#sending").inner_text())
    page.close(run_before_unload=True)
    until(lambda: page.evaluate("document.title") and asked == ["beforeunload"])
    leave.append(True)
    page.goto(served.address.url)
    assert asked == ["beforeunload"] * 2
    page.unroute("**/api/operations")
    ready(page)
    assert person.boxes() == [("mug", [101, 100, 201, 180])]
    person.press("ArrowRight")
    person.saved()
    page.goto("about:blank")
    assert asked == ["beforeunload"] * 2


def test_a_refused_edit_is_said_and_takes_no_other_along(person, served):

    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.saved()
    box = served.store.picture(1).boxes[0]
    moved = PutBox(box.id, 1, box.label, (50.0, 50.0, 90.0, 90.0), box.revision)
    served.store.apply(Operation("theirs", (moved,), "another"))
    person.press("ArrowRight")
    person.drag((300, 300), (400, 400))
    told(person.page, "Not kept")
    until(lambda: len(served.store.picture(1).boxes) == 2)
    assert person.boxes() == [("mug", [50, 50, 90, 90]), ("mug", [300, 300, 400, 400])]
    until(lambda: person.page.evaluate("[...viewfinder.studio.boxes.values()][0].corners[0]") == 50)


@pytest.mark.parametrize(("pointer", "draws"), [("pen", True), ("touch", False)])
def test_a_pen_draws_and_a_finger_pans(person, pointer, draws):
    before = person.page.evaluate("viewfinder.stage.view.x")
    script = """([pointerType, from, to]) => { const stage = document.getElementById("stage");
        stage.setPointerCapture = () => {};
        const send = (kind, [clientX, clientY]) => stage.dispatchEvent(new PointerEvent(kind,
            {pointerType, clientX, clientY, pointerId: 7, button: 0, bubbles: true}));
        send("pointerdown", from); send("pointermove", to); send("pointerup", to); }"""
    places = [person.place(100, 100), person.place(200, 200)]
    person.page.evaluate(script, [pointer, *places])
    if draws:
        person.named("mug")
    assert len(person.boxes()) == int(draws)
    assert (person.page.evaluate("viewfinder.stage.view.x") != before) is not draws


# A screen that is touched and has no mouse.
TOUCHED = """window.matchMedia = ((real) => (query) =>
    query.includes("pointer: coarse") ? {matches: true} : real.call(window, query))(matchMedia);"""


def test_a_finger_draws_where_there_is_nothing_else_until_a_pen_comes(served, visit):
    page = visit(served.address.url, TOUCHED)
    person = Person(page, served.store)
    first = page.locator("#tools button").first
    assert first.inner_text() == "Finger draws"
    script = """([pointerType, from, to]) => { const stage = document.getElementById("stage");
        stage.setPointerCapture = () => {};
        const send = (kind, [clientX, clientY]) => stage.dispatchEvent(new PointerEvent(kind,
            {pointerType, clientX, clientY, pointerId: 7, button: 0, bubbles: true}));
        send("pointerdown", from); send("pointermove", to); send("pointerup", to); }"""
    for pointer, start in (("touch", 100), ("pen", 220), ("touch", 340)):
        places = [person.place(start, 100), person.place(start + 100, 200)]
        page.evaluate(script, [pointer, *places])
        if pointer == "touch" and start == 100:
            person.named("mug")
        person.saved()
    assert len(person.boxes()) == 2
    assert first.get_attribute("aria-pressed") == "false"
    first.click()
    page.evaluate(script, ["touch", person.place(440, 250), person.place(500, 300)])
    person.saved()
    assert len(person.boxes()) == 3


# Which of the canvases is seen, and whether the picture is: while things move, one shows all.
SEEN = """() => [...[".still", ".live", ".lower", ".upper"].filter((each) => {
        const canvas = document.querySelector(each);
        return !canvas.hidden && canvas.style.visibility !== "hidden"; }),
    ...(document.querySelector(".under").style.visibility === "hidden" ? [] : ["picture"])]"""
# The colour that a canvas shows at a point of the picture, and that of the class.
COLOURS = """([name, x, y]) => {
    const [canvas, {view, element}] = [document.querySelector(name), viewfinder.stage];
    if (canvas.hidden) return ["nothing", ""];
    const [inner, outer] = [canvas, element].map((each) => each.getBoundingClientRect());
    const place = [outer.left + x * view.scale + view.x - inner.left,
        outer.top + y * view.scale + view.y - inner.top].map((each) => Math.round(
            each * canvas.width / inner.width));
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const context = copy.getContext("2d");
    context.drawImage(canvas, 0, 0);
    const shown = context.getImageData(...place, 1, 1).data;
    context.fillStyle = viewfinder.studio.colour("k");
    context.fillRect(0, 0, 1, 1);
    return [shown, context.getImageData(0, 0, 1, 1).data].map((each) => [...each].join()); }"""

# Moves the view, or what is chosen, and gives what is seen in the frame after it, and the colours.
MOVED = f"""([x, y, ...point]) => new Promise((done) => {{
    viewfinder.stage.pan(x, y);
    requestAnimationFrame(() => requestAnimationFrame(() => done(
        [({SEEN})(), viewfinder.stage.view.x, ({COLOURS})([".still", ...point])]))); }})"""
PULLED = f"""([clientX, clientY, ...point]) => new Promise((done) => {{
    document.getElementById("stage").dispatchEvent(new PointerEvent("pointermove", {{
        pointerId: 1, pointerType: "mouse", bubbles: true, buttons: 1, clientX, clientY}}));
    requestAnimationFrame(() => requestAnimationFrame(() => done(
        [({SEEN})(), ({COLOURS})([".live", ...point])]))); }})"""


@pytest.fixture
def crowd(served, person):
    """A picture with 301 boxes, on a large screen."""
    low = [(20.0 * (n % 30), 20.0 * (n // 30)) for n in range(301)]
    boxes = [PutBox(f"b{n}", 1, "k", (x, y, x + 12, y + 12), 0) for n, (x, y) in enumerate(low)]
    served.store.apply(Operation("many", (PutClass("k", "K", 0), *boxes)))
    person.page.set_viewport_size({"width": 2000, "height": 1200})
    person.reload()
    until(lambda: person.page.evaluate("viewfinder.studio.boxes.size") == 301)
    # What comes after the boxes, as how things stand, may have them drawn anew, or move the stage.
    person.page.wait_for_load_state("networkidle")
    until(lambda: len({*person.page.evaluate(COLOURS, [".lower", 0, 4])}) == 1)
    assert person.page.evaluate(SEEN) == [".lower", "picture"]
    return person


def test_on_a_large_screen_the_view_of_many_boxes_moves_as_one_picture_until_it_rests(crowd):
    page = crowd.page
    steps = itertools.cycle((40, -40))

    def moves_as_one() -> bool:
        """Or else something new, as of the list of pictures, had all drawn anew in that frame."""
        before, by = page.evaluate("viewfinder.stage.view.x"), next(steps)
        seen, x, (shown, colour) = page.evaluate(MOVED, [by, by / 2, 0, 4])  # its left side
        assert x == before + by
        return (seen, shown) == ([".still"], colour)

    until(moves_as_one)
    before = page.evaluate("viewfinder.stage.view.x")
    until(lambda: page.evaluate(SEEN) == [".lower", "picture"])
    shown, colour = page.evaluate(COLOURS, [".lower", 0, 4])
    assert shown == colour
    # On whole pixels, and what is left of one is not lost.
    for _ in range(10):
        x = page.evaluate(MOVED, [0.4, 0, 0, 4])[1]
        assert x == int(x)
    assert x == pytest.approx(before + 4, abs=1)
    until(lambda: page.evaluate(SEEN) == [".lower", "picture"])


def test_on_a_large_screen_many_chosen_boxes_move_as_one_picture_until_they_rest(crowd):
    page = crowd.page
    before = crowd.boxes()
    crowd.press("Control+a")
    until(lambda: page.evaluate("viewfinder.studio.selection.size") == 301)
    crowd.rest()
    # Without other boxes, there is no canvas of others to be blended with what is under it.
    until(lambda: page.evaluate(SEEN) == [".upper", "picture"])
    start = crowd.place(6, 6)
    by = 8 * page.evaluate("viewfinder.stage.view.scale")
    page.mouse.move(*start)
    page.mouse.down()
    seen, (shown, colour) = page.evaluate(PULLED, [start[0] + by, start[1], 8, 6])
    assert (seen, shown) == ([".live"], colour)
    until(lambda: page.evaluate(SEEN) == [".upper", "picture"])
    page.mouse.move(start[0] + by, start[1])
    page.mouse.up()
    moved = [(name, [x1 + 8, y1, x2 + 8, y2]) for name, (x1, y1, x2, y2) in before]
    assert crowd.boxes() == moved


def test_a_name_that_nobody_could_read_is_not_taken_and_that_is_said(served, page, person):
    page.get_by_role("button", name="Add a class").click()
    page.locator("dialog input").fill("w" * 3000)
    person.press("Enter")
    told(page, "at most 100 letters. This one has 3000")
    assert served.store.classes() == ()


def test_a_picture_that_came_since_is_found(page, served):
    folder = served.store.data
    (folder / "new.png").write_bytes((folder / "000.png").read_bytes())
    assert page.evaluate(
        """fetch("/api/look", {method: "POST", body: "{}",
            headers: {"content-type": "application/json"}}).then((answer) => answer.json())"""
    ) == {"news": ["1 picture came into the folder (new.png)"]}
    page.locator("#filter-text").fill("new")
    until(lambda: page.locator(".thumb").count() == 1)


def test_the_page_asks_for_all_its_modules_at_once(page):
    """Not for each once what imports it has come; and for none that it does not take."""
    preloaded = page.evaluate("""[...document.querySelectorAll("link[rel=modulepreload]")].map(
        (each) => each.href)""")
    script = """performance.getEntriesByType("resource").map((each) => each.name)"""
    taken = [name for name in page.evaluate(script) if name.endswith(".js")]
    assert len(set(taken)) > 50
    assert sorted(set(taken)) == sorted(preloaded)


@pytest.mark.parametrize("what", ["geometry", "keys"])
def test_what_holds_whatever_comes(page, what):
    """Boxes stay within the picture and keep their size when moved, and views lead back; and no
    class has a key of a command, whatever was asked for, and each of the first ten has one."""
    script = Path(__file__).with_name(f"{what}_check.js").read_text(encoding="utf-8")
    assert page.evaluate(script) == []


def test_copying_pasting_and_choosing_many(person, served):
    person.drag((100, 100), (160, 150))
    person.named("mug")
    person.press("Control+d")
    until(lambda: len(served.store.picture(1).boxes) == 2)
    person.page.keyboard.down("Shift")
    person.drag((50, 50), (400, 400))  # a rectangle around both
    person.page.keyboard.up("Shift")
    assert person.page.evaluate("viewfinder.studio.selection.size") == 2
    person.press("Control+c", "d")
    until(lambda: person.shown() == 2)
    person.press("Control+v")
    until(lambda: len(served.store.picture(2).boxes) == 2)
    assert person.boxes(2) == person.boxes(1)
    person.press("Delete")
    until(lambda: not served.store.picture(2).boxes)
    person.press("Control+z")
    until(lambda: len(served.store.picture(2).boxes) == 2)
    person.press("Control+a", "h")
    assert person.page.evaluate("viewfinder.studio.visible().length") == 0
    person.press("h")
    person.page.mouse.move(*person.place(98, 98))
    person.press("q")  # the nearest corner follows the pointer until a click
    person.click(90, 95)
    until(lambda: ("mug", [90, 95, 160, 150]) in person.boxes(2))
