"""A class that a file does not have is told without running it; what cannot be told passes."""

import pytest

from viewfinder.cli.made import refuse_misspelt_class
from viewfinder.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        "class Net: ...",
        "def Net(): ...",
        "Net = object()",
        "if 1:\n    try:\n        Net = 1\n    finally: pass",
        "a, (Net, *b) = 1, (2, 3)",
        "from far import Net",
        "from far import Other as Net",
        "import Net.inner",
        "from far import *",
        "globals()['N' + 'et'] = object",
        "exec('class Net: ...')",
        "def __getattr__(name): return 1",
        "class Net(:",
        "\x00",
    ],
)
def test_what_may_be_there_is_let_pass(tmp_path, text):
    file = tmp_path / "net.py"
    file.write_text(text)
    refuse_misspelt_class(file, "Net")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("class Net: ...\nclass Other: ...", "called Nett: did you mean Net?"),
        ("class One: ...\ndef two(): ...", "called Nett: it has One"),
        ("two = 2", "called Nett: check the spelling"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(tmp_path, text, says):
    file = tmp_path / "net.py"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        refuse_misspelt_class(file, "Nett")
