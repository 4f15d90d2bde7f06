"""Grids: what a file asks for, what is trained and what is not trained again."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch

from viewfinder import api
from viewfinder.ablation.grid import read_grid, recipe_with, slug
from viewfinder.ablation.page import write_ablation
from viewfinder.ablation.running import ablate, find_score
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.training import workers

HEAD = 'task = "classify"\ndata = "tabletop"\n'
GRID = HEAD + "seeds = 2\n[grid]\nlearning_rate = [0.01, 0.02]\n"
QUICK = '[base]\nnet = "lenet"\nepochs = 1\nbatch = 18\nprecision = "32"\nkeep = "memory"\n'


@pytest.fixture
def grid_of(tmp_path):
    """A function that writes a grid's file and reads it back."""

    def read(text, name="grid.toml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return read_grid(file)

    return read


@pytest.fixture
def trained(small_run):
    """A training that takes no time: accuracy is ten learning rates and a hundredth a seed."""

    class Trained:
        def __init__(self):
            self.asked, self.data = [], {}

        def __call__(self, task, data, *, out, resume, **fields):
            self.asked.append(fields)
            if fields["learning_rate"] == 0.5:
                raise InputError("the loss became\nNaN")
            if fields["learning_rate"] == 0.6:
                raise MemoryError("12 GiB")
            assert resume
            document = json.loads((small_run / "run.json").read_text())
            document["recipe"] = recipe_with(task, fields).as_json()
            document["data"] |= {"source": data} | self.data
            out.mkdir(parents=True, exist_ok=True)
            (out / "run.json").write_text(json.dumps(document))
            shutil.copy(small_run / "history.csv", out)
            accuracy = 10 * fields["learning_rate"] + 0.01 * fields["seed"]
            scores = {"val": {"accuracy": accuracy, "loss": 1.0, "odd": None}}
            (out / "scores.json").write_text(json.dumps(scores))
            (out / "report.html").write_text("")
            note("reported by the training")
            return api.open_run(out)

    return Trained()


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_a_grid_is_the_product_of_its_lists_and_the_named_cells(grid_of):
    grid = grid_of(
        HEAD
        + """
        seeds = [3, 5]
        baseline = {learning_rate = 0.05, options = ["stem=small", "width=0.5"]}
        [base]
        net = "resnet18"
        epochs = 4
        [grid]
        learning_rate = [0.02, 0.05]
        options = [[], ["stem=small", "width=0.5"]]
        [[cells]]
        name = "long: 8 epochs"
        epochs = 8
        """
    )
    assert [cell.name for cell in grid.cells] == [
        "learning_rate=0.02 options=[]",
        "learning_rate=0.02 options=[stem=small width=0.5]",
        "learning_rate=0.05 options=[]",
        "learning_rate=0.05 options=[stem=small width=0.5]",
        "long: 8 epochs",
    ]
    assert grid.baseline == "learning_rate=0.05 options=[stem=small width=0.5]"
    assert (grid.name, grid.seeds) == ("grid", (3, 5))
    assert (grid.score.name, grid.score.higher_is_better) == ("accuracy", True)
    recipes = [cell.recipe for cell in grid.cells]
    assert [recipe.epochs for recipe in recipes] == [4, 4, 4, 4, 8]
    assert recipes[3].options == ("stem=small", "width=0.5")
    assert recipes[4].learning_rate == recipe_with("classify", {}).learning_rate
    assert {recipe.net for recipe in recipes} == {"resnet18"}


def test_what_is_left_out_has_a_default(grid_of):
    grid = grid_of(HEAD + "[grid]\nbatch = [32, 64]\n", name="sizes.toml")
    assert (grid.name, grid.seeds, grid.baseline) == ("sizes", (0, 1, 2), "batch=32")


def test_folders_are_named_alike_on_every_system():
    assert slug("learning_rate=0.05 batch=32") == "learning_rate=0.05_batch=32"
    names = ["a/b", "a\\b", "a:b", "../a", "", "图" * 200, "a" * 200, "options=[x y]"]
    names += ["a b", "a_b", "report.html", "Ablation.CSV"]
    slugs = [slug(name) for name in names]
    assert all(0 < len(s.encode()) <= 200 and not set(s) & set('/\\:*?"<>| []') for s in slugs)
    assert not any(s.startswith(".") for s in slugs)
    assert not {"report.html", "ablation.csv"} & {s.lower() for s in slugs}
    # Only a space and an underscore are one; the grid refuses two cells in one folder.
    assert len(set(slugs)) == len(names) - 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("task = ", "is not TOML"),
        ("a = 1\na = 2", "is not TOML"),
        (f"x = {'[' * 10_000}", "is not TOML"),
        (f"x = {'9' * 5000}", "is not TOML"),
        ("", "task is missing"),
        ('task = "classify"', "data is missing"),
        ("task = 3\ndata = 'tabletop'", "task must be a word"),
        ("task = 'paint'\ndata = 'tabletop'", "there is no task 'paint'"),
        ("task = 'classify'\ndata = 'nowhere/here'", "there is no folder nowhere/here"),
        ("task = 'classify'\ndata = '~nobody-at-all/here'", "there is no folder"),
        (f"task = 'classify'\ndata = '{'n' * 5000}'", "there is no folder"),
        ('task = "classify"\ndata = "a\\u0000b"', "data must be a word"),
        (HEAD, "the grid is empty"),
        (HEAD + "[grid]", "the grid is empty"),
        (HEAD + "cells = []", "the grid is empty"),
        (HEAD + "[grid]\nbatch = []", "[grid] batch must be a list"),
        (HEAD + "[grid]\nbatch = 32", "[grid] batch must be a list"),
        (HEAD + "grid = 3", "grid must be a table"),
        (HEAD + "base = [1]\n[grid]\nbatch = [3]", "base must be a table"),
        (HEAD + "cells = [3]", "cells must be tables"),
        (HEAD + "[[cells]]\nbatch = 3", "name is missing"),
        (HEAD + "[[cells]]\nname = ''\nbatch = 3", "name must be a word"),
        (HEAD + "[grid]\nbatches = [3]", "no field 'batches' (did you mean batch?)"),
        (HEAD + "[grid]\nlearning-rate = [0.1]", "(did you mean learning_rate?)"),
        (HEAD + "[base]\nepoch = 3\n[grid]\nbatch = [3]", "(did you mean epochs?)"),
        (HEAD + "sedes = 3\n[grid]\nbatch = [3]", "no key 'sedes' (did you mean seeds?)"),
        (HEAD + "[grid]\nbatch = [32, '64']", "cell batch=64: --batch must be a whole number"),
        (HEAD + "[grid]\nbatch = [32, 1.5]", "--batch must be a whole number"),
        (HEAD + "[grid]\nbatch = [true]", "--batch must be a whole number"),
        (HEAD + "[grid]\nbatch = [1979-05-27]", "--batch must be a whole number"),
        (HEAD + "[grid]\nlearning_rate = [nan]", "--learning-rate must be"),
        (HEAD + "[grid]\noptions = ['width=2']", "--options must be a list"),
        (HEAD + "[grid]\nnet = ['lenet', 'lennet']", "did you mean lenet"),
        (HEAD + "[grid]\nnet = ['yolov3']", "net yolov3 is no net for classify"),
        (HEAD + "[grid]\nseed = [1, 2]", "seed is no field here"),
        (HEAD + "[base]\nseed = 1\n[grid]\nbatch = [3]", "seed is no field here"),
        (HEAD + "[grid]\nbatch = [32, 32]", "are the same training"),
        (HEAD + "[grid]\nlearning_rate = [1, 1.0]", "are the same training"),
        (HEAD + "[grid]\nbatch=[8]\n[[cells]]\nname='x'\nbatch=8", "'batch=8' and 'x' are the"),
        (HEAD + "[[cells]]\nname='X'\nbatch=8\n[[cells]]\nname='x'\nbatch=9", "two cells are"),
        (HEAD + "seeds = [1, 1]\n[grid]\nbatch = [3]", "seeds holds 1 twice"),
        (HEAD + "seeds = []\n[grid]\nbatch = [3]", "seeds must be"),
        (HEAD + "seeds = 0\n[grid]\nbatch = [3]", "seeds must be"),
        (HEAD + "seeds = true\n[grid]\nbatch = [3]", "seeds must be"),
        (HEAD + "seeds = [1.5]\n[grid]\nbatch = [3]", "seeds must be"),
        (HEAD + "seeds = [-1]\n[grid]\nbatch = [3]", "seeds holds -1"),
        (HEAD + "baseline = 'batch=4'\n[grid]\nbatch = [3]", "no cell 'batch=4' (did you mean"),
        (HEAD + "baseline = {batch = 4}\n[grid]\nbatch = [3]", "no cell has batch=4"),
        (HEAD + "baseline = {epochs = 150}\n[grid]\nbatch = [3, 4]", "2 cells have epochs=150"),
        (HEAD + "baseline = {bach = 4}\n[grid]\nbatch = [3]", "no field 'bach'"),
        (HEAD + "baseline = 3\n[grid]\nbatch = [3]", "baseline must be"),
        (HEAD + "score = 3\n[grid]\nbatch = [3]", "score must be"),
        (HEAD + "score = 'test.acuracy'\n[grid]\nbatch = [3]", "(did you mean accuracy?)"),
        (HEAD + "higher_is_better = 1\n[grid]\nbatch = [3]", "must be true or false"),
        (HEAD + "seeds = 5000\n[grid]\nbatch = [3, 4, 5]", "more than 10,000 trainings"),
        (
            HEAD + "[grid]\n" + "\n".join(f"x{i} = {list(range(10))}" for i in range(60)),
            "more than 10,000 trainings",
        ),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(grid_of, text, says):
    with pytest.raises(InputError) as refused:
        grid_of(text)
    assert says in str(refused.value)
    assert "grid.toml" in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = '\xc3'", b"x" * (2 << 20)])
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    file = tmp_path / "grid.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"grid\.toml"):
        read_grid(file)
    for place, says in ((tmp_path, "is a folder"), (tmp_path / "none", "there is no file")):
        with pytest.raises(InputError, match=says):
            read_grid(place)


def test_every_cell_is_trained_once_with_every_seed(grid_of, trained, tmp_path, capsys):
    found = ablate(grid_of(GRID), out=tmp_path / "out", train=trained)
    asked = [(fields["learning_rate"], fields["seed"]) for fields in trained.asked]
    assert asked == [(0.01, 0), (0.02, 0), (0.01, 1), (0.02, 1)]
    one, two = found.cells
    assert one.values == pytest.approx({0: 0.1, 1: 0.11})
    assert two.values == pytest.approx({0: 0.2, 1: 0.21})
    assert found.score.name == "val.accuracy"
    assert [trial.folder for trial in two.trials] == [
        "learning_rate=0.02/seed-0",
        "learning_rate=0.02/seed-1",
    ]
    log = tmp_path / "out" / "learning_rate=0.02" / "seed-1.log"
    assert log.read_text() == "reported by the training\n"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "learning_rate=0.02, seed 1: val.accuracy 0.21" in printed.err
    assert "4 of 4 done" in printed.err


def test_what_is_finished_is_left_alone_and_what_is_new_is_added(grid_of, trained, tmp_path):
    out = tmp_path / "out"
    ablate(grid_of(GRID), out=out, train=trained)
    before, trained.asked = files_of(out), []
    ablate(grid_of(GRID), out=out, train=trained)
    assert trained.asked == []
    wider = GRID.replace("seeds = 2", "seeds = 3").replace("0.02]", "0.02, 0.03]")
    found = ablate(grid_of(wider), out=out, train=trained)
    asked = {(fields["learning_rate"], fields["seed"]) for fields in trained.asked}
    assert asked == {(0.01, 2), (0.02, 2), (0.03, 0), (0.03, 1), (0.03, 2)}
    assert [len(cell.values) for cell in found.cells] == [3, 3, 3]
    after = files_of(out)
    assert {name: after[name] for name in before if name != "ablation.toml"} == {
        name: content for name, content in before.items() if name != "ablation.toml"
    }


def test_one_that_was_killed_before_its_report_was_written_goes_on(grid_of, trained, tmp_path):
    out = tmp_path / "out"
    ablate(grid_of(GRID), out=out, train=trained)
    trained.asked = []
    (out / "learning_rate=0.02" / "seed-1" / "report.html").unlink()
    ablate(grid_of(GRID), out=out, train=trained)
    assert [(fields["learning_rate"], fields["seed"]) for fields in trained.asked] == [(0.02, 1)]


def test_a_training_that_fails_is_told_and_the_others_go_on(grid_of, trained, tmp_path, capsys):
    grid = grid_of(GRID.replace("[0.01, 0.02]", "[0.01, 0.5, 0.6, 0.02]"))
    out = tmp_path / "out"
    found = ablate(grid, out=out, train=trained)
    failed, lost = found.cells[1:3]
    assert [trial.failed for trial in failed.trials] == ["the loss became NaN"] * 2
    assert lost.trials[0].failed.startswith("MemoryError: 12 GiB (")
    assert "Traceback" in (out / "learning_rate=0.6" / "seed-0.log").read_text()
    assert [len(cell.values) for cell in found.cells] == [2, 0, 0, 2]
    assert found.compared()["learning_rate=0.5"].verdict == "failed"
    told = capsys.readouterr().err
    assert "learning_rate=0.5, seed 1: failed: the loss became NaN" in told
    page = write_ablation(out, found).read_text()
    assert "learning_rate=0.5, seeds 0, 1, failed: the loss became NaN" in page


def test_a_folder_of_other_trainings_is_refused(grid_of, trained, tmp_path):
    out = tmp_path / "out"
    ablate(grid_of(GRID), out=out, train=trained)
    before, trained.asked = files_of(out), []
    base = GRID + "[base]\n"
    for text, says in [
        (base + "epochs = 7\nflip = 0.0", "was trained with other values of epochs, flip"),
        (GRID.replace("tabletop", "."), r"was trained on tabletop, not \."),
    ]:
        with pytest.raises(InputError, match=says):
            ablate(grid_of(text), out=out, train=trained)
    assert (trained.asked, files_of(out)) == ([], before)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    for place in (tmp_path / "mine", tmp_path / "mine" / "letter.txt"):
        with pytest.raises(InputError, match="is not an ablation's folder"):
            ablate(grid_of(GRID), out=place, train=trained)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    stray = out / "learning_rate=0.01" / "seed-7"
    stray.mkdir()
    (stray / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="seed-7 is no run"):
        ablate(grid_of(GRID.replace("seeds = 2", "seeds = [7]")), out=out, train=trained)


def test_what_a_kill_left_of_a_first_file_is_cleared_away(grid_of, trained, tmp_path):
    begun = tmp_path / "out" / "learning_rate=0.01" / "seed-0"
    begun.mkdir(parents=True)
    (begun / ".writing-abc").write_text("{")
    (tmp_path / "out" / "ablation.toml").write_text("")
    ablate(grid_of(GRID), out=tmp_path / "out", train=trained)
    assert sorted(path.name for path in begun.iterdir()) == [
        *("history.csv", "report.html", "run.json", "scores.json"),
    ]


def test_runs_on_changed_pictures_are_not_compared(grid_of, trained, tmp_path):
    ablate(grid_of(GRID), out=tmp_path / "out", train=trained)
    trained.data = {"fingerprint": "another"}
    with pytest.raises(InputError, match="the pictures have changed between the trainings of"):
        ablate(grid_of(GRID.replace("= 2\n", "= 3\n", 1)), out=tmp_path / "out", train=trained)


def test_a_score_that_is_not_there_stops_at_the_first_run(grid_of, trained, tmp_path):
    text = 'score = "val.recall"\n' + GRID
    with pytest.raises(InputError, match=r"no figure 'val.recall': there are val.accuracy, val.lo"):
        ablate(grid_of(text), out=tmp_path / "out", train=trained)
    assert len(trained.asked) == 1
    text = 'score = "odd"\nhigher_is_better = false\n' + GRID
    found = ablate(grid_of(text), out=tmp_path / "out", train=trained)
    assert [cell.failures[0].failed for cell in found.cells] == ["val.odd is undefined"] * 2


def test_figures_are_found_by_their_dotted_names():
    scores = {
        "test": {"accuracy": 0.5, "per_class": {"a.b": {"recall": 1}, "a": {"b": {"x": 2}}}},
        "val": {"accuracy": 0.4, "mae": 3.0},
    }
    assert find_score(scores, "accuracy") == ("test.accuracy", 0.5)
    assert find_score(scores, "val.accuracy") == ("val.accuracy", 0.4)
    assert find_score(scores, "mae") == ("val.mae", 3.0)
    assert find_score(scores, "test.per_class.a.b.recall")[1] == 1
    assert find_score(scores, "per_class.a.b.x") == ("test.per_class.a.b.x", 2)
    for name in ("test.per_class", "test", "train.accuracy", "accuracy.test", ""):
        with pytest.raises(InputError, match=r"there are test\.accuracy, val\.accuracy, val\.mae"):
            find_score(scores, name)


def test_two_at_a_time_in_one_folder_are_refused(grid_of, trained, tmp_path):
    grid = grid_of(GRID)

    def nested(*args, **options):
        with pytest.raises(InputError, match="another `viewfinder ablate` is at work"):
            ablate(grid, out=tmp_path / "out", train=trained)
        return trained(*args, **options)

    found = ablate(grid, out=tmp_path / "out", train=nested)
    assert [len(cell.values) for cell in found.cells] == [2, 2]


@pytest.mark.parametrize(("jobs", "threads"), [(1, 8), (3, 2), (20, 1)])
def test_jobs_share_threads_and_gpus(grid_of, monkeypatch, jobs, threads):
    from viewfinder.ablation.running import _slots

    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    grid = grid_of(GRID)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert _slots(grid, jobs) == [workers.Slot(None, threads)] * jobs
    assert len(_slots(grid, None)) == 1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [slot.device for slot in _slots(grid, None)] == ["0", "1"]
    assert [slot.device for slot in _slots(grid, jobs)] == (["0", "1"] * 10)[:jobs]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b,GPU-c")
    assert [slot.device for slot in _slots(grid, None)] == ["GPU-a", "GPU-b", "GPU-c"]
    several = grid_of(GRID + "[base]\ndevices = 2\n")
    assert len(_slots(several, None)) == 1
    with pytest.raises(InputError, match="several GPUs each"):
        _slots(several, 2)
    with pytest.raises(InputError, match="--jobs 0"):
        _slots(grid, 0)


def test_processes_train_what_one_process_does(small_set, grid_of, tmp_path, capfd):
    text = GRID.replace("tabletop", str(small_set)) + QUICK
    bad = text.replace("[0.01, 0.02]", "[0.01, 1e30]") + "clip = 0.0\nwarmup = 0.0\n"
    found = ablate(grid_of(bad), out=tmp_path / "two", train=api.train, jobs=2)
    assert [len(cell.values) for cell in found.cells] == [2, 0]
    assert all("NaN or infinite" in trial.failed for trial in found.cells[1].trials)
    assert "Traceback" not in capfd.readouterr().err
    good = text.replace("[0.01, 0.02]", "[0.01]") + "clip = 0.0\nwarmup = 0.0\n"
    alone = ablate(grid_of(good), out=tmp_path / "one", train=api.train)
    assert alone.cells[0].values == found.cells[0].values
    for seed in (0, 1):
        weights = [
            tmp_path / out / "learning_rate=0.01" / f"seed-{seed}" / "weights.safetensors"
            for out in ("one", "two")
        ]
        assert weights[0].read_bytes() == weights[1].read_bytes()


_ODD_TRAININGS = """
import os, signal, time

def train(task, data, *, out, resume, what):
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    out.mkdir()
    try:
        if what == "wait":
            (out / "waiting").touch()
            time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.5)
        (out / "saved").touch()
        raise
    told = [os.environ[name] for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")]
    (out / "told").write_text(" ".join(told))
"""


@pytest.fixture
def odd_training(tmp_path, monkeypatch):
    """A function that processes can import, and orders for it."""
    (tmp_path / "odd_trainings.py").write_text(_ODD_TRAININGS)
    monkeypatch.syspath_prepend(tmp_path)
    import odd_trainings

    def orders(*whats):
        return [
            workers.TrainingOrder(
                what, "t", "d", tmp_path / f"{n}", tmp_path / f"{n}.log", {"what": what}
            )
            for n, what in enumerate(whats)
        ]

    yield odd_trainings.train, orders
    del sys.modules["odd_trainings"]


def test_a_process_that_dies_fails_its_training_alone(odd_training, tmp_path):
    train, orders = odd_training
    slots = [workers.Slot("GPU-a", 3), workers.Slot("GPU-b", 5)]
    todo = orders("die", "well", "well", "well")
    done = list(workers.work(train, todo, slots, begin=lambda order: None))
    failed = {order.folder.name: failed for order, failed in done}
    assert "ended with status -9, as when the memory is used up" in failed.pop("0")
    assert failed == {"1": None, "2": None, "3": None}
    told = {(tmp_path / name / "told").read_text() for name in failed}
    assert told <= {"GPU-a 3", "GPU-b 5"}
    assert "GPU-b 5" in told


def test_ctrl_c_lets_every_training_save_once(odd_training, tmp_path):
    train, orders = odd_training
    slots = [workers.Slot("", 1)] * 2

    def interrupt(order):
        if order.name == "wait":
            return
        deadline = time.monotonic() + 60
        while not (tmp_path / "0" / "waiting").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(workers.work(train, orders("wait", "stop"), slots, begin=interrupt))
    assert (tmp_path / "0" / "saved").exists()
    assert not (tmp_path / "0" / "told").exists()
    assert not (tmp_path / "1").exists()
