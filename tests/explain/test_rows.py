"""A view that mixes the pictures of a batch is a mistake, and what is told against it helps."""

import re

import pytest
import torch
from torch import Tensor, nn

from viewfinder.explain import explain


class Learner(nn.Module):
    """The first net of many courses, made for 32×32."""

    def __init__(self, width: int = 800, view: str | None = None) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 32, 5)
        self.fc1, self.fc2 = nn.Linear(width, 120), nn.Linear(120, 10)
        self.width, self.view = width, view

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.conv1, self.conv2):
            x = nn.functional.max_pool2d(conv(x).relu(), 2)
        if self.view is None:
            x = x.view(-1, self.width)
        else:
            x = eval(self.view, {"x": x, "width": self.width})
        return self.fc2(self.fc1(x).relu())


# 36×36 pictures have maps of 32·6·6 = 1152 numbers.
@pytest.mark.parametrize("batch", [1, 2, 7, 25, 50, 100])
def test_rows_of_several_pictures_are_a_mistake_whatever_the_batch(batch):
    mistake = explain(Learner(), (batch, 3, 36, 36)).mistake
    assert mistake is not None
    assert "view" in mistake.where
    fix = next(fix for fix in mistake.fixes if fix.startswith("x.view("))
    way, linear = re.fullmatch(
        r"(x\.view\(.*\)) instead of x.view\(-1, self.width\); then, at fc1, "
        r"fc1 = (nn\.Linear\(.*\)); then the whole net runs, with 36×36 only",
        fix,
    ).groups()
    net = Learner(view=way)
    net.fc1 = eval(linear)
    assert net(torch.zeros(batch, 3, 36, 36)).shape == (batch, 10)
    assert explain(net, (batch, 3, 36, 36)).mistake is None
    assert "pictures of 32×32; then the whole net runs" in mistake.fixes
    assert explain(Learner(), (batch, 3, 32, 32)).mistake is None


@pytest.mark.parametrize("batch", [1, 4])
def test_several_rows_of_one_picture_are_a_mistake(batch):
    mistake = explain(Learner(576), (batch, 3, 36, 36)).mistake
    assert "a picture has several rows" in mistake.rule
    assert f"{2 * batch} answers come out for {batch} picture" in mistake.rule


def test_several_pictures_in_one_row_are_a_mistake():
    assert "several pictures" in explain(Learner(2304), (4, 3, 36, 36)).mistake.rule


def test_the_layer_stops_where_the_rows_are_mixed():
    found = explain(Learner(), (25, 3, 36, 36))
    assert found.outputs == ()
    assert [layer.kind for layer in found.layers][-1] == "max_pool2d()"


@pytest.mark.parametrize(
    "view",
    [
        "x.permute(0, 2, 3, 1).reshape(-1, 32)",
        "x.reshape(-1, 6)",
        "x.view(x.size(0) * 32, 36)",
        "x.flatten(1).view(-1, 1152)",
        "x.view(x.size(0), 32, 36).transpose(1, 2).reshape(-1, 32)",
    ],
)
def test_rows_of_whole_dimensions_are_meant(view):
    class Rows(Learner):
        def forward(self, x: Tensor) -> Tensor:
            x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
            x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
            return eval(self.view, {"x": x})

    assert explain(Rows(view=view), (3, 3, 36, 36)).mistake is None
