"""The command line: exit statuses, one line an error, one document a `--json`, nothing left."""

import contextlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from viewfinder.cli import main as command_line
from viewfinder.cli.flags import flags_of, kind_of
from viewfinder.cli.main import VERBS, main
from viewfinder.cli.parsing import one_line, read_flags
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import NAMES

QUICK = ["--net", "lenet", "--epochs", "1", "--batch", "18", "--precision", "32"]
QUICK += ["--keep", "memory"]


def is_one_error(status, out, err):
    lines = err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert status == 2
    assert out == ""
    assert errors == [lines[-1]]
    assert "Traceback" not in err
    assert "inside Viewfinder" not in err
    return errors[0]


def test_help_lists_the_verbs(ask):
    for words in ([], ["--help"], ["-h"], ["help"]):
        status, out, err = ask(*words)
        assert (status, err) == (0, "")
        assert all(f"  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(ask, verb):
    status, out, err = ask(verb, "--help")
    assert (status, err) == (0, "")
    assert f"viewfinder {verb}" in out


@pytest.mark.parametrize(
    ("words", "field", "values"),
    [
        (["score", "--set", "a=b:*", "--json", "--set", "c=d:*"], "set", ("a=b:*", "c=d:*")),
        (["score", "--metrics=mae", "--metrics", "s_measure", "iou"], "metrics",
         ("mae", "s_measure", "iou")),
        (["predict", "r", "v", "--line", "0,1,2,3", "--track", "--line=-4,5,6,7"], "line",
         ("0,1,2,3", "-4,5,6,7")),
        (["propose", "d", "--names", "a", "b", "--by", "coco", "--names", "c"], "names",
         ("a", "b", "c")),
        (["explain", "lenet", "--input", "3x8x8", "--input", "1"], "input", ("3x8x8", "1")),
    ],
)  # fmt: skip
def test_a_flag_of_several_values_may_be_given_several_times(words, field, values, monkeypatch):
    from viewfinder.cli import parsing

    verb, *rest = words
    monkeypatch.setattr(parsing, "refuse_missing_places", lambda _: None)
    module = importlib.import_module(f"viewfinder.cli.{verb}")
    assert getattr(read_flags(module, verb, rest), field) == values


def test_the_version(ask):
    from importlib.metadata import version

    assert ask("--version") == (0, version("viewfinder") + "\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["trian"], "did you mean train?"),
        (["zzz"], "the verbs are "),
        (["train"], "TASK"),
        (["train", "classify"], "DATA"),
        (["train", "segment", "DATA"], "there is no task 'segment': choose classify, detect"),
        (["train", "classify", "DATA", "--net", "lennet"], "did you mean lenet"),
        (["train", "classify", "DATA", "--epochs", "0"], "--epochs must be at least 1"),
        (["train", "classify", "DATA", "--epochs", "ten"], "--epochs must be a whole number, not"),
        (["train", "classify", "DATA", "--flip", "half"], "--flip must be a number, not 'half'"),
        (["train", "classify", "DATA", "--epochs"], "--epochs needs a value behind it"),
        (["train", "classify", "DATA", "--folds", "1"], "--folds 1: give 2 or more"),
        (["train", "classify", "DATA", "--net", "resnet"], "the nets for classify are: lenet"),
        (["train", "clasify", "DATA"], "(did you mean classify?): choose"),
        (["train", "DATA"], "say first what to learn of"),
        (["train", "classify"], "viewfinder train classify needs DATA"),
        (["--vesion"], "did you mean --version?"),
        (["explain", "lenet", "--size", "32"], "there is no flag --size (did you mean --input?)"),
        (["train", "classify", "DATA", "--learning-rate", "nan"], "--learning-rate must be"),
        (["train", "classify", "DATA", "--minutes", "inf"], "--minutes must be more than 0"),
        (["train", "classify", "DATA", "--flip", "2"], "--flip must be from 0 to 1"),
        (["train", "classify", "DATA", "--precision", "fp8"], "fp8"),
        (["train", "classify", "DATA", "--options", "width"], "name=value"),
        (
            ["train", "classify", "DATA", "--net", "lenet", "--options", "width=2"],
            "lenet has no option 'width'",
        ),
        (["train", "classify", "DATA", "--options", "classes=2"], "data set"),
        (["train", "classify", "DATA", "--net", "lenet", "--size", "4"], "lenet"),
        (["train", "classify", "DATA", "--init", "nowhere.pth"], "nowhere.pth"),
        (["train", "classify", "DATA", "--epoch", "3"], "--epoch"),
        (["train", "classify", "NOWHERE"], "there is no folder"),
        (["train", "classify", "EMPTY"], "put each class's pictures into a folder"),
        (["train", "classify", "ONE"], "one class only, 'cat'"),
        (["train", "classify", "DATA/train/blue/000.png"], "is a file"),
        (["check", "NOWHERE"], "there is no folder"),
        (["check", "EMPTY"], "put each class's pictures into a folder"),
        (["check", "ONE"], "one class only"),
        (["check"], "DATA"),
        (["evaluate", "NOWHERE", "DATA"], "does not exist: give the folder"),
        (["evaluate", "EMPTY", "DATA"], "is not a run"),
        (["evaluate", "RUN", "NOWHERE"], "there is no folder"),
        (["evaluate", "RUN", "OTHER"], "pictures of cat, dog, which the run does not know"),
        (["evaluate", "RUN", "DATA", "--split", "tset"], "(did you mean test?): choose all or"),
        (["evaluate", "RUN", "TRAIN_ONLY", "--split", "test"], "test"),
        (["evaluate", "DAMAGED", "DATA"], "run.json is damaged"),
        (["predict", "RUN", "NOWHERE"], "there is no"),
        (["predict", "RUN", "EMPTY"], "holds no pictures"),
        (["predict", "RUN", "EMPTY/bad.txt"], "bad.txt"),
        (["predict", "RUN", "DATA/test", "--top", "0"], "--top 0: give 1 or more"),
        (["predict", "RUN", "DATA/test", "--out", "DATA"], "exists already"),
        (["predict", "NO_WEIGHTS", "DATA/test"], "has no weights yet"),
        (["predict", "n" * 300, "DATA/test"], "too long"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_leaves_nothing(
    ask, small_set, small_run, tmp_path, monkeypatch, words, says
):
    work, places = tmp_path / "work", tmp_path / "places"
    work.mkdir()
    monkeypatch.chdir(work)
    (places / "empty").mkdir(parents=True)
    (places / "empty" / "bad.txt").write_text("no picture")
    picture = np.zeros((8, 8, 3), np.uint8)
    write_picture(places / "one/cat/1.png", picture)
    for name in ("cat", "dog"):
        write_picture(places / f"other/test/{name}/1.png", picture)
    shutil.copytree(small_set / "train", places / "train-only/train")
    for name in ("damaged", "no-weights"):
        (places / name).mkdir()
        shutil.copy(small_run / "run.json", places / name)
    os.truncate(places / "damaged/run.json", 100)
    names = {
        "DATA": small_set,
        "RUN": small_run,
        "NOWHERE": places / "nowhere",
        "EMPTY": places / "empty",
        "ONE": places / "one",
        "OTHER": places / "other",
        "TRAIN_ONLY": places / "train-only",
        "DAMAGED": places / "damaged",
        "NO_WEIGHTS": places / "no-weights",
    }
    given = []
    for word in words:
        head, slash, tail = word.partition("/")
        given.append(f"{names.get(head, head)}{slash}{tail}")
    assert says in is_one_error(*ask(*given))
    assert list(work.rglob("*")) == []


@pytest.mark.parametrize("verb", ["train", "evaluate", "predict"])
def test_cuda_that_is_not_there_is_refused(ask, small_set, small_run, tmp_path, monkeypatch, verb):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    words = {
        "train": ["train", "classify", small_set, "--out", tmp_path / "run"],
        "evaluate": ["evaluate", small_run, small_set],
        "predict": ["predict", small_run, small_set],
    }[verb]
    assert "no CUDA GPU" in is_one_error(*ask(*words, "--device", "cuda"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_taken_is_not_trained_into(ask, small_set, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    error = is_one_error(*ask("train", "classify", small_set, "--out", tmp_path, *QUICK))
    assert "exists already and holds no run" in error
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_may_not_be_written_is_said(ask, small_set, tmp_path):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / "run"
    error = is_one_error(*ask("train", "classify", small_set, "--out", out, *QUICK))
    assert f"cannot write {out}: a part of that path is a file" in error
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_train_writes_a_run_under_a_name_of_its_own(ask, small_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = ask("train", "classify", small_set, *QUICK)
    assert status == 0
    assert out.splitlines()[-2:] == [
        "report runs/small-lenet/report.html",
        "next   viewfinder predict runs/small-lenet new.jpg",
    ]
    status, out, _ = ask("train", "classify", small_set, *QUICK, "--json")
    document = json.loads(out)
    assert (status, document["run"]) == (0, "runs/small-lenet-2")
    assert set(document["scores"]) == {"train", "val", "test", "calibration"}
    # Resuming what is finished takes the newest and trains nothing more.
    status, out, _ = ask("train", "classify", small_set, *QUICK, "--resume", "--json")
    assert json.loads(out)["run"] == "runs/small-lenet-2"
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["small-lenet", "small-lenet-2"]


def test_evaluate(ask, small_set, small_run):
    status, out, _ = ask("evaluate", small_run, small_set, "--json")
    document = json.loads(out)
    assert status == 0
    assert {"accuracy", "loss", "per_class", "confusion", "images", "seconds"} <= set(document)
    assert (document["split"], document["images"]) == ("test", 18)
    assert set(document["per_class"]) == {"amber", "blue", "green"}
    status, out, _ = ask("evaluate", small_run, small_set, "--split", "val")
    assert status == 0
    assert "18 pictures in" in out
    assert "amber" in out


def test_predict(ask, small_set, small_run, tmp_path):
    source = small_set / "test" / "amber"
    status, out, err = ask("predict", small_run, source, "--json", "--out", tmp_path / "drawn")
    document = json.loads(out)
    assert (status, list(document)) == (0, ["predictions"])
    assert err.splitlines() == [
        f"predict: {small_run} answers {source}",
        f"wrote into {tmp_path / 'drawn'}: 6 pictures with the answers drawn",
    ]
    assert len(document["predictions"]) == 6
    assert set(document["predictions"][0]) == {"source", "width", "height", "label", "scores"}
    assert len(list((tmp_path / "drawn").iterdir())) == 6
    status, out, _ = ask("predict", small_run, source / "000.png", "--top", "1")
    assert status == 0
    assert out.startswith(f"{source / '000.png'}: amber ")
    assert out.count("%") == 1


def test_check(ask, small_set, tmp_path):
    status, out, _ = ask("check", small_set, "--json")
    document = json.loads(out)
    assert (status, set(document), document["faults"]) == (0, {"faults", "counts"}, [])
    assert document["counts"]["classes"] == {"amber": 24, "blue": 24, "green": 24}
    shutil.copytree(small_set, tmp_path / "set")
    (tmp_path / "set/train/blue/000.png").write_bytes(b"no picture")
    status, out, _ = ask("check", tmp_path / "set", "--json")
    (fault,) = json.loads(out)["faults"]
    assert (status, set(fault)) == (1, {"kind", "file", "detail", "fix", "mend"})
    assert fault["fix"] == fault["mend"]
    status, out, _ = ask("check", tmp_path / "set")
    assert status == 1
    assert "unreadable: train/blue/000.png: " in out
    assert out.splitlines()[-1] == "1 fault"


@pytest.mark.parametrize(
    "damage", ["raise OSError('no room')", "raise KeyError('k')", "def f(:", "x = 1"]
)
def test_a_damaged_package_is_the_doctors_matter(tmp_path, damage):
    """However its import ends; the doctor needs none of them."""
    (tmp_path / "tyro").mkdir()
    (tmp_path / "tyro" / "__init__.py").write_text(damage)
    code = "import sys; from viewfinder.cli.main import main; sys.exit(main(['check', 'x']))"
    asked = [sys.executable, "-c", code]
    done = subprocess.run(
        asked,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "python -m viewfinder.doctor says" in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (InputError("two\n  lines"), 2, "error: two lines\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (
            PermissionError(13, "Permission denied", "a/b"),
            2,
            "error: a/b: Permission denied; see that",
        ),
        (OSError(30, "Read-only file system", b"a/b"), 2, "error: a/b: Read-only file system\n"),
        (ZeroDivisionError("by\nzero"), 2, "error: something went wrong inside Viewfinder"),
        (ImportError("libGL.so.1"), 2, "error: what Viewfinder is built on cannot be imported"),
        (OSError("x.so: cannot open shared object file"), 2, "error: what Viewfinder is built on"),
    ],
)
def test_how_an_error_ends(monkeypatch, capfd, error, status, says):
    def fail(words):
        raise error

    monkeypatch.setattr(command_line, "_dispatch", fail)
    if isinstance(error, BrokenPipeError):
        monkeypatch.setattr(os, "dup2", lambda *descriptors: None)
    assert main(["check", "x"]) == status
    told = capfd.readouterr().err
    assert told.startswith(says)
    assert told.count("\n") == (1 if says else 0)
    if not isinstance(error, KeyboardInterrupt | BrokenPipeError):
        with pytest.raises(type(error)):
            main(["--debug", "check", "x"])


def test_a_reader_that_has_gone_is_no_error(small_set):
    command = f"'{sys.executable}' -m viewfinder check '{small_set}' | head -c 1"
    script = f"set -o pipefail; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, len(done.stdout)) == (0, "", 1)


def test_json_is_one_document_whatever_the_names_and_the_encoding(tmp_path):
    random = np.random.default_rng(0)
    for name in ("图", os.fsdecode(b"caf\xe9")):
        for number in range(8):
            picture = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            write_picture(tmp_path / name / f"{number}.png", picture)
    done = subprocess.run(
        [sys.executable, "-m", "viewfinder", "check", str(tmp_path), "--json"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    counts = json.loads(done.stdout)["counts"]["classes"]
    assert counts == {"图": 8, os.fsdecode(b"caf\xe9"): 8}


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 4.38 GiB for an array"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried\n at"),
    ],
)
def test_short_memory_has_a_sentence_of_its_own(error, ask, monkeypatch):
    def fail(words):
        raise error

    monkeypatch.setattr(command_line, "_dispatch", fail)
    said = is_one_error(*ask("check", "d"))
    assert "the memory was not enough (" in said
    assert "allocate" in said
    assert "--batch" in said


@pytest.mark.parametrize("verb", VERBS)
def test_no_flag_answers_a_wrong_value_in_the_words_of_the_parser(verb):
    module = importlib.import_module(f"viewfinder.cli.{verb}")
    for task in NAMES if verb == "train" else ("",):
        for flag in flags_of(kind_of(module, [task])):
            if flag.positional or not flag.value:
                continue
            words = [*filter(None, [task]), ".", flag.name, "?!"]
            with contextlib.suppress(InputError):
                read_flags(module, verb, words)
                continue  # words may be anything
            with pytest.raises(InputError) as refused:
                read_flags(module, verb, words)
            assert not re.search(r"rror|\{|no type|required\)", str(refused.value))


def test_a_number_that_words_may_stand_for_is_shown_too():
    kind = kind_of(importlib.import_module("viewfinder.cli.train"), ["detect"])
    shown = {flag.name: flag.value for flag in flags_of(kind)}
    assert shown["--tiles"] == "N|auto|none"
    assert shown["--device"] == "auto|cpu|cuda"


def test_what_tyro_draws_becomes_one_line_and_is_never_lost():
    box = (
        "╭─ Parsing error ──────────╮\n"
        "│ \x1b[31mError parsing recipe: batch must be at least 1\x1b[0m │\n"
        "│ ──────────────────────── │\n"
        "│ For full helptext, run x │\n"
        "╰──────────────────────────╯\n"
    )
    assert one_line(box) == "batch must be at least 1"
    assert one_line("something   else\n") == "something else"


def test_progress_can_be_read_as_lines_of_json(tmp_path, make_set, ask):
    status, printed, said = ask("check", make_set(), "--json-lines", "--json")
    assert status == 0
    assert json.loads(printed)["faults"] == []
    events = [json.loads(line) for line in said.splitlines()]
    assert {event["event"] for event in events} >= {"progress_began", "progress_ended"}


def test_scores_are_never_written_over_those_of_a_run(ask, tmp_path):
    for name in ("run.json", "scores.json"):
        (tmp_path / name).write_text("{}")
    for words in (
        ["compare", tmp_path, f"b={tmp_path}", tmp_path],
        ["score", tmp_path, f"a={tmp_path / 'scores.json'}"],
    ):
        status, _, error = ask(*words, "--out", tmp_path)
        assert status == 2
        assert "holds a run" in error
    assert (tmp_path / "scores.json").read_text() == "{}"


def test_a_model_whose_folder_has_an_equals_sign_is_found(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lr=1", "lr=2", "set"):
        (tmp_path / name).mkdir()
    status, _, error = ask("compare", "lr=1", "lr=2", "set")
    assert status == 2
    assert "lr=1 is not a run" in error
