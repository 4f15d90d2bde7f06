"""The command: targets, inputs, exit status, and what may stand on standard output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import tyro
from torch import nn

from viewfinder.cli.explain import Flags, run
from viewfinder.errors import InputError
from viewfinder.explain.asking import explain_target
from viewfinder.explain.targets import find_net, parse_input, usual_input

NET = """
import torch
from torch import nn
import neighbour

print("hello from the file")

class Small(nn.Module):
    def __init__(self, classes=neighbour.CLASSES):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(4 * 26 * 26, classes)

    def forward(self, x):
        print("forward")
        return self.fc(self.conv(x).flatten(1))

class Wide(Small):
    def __init__(self, width):
        super().__init__()

def small(): return Small()
def two(): return Two()
def nothing(): return 3
def broken(): raise KeyError("weights")
ready = Small()
number = 3

class Two(nn.Module):
    def forward(self, rgb, depth):
        return torch.cat([rgb, depth], 1)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "neighbour.py").write_text("CLASSES = 7\n", encoding="utf-8")
    path = tmp_path / "own nets é.py"
    path.write_text(NET, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["Small", "small", "ready"])
def test_a_net_of_a_file(file: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Flags(f"{file}:{name}", input=("1x28x28",), json=True)) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["net"] == f"{file}:{name}"
    assert document["totals"]["params"] == 40 + (4 * 26 * 26 + 1) * 7
    assert "forward" in err


def test_the_document_holds_exactly_these_keys(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Flags(f"{file}:Small", input=("1x30x30",), batch=2, json=True)) == 1
    document = json.loads(capsys.readouterr().out)
    assert list(document) == [
        *("schema", "net", "inputs", "layers", "totals", "mistake", "warnings")
    ]
    assert document["schema"] == "viewfinder.explain/1"
    assert document["inputs"] == [[2, 1, 30, 30]]
    assert list(document["totals"]) == ["params", "macs", "activation_bytes", "unused"]
    assert list(document["mistake"]) == [
        "where",
        "rule",
        "got",
        "expected",
        "fixes",
        "mends",
        "untried",
    ]
    assert document["mistake"]["mends"] == document["mistake"]["fixes"]
    assert document["mistake"]["fixes"] == [
        "fc = nn.Linear(4 * 28 * 28, 7); then the whole net runs, with 30×30 only",
        "F.adaptive_avg_pool2d(self.conv(x), 26).flatten(1) instead of self.conv(x).flatten(1); "
        "then the whole net runs",
        "pictures of 28×28; then the whole net runs",
    ]
    conv, flatten = document["layers"]
    assert list(conv) == [
        *("name", "kind", "in", "out", "formula", "dropped", "params", "macs"),
        *("activation_bytes", "receptive_field"),
    ]
    assert conv["in"] == [[2, 1, 30, 30]]
    assert conv["out"] == [[2, 4, 28, 28]]
    assert conv["dropped"] == {"rows": [], "columns": []}
    assert conv["formula"] == [
        "N = (30 − 3 + 2·0)/1 + 1 = 28",
        "(3·3·1 + 1)·4 = 40 params",
    ]
    assert conv["receptive_field"] == {
        "input": 0,
        "size": [3, 3],
        "stride": [1.0, 1.0],
        "offset": [0, 0],
        "whole": False,
    }
    assert flatten["kind"] == "flatten()"


def test_several_inputs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = Flags(f"{file}:Two", input=("3x32x32", "1x32x32"), json=True)
    assert run(flags) == 0
    assert json.loads(capsys.readouterr().out)["layers"][0]["out"] == [[1, 4, 32, 32]]


@pytest.mark.parametrize(
    ("target", "inputs", "params"),
    [
        ("lenet", (), 121_182),
        ("squeezenet1_1", (), 1_235_496),
        ("torchvision.models:mobilenet_v3_small", (), 2_542_856),
        ("torch.nn:Identity", ("3x4",), 0),
    ],
)
def test_nets_by_name(
    target: str, inputs: tuple[str, ...], params: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Flags(target, input=inputs, json=True)) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["params"] == params


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("resnet51", "there is no net called resnet51: did you mean resnet50"),
        ("zzzzzz", "there is no net called zzzzzz: try lenet"),
        ("torchvision.models.vit_b_16", "torchvision.models.vit_b_16: did you mean vit_b_16?"),
        ("torchvision:resnet18", "called resnet18: did you mean torchvision.models:resnet18?"),
        ("{file}", "is a file: say which class or function in it is the net, as"),
        ("{file}:Smal", "has no class or function called Smal: did you mean Small"),
        ("{file}:nothing", "nothing gave an int, not a net"),
        ("{file}:number", "is an int, not a net: give a class, or a function"),
        ("{file}:broken", "building {file}:broken failed: KeyError: 'weights'"),
        ("{file}:Wide", "needs width to be built: write a function without arguments"),
        ("{folder}/none.py:Net", "there is no file {folder}/none.py"),
        ("{folder}/bad.py:Net", "bad.py, line 1 is not valid Python"),
        ("{folder}/exits.py:Net", "running {folder}/exits.py failed: SystemExit: 3"),
        ("no.such.module:Net", "there is no module no.such.module"),
        ("torch.nn:Linnear", "has no class or function called Linnear: did you mean Linear"),
    ],
)
def test_a_target_that_cannot_be_used(file: Path, target: str, words: str) -> None:
    folder = file.parent
    (folder / "bad.py").write_text("class Net(:\n", encoding="utf-8")
    (folder / "exits.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        find_net(target.format(file=file, folder=folder))
    assert words.format(file=file, folder=folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "batch", "shape", "dtype"),
    [
        ("3x224x224", 1, (1, 3, 224, 224), torch.float32),
        ("3×224×224", 0, (3, 224, 224), torch.float32),
        ("16:int64", 4, (4, 16), torch.int64),
        ("3X8X8:uint8", 2, (2, 3, 8, 8), torch.uint8),
        (":int64", 4, (4,), torch.int64),
    ],
)
def test_inputs(text: str, batch: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    sample = parse_input(text, batch)
    assert (sample.shape, sample.dtype) == (shape, dtype)


@pytest.mark.parametrize(
    "text",
    ["", "3x", "axb", "3x-1x4", "3x0x4", "3,4", "3x4:floaty", "x:nn", ":", "x:int64", "-3:int64"],
)
def test_inputs_that_are_no_shape(text: str) -> None:
    with pytest.raises(InputError):
        parse_input(text, 1)


def test_an_input_that_cannot_be_guessed() -> None:
    with pytest.raises(InputError, match="say its shape without the batch"):
        usual_input(torch.nn.Linear(3, 4), None, 1)
    with pytest.raises(InputError, match="--batch -1"):
        run(Flags("lenet", batch=-1))


def test_the_flags_are_read_by_tyro() -> None:
    words = ["lenet", "--input", "3x32x32", "--input", "1x8", "--batch", "2", "--html", "a.html"]
    flags = tyro.cli(Flags, args=words)
    assert flags.input == ("3x32x32", "1x8")
    assert (flags.batch, flags.html, flags.json) == (2, Path("a.html"), False)


def test_the_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out" / "lenet.html"
    assert run(Flags("lenet", html=path)) == 0
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "fc3" in capsys.readouterr().out


def test_the_verb_imports_no_torch() -> None:
    code = "import sys, viewfinder.cli.explain; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TakesRows(nn.Module):
    """Two sizes are what it wants: it adds the channels itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x.unsqueeze(1))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("3x32", "--input 3x32 lacks a side: did you mean 3x32x32?"),
        ("32x32", "--input 32x32 lacks its channels: did you mean 3x32x32?"),
        ("32", "--input 32 lacks its channels and a side: did you mean 3x32x32?"),
    ],
)
def test_a_shape_that_lacks_a_size_is_told_instead_of_mending_the_net(given, says) -> None:
    with pytest.raises(InputError) as caught:
        explain_target("lenet", (given,))
    assert str(caught.value) == says


def test_a_net_that_takes_rows_is_given_rows(monkeypatch) -> None:
    monkeypatch.setattr("viewfinder.explain.asking.find_net", lambda name: (TakesRows(), None))
    assert explain_target("rows", ("9x9",)).mistake is None
    assert explain_target("rows", ("1x9",)).mistake is not None
