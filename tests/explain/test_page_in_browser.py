"""The page of a net in a real browser: it loads nothing, and tells a layer on hover and on tap."""

from pathlib import Path

import pytest
import torch
import torchvision

from viewfinder.explain.explaining import explain
from viewfinder.explain.rendering.html import page
from viewfinder.position.comparison import VARIANTS, PositionComparison
from viewfinder.position.comparison_page import page as comparison_page
from viewfinder.position.sensitivity import Sensitivity, measure_position
from viewfinder.position.sensitivity_page import page as sensitivity_page
from viewfinder.position.sensitivity_text import PositionSetting
from viewfinder.position.stages import choose_stages

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture
def browser(chromium: "playwright.Browser") -> "playwright.Browser":
    return chromium


class Visit:
    """A page that was opened, what it complained of, and what it asked the network for."""

    def __init__(self, browser: "playwright.Browser", file: Path, *, touch: bool) -> None:
        size = {"width": 420, "height": 860} if touch else {"width": 1300, "height": 900}
        self.context = browser.new_context(viewport=size, has_touch=touch, is_mobile=touch)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def box(self, name: str) -> "playwright.Locator":
        return self.page.locator(f'.box[aria-label^="{name} "]').first

    def details(self) -> str:
        return self.page.locator("#details").inner_text()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    net = torchvision.models.resnet18().eval()
    file = tmp_path_factory.mktemp("page") / "resnet18.html"
    file.write_text(page(explain(net, (1, 3, 224, 224), name="resnet18")), encoding="utf-8")
    return file


def test_hovering_tells_a_layer(browser: "playwright.Browser", network: Path) -> None:
    visit = Visit(browser, network, touch=False)
    visit.box("layer2.0.conv1").hover()
    told = visit.details()
    assert "layer2.0.conv1 Conv2d" in told
    assert "N = ⌊(56 − 3 + 2·1)/2⌋ + 1 = ⌊27.5⌋ + 1 = 28" in told
    assert "3·3·64·128 = 73,728 params" in told
    visit.box("maxpool").hover()
    assert "maxpool MaxPool2d" in visit.details()
    assert "sees 11×11 pixels" in visit.page.locator("#caption").inner_text()
    assert visit.complaints == []
    assert visit.requests == [network.as_uri()]
    visit.context.close()


def test_tapping_tells_a_layer(browser: "playwright.Browser", network: Path) -> None:
    visit = Visit(browser, network, touch=True)
    visit.box("maxpool").tap()
    assert "maxpool MaxPool2d" in visit.details()
    visit.box("layer1.0.conv1").tap()
    assert "layer1.0.conv1 Conv2d" in visit.details()
    assert visit.complaints == []
    assert visit.requests == [network.as_uri()]
    visit.context.close()


def measured() -> Sensitivity:
    net, pictures = torchvision.models.resnet18().eval(), torch.rand(1, 3, 64, 64)
    stages = choose_stages(net, explain(net, (1, 3, 64, 64)), pictures)
    labels = torch.zeros(1, dtype=torch.int64)
    return measure_position(net, pictures, stages=stages, largest=4, labels=labels)


@pytest.mark.parametrize("touch", [False, True])
def test_the_curves_of_position_are_shown(
    browser: "playwright.Browser", tmp_path: Path, touch: bool
) -> None:
    file = tmp_path / "shift.html"
    file.write_text(
        sensitivity_page(measured(), PositionSetting("net", None, "noise")), encoding="utf-8"
    )
    visit = Visit(browser, file, touch=touch)
    assert visit.page.locator("svg.chart").count() == 2
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= (420 if touch else 1300)
    for chart in visit.page.locator("svg.chart").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 250
    colours = visit.page.eval_on_selector_all(
        "svg.chart path.line", "lines => lines.map(line => getComputedStyle(line).stroke)"
    )
    assert "none" not in colours
    assert visit.complaints == []
    assert visit.requests == [file.as_uri()]
    visit.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("touch", [False, True])
def test_four_variants_are_shown(
    browser: "playwright.Browser", tmp_path: Path, touch: bool, scheme: str
) -> None:
    one = measured()
    found = {variant: [one, one] for variant in VARIANTS}
    file = tmp_path / "compare.html"
    text = comparison_page(PositionComparison("resnet18", "noise", 1, 2.5, (0, 1), found))
    file.write_text(text, encoding="utf-8")
    visit = Visit(browser, file, touch=touch)
    visit.page.emulate_media(color_scheme=scheme)
    assert visit.page.locator("svg.chart").count() == 3 + len(one.stages)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= (420 if touch else 1300)
    styles = visit.page.eval_on_selector_all(
        "svg.chart:first-of-type path.line",
        "lines => lines.slice(0, 4).map(line => "
        "getComputedStyle(line).stroke + getComputedStyle(line).strokeDasharray)",
    )
    # Two colours, each whole and broken.
    assert len(set(styles)) == 4
    for legend in visit.page.locator(".legend").first.locator("li").all():
        assert legend.bounding_box() is not None
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 23, 26)") == (scheme == "dark")
    assert visit.complaints == []
    assert visit.requests == [file.as_uri()]
    visit.context.close()
