"""The first minutes of somebody new: help that fits a terminal, and slips that are met at once."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from viewfinder.cli.flags import flags_of, kind_of
from viewfinder.cli.help import EXAMPLES
from viewfinder.cli.main import VERBS, main
from viewfinder.cli.meant import torchvision_names
from viewfinder.cli.parsing import parsed
from viewfinder.tasks import NAMES

CALLED = sorted({*VERBS, *(f"train {task}" for task in NAMES)})


@pytest.mark.parametrize("called", ["", *CALLED])
def test_help_fits_80_columns_and_is_for_people(ask, monkeypatch, called):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, err = ask(*called.split(), "--help")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "None" not in out
    assert called == "" or out.splitlines()[-1].startswith(f"  viewfinder {called}")


@pytest.mark.parametrize("called", sorted(EXAMPLES))
def test_the_example_in_a_help_is_a_command(called):
    program, verb, *words = shlex.split(EXAMPLES[called])
    assert program == "viewfinder"
    assert parsed(importlib.import_module(f"viewfinder.cli.{verb}"), verb, words)


@pytest.mark.parametrize("called", [each for each in CALLED if each != "train"])
def test_help_tells_every_flag_that_is_taken(capsys, called):
    """The flags that we read off are those that tyro, which parses them, tells of itself."""
    verb, *words = called.split()
    module = importlib.import_module(f"viewfinder.cli.{verb}")
    with pytest.raises(SystemExit):
        parsed(module, verb, [*words, "--help"])
    told = capsys.readouterr().out
    taken = set(re.findall(r"(?:^|[│|]) *(--\w[\w-]*)", told, re.MULTILINE))
    assert {f.name for f in flags_of(kind_of(module, words)) if not f.positional} == taken


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["classify", "photos"], "did you mean `viewfinder train classify photos`?"),
        (["train", "classify", "photos", "--lr", "1"], "mean --learning-rate?"),
        (["train", "classify", "photos", "--epoch", "3"], "mean --epochs?"),
        (["train", "classify", "photos", "--batch_size=3"], "mean --batch?"),
        (["train", "classify", "photos", "--leraning-rate", "3"], "mean --learning-rate?"),
        (["train", "detect", "photos", "--imgsz", "3"], "(viewfinder train detect --help"),
        (["train", "classify", "photo"], "did you mean photos?"),
        (["train", "classify", "photos", "--net", "resnet"], "resnet18"),
        (["train", "classify", "photos", "--net", "yolov3"], "is not made to classify"),
        (
            ["train", "classify", "photos", "--init", "w.pth"],
            "--init: there is no folder or file w.pth",
        ),
        (["evaluate", "photos-lenet", "photos"], "did you mean runs/photos-lenet?"),
        (["predict", "nothing", "nothing"], "nothing does not exist"),
        (["predict", "photos", "new.jpg"], "there is no new.jpg"),
        (["ablate", "grid.tom"], "there is no file grid.tom (did you mean grid.toml?)"),
        (["check", "no/where"], "there is no folder no/where"),
        (["explain", "lenett"], "no net called lenett (did you mean lenet?)"),
        (["explain", "resnext50_32x4"], "(did you mean resnext50_32x4d?)"),
        (["explain", "gird.py:Net"], "there is no file gird.py (did you mean grid.py?)"),
        (["explain", "grid.py"], "as grid.py:Net"),
        (["--completion", "csh"], "bash or zsh"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_is_met_at_once_with_what_was_meant(ask, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "runs/photos-lenet"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "grid.toml").touch()
    (tmp_path / "grid.py").touch()
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_slip_does_not_wait_for_torch(tmp_path):
    """Neither a path that is not there nor a misspelt flag or net imports what is slow."""
    (tmp_path / "photos").mkdir()
    code = (
        "import sys; from viewfinder.cli.main import main\n"
        "main(['predict', 'nothing', 'nothing'])\n"
        "main(['train', 'classify', 'photos', '--net', 'resnet'])\n"
        "main(['train', 'detect', 'photos', '--lr', '1'])\n"
        "main(['explain', 'resnet5'])\n"
        "main(['explain', 'nett.py:Net'])\n"
        "print([name for name in ('torch', 'numpy', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert done.stderr.count("error: ") == 5


def test_torchvision_is_known_without_importing_it():
    from torchvision.models import list_models

    assert torchvision_names() == sorted(list_models())


def test_an_error_is_broken_at_words_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["train", "classify", "no-such-folder", "--lr", "0.1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 60
    assert "--learning-rate?)" in " ".join(lines)


def test_a_shell_completes_verbs_flags_and_choices(ask, tmp_path):
    status, out, _ = ask("--completion", "bash")
    assert status == 0
    (tmp_path / "script").write_text(out, encoding="utf-8")
    tries = {
        "viewfinder eva": "evaluate",
        "viewfinder train det": "detect",
        "viewfinder train detect x --multi": "--multi-scale",
        "viewfinder train detect x --optimiser a": "adamw",
        "viewfinder evaluate x --spl": "--split",
    }
    for typed, completed in tries.items():
        words = shlex.join(typed.split())
        asked = (
            f"source ./script; COMP_WORDS=({words}); COMP_CWORD={len(typed.split()) - 1}; "
            '_viewfinder; echo "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == completed


def test_zsh_completes_too(ask, tmp_path):
    """Also where nothing has begun its own completion before."""
    if not shutil.which("zsh"):
        pytest.skip("zsh is not here")
    status, out, _ = ask("--completion", "zsh")
    assert status == 0
    (tmp_path / "script").write_text(out, encoding="utf-8")
    asked = (
        "source ./script || exit 1; f() { emulate -L ksh; COMP_WORDS=(viewfinder train det); "
        'COMP_CWORD=2; _viewfinder; print "${COMPREPLY[@]}"; }; f'
    )
    done = subprocess.run(
        ["zsh", "-f", "-c", asked],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "detect" in done.stdout.split()
    assert done.stderr == ""
