"""Whoever cannot see or hold a mouse: names of all controls, a focus that is seen, and contrast."""

from studio_page import until

# What a person acts upon, as the accessibility tree calls it.
ACTED_ON = {
    "button", "checkbox", "combobox", "link", "listbox", "menuitem", "option", "radio", "searchbox",
    "slider", "spinbutton", "switch", "tab", "textbox", "ColorWell", "application", "dialog",
    "progressbar", "toolbar",
}  # fmt: skip
DIALOGS = {
    "keys": "?",
    "history": "Shift+h",
    "export": "Shift+s",
    "add": "o",
    "at a glance": "b",
    "class by letters": "c",
    "track": "t",
}
# Contrast of each text with what is behind it, as WCAG 2 reckons it.
CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text, under) => {
    context.clearRect(0, 0, 1, 1);
    context.globalAlpha = 1;
    context.fillStyle = under ? `rgb(${under})` : "#fff";
    context.fillRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const chain = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) found.unshift(at);
    return found;
  };
  const least = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    const seen = { opacityProperty: true, visibilityProperty: true };
    if (!text || !element.checkVisibility(seen)) continue;
    if (element.closest("noscript, option, :disabled")) continue;
    const above = chain(element);
    let back = [255, 255, 255];
    let opacity = 1;
    for (const each of above) {
      const style = getComputedStyle(each);
      opacity *= Number(style.opacity);
      back = colour(style.backgroundColor, back);
    }
    const own = colour(getComputedStyle(element).color, back);
    const shown = own.map((v, i) => opacity * v + (1 - opacity) * back[i]);
    const [a, b] = [light(shown), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) least.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  for (const field of document.querySelectorAll("input, select")) {
    if (field.disabled || !field.checkVisibility({ opacityProperty: true })) continue;
    if (["checkbox", "radio", "range", "color"].includes(field.type)) continue;
    let back = [255, 255, 255];
    for (const each of chain(field.parentElement)) {
      back = colour(getComputedStyle(each).backgroundColor, back);
    }
    const edge = colour(getComputedStyle(field).borderTopColor, back);
    const [a, b] = [light(edge), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 3) least.push(`the edge of ${field.id || field.ariaLabel}: ${ratio.toFixed(2)}`);
  }
  return least;
}"""
# What each control is, and whether its focus shows.
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return ["", false];
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  // The picture's is the edge of what is around it.
  const edge = getComputedStyle(at.parentElement).borderTopColor !== "rgba(0, 0, 0, 0)";
  const line = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const shown = at.id === "stage" ? edge : line;
  return [at.id || at.getAttribute("aria-label") || at.textContent || at.tagName, shown];
}"""


def views(person):
    """Every view of the page, open in turn, by its name."""
    page, press = person.page, person.press
    yield "the picture"
    press("p")
    yield "a proposal is chosen"
    press("y", ".")
    yield "a box is chosen"
    for name, key in DIALOGS.items():
        press(key)
        until(lambda: page.locator("dialog").is_visible())
        if name == "at a glance":
            page.locator("dialog .card").first.click()
        if name == "history":
            page.locator("dialog .line").first.wait_for()
        yield name
        press("Escape")
        person.answered()
        page.evaluate("document.getElementById('stage').focus()")
        if name == "at a glance":
            person.open(1)
            press(".")
    page.get_by_role("button", name="Change mug").click()
    yield "a class"
    press("Escape")
    person.answered()
    page.evaluate("viewfinder.dialogs.say('A sentence.', 60)")
    yield "a message"


def unnamed(devtools):
    """Controls of the accessibility tree that have no name, as role and HTML."""
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        role = node.get("role", {}).get("value")
        if node.get("ignored") or role not in ACTED_ON:
            continue
        if not node.get("name", {}).get("value", "").strip():
            yield role, node.get("backendDOMNodeId")


def test_every_control_has_a_name_and_texts_stand_out_in_both_themes(proposed, person):
    page = person.page
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.ghosts().length") == 2)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Accessibility.enable")
    seen = 0
    for view in views(person):
        assert not list(unnamed(devtools)), view
        for theme in ("light", "dark"):
            page.evaluate("(name) => { document.documentElement.dataset.theme = name; }", theme)
            assert page.evaluate(CONTRAST) == [], (view, theme)
        seen += 1
    assert seen == 12


def test_each_control_is_reached_by_tab_and_shows_its_focus(proposed, person):
    page = person.page
    page.locator("#filter-text").wait_for()
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(80):
        person.press("Tab")
        name, shown = page.evaluate(FOCUSED)
        if not name:
            break
        assert shown, name
        reached.append(name)
    for wanted in ("tool-add", "theme", "filter-state", "rows", "tool-done", "stage", "guess"):
        assert wanted in reached


def test_names_upon_any_colour_are_read(page):
    """Contrast with what is written on a class's colour, whatever a person chose."""
    chosen = ["000000", "ffffff", "808080", "757575", "ff0000", "0000ff", "007fff"]
    script = """async (colours) => { const {inkOn, colourAt} = await import("/page/colours.js");
        return [...colours, ...Array.from({length: 60}, (_, i) => colourAt(i))]
            .map((each) => [each, inkOn(each)]); }"""
    places = page.evaluate(script, [f"#{each}" for each in chosen])
    show = """(places) => { for (const [back, ink] of places) {
        const place = document.createElement("p");
        place.textContent = back;
        [place.style.color, place.style.background] = [ink, back];
        document.getElementById("boxes").append(place); } }"""
    page.evaluate(show, places)
    assert page.evaluate(CONTRAST) == []
