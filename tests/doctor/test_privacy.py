"""Nothing that is told names the user, their home, the machine or a secret."""

import dataclasses
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.cli.main import main
from viewfinder.doctor import gathering
from viewfinder.doctor.asking import read_reply
from viewfinder.doctor.code.looking import look
from viewfinder.doctor.code.sharing import without_user
from viewfinder.doctor.commands import Reply
from viewfinder.doctor.privacy import cleaner

SECRETS = {
    "HOME": "/home/wilhelmina",
    "USER": "wilhelmina",
    "LOGNAME": "wilhelmina",
    "HOSTNAME": "lab-of-wilhelmina",
    "GITHUB_TOKEN": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "HTTPS_PROXY": "http://wilhelmina:hunter22@proxy.invalid:3128",
    "PIP_INDEX_URL": "https://reader:s3cr3tw0rd@index.invalid/simple",
    "DB_PASSWORD": "correct-horse",
}
HIDDEN = ("wilhelmina", "ghp_16C7", "wJalrXU", "hunter22", "s3cr3tw0rd", "correct-horse")


def leaks(text):
    return [word for word in HIDDEN if word in text]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no file /home/wilhelmina/nets/a.so", "no file ~/nets/a.so"),
        ("/scratch/wilhelmina/lib: Wilhelmina's", "/scratch/(hidden)/lib: (user)'s"),
        ("at /home/other/lib", "at /home/(user)/lib"),
        ("token ghp_16C7e42F292c6912E7710c838347Ae178B4a!", "token (hidden)!"),
        ("via http://a:b@c.invalid:1/x failed", "via (address) failed"),
        ("one\n  two\x1b[31m", "one two\\x1b[31m"),
        ("x" * 500, "x" * 299 + "…"),
    ],
)
def test_what_identifies_is_replaced(text, told):
    assert cleaner(SECRETS).clean(text) == told


@given(st.text(max_size=40), st.sampled_from(sorted(SECRETS)), st.text(max_size=40))
def test_no_text_around_a_secret_saves_it(before, name, after):
    assert not leaks(cleaner(SECRETS).clean(f"{before}/{SECRETS[name]}/{after}"))


def test_a_name_that_is_nobodys_stays():
    assert cleaner({"HOME": "/", "USER": "nvidia"}).clean("NVIDIA H100") == "NVIDIA H100"


def test_what_torch_says_is_cleaned():
    failed = f"ImportError: {SECRETS['HOME']}/env/libtorch.so: {SECRETS['GITHUB_TOKEN']}"
    asked = read_reply(Reply("with an error", 1, "", failed), cleaner(SECRETS))
    assert not asked.torch.works
    assert asked.speed is None
    assert asked.torch.error == "ImportError: ~/env/libtorch.so: (hidden)"


@pytest.mark.parametrize("how", ["--json", "--report", ""])
def test_neither_page_nor_document_names_the_user(tmp_path, monkeypatch, capsys, how):
    """With everything odd at once, so that every text that can be told is."""
    home = tmp_path / "home" / "wilhelmina"
    (home / "lib").mkdir(parents=True)
    (home / "lib/libcudnn.so.9").touch()
    (home / "random.py").touch()
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "nvidia-smi").write_text(f"#!/bin/sh\necho {home} {SECRETS['GITHUB_TOKEN']}\nexit 9\n")
    (fake / "nvidia-smi").chmod(0o755)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{fake}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(home / "lib"))
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", SECRETS["GITHUB_TOKEN"])
    monkeypatch.setenv("VIEWFINDER_CACHE", str(home / "cache"))

    def failing():
        raise OSError(f"cannot read {home}/x with {SECRETS['DB_PASSWORD']}")

    monkeypatch.setattr(gathering, "weights", failing)
    monkeypatch.setattr(gathering, "_SMI_QUICK", 60.0)
    monkeypatch.chdir(home)
    words = ["doctor", "--quick", "--network", "127.0.0.1:9"]
    words += ["--report", str(tmp_path / "d.html")] if how == "--report" else [how] if how else []
    assert main(words) == 1
    out = (tmp_path / "d.html").read_text() if how == "--report" else capsys.readouterr().out
    assert not leaks(out)
    assert str(tmp_path) not in out.replace("\n", "")
    assert "nvidia-smi says" in " ".join(out.split())


def test_a_machine_is_plain_data():
    machine = gathering.gather(quick=True)
    assert json.loads(json.dumps(dataclasses.asdict(machine)))["quick"] is True


def test_source_and_lines_to_paste_do_not_tell_the_user(tmp_path):
    text = (
        "import torch\n"
        "net = torch.load('/home/wilhelmina/nets/a.pt')  # by Wilhelmina\n"
        "x = torch.qr(y.wilhelmina(1))\n"
    )
    (tmp_path / "a.py").write_text(text)
    by = cleaner({"HOME": "/home/wilhelmina", "USER": "wilhelmina"})
    load, gone = without_user(look([tmp_path / "a.py"]), by).remarks
    assert load.place.text == "net = torch.load('~/nets/a.pt')  # by (user)"
    assert load.instead.startswith("torch.load('~/nets/a.pt', weights_only=True)")
    assert "y.wilhelmina(1)" in gone.place.text  # A method, without which the line means nothing.


def test_the_report_of_code_does_not_tell_the_home(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/home/wilhelmina")
    (tmp_path / "a.py").write_text("import torch\ntorch.load('/home/wilhelmina/a.pt')\n")
    page = tmp_path / "page.html"
    main(["doctor", str(tmp_path / "a.py"), "--json", "--report", str(page)])
    assert not leaks(capsys.readouterr().out)
    assert not leaks(page.read_text())
    assert "~/a.pt" in page.read_text()
