"""The three views: the table's width, the page's soundness, and boxes that do not overlap."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from viewfinder.explain import Explanation, explain
from viewfinder.explain.rendering.document import document
from viewfinder.explain.rendering.figure import figure
from viewfinder.explain.rendering.figures import bytes_text, count_text
from viewfinder.explain.rendering.html import page
from viewfinder.explain.rendering.layout import draw
from viewfinder.explain.rendering.terminal import WIDTH, lines


@pytest.fixture(
    scope="module",
    params=["alexnet", "resnet50", "googlenet", "swin_t", "too small"],
)
def explanation(request: pytest.FixtureRequest) -> Explanation:
    name, size = request.param, 224
    if name == "too small":
        name, size = "vgg11", 20
    options = {"init_weights": False} if name == "googlenet" else {}
    net = torchvision.models.get_model(name, weights=None, **options).eval()
    return explain(net, (1, 3, size, size), name=name)


@pytest.fixture(scope="module")
def text(explanation: Explanation) -> str:
    return page(explanation)


def test_the_table_fits(explanation: Explanation) -> None:
    printed = lines(explanation)
    assert max(line.cell_len for line in printed) <= WIDTH
    text = "\n".join(line.plain for line in printed)
    assert f"{explanation.totals.params:,} params" in text
    for layer in explanation.layers:
        assert layer.name[-20:] in text


class Checker(HTMLParser):
    """Collects what a page would load, and whether its elements close."""

    VOID = frozenset({"meta", "input", "br", "img", "link"})
    # HTML lets these close themselves.
    OPTIONAL = frozenset({"td", "th", "tr", "p", "li", "dt", "dd"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href")
        ]
        if tag not in self.VOID | self.OPTIONAL:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.OPTIONAL:
            assert self.stack.pop() == tag


def test_the_page_is_whole_and_loads_nothing(text: str) -> None:
    checker = Checker()
    checker.feed(text)
    assert checker.stack == []
    assert checker.loads == []
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.S):
        ET.fromstring(drawing.replace(" hidden ", " "))


def test_the_page_tells_every_layer(explanation: Explanation, text: str) -> None:
    match = re.search(r'<script type="application/json" id="layers">(.*?)</script>', text, re.S)
    assert match is not None
    details = json.loads(match[1])
    assert [one["name"] for one in details] == [layer.name for layer in explanation.layers]
    boxes = re.findall(r'data-layers="([-\d ]*)"', text)
    shown = [int(index) for box in boxes for index in box.split()]
    assert sorted(shown) == list(range(-len(explanation.inputs), len(explanation.layers)))


def test_names_cannot_break_out_of_the_page() -> None:
    hostile = "</script><script>alert(1)</script>"

    class Hostile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module(hostile.replace(".", ""), nn.Linear(3, 4))

        def forward(self, x: Tensor) -> Tensor:
            return next(iter(self.children()))(x)

    for shape in ((1, 3), (1, 5)):
        text = page(explain(Hostile(), shape, name=hostile))
        assert "<script>alert" not in text
        assert text.count("</script>") == 2


def test_a_net_without_layers_has_a_page_too() -> None:
    for net, shapes in ((nn.Identity(), [(1, 3)]), (nn.Identity(), [])):
        assert "</html>" in page(explain(net, *shapes))


def test_the_document_is_json(explanation: Explanation) -> None:
    told = json.loads(json.dumps(document(explanation), allow_nan=False))
    assert len(told["layers"]) == len(explanation.layers)
    assert sum(layer["macs"] for layer in told["layers"]) == told["totals"]["macs"]


def test_branches_are_drawn_as_ways() -> None:
    net = torchvision.models.resnet18().eval()
    drawn = figure(explain(net, (1, 3, 64, 64)))
    sums = [at for at, box in enumerate(drawn.boxes) if box.title == "+"]
    assert len(sums) == 8
    for at in sums:
        assert len([way for way in drawn.ways if way.end == at]) == 2


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    count = draw_(st.integers(1, 25))
    size = st.tuples(st.sampled_from([34.0, 120.0, 216.0]), st.sampled_from([34.0, 48.0, 63.0]))
    edges = set()
    for end in range(1, count):
        for start in draw_(st.sets(st.integers(0, end - 1), max_size=4)):
            edges.add((start, end))
    return [draw_(size) for _ in range(count)], sorted(edges)


@given(graphs())
@settings(max_examples=80)
def test_boxes_never_overlap_and_edges_go_down(
    graph: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    sizes, edges = graph
    drawing = draw(sizes, edges)
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (x, y), (w, h) in zip(drawing.centres, sizes, strict=True)
    ]
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -1e-6
        assert right <= drawing.width + 1e-6
        assert bottom <= drawing.height + 1e-6
        for other_left, other_top, other_right, other_bottom in boxes[at + 1 :]:
            apart = right <= other_left or other_right <= left
            assert apart or bottom <= other_top or other_bottom <= top
    for (start, end), route in zip(edges, drawing.routes, strict=True):
        heights = [y for _, y in route]
        assert heights == sorted(heights)
        assert heights[0] == pytest.approx(boxes[start][3])
        assert heights[-1] == pytest.approx(boxes[end][1])


def test_numbers_in_short() -> None:
    assert [count_text(n) for n in (0, 840, 94_080, 614_656, 37_752_832, 4_089_184_256)] == [
        *("", "840", "94,080", "614.7K", "37.75M", "4.089G"),
    ]
    assert [bytes_text(n) for n in (0, 480, 12_288, 3_211_264)] == [
        *("", "480 B", "12.3 kB", "3.21 MB"),
    ]
