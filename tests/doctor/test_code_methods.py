"""Methods of tensors that are gone, factors by their place, and names that only a test asks for."""

import pytest

from viewfinder.doctor.code.looking import look

TORCH = "import torch\n"


@pytest.fixture
def said(tmp_path):
    """The rule and what to write, of each remark on a text."""

    def of(text):
        (tmp_path / "a.py").write_text(text)
        return [(each.rule, each.instead) for each in look([tmp_path / "a.py"]).remarks]

    return of


@pytest.mark.parametrize(
    ("text", "rule", "instead"),
    [
        ("class A:\n    def f(self):\n        self.x = self.x.permute(0, 2, 1)\n"
         "        return self.x.view(2, -1)", "view-after-permute", "self.x.reshape(2, -1)"),
        ("def f(self):\n    self.a, n = self.b.transpose(1, 2), 3\n    y = self.a.view(-1)\n",
         "view-after-permute", "self.a.reshape(-1)"),
        (TORCH + "y = torch.addcmul(x, 1, a, b)", "factor-first",
         "torch.addcmul(x, a, b, value=1)"),
        (TORCH + "y = torch.addcdiv(x, -lr, a, b, out=z)", "factor-first",
         "torch.addcdiv(x, a, b, value=-lr, out=z)"),
        ("from torch import add\ny = add(x, 2, z)", "factor-first", "add(x, z, alpha=2)"),
        ("y = x.addcdiv(1, a, b)", "factor-first", "x.addcdiv(a, b, value=1)"),
        (TORCH + "e, v = a.symeig(eigenvectors=True)", "gone-torch",
         "torch.linalg.eigh(a, UPLO='U')"),
        (TORCH + "q, r = a.qr()", "gone-torch",
         "torch.linalg.qr(a)   # with some=False it is mode='complete'"),
        (TORCH + "x = (a @ b).cholesky()", "gone-torch",
         "torch.linalg.cholesky(a @ b)   # with upper=True, its .mH"),
        (TORCH + "x, _ = b.gesv(a)", "gone-torch",
         "torch.linalg.solve(a, b)   # the first answer of two"),
        ("print(self.scheduler.get_lr()[0])", "get-lr", "self.scheduler.get_last_lr()"),
        ("import numpy as np\nd = np.load('a.npy').item()", "np-load",
         "np.load('a.npy', allow_pickle=True)   # of your own file alone"),
        ("import numpy as np\nd = np.load(f)\ne = d[()]", "np-load",
         "np.load(f, allow_pickle=True)   # of your own file alone"),
        ("import numpy as np\nd = np.load(f, encoding='latin1')", "np-load",
         "np.load(f, encoding='latin1', allow_pickle=True)   # of your own file alone"),
        (TORCH + "if torch._six.PY3:\n    import builtins\nelse:\n    x = unicode",
         "gone-torch", "True"),
    ],
)  # fmt: skip
def test_it_is_named_with_a_line_to_paste(said, text, rule, instead):
    assert said(text) == [(rule, instead)]


@pytest.mark.parametrize(
    "text",
    [
        "def f(self):\n    self.x = self.x.permute(1, 0)\n    self.reset()\n    self.x.view(-1)\n",
        "def f(self):\n    self.x = y.permute(1, 0)\n    self = g()\n    self.x.view(-1)\n",
        "def f(self):\n    self.x = y.permute(1, 0)\n    self.x = self.x.contiguous()\n"
        "    self.x.view(-1)\n",
        TORCH + "y = torch.addcmul(x, a, b, value=1) + torch.add(x, y)",
        TORCH + "x = solver.solve(problem) + np.linalg.eig(a)[0] + code.qr('text')",
        TORCH + "import numpy\nw, v = numpy.linalg.eig(a)\nq, r = torch.linalg.qr(a)",
        "q, r = a.qr()",
        "print(self.get_lr())",
        "import numpy as np\nx = np.load(f)\ny = x.mean().item()",
        "import numpy as np\nd = np.load(f, allow_pickle=True).item()",
        "import six\nif six.PY2:\n    x = unicode",
    ],
)
def test_what_works_is_not_named(said, text):
    assert said(text) == []
