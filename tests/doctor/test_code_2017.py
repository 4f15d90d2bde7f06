"""Idioms of 2017 to 2021 in the code of others, each with what is to be written instead."""

import ast
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from viewfinder.doctor.code.looking import look


def said(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """What is said of a text: line, rule and what to write, of each remark."""
    (folder / "train.py").write_text(text, encoding="utf-8")
    remarks = look([folder / "train.py"]).remarks
    return [(each.place.line, each.rule, each.instead) for each in remarks]


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        # Arguments by their places.
        ("from torch import nn\nc = nn.CrossEntropyLoss(w, False)",
         "nn.CrossEntropyLoss(w, reduction='sum')"),
        ("from torch import nn\nc = nn.MSELoss(False, False)", "nn.MSELoss(reduction='none')"),
        ("import torch.nn.functional as F\nl = F.nll_loss(x, y, w, False)",
         "F.nll_loss(x, y, w, reduction='sum')"),
        ("import torch.nn.functional as F\ny = F.softmax(x)", "F.softmax(x, dim=1)"),
        ("from torch import nn\nlayer = nn.LogSoftmax()", "nn.LogSoftmax(dim=1)"),
        ("import torch\ns = torch.stft(x, 256)",
         "torch.view_as_real(torch.stft(x, 256, return_complex=True))"),
        ("from torch.optim.lr_scheduler import StepLR\ns = StepLR(o, 3, verbose=True)",
         "StepLR(o, 3)"),
        ("from torchvision import transforms as T\nt = T.RandomAffine(9, resample=2, fillcolor=0)",
         "T.RandomAffine(9, interpolation=2, fill=0)"),
        ("from torchvision.utils import save_image\nsave_image(x, p, range=(-1, 1))",
         "save_image(x, p, value_range=(-1, 1))"),
        ("x.mul_(b).add_(1 - b, g)", "x.mul_(b).add_(g, alpha=1 - b)"),
        ("v.addcmul_(1 - b, g, g)", "v.addcmul_(g, g, value=1 - b)"),
        ("import numpy as np\nx = np.fromstring(b, dtype=np.uint8)",
         "np.frombuffer(b, dtype=np.uint8).copy()"),
        ("from torchvision import models\nm = models.__dict__[arch](pretrained=True)",
         "models.__dict__[arch](weights='DEFAULT')"),
        ("from torchvision import models\nm = getattr(models, arch)(pretrained=p)",
         "getattr(models, arch)(weights='DEFAULT' if p else None)"),
        # Names.
        ("import torch\nq, r = torch.qr(a, some=False)",
         "torch.linalg.qr(a)   # with some=False it is mode='complete'"),
        ("import numpy as np\nm = np.in1d(a, b)", "np.isin(a, b)"),
        ("import cv2\nf = c.get(cv2.cv.CV_CAP_PROP_FPS)", "cv2.CAP_PROP_FPS"),
        ("from scipy.misc import imsave as s\n", "import numpy, PIL.Image\n"
         "s = lambda x, y: PIL.Image.fromarray(y).save(x)"),
        ("from torchvision.models.resnet import model_urls\n",
         "from torchvision.models import ResNet50_Weights\n"
         "model_urls = dict(resnet50=ResNet50_Weights.DEFAULT.url)"),
        ("import torchvision.transforms.functional_tensor as F_t\n",
         "import torchvision.transforms.functional as F_t"),
        ("import apex\no = apex.optimizers.FusedAdam(p, lr=lr, adam_w_mode=True)",
         "torch.optim.AdamW(p, lr=lr, fused=True)   # with adam_w_mode=False it is Adam"),
        # Strides that go along.
        ("p = p.t()\nc = p.eq(y.view(1, -1))\nk = c[:5].view(-1)\nz = 0", "c[:5].reshape(-1)"),
        ("def f(x):\n    return x.permute(0, 2, 1).clone().view(-1)",
         "x.permute(0, 2, 1).clone().reshape(-1)"),
        ("def f(x):\n    return x.T.view(-1)", "x.T.reshape(-1)"),
        ("x, n = x.permute(0, 2, 1), 3\ny = x.view(2, -1)", "x.reshape(2, -1)"),
        # Where things stand.
        ("for e in range(9):\n    scheduler.step()\n    for x in data:\n        loss.backward()",
         "# at the end of the epoch, behind the last optimizer.step():\nscheduler.step()"),
        ("import torch\nx.volatile = True\ny = torch.ones(3)",
         "with torch.no_grad():\n    ...   # what is done with x"),
        ("n = [n[i[0] - 1] for i in net.getUnconnectedOutLayers()]",
         "net.getUnconnectedOutLayersNames()   # the names at once; or i without [0]"),
        # Python 2.
        ("for i in xrange(3): pass", "range(3)"),
        ("for k, v in d.iteritems(): pass", "d.items()"),
        ("if d.has_key(k): pass", "k in d"),
        ("import cPickle as pickle\n", "import pickle"),
        ("from urllib import urlretrieve\n", "from urllib.request import urlretrieve"),
    ],
)  # fmt: skip
def test_it_is_named_with_a_line_to_paste(tmp_path: Path, text: str, instead: str) -> None:
    (remark,) = said(tmp_path, text)
    assert remark[2].replace("…", "...") == instead
    ast.parse(instead)


@pytest.mark.parametrize(
    "text",
    [
        "from torch import nn\nc = nn.PoissonNLLLoss(True, False)\nd = nn.Softmax(1)",
        "from torch import nn\nc = nn.CTCLoss(0, 'mean', True)",
        "from torch import nn\nd = nn.TripletMarginLoss(1., 2, 1e-6, True)",
        "import torch.nn.functional as F\ny = F.softmax(x, -1) + F.softmax(x, dim=1)",
        "from torch import nn\nc = nn.Linear(3, 4, False)",
        "import numpy as np\nx = np.fromstring('1 2', sep=' ')",
        "x.add_(y)\nx.add_(y, alpha=2)\ns.sub_(*words)",
        "def f(x):\n    return x.T.view(kind)",
        "x = y.T\nx = x.view(x.dtype.newbyteorder())",
        "def f(x):\n    return x.permute(0, 2, 1)[0].view(-1), x.t().matmul(y).view(-1)",
        "for e in range(9):\n    for x in data:\n        loss.backward()\n    scheduler.step()",
        "for x in data:\n    optimizer.step()\n    scheduler.step()\n    train(x)",
        "for e in range(9):\n    scheduler.step()\n    print(e)",
        "try:\n    xrange\nexcept NameError:\n    xrange = range\nxrange(3)",
        "from six.moves import xrange\nxrange(3)",
        "from past.builtins import *\nxrange(3)",
        "import six\nsix.iteritems(d)",
        "class D:\n    def iteritems(self): ...\nD().iteritems()",
        "import urllib.request, urllib.parse\nurllib.request.urlopen(u)",
        "n = [n[i - 1] for i in net.getUnconnectedOutLayers()]\nm = [i[0] for i in n]",
    ],
)  # fmt: skip
def test_what_works_is_not_named(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, text) == []


def test_lines_to_paste_compute_what_the_old_ones_did(tmp_path: Path) -> None:
    """Each line, run with today's libraries."""
    square = torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
    side = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    names = {"torch": torch, "np": np, "a": square, "b": side, "F": torch.nn.functional}
    names |= {"x": torch.randn(2, 3, dtype=torch.float64), "v": np.array([3.0, 1.0, 1.0])}
    lines = {
        "torch.gesv(b, a)": torch.linalg.solve(square, side),
        "torch.lstsq(b, a)": torch.linalg.solve(square, side),
        "torch.symeig(a)": torch.linalg.eigh(square),
        "torch.cholesky(a)": torch.linalg.cholesky(square),
        "torch.trtrs(b, a)": torch.linalg.solve_triangular(square, side, upper=True),
        "torch.matrix_rank(a)": torch.tensor(2),
        "np.in1d(v, [1])": np.array([False, True, True]),
        "np.trapz(v)": np.float64(3.0),
        "np.rank(v)": 1,
        "np.product(v)": np.float64(3.0),
        "np.asscalar(v[0])": 3.0,
        "np.msort(v)": np.array([1.0, 1.0, 3.0]),
        "np.recfromtxt(['1 2'])": np.array([1.0, 2.0]),
    }
    remarks = said(
        tmp_path,
        "import torch, numpy as np\nimport torch.nn.functional as F\n" + "\n".join(lines),
    )
    assert len(remarks) == len(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for (_, _, instead), (old, wanted) in zip(remarks, lines.items(), strict=True):
            found = eval(instead, dict(names))  # what the doctor gives to paste
            for one, other in zip(
                *(x if isinstance(x, tuple) else (x,) for x in (found, wanted)), strict=True
            ):
                assert np.allclose(np.asarray(one), np.asarray(other)), old


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('exec "x = 3"', "exec("),
        ("raise ValueError, 'x'", "raise"),
        ("if a <> 3: pass", "!="),
        ("x = `3`", "repr("),
        ("x = 0777", "0o"),
        ("x = ur'a'", "r'"),
        ("print >>f, 'x'", "print("),
    ],
)
def test_python_2_by_what_it_looks_like(tmp_path: Path, line: str, instead: str) -> None:
    if line.startswith("print"):
        line = f"x = 1\n{line} % 3,\nprint 'y'"
    (*_, remark) = said(tmp_path, line)
    assert remark[1] == "python-2"
    assert remark[2].startswith(instead) or line.startswith("x = 1")


def test_a_line_that_only_newer_python_reads_is_not_called_python_2(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("try:\n    pass\nexcept OSError, KeyError:\n    pass\n")
    assert [each.rule for each in look([tmp_path]).remarks] in ([], ["syntax"])


def test_notebooks_of_version_3_and_files_that_are_no_text(tmp_path: Path) -> None:
    sheet = [
        {"cell_type": "heading", "source": "np.float"},
        {"cell_type": "code", "input": ["import numpy as np\n", "x = np.float(3)"]},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": sheet}]}))
    (tmp_path / "b.py").write_bytes(b"\x7fELF" + bytes(99))
    looked = look([tmp_path])
    assert [str(each.place).rpartition(":")[2] for each in looked.remarks] == ["cell 2, line 2"]
    (text,) = looked.unread
    assert "null byte" in text


def test_names_of_anything_are_not_counted_as_classes(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("def f():\n    names = ('query', 'key', 'value')\n")
    (tmp_path / "main.py").write_text("num_classes = 3\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "help.py").write_text("num_classes = 3\n")
    assert look([tmp_path]).remarks == ()
    (tmp_path / "parts.py").write_text("nc = 3\nnames = ['cup', 'pen', 'key']\n")
    (remark,) = look([tmp_path]).remarks
    assert "stands in 3 places" in remark.says


def test_no_home_and_no_user_in_the_names_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "gretelf"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "gretelf")
    (home / "a.py").write_text("import numpy as np\nx = np.float(1)\n")
    (home / "b.py").write_bytes(b"x = '\xff'\n")
    looked = look([home])
    assert [each.place.file for each in looked.remarks] == ["~/a.py"]
    assert looked.unread[0].startswith("~/b.py")
