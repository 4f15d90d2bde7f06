"""The first minutes of somebody new: help that fits a terminal, and slips that are met at once."""

import importlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import tyro

from viewfinder.cli.flags import flags_of, kind_of
from viewfinder.cli.help import described
from viewfinder.cli.main import VERBS, main
from viewfinder.cli.meant import torchvision_names
from viewfinder.cli.output import say
from viewfinder.cli.parsing import parsed
from viewfinder.cli.quick_checks import without_typeguard
from viewfinder.events import note
from viewfinder.listeners.terminal import Terminal
from viewfinder.nets import receiving
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import NAMES, recipe_of

CALLED = sorted({*VERBS, *(f"train {task}" for task in NAMES)})


@pytest.mark.parametrize("called", ["", *CALLED])
def test_help_fits_80_columns_and_is_for_people(ask, monkeypatch, called):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, err = ask(*called.split(), "--help")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "None" not in out
    assert called == "" or out.splitlines()[-1].startswith(f"  viewfinder {called}")


@pytest.mark.parametrize("called", CALLED)
def test_the_example_in_a_help_is_a_command(called):
    _, _, task = called.partition(" ")
    home = recipe_of(task) if task else importlib.import_module(f"viewfinder.cli.{called}")
    _, example = described(home.__doc__)
    program, verb, *words = shlex.split(example)
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
        (["train", "classify", "photos", "--net", "yolov3"], "is no net for classify"),
        (
            ["train", "classify", "photos", "--init", "w.pth"],
            "--init: there is no folder or file w.pth",
        ),
        (["evaluate", "photos-lenet", "photos"], "did you mean runs/photos-lenet?"),
        (["predict", "nothing", "nothing"], "nothing does not exist (runs/ has photos-lenet)"),
        (["predict", "runs/phtos", "new.jpg"], "did you mean runs/photos-lenet?"),
        (["predict", "photos", "new.jpg"], "there is no new.jpg"),
        (["ablate", "grid.tom"], "there is no file grid.tom (did you mean grid.toml?)"),
        (["check", "no/where"], "there is no folder no/where"),
        (["check", "pho"], "there is no folder pho: check the name"),
        (["explain", "lenett"], "no net called lenett (did you mean lenet?)"),
        (["explain", "resnext50_32x4"], "(did you mean resnext50_32x4d?)"),
        (["explain", "gird.py:Net"], "there is no file gird.py (did you mean grid.py?)"),
        (["explain", "grid.py"], "as grid.py:Net"),
        (["explain", "net.py:Nett"], "no class or function called Nett: did you mean Net?"),
        (["explain", "net.Nett"], "did you mean net.py:Net?"),
        (["propose", "photos", "--by", "plat"], "(did you mean plate?)"),
        (["train", "detect", "photos", "--init", "coko"], "(did you mean coco?)"),
        (["classes", "classed", "remane", "a", "b"], "(did you mean rename?)"),
        (["--versoin"], "there is no flag '--versoin': did you mean --version?"),
        (["--completion", "csh"], "bash or zsh"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_is_met_at_once_with_what_was_meant(ask, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "runs/photos-lenet"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a", "b"):
        write_picture(tmp_path / "classed" / name / "0.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "grid.toml").touch()
    (tmp_path / "grid.py").touch()
    (tmp_path / "net.py").write_text("import nothing_there\nclass Net: ...\n")
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_slip_does_not_wait_for_torch(tmp_path):
    """Neither a path that is not there nor a misspelt flag or net imports what is slow."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "net.py").write_text("import nothing_there\nclass Net: ...\n")
    code = (
        "import sys; from viewfinder.cli.main import main\n"
        "main(['predict', 'nothing', 'nothing'])\n"
        "main(['train', 'classify', 'photos', '--net', 'resnet'])\n"
        "main(['train', 'detect', 'photos', '--lr', '1'])\n"
        "main(['explain', 'resnet5'])\n"
        "main(['explain', 'nett.py:Net'])\n"
        "main(['explain', 'net.py:Nett'])\n"
        "print([name for name in ('torch', 'numpy', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert done.stderr.count("error: ") == 6


def test_what_a_set_cannot_do_is_refused_with_few_imports(three_kinds):
    """Neither what computes, nor what types are checked by, nor what speaks to the network."""
    slow = ("torch", "typeguard", "asyncio", "multiprocessing", "http.client")
    code = (
        "import sys; from viewfinder.cli.main import main\n"
        "main(['train', 'classify', 'cls', '--folds', '40'])\n"
        "main(['train', 'detect', 'cls'])\n"
        f"print([name for name in {slow} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert done.stderr.count("error: ") == 2


@pytest.mark.parametrize("kind", [int | None, Path | None, tuple[str, ...], int | Literal["none"]])
@pytest.mark.parametrize("value", [None, 3, "none", Path("a"), (), ("a", "b"), (3,), ["a"]])
def test_defaults_are_checked_as_tyro_checks_them(kind, value):
    usual = tyro._resolver.is_instance(kind, value)
    with without_typeguard():
        assert tyro._resolver.is_instance(kind, value) == usual


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


def test_sentences_are_broken_in_a_terminal_and_whole_in_a_file(monkeypatch, capsys):
    say("as it is: " + "word " * 40)
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for columns, widest in ((60, 60), (200, 80)):
        monkeypatch.setenv("COLUMNS", str(columns))
        say("  here: " + "word " * 40)
        lines = capsys.readouterr().out.splitlines()
        assert widest - 5 < max(map(len, lines)) <= widest
        assert lines[1].startswith("    word")


def test_notes_are_broken_at_words_in_a_pipe_too(whole_notes, monkeypatch, capsys):
    """But for a command, which stays as it can be given."""
    monkeypatch.setattr(Terminal, "_print_note", whole_notes)
    note("here: " + "word " * 40)
    note("  viewfinder train classify " + "--flag " * 20)
    *lines, command = capsys.readouterr().err.splitlines()
    assert 70 < max(map(len, lines)) <= 80
    assert command.count("--flag") == 20


def test_tables_have_as_many_columns_as_there_are(ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = ask("explain", "lenet")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["evaluate", "run", "photos"], "evaluate run on photos"),
        (["predict", "run", "photos"], "predict: run answers photos"),
        (["predict", "run", "-"], "predict: run answers the paths on standard input"),
        (["export", "run"], "export run as ONNX"),
    ],
)
def test_the_first_line_does_not_wait_for_torch(ask, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    Path("run/run.json").write_text("{}")
    Path("photos").mkdir()
    Path("photos/1.jpg").touch()
    # Whoever imports it finds nothing.
    monkeypatch.setitem(sys.modules, "viewfinder.api", None)
    status, _, err = ask(*words)
    assert status == 2
    assert err.splitlines()[0].startswith(says)


@pytest.fixture
def without_training(monkeypatch):
    """Whoever imports what trains, and torch with it, finds nothing."""
    monkeypatch.setitem(sys.modules, "viewfinder.training.folds", None)
    monkeypatch.setitem(sys.modules, "viewfinder.runs.run", None)


def test_a_picture_that_is_not_there_is_found_before_torch(ask, tmp_path, without_training):
    images = [{"id": n, "file_name": f"{n}.png", "width": 9, "height": 9} for n in (1, 2, 3)]
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4]}]
    categories = [{"id": 1, "name": "mug"}]
    text = json.dumps({"images": images, "annotations": boxes, "categories": categories})
    (tmp_path / "labels.json").write_text(text)
    for number in (1, 2):
        write_picture(tmp_path / f"{number}.png", np.full((9, 9, 3), number, np.uint8))
    status, _, err = ask("train", "detect", tmp_path, "--out", tmp_path / "run")
    assert status == 2
    assert "1 picture of 3 that labels name is not there (3.png)" in err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def three_kinds(tmp_path, monkeypatch):
    """`cls` has classes, `boxes` boxes and `masks` masks, of four pictures each."""
    monkeypatch.chdir(tmp_path)
    for n in range(4):
        pixels = np.full((9, 9, 3), 60 * n, np.uint8)
        for place in (f"cls/{'ab'[n % 2]}", "boxes/images", "masks/RGB"):
            write_picture(Path(place, f"{n}.png"), pixels)
        write_picture(Path(f"masks/GT/{n}.png"), np.where(pixels < 60 * n, 0, 255).astype(np.uint8))
        Path("boxes/labels").mkdir(exist_ok=True)
        Path(f"boxes/labels/{n}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    Path("boxes/data.yaml").write_text("train: images\nnames: [mug]\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("detect cls", "to detect, give boxes as COCO, YOLO (with its data.yaml) or Pascal VOC; as "
         "it is, learn from it by `viewfinder train classify cls`"),
        ("detect masks", "have masks and no boxes"),
        ("detect masks", "`viewfinder train saliency masks`"),
        ("classify boxes", "`viewfinder train detect boxes`"),
        ("saliency cls", "`viewfinder train classify cls`"),
        ("classify cls --folds 5", "cls has 2 pictures of a: give --folds 2 or less"),
        ("detect boxes --folds 5", "boxes has 4 pictures: give --folds 4 or less"),
    ],
)  # fmt: skip
def test_a_set_of_another_kind_is_found_before_torch(
    ask, three_kinds, without_training, words, says
):
    status, _, err = ask("train", *words.split())
    assert status == 2
    assert says in err


def test_a_picture_that_was_cut_short_is_found_before_torch(ask, three_kinds, without_training):
    """With what names all of them; so is one that is no picture at all."""
    cut = Path("cls/a/0.png")
    whole = cut.read_bytes()
    for left, says in ((whole[:-24], "is damaged or was cut short"), (b"oops", "holds text")):
        cut.write_bytes(left)
        status, _, err = ask("train", "classify", "cls")
        assert status == 2
        assert f"cls/a/0.png {says}" in err
        assert "(`viewfinder check cls` names every picture that cannot be read)" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict", "cls", "boxes", "run"], "viewfinder predict run cls boxes"),
        (["evaluate", "cls", "run"], "viewfinder evaluate run cls"),
        (["predict", "run", "cls", "boxes", "--track"], "--track follows objects through one"),
        (["predict", "run", "cls", "-"], "give it alone"),
        (["predict", "run"], "needs SOURCE"),
        (["why", "run"], "needs SOURCE"),
        (["evaluate", "run", "boxes", "of-two/b-c.jpg"], "belong to no flag: of-two/b-c.jpg"),
    ],
)
def test_a_run_behind_what_it_answers_is_put_before_it(
    ask, three_kinds, without_training, words, says
):
    Path("run").mkdir()
    Path("run/run.json").touch()
    status, _, err = ask(*words)
    assert status == 2
    assert says in err


def test_captures_of_other_classes_are_found_before_torch(ask, tmp_path, without_training):
    data, captures = tmp_path / "data", tmp_path / "captures"
    for folder in (data, captures / "mugs" / "frames", captures / "mugs" / "masks"):
        folder.mkdir(parents=True)
        write_picture(folder / "1.png", np.full((9, 9, 3), 7, np.uint8))
    (data / "classes.txt").write_text("mug\n")
    (data / "1.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    words = ("--compose", captures, "--out", tmp_path / "run")
    status, _, err = ask("train", "detect", data, *words)
    assert status == 2
    assert "has captures of 'mugs', a class that the training set does not have" in err
    assert "(did you mean mug?): its classes are mug" in err


def test_weights_that_cannot_be_had_are_told_before_torch(
    ask, tmp_path, monkeypatch, without_training
):
    monkeypatch.setattr(receiving, "_PATIENCE", 0.2)
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("VIEWFINDER_WEIGHTS", raising=False)
    (tmp_path / "1.jpg").touch()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{silent.getsockname()[1]}")
        status, _, err = ask("train", "classify", tmp_path, "--net", "vgg16", "--init", "imagenet")
    assert status == 2
    assert "cannot get the ImageNet weights of vgg16" in err


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
        "viewfinder train classify x --net resnet1": "resnet18 resnet101 resnet152",
        "viewfinder train detect x --init co": "coco",
        "viewfinder explain resnet3": "resnet34",
        "viewfinder weights g": "get",
        "viewfinder weights get yolov3-t": "yolov3-tiny",
        "viewfinder propose x --by pl": "plate",
        "viewfinder --comp": "--completion",
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


def test_of_each_task_the_help_of_train_gives_the_first_sentence(ask):
    _, out, _ = ask("train", "--help")
    tasks = out.partition("lists its flags):")[2].partition("example:")[0]
    assert "Example" not in tasks
    assert "Without flags" not in tasks
    assert all(f"\n  {task} " in tasks for task in NAMES)


NETS = {"detect": "yolov3-tiny", "classify": "lenet", "saliency": "a2dele"}
KINDS = {"boxes-run": "detect", "cls-run": "classify", "subject-run": "saliency"}


@pytest.fixture
def without_torch(monkeypatch, tmp_path):
    """Whoever imports what trains or answers finds nothing. `boxes-run`, `cls-run` and
    `subject-run` are runs without scores, as far as their `run.json` goes."""
    monkeypatch.chdir(tmp_path)
    tyro.cli(int, args=["1"])  # which looks for torch once, where that has been imported
    for name in ("torch", "viewfinder.training.folds", "viewfinder.runs.run", "viewfinder.api"):
        monkeypatch.setitem(sys.modules, name, None)
    for name, task in KINDS.items():
        Path(name).mkdir()
        told = {"task": task, "net": NETS[task], "classes": ["RBC", "WBC"]}
        Path(name, "run.json").write_text(json.dumps(told))
    for folder in ("cls", "full"):
        Path(folder, "a").mkdir(parents=True)
        Path(folder, "a", "1.png").touch()
    Path("file").touch()
    Path("notes.txt").write_text("what was bought where")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("train classify cls --out full", "full exists already and holds no run"),
        ("train classify cls --out cls-run", "cls-run exists already: give --resume"),
        ("train classify cls --out file/x", "cannot write file/x: a part of that path is a file"),
        ("train classify cls --head linear --unlabelled nix --out r/u", "--unlabelled: there is no "
         "folder or file nix"),
        ("train classify cls --head linear --unlabelled nix --out r/u --resume", "--unlabelled: "),
        ("propose cls --by plate --empty nix.png", "--empty: there is no folder or file nix.png"),
        ("predict cls full", "cls is not a run: give the folder that `viewfinder train` wrote"),
        ("evaluate cls full", "cls is not a run"),
        ("export cls", "cls is not a run"),
        ("predict boxes-run cls --threshold best", "--threshold best needs the scores that"),
        ("predict boxes-run cls --threshold RBD=0.5", "has no class 'RBD' (did you mean RBC?)"),
        ("predict boxes-run cls --threshold RBC=2", "--threshold RBC=2: give a score from 0 to 1"),
        ("bulk boxes-run cls out --threshold RBD=0.5", "has no class 'RBD' (did you mean RBC?)"),
        ("propose cls --by boxes-run --threshold best", "--threshold best needs the scores that"),
        ("predict cls-run cls --threshold best", "--threshold best is of detectors, and cls-run"),
        ("predict cls-run cls --refuse-below 2", "--refuse-below 2: give a score from 0 to 1"),
        ("predict cls-run cls --coverage 1", "--coverage 1: give a share between 0 and 1"),
        ("predict boxes-run cls --coverage 0.9", "--coverage is of one class for each picture"),
        ("predict subject-run cls --refuse-below 0.5", "answers have no score to be unsure of"),
        ("predict boxes-run cls --tiles 10", "--tiles 10: give 32 pixels or more"),
        ("evaluate boxes-run cls --tiles 320 --overlap 1", "--overlap 1: give a share from 0 to"),
        ("bulk cls-run cls out --tiles 640", "--tiles is for detectors: cls-run has another task"),
        ("predict coco cls --track --line 0,1,2", "--line 0,1,2: give points as x1,y1,x2,y2"),
        ("predict coco cls --track --zone 0,1,0,9", "--zone 0,1,0,9: give two corners of a"),
        ("predict cls-run cls --track", "--track follows what a detector finds: cls-run has"),
        ("predict cls-run notes.txt", "notes.txt holds text, not a picture"),
        ("predict coco notes.txt", "notes.txt holds text, not a picture"),
        ("why boxes-run file", "file is empty (0 bytes)"),
        ("predict cls-run cls --out full", "full exists already: choose another name"),
        ("why cls-run cls --out full", "full exists already: choose another name"),
        ("propose cls --by coco --names bottel", "has no class 'bottel' (did you mean bottle?)"),
        ("propose cls --by boxes-run --names RBD", "has no class 'RBD' (did you mean RBC?)"),
        ("propose cls --by boxes-run --names RBC=", "--names RBC=: write each as class, or as"),
        ("train classify cls --minutes 1 --epochs=3", "--minutes and --epochs each say how long"),
        ("train classify cls --folds 1", "--folds 1: give 2 or more"),
        ("train classify cls --folds 2 --minutes 1", "give --epochs instead"),
        ("train detect cls --net yolov3-lite0 --options stil=2", "no option 'stil' (did you mean "
         "still?)"),
        ("train classify cls --init file --out r/i", "file is empty (0 bytes)"),
        ("similar cls/a/1.png cls --count 0", "--count 0: a whole number from 1"),
        ("similar cls/a/1.png cls --html page.txt", "--html page.txt: the page is HTML"),
        ("order cls --count -1", "--count -1: a whole number from 0"),
        ("why cls-run cls --html page.txt", "--html page.txt: the page is HTML"),
        ("export cls-run --threshold 2", "--threshold 2: give a score from 0 to 1"),
        ("export cls-run --out full", "full is a folder: name a new file to write, such as"),
        ("train classify file", "file is a file: give the folder that holds the pictures"),
        ("score file mine=nothing", "there is no folder or file nothing"),
        ("export cls-run --out file", "file exists already: choose another name"),
        ("export cls-run --out file/x.onnx", "cannot write file/x.onnx: a part of that path"),
        ("export cls-run --int8 --answers raw", "--int8 gives decoded answers"),
    ],
)  # fmt: skip
def test_what_needs_no_torch_is_refused_without_it(ask, without_torch, words, says):
    """And nothing is left behind."""
    before = sorted(Path().rglob("*"))
    status, out, err = ask(*words.split())
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_an_empty_folder_is_refused_at_once(ask, without_torch):
    Path("new/within").mkdir(parents=True)
    for words in (
        ["train", "classify", "new"],
        ["predict", "cls-run", "new"],
        ["compose", "new", "s"],
    ):
        status, _, err = ask(*words)
        assert (status, err) == (2, "error: new is empty: give a folder with pictures\n")


def test_a_folder_whose_labels_lie_above_is_told_as_such(ask, three_kinds):
    write_picture(Path("captures/mug/1.png"), np.zeros((9, 9, 3), np.uint8))
    Path("captures/annotations").mkdir()
    _, _, err = ask("convert", "captures/mug", "--to", "yolo", "--out", "joined")
    assert "captures/mug has no labels of its own, and captures has them in annotations/" in err


def test_all_that_a_training_learns_from_is_looked_for():
    """Each such flag names a place that must be there."""
    from viewfinder.cli.meant import PLACES_OF_FLAGS
    from viewfinder.training.resumable import INPUTS

    assert {flag.removeprefix("--") for flag in INPUTS} <= set(PLACES_OF_FLAGS)


def test_who_resumes_nothing_is_told(ask, without_torch):
    """The training then begins: a queue may give the same command whether one was begun or not."""
    Path("runs").mkdir()
    Path("cls-run").rename("runs/mugs")
    _, _, err = ask("train", "classify", "cls", "--out", "runs/mug", "--resume")
    assert err.startswith(
        "--resume: no training was begun in runs/mug (did you mean mugs?): this one begins from "
        "the start\n"
    )
    _, _, err = ask("train", "classify", "cls", "--net", "lenet", "--resume")
    assert err.startswith("--resume: no training was begun in runs/cls-lenet: this one begins")


def test_who_stops_before_the_training_begins_is_told(ask, three_kinds, monkeypatch):
    def stopped(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("viewfinder.training.folds.train_with", stopped)
    status, _, err = ask("train", "classify", "cls", "--net", "lenet", "--out", "run")
    assert status == 130
    assert err.splitlines()[-1] == (
        "stopped before it began: all is as it was; the same command begins it again"
    )
    assert not Path("run").exists()
