"""Lines of scripts that lie in no net: explained with their own tensors and tried fixes."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from viewfinder.explain.running import explained

LINES = {
    "scores = a @ w": "w.mT instead of w in a @ w",
    "loss = F.cross_entropy(a, y[:, None])": (
        "y[:, None].squeeze(1) instead of y[:, None] in F.cross_entropy(a, y[:, None])"
    ),
    "loss = nn.BCELoss()(net(a), f)": "f.unsqueeze(1) instead of f in nn.BCELoss()(net(a), f)",
    "loss = nn.BCELoss()(net(a), f_all[i : i + n])": (
        "f_all[i:i + n].unsqueeze(1) instead of f_all[i:i + n] in "
        "nn.BCELoss()(net(a), f_all[i : i + n])"
    ),
    "flat = x.view(n, 16 * 4 * 4)": "x.view(x.size(0), -1) instead of x.view(n, 16 * 4 * 4)",
    "both = torch.cat([x, x[:, 0]], dim=1)": (
        "x[:, 0].unsqueeze(1) instead of x[:, 0] in torch.cat([x, x[:, 0]], dim=1)"
    ),
    "x -= mean": "mean[:, None, None] instead of mean in x -= mean",
    "y = owner['parts'].net(x)": None,
}
HEAD = """
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
n = 4
a, w = torch.randn(n, 16), torch.randn(10, 16)
y, f = torch.zeros(n, dtype=torch.int64), torch.zeros(n)
f_all, i = torch.zeros(40), 8
x, mean = torch.randn(n, 16, 5, 5), torch.randn(16)
net = nn.Sequential(nn.Linear(16, 1), nn.Sigmoid())


class Parts:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())


owner = {"parts": Parts()}


def step():
    global x, y
    LINE


step()
"""


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_explained_with_its_own_names(line: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(HEAD.replace("LINE", line))
    with pytest.raises((RuntimeError, ValueError)) as caught:
        exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})
    explanation = explained(caught.value)
    assert explanation is not None
    assert explanation.mistake is not None
    wanted = LINES[line]
    if wanted is None:
        # A net has a place of its own, by which it is told.
        assert explanation.mistake.fixes[0].startswith("net[0] = nn.Conv2d(16, 8, 3)")
        return
    assert "train.py:" in explanation.mistake.where
    assert line in explanation.mistake.where
    assert explanation.mistake.fixes[0] == f"{wanted}; then this line runs"


def test_an_error_that_is_none_of_torchs_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        torch.zeros(3) * (1 / 0)
    found = explained(caught.value)
    assert found is None or found.mistake is None


def test_the_explanation_comes_below_the_usual_traceback(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(HEAD.replace("LINE", "return a @ w"))
    run = subprocess.run(
        [sys.executable, "-m", "viewfinder.explain", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    traceback, _, said = run.stderr.partition("RuntimeError:")
    assert "return a @ w" in traceback
    assert "w.mT instead of w in a @ w; then this line runs" in said
