"""What is said of code: each rule where it should speak and where it should be silent."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.cli.main import main
from viewfinder.doctor.code.looking import CodeFindings, look
from viewfinder.doctor.code.renamed import TABLE
from viewfinder.errors import InputError

SOURCE = Path(__file__).parents[2] / "src"
OLD = Path(__file__).parent / "old_code"


@pytest.fixture
def said(tmp_path: Path):
    """What is said of a text: line, rule and what to write, of each remark."""

    def of(text: str, name: str = "train.py") -> list[tuple[int, str, str]]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        remarks = look([tmp_path / name]).remarks
        return [(each.place.line, each.rule, each.instead) for each in remarks]

    return of


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("import numpy as np\nx = np.zeros(3, np.float)", "float"),
        ("import numpy\nx = numpy.asscalar(y)", "y.item()"),
        ("from numpy import Inf\n", "from numpy import inf"),
        ("import torch.nn.functional as F\ny = F.sigmoid(x)", "import torch\ntorch.sigmoid(x)"),
        ("from torch.nn import functional\ny = functional.tanh(x)", "import torch\ntorch.tanh(x)"),
        ("import torch\nwith torch.cuda.amp.autocast(enabled=on): pass",
         "torch.amp.autocast('cuda', enabled=on)"),
        ("from torch.cuda.amp import GradScaler as G\ns = G()", "torch.amp.GradScaler('cuda')"),
        ("from torch._six import inf\n", "inf = float('inf')"),
        ("import torch\ntorch._six.string_classes", "(str, bytes)"),
        ("from collections import Mapping\n", "from collections.abc import Mapping"),
        ("import time\nt = time.clock()", "time.perf_counter()"),
        ("from torch import nn\nnn.init.xavier_uniform(w, gain=2)",
         "nn.init.xavier_uniform_(w, gain=2)"),
        ("from torch.autograd import Variable\nx = Variable(x, requires_grad=True)",
         "x.requires_grad_(True)"),
        ("from torch import nn\nc = nn.BCELoss(size_average=True)",
         "nn.BCELoss(reduction='mean')"),
        ("from torch import nn\nc = nn.BCELoss(reduce=False)", "nn.BCELoss(reduction='none')"),
        ("from torchvision import models\nm = models.resnet18(pretrained=True)",
         "models.resnet18(weights='DEFAULT')"),
        ("import cv2\n_, c, h = cv2.findContours(m, 1, 2)", "c, h = cv2.findContours(m, 1, 2)"),
        ("import cv2\nroot = 'Bücher/'\ncv2.imwrite(root + n, img)",
         "cv2.imencode('.png', img)[1].tofile(root + n)"),
        ("def f(x):\n    return x.permute(0, 2, 1).view(-1)", "x.permute(0, 2, 1).reshape(-1)"),
        ("def f(x):\n    x = x.transpose(1, 2)\n    if a:\n        x = x.view(2, 3)\n",
         "x.reshape(2, 3)"),
        ("total = train_loss.data[0]", "train_loss.item()"),
        ("import yaml\nc = yaml.load(open('a'))", "yaml.safe_load(open('a'))"),
        ("from PIL import Image\ni.resize(s, Image.ANTIALIAS)", "Image.Resampling.LANCZOS"),
        ("from apex import amp\nm, o = amp.initialize(m, o, opt_level='O1')",
         "torch.amp.GradScaler('cuda')"),
        ("from apex import amp\nwith amp.scale_loss(l, opt) as s:\n    s.backward()",
         "scaler.scale(l).backward()\nscaler.step(opt)"),
        ("import apex\nm = apex.parallel.DistributedDataParallel(m, delay_allreduce=True)",
         "torch.nn.parallel.DistributedDataParallel(m, device_ids=[local_rank])"),
    ],
)  # fmt: skip
def test_it_is_named_with_a_line_to_paste(said, text: str, instead: str) -> None:
    remarks = said(text)
    assert len(remarks) == 1, remarks
    assert instead in remarks[0][2]


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nx = np.float32(1) + np.bool(0)",
        "import torch\ntorch.load('a', weights_only=True)",
        "import torch\nwith torch.amp.autocast('cuda'): pass",
        "def f(x):\n    return x.permute(0, 2, 1).contiguous().view(-1)",
        "def f(x):\n    x = x.permute(1, 0)\n\ndef g(x):\n    return x.view(-1)",
        "import numpy as np\ny = np.transpose(x).view(np.uint8)",
        "import cv2\nc, h = cv2.findContours(m, 1, 2)\ncv2.imread('a.jpg')",
        "import cv2\nprint('Größe')\ncv2.imread(path)",
        "batch.data[0]",
        "try:\n    from torch._six import inf\nexcept ImportError:\n    from torch import inf",
        "import torch\nif torch.__version__ < '1.9':\n    from torch._six import inf",
        "import numpy as np\nif not hasattr(np, 'float'):\n    np.float = float",
        "amp = setup()\namp.initialize(m)",
        "from apex import amp\ndef f(amp):\n    amp.initialize(m)",
        "import collections\nc = collections.OrderedDict()",
        "from . import _six\nfrom .apex import amp\namp.initialize(m)",
        "import yaml\nyaml.load(f, Loader=yaml.SafeLoader)",
        "text = 'np.float and torch._six'",
        "num_classes = 20",
        "depth = 3\nfor i in range(3): pass\nnum_classes = 3",
        "a = Linear(10, 20)\nb = Linear(10, 20)",
    ],
)
def test_what_works_is_not_named(said, text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("from collections import Mapping as M\n", "from collections.abc import Mapping as M"),
        ("from torchvision.transforms.functional_tensor import rgb_to_grayscale\n",
         "from torchvision.transforms.functional import rgb_to_grayscale"),
        ("from sklearn.cross_validation import train_test_split as t\n",
         "from sklearn.model_selection import train_test_split as t"),
        ("from sklearn.externals import joblib\n", "import joblib"),
        ("from PIL.Image import ANTIALIAS\n",
         "from PIL import Image\nANTIALIAS = Image.Resampling.LANCZOS"),
        ("from PIL import PILLOW_VERSION\n", "from PIL import __version__ as PILLOW_VERSION"),
        ("from scipy.misc import imread\n",
         "import numpy, PIL.Image\nimread = lambda x: numpy.asarray(PIL.Image.open(x))"),
        ("from numpy import asscalar\n", "asscalar = lambda x: x.item()"),
        ("from numpy import float\n", "# leave it out: float is Python's own"),
        ("from torch.nn.functional import sigmoid\n", "from torch import sigmoid"),
        ("from imp import reload as again\n", "from importlib import reload as again"),
        ("from distutils.version import LooseVersion\n",
         "from packaging.version import Version as LooseVersion"),
        ("from distutils.util import strtobool\n",
         "strtobool = lambda x: (x).lower() in ('y', 'yes', 't', 'true', 'on', '1')"),
        ("from distutils.dir_util import copy_tree\ncopy_tree(a, b)",
         "import shutil\nshutil.copytree(a, b, dirs_exist_ok=True)"),
        ("import imp\n", "import importlib.util\n# of a file by its path: "
         "importlib.util.spec_from_file_location and module_from_spec"),
        ("import numpy as np\nx = np.NINF", "-np.inf"),
        ("import numpy\nx = numpy.product(y)", "numpy.prod(y)"),
        ("import torch.nn.functional as F\ny = F.upsample(x, scale_factor=2)",
         "F.interpolate(x, scale_factor=2)"),
        ("from torch import nn\nnn.init.normal(w)", "nn.init.normal_(w)"),
        ("from PIL import ImageDraw\nw, h = draw.textsize(text, font=f)",
         "left, top, right, bottom = draw.textbbox((0, 0), text, font=f)"),
        ("from PIL import ImageFont\nw, h = self.font.getsize(text)",
         "left, top, right, bottom = self.font.getbbox(text)"),
        ("y = x.cuda(async=True)\n", "y = x.cuda(non_blocking=True)"),
        ("import torch\nx, _ = torch.solve(b, a)",
         "torch.linalg.solve(a, b)   # the first answer of two"),
        ("import torch\nf = torch.rfft(x, 2, onesided=False)", "torch.fft.rfftn(x, dim=...)"
         "   # the last ones; complex; with onesided=False it is fftn"),
        ("from torch import nn\nc = nn.BCELoss(size_average=None, reduce=True)",
         "nn.BCELoss(reduction='mean')"),
        ("from torch import nn\nc = nn.BCELoss(size_average=a)",
         "nn.BCELoss(reduction='mean' if a else 'sum')"),
        ("from torchvision import models\nm = models.vgg16(True, progress=False)",
         "models.vgg16(progress=False, weights='DEFAULT')"),
        ("from torchvision import models\nm = models.vgg16(pretrained=p)",
         "models.vgg16(weights='DEFAULT' if p else None)"),
        ("from apex import amp\nwith amp.scale_loss(l, [a, b]) as s: s.backward()",
         "scaler.scale(l).backward()\nscaler.step(a)\nscaler.step(b)\nscaler.update()"),
        ("import numpy as np\ny = [np for np in x]\nz = np.float(1)", "float(1)"),
        ("import cv2\nnet = cv2.dnn.readNetFromDarknet(a.cfg, join(d, a.weights))",
         "import viewfinder\nviewfinder.open_run(join(d, a.weights))"),
        ("import cv2\nnet = cv2.dnn.readNetFromDarknet(darknetModel=w, cfgFile=c)",
         "import viewfinder\nviewfinder.open_run(w)"),
        ("import cv2\nnet = cv2.dnn.readNetFromDarknet('a.cfg')",
         "import viewfinder\nviewfinder.open_run(...)"),
        ("from cv2.dnn import readNetFromDarknet as read\n",
         "import viewfinder\nread = lambda x, y: viewfinder.open_run(y)"),
        ("from torch import solve\n",
         "import torch\nsolve = lambda x, y: torch.linalg.solve(y, x)"),
        ("import cv2\nWEIGHTS = 'yolo/tiny.weights'\nnet = cv2.dnn.readNet(WEIGHTS, 'a.cfg')",
         "import viewfinder\nviewfinder.open_run(WEIGHTS)"),
        ("from torch.autograd import *\ny = Variable(x)", "x"),
        ("from numpy import *\ny = product(x)", "prod(x)"),
        ("from numpy import *\ny = NINF", "-inf"),
        ("from numpy import *\nfrom mine import *\ny = asscalar(x)", "x.item()"),
        ("from torch.nn.functional import *\ny = sigmoid(x)", "import torch\ntorch.sigmoid(x)"),
        ("from torch import *\nwith cuda.amp.autocast(): pass",
         "import torch\ntorch.amp.autocast('cuda')"),
        ("from torch import *\nnn.init.normal(w)", "nn.init.normal_(w)"),
        ("from torch import *\nx, _ = symeig(a)", "import torch\ntorch.linalg.eigh(a, UPLO='U')"),
        ("from torch.nn import *\nc = BCELoss(size_average=False)", "BCELoss(reduction='sum')"),
        ("from torchvision.models import *\nm = resnet18(pretrained=True)",
         "resnet18(weights='DEFAULT')"),
        ("from cv2 import *\n_, c, h = findContours(m, 1, 2)", "c, h = findContours(m, 1, 2)"),
        ("from collections import *\nisinstance(x, Mapping)",
         "import collections.abc\ncollections.abc.Mapping"),
        ("from torch._six import *\n", "# the module is not needed any more"),
    ],
)  # fmt: skip
def test_the_line_to_paste_binds_the_same_name(said, text: str, instead: str) -> None:
    (remark,) = said(text)
    assert remark[2].replace("…", "...") == instead
    ast.parse(instead)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from collections.abc import Mapping\nexcept ImportError:\n"
        "    from collections import Mapping\nisinstance(x, Mapping)",
        "try:\n    from torch.cuda.amp import autocast\nexcept ImportError:\n"
        "    class autocast: ...\nwith autocast(): pass",
        "def f(x):\n    return x.transpose(1, 2).view(b, c, h, w)",
        "def f(x):\n    return x.t().view('<i2') + x.t().view(torch.int8) + x.t().view(*shape)",
        "def f(x):\n    if a:\n        y = x.permute(0, 2, 1)\n    else:\n        y = x\n"
        "        y = y.view(2, -1)",
        "import os\nfrom PIL import Image\nos.path.getsize(p)\narchive.getsize(name)",
        "import torch, yaml\ntorch.load(f, **words)\nyaml.load(f, **words)",
        "from numpy import *\nx = float(1) + int(2)",
        "from numpy import *\ndef product(x): ...\nproduct(3)",
        "from numpy import *\nfor product in x: print(product)",
        "from .autograd import *\nVariable(x)",
        "from mine import *\nVariable(x), product(x)",
        "from torchvision.models import *\nfrom mine import *\nresnet18(pretrained=True)",
        "import cv2\nnet = cv2.dnn.readNet('a.onnx')\nw = 'a.weights'",
        "labels = ['train', 'val', 'test']\nx_labels = ['a', 'b', 'c']\n"
        "params = {'xaxis.labellocation': ['left', 'center', 'right']}",
    ],
)
def test_what_only_looks_old_is_not_named(said, text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nif self.inversion:\n    np.float(3)",
        "import numpy as np\nif args.version == 'v3':\n    np.float(3)",
        "import numpy as np\nif hasattr(self, 'head'):\n    np.float(3)",
        "import numpy as np\nx.cuda(async = a)\nnp.float(3)",
        "import numpy as np\nclass A:\n    np = 3\n    def f(self):\n        np.float(3)",
        "import numpy as np\n\x0cx = 'a\u2028b'\nnp.float(3)",
    ],
)
def test_what_hides_nothing(said, tmp_path: Path, text: str) -> None:
    assert ("gone-numpy", "float(3)") in [(rule, new) for _, rule, new in said(text)]
    (remark,) = (each for each in look([tmp_path]).remarks if each.rule == "gone-numpy")
    assert remark.place.text == "np.float(3)"


def test_what_cannot_be_followed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "long.py").write_text("a = " + "1 + " * 4000 + "1\n")
    (tmp_path / "locked").mkdir()
    (tmp_path / "mistyped.py").write_text("print (a))\n")
    (tmp_path / "two.py").write_text("try:\n    pass\nexcept Exception, e:\n    pass\n")
    entries = Path.iterdir

    def refused(folder: Path):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return entries(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    looked = look([tmp_path])
    assert [each.rule for each in looked.remarks] == ["syntax", "python-2"]
    assert any("locked" in text for text in looked.unread)
    assert any("too deeply" in text for text in looked.unread)


def test_a_long_chain_of_elif_is_read(said) -> None:
    head = "import numpy as np\nx = x.permute(0, 2, 1)\nif a:\n    pass\n"
    branches = "".join(f"elif a == {number}:\n    y = {number}\n" for number in range(2500))
    remarks = said(f"{head}{branches}    z = np.float(x.view(2, 3))\nx = 0\n")
    assert [(line, rule) for line, rule, _ in remarks] == [
        (5005, "gone-numpy"),
        (5005, "view-after-permute"),
    ]


def test_a_module_that_is_gone_is_told_where_it_is_imported(said) -> None:
    text = "from distutils.errors import DistutilsError\nx = 1\nraise DistutilsError(x)"
    ((line, rule, instead),) = said(text)
    assert (line, rule) == (1, "gone-distutils")
    assert "pip install setuptools" in instead


def test_a_file_that_is_named_twice_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text("num_classes = 7\n")
    (tmp_path / "b.py").symlink_to("a.py")
    monkeypatch.chdir(tmp_path)
    looked = look([Path("a.py"), tmp_path, tmp_path / "a.py"])
    assert (looked.files, looked.remarks) == (1, ())


def test_magics_hide_no_code(tmp_path: Path) -> None:
    cells = [
        "import numpy as np\nprint('a %d'\n      % (a,))\nnp.float(1)",
        "f(a,  # right?\n  b)\nnp.float(2)",
        "files = !ls\nnp.float(3)",
        "%%time\nnp.float(4)",
        "!pip install a \\\n  b c\nnp.float(5)",
        "# title\n%%writefile train.py\nnp.float(6)",
        "pip install a\nnp.float?\nnp.float(7)",
        "!ls\n" * 60 + "np.float(8)",
        "%%bash\nnp.float(9)",
    ]
    document = {"cells": [{"cell_type": "code", "source": text} for text in cells]}
    (tmp_path / "a.ipynb").write_text(json.dumps(document))
    document["metadata"] = {"kernelspec": {"language": "R"}}  # type: ignore[assignment]
    (tmp_path / "r.ipynb").write_text(json.dumps(document))
    (remark,) = look([tmp_path]).remarks
    places = (remark.place, *remark.others)
    assert [each.text for each in places] == [f"np.float({number})" for number in range(1, 9)]
    assert [each.line for each in places] == [4, 3, 2, 2, 3, 3, 3, 61]


def test_the_count_of_classes_in_four_places(tmp_path: Path) -> None:
    """As a detector's project has it: a list, a flag, a net's default and its last layer."""
    files = {
        "data.py": "CLASS_NAMES = ['cup', 'pen', 'key']\n",
        "train.py": "parser.add_argument('--num-classes', type=int, default=3)\n",
        "model.py": "class Net:\n    def __init__(self, num_classes=3):\n"
        "        self.head = nn.Conv2d(256, 24, 1)\n",
        "other.py": "epochs = 3\n",
        "test_model.py": "net = Net(num_classes=3)\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (remark,) = look([tmp_path]).remarks
    assert remark.rule == "class-count"
    assert "stands in 4 places" in remark.says
    named = {Path(each.file).name for each in (remark.place, *remark.others)}
    assert named == {"data.py", "train.py", "model.py"}
    assert "['cup', 'pen', 'key']" in remark.instead


def test_a_thing_written_often_is_told_once(said, tmp_path: Path) -> None:
    remarks = said("import numpy as np\n" + "x = np.float(1)\n" * 9)
    assert len(remarks) == 1
    (remark,) = look([tmp_path]).remarks
    assert [each.line for each in remark.others] == list(range(3, 11))


def test_a_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["np.float"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import numpy as np"]},
        {"cell_type": "code", "source": "!pip install x\nif a:\n    !ls\ny = np.int(3)"},
        {"cell_type": "code", "source": "%%bash\nnp.float"},
    ]
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    assert main(["doctor", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"{file}:cell 3, line 4" in re.sub(r"\s+", " ", out)
    assert "→ int(3)" in out


def test_python_2_and_what_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("import os\nprint 'loss', loss\n")
    (tmp_path / "half.py").write_text("def f(:\n")
    (tmp_path / "coded.py").write_bytes(b"x = '\xff'\n")
    (tmp_path / "book.ipynb").write_text("{}")
    looked = look([tmp_path])
    assert [each.rule for each in looked.remarks] == ["syntax", "python-2"]
    assert looked.remarks[1].place.line == 2
    assert len(looked.unread) == 2
    assert not looked.works


@pytest.mark.parametrize("name", ["nothing.py", "notes.txt", "empty"])
def test_paths_that_are_no_code(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=re.escape(name)):
        look([tmp_path / name])


def test_others_code_is_passed_over(tmp_path: Path) -> None:
    for folder in ("venv", ".git", "mine", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("import numpy as np\nnp.float")
    (tmp_path / "mine" / "round").symlink_to(tmp_path)
    looked = look([tmp_path])
    assert (looked.files, len(looked.remarks)) == (1, 1)


def test_nothing_is_named_in_this_projects_own_source() -> None:
    rooms = [
        SOURCE / "viewfinder" / name for name in ("cli", "nets", "pictures", "tasks", "training")
    ]
    files = sum(len(list(room.rglob("*.py"))) for room in rooms)
    assert look(rooms) == CodeFindings(files, (), ())


def test_json_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, page = tmp_path / "<b>.py", tmp_path / "page.html"
    file.write_text("import numpy as np\nx = np.float('</pre><script>')\n")
    assert main(["doctor", str(file), "--json", "--report", str(page)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "viewfinder.doctor.code/1"
    assert document["remarks"][0]["place"]["line"] == 2
    text = page.read_text()
    assert "<script>" not in text
    assert "&lt;b&gt;.py:2" in text
    file.write_text("x = 1\n")
    assert main(["doctor", str(file)]) == 0


def test_flags_of_the_machine_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(SOURCE), "--quick"]) == 2
    assert "--quick is about the machine" in capsys.readouterr().err


def resolved(name: str) -> object:
    """What a full name stands for here: a module, or an attribute in one.

    Raises:
        AttributeError, ModuleNotFoundError: there is no such thing.
    """
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


ROWS = [name for name in TABLE if name.split(".")[0] in {"torch", "numpy", "collections", "PIL"}]


@pytest.mark.parametrize("old", ROWS)
@pytest.mark.filterwarnings("ignore")
def test_the_table_is_true_of_todays_versions(old: str) -> None:
    """What it calls gone is gone, or refuses to be called, and what it offers is there."""
    row = TABLE[old]
    if row.level == "broken":
        with pytest.raises((AttributeError, ModuleNotFoundError, RuntimeError)):
            resolved(old)(object(), object())
    name = row.new.partition("(")[0].partition("   #")[0].replace("Image.", "PIL.Image.")
    name = name.replace("PIL.PIL.", "PIL.").lstrip("-")
    if name.partition(".")[0] in {"torch", "numpy", "collections", "PIL"}:
        resolved(name)


@given(st.text(max_size=60) | st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_it(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    file = tmp_path_factory.mktemp("code") / "a.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    looked = look([file])
    assert looked.files == 1
    for remark in looked.remarks:
        assert remark.place.line >= 1


def test_lines_to_paste_are_python(said) -> None:
    """All that is told of a page that has everything, without its comments."""
    lines = ["import numpy as np, torch, collections, cv2", "from apex import amp"]
    lines += [
        f"{old.replace('numpy', 'np')}(x)" for old in TABLE if old.startswith(("numpy.", "torch."))
    ]
    lines += ["with amp.scale_loss(a, b): pass", "amp.initialize(a, b, opt_level='O2')"]
    remarks = said("\n".join(lines))
    assert len(remarks) > 40
    for _, _, instead in remarks:
        ast.parse(instead.replace("…", "..."))


@pytest.mark.parametrize("file", sorted(OLD.glob("*.txt")), ids=lambda file: file.stem)
def test_code_as_it_was_written_then(tmp_path: Path, file: Path) -> None:
    """`# old: rule` stands where a remark must be, `# also` at a further place; nowhere else."""
    copy = tmp_path / file.stem
    copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    expected, further = [], []
    for number, line in enumerate(copy.read_text(encoding="utf-8").splitlines(), 1):
        _, _, rules = line.partition("# old: ")
        expected += [(number, rule) for rule in rules.split(", ") if rule]
        further += [number] * line.endswith("# also")
    remarks = look([copy]).remarks
    assert sorted((each.place.line, each.rule) for each in remarks) == sorted(expected)
    others = {place.line for each in remarks for place in each.others}
    assert set(further) <= others
    assert others <= {*further, *(line for line, _ in expected)}
