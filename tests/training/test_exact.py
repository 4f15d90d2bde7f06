"""A training ends in the same weights: stopped anywhere, and wherever its pictures are kept."""

import json
import runpy
import shutil
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from viewfinder.cpu import cpu_features
from viewfinder.errors import InputError
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks import recipe_of
from viewfinder.tasks.saliency.recipe import DEPTH_NET
from viewfinder.training import loop
from viewfinder.training import train as training
from viewfinder.training.batches import steps_per_epoch
from viewfinder.training.locking import taken
from viewfinder.training.train import train

# Five epochs of two steps, so that each fifth of a training has a start.
PLAIN = {"epochs": 5, "precision": "32", "keep": "memory"}
CLASSIFY = PLAIN | {"net": "lenet", "batch": 9, "options": ("dropout=0.3",)}
DETECT = PLAIN | {"batch": 4, "size": 64, "options": ("width=0.0625",)}
SALIENCY = PLAIN | {"batch": 6, "size": 32, "options": ("width=0.0625",)}


@pytest.fixture(autouse=True, scope="module")
def no_report():
    """Scores and reports have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "judge", lambda *_, **__: {})
        patch.setattr(training, "write_report", lambda *_, **__: FitVerdict("unknown", "", ()))
        patch.setattr(training, "report_verdict", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def boxes(tmp_path_factory) -> Path:
    """Eight pictures to learn from and two to measure on, each with one of two rectangles."""
    root, random = tmp_path_factory.mktemp("boxes"), np.random.default_rng(0)
    for side, count in (("train", 8), ("val", 2)):
        images, annotations = [], []
        for number in range(1, count + 1):
            picture = random.integers(90, 150, (64, 64, 3), dtype=np.uint8)
            x, y, label = *random.integers(4, 30, 2).tolist(), number % 2
            picture[y : y + 24, x : x + 20] = (200, 60, 60) if label else (40, 90, 220)
            write_picture(root / side / f"{number}.png", picture)
            images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 64})
            box = {"image_id": number, "category_id": label + 1, "bbox": [x, y, 20, 24]}
            annotations.append(box | {"id": number, "area": 480, "iscrowd": 0})
        kinds = [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}]
        document = {"images": images, "annotations": annotations, "categories": kinds}
        file = root / "annotations" / f"instances_{side}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document))
    return root


@pytest.fixture(scope="module")
def composing(tmp_path_factory) -> dict[str, str]:
    """Captures of a rectangle and a place to put it, as a recipe names them."""
    root = tmp_path_factory.mktemp("composing")
    picture, mask = np.full((60, 80, 3), 120, np.uint8), np.zeros((60, 80), bool)
    mask[15:45, 20:50] = True
    picture[mask] = (200, 60, 60)
    write_picture(root / "captures" / "red" / "frames" / "0.png", picture)
    write_mask(root / "captures" / "red" / "masks" / "0.png", mask)
    write_picture(root / "places" / "0.png", np.full((100, 130, 3), 90, np.uint8))
    return {"compose": str(root / "captures"), "backgrounds": str(root / "places")}


def learn(task: str, data: Path, out: Path, *, resume: bool = False, **fields) -> RunFolder:
    return train(task, data, recipe_of(task)(**fields), out=out, resume=resume)


def kept_at_each_step(task: str, data: Path, out: Path, **fields) -> tuple[RunFolder, list[Path]]:
    """A whole training, and copies of its folder as `kill -9` would leave it after each step."""
    copies: list[Path] = []
    usual = loop.Fit._save

    def save(fit: loop.Fit) -> None:
        usual(fit)
        if len(copies) < fit.progress.updates:
            copies.append(out.parent / f"{out.name}-{len(copies) + 1}")
            shutil.copytree(out, copies[-1], ignore=shutil.ignore_patterns("tensorboard"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_SAVE_EVERY", 0.0)
        patch.setattr(loop.Fit, "_save", save)
        return learn(task, data, out, **fields), copies


def state(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a training's end: of the net, its average, its momentum, and what is kept."""
    kept = torch.load(folder / "state.ckpt", weights_only=True)
    moments = {
        f"{number} {name}": value
        for number, values in kept["optimiser"]["state"].items()
        for name, value in values.items()
    }
    best = {
        f"best {name}": value for name, value in load_file(folder / "weights.safetensors").items()
    }
    average = {f"average {name}": value for name, value in kept["average"].items()}
    return kept["net"] | average | moments | best


def untimed(run: RunFolder) -> list[dict[str, float]]:
    timed = ("seconds", "images_per_s")
    return [{k: v for k, v in row.items() if k not in timed} for row in run.history()]


def assert_same(one: RunFolder, other: RunFolder) -> None:
    first, second = state(one.folder), state(other.folder)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert untimed(one) == untimed(other)


def assert_goes_on_from_anywhere(task: str, data: Path, out: Path, stops, **fields) -> None:
    whole, copies = kept_at_each_step(task, data, out, **fields)
    assert len(copies) == 10
    for stop in stops:
        assert_same(whole, learn(task, data, copies[stop - 1], resume=True, **fields))


@pytest.fixture(scope="module")
def teacher(subject_scenes, tmp_path_factory) -> RunFolder:
    fields = SALIENCY | {"epochs": 1, "net": DEPTH_NET}
    return learn("saliency", subject_scenes, tmp_path_factory.mktemp("teacher") / "run", **fields)


@pytest.fixture(scope="module")
def small_set_of_two(tmp_path_factory) -> Path:
    root, random = tmp_path_factory.mktemp("folders"), np.random.default_rng(0)
    for side, count in (("train", 9), ("val", 2)):
        for name, grey in (("dark", 60), ("light", 190)):
            for number in range(count):
                picture = random.integers(grey - 40, grey + 40, (32, 32, 3), dtype=np.uint8)
                write_picture(root / side / name / f"{number}.png", picture)
    return root


def test_a_classifier_goes_on_exactly_before_at_and_after_it_thaws(small_set_of_two, tmp_path):
    start = learn("classify", small_set_of_two, tmp_path / "start", **CLASSIFY | {"epochs": 1})
    fields = CLASSIFY | {"init": str(start.folder), "freeze": 0.4}
    assert_goes_on_from_anywhere(
        "classify", small_set_of_two, tmp_path / "run", (3, 4, 5), **fields
    )


def test_a_classifier_goes_on_exactly_from_weights_of_imagenet(small_set_of_two, tmp_path):
    """Its last layer is solved first, and its first layers and its statistics stay."""
    fields = {"precision": "32", "keep": "memory", "head": "full", "size": 32, "epochs": 2}
    fields, data = fields | {"learning_rate": 1e-4}, small_set_of_two
    whole, copies = kept_at_each_step("classify", data, tmp_path / "run", **fields, batch=9)
    early = shutil.copytree(copies[0], tmp_path / "early")
    for name in ("state.ckpt", "weights.safetensors", "history.csv"):
        (early / name).unlink(missing_ok=True)
    for folder in (early, copies[2]):
        assert_same(whole, learn("classify", data, folder, resume=True, **fields, batch=9))
    # Not those that are kept: of steps that did harm, none are.
    state = torch.load(whole.state_file, weights_only=True)["net"]
    published = imagenet_weights("efficientnet-lite0")
    same = [name for name, value in published.items() if torch.equal(value, state[name])]
    assert {n for n in published if "running" in n} <= set(same)
    kernels = [n for n, value in published.items() if value.ndim == 4]
    assert [n in same for n in kernels] == sorted((n in same for n in kernels), reverse=True)
    assert 0.4 < sum(n in same for n in kernels) / len(kernels) < 0.6


def test_a_detector_goes_on_exactly_with_its_default_flags(boxes, tmp_path):
    # Mosaics end after 0.8 of a training.
    assert_goes_on_from_anywhere("detect", boxes, tmp_path / "run", (7, 8, 9), **DETECT)


def test_a_detector_goes_on_exactly_at_each_change_of_its_recipe(boxes, composing, tmp_path):
    start = learn("detect", boxes, tmp_path / "start", **DETECT | {"epochs": 1})
    changes = {"small": 0.2, "freeze": 0.4, "init": str(start.folder), "mosaic_until": 0.6}
    fields = DETECT | changes | composing | {"mosaic": 1.0, "multi_scale": 0.5}
    assert_goes_on_from_anywhere("detect", boxes, tmp_path / "run", range(1, 8), **fields)


def test_a_student_goes_on_exactly_with_its_teacher(subject_scenes, teacher, tmp_path):
    fields = SALIENCY | {"teacher": str(teacher.folder), "alpha": 1.0}
    assert_goes_on_from_anywhere("saliency", subject_scenes, tmp_path / "run", (1, 6), **fields)


def test_a_saliency_net_goes_on_exactly_when_it_thaws(subject_scenes, teacher, tmp_path):
    fields = SALIENCY | {"net": DEPTH_NET, "init": str(teacher.folder), "freeze": 0.4}
    assert_goes_on_from_anywhere("saliency", subject_scenes, tmp_path / "run", (4,), **fields)


def test_wherever_pictures_are_kept_the_weights_are_the_same(
    boxes, subject_scenes, teacher, tmp_path, monkeypatch
):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    sets = {
        "detect": (boxes, DETECT | {"mosaic": 1.0, "mosaic_until": 0.5, "small": 0.3}),
        "saliency": (subject_scenes, SALIENCY | {"epochs": 2, "teacher": str(teacher.folder)}),
    }
    for task, (data, fields) in sets.items():
        runs = {
            keep: learn(task, data, tmp_path / f"{task}-{keep}", **fields | {"keep": keep})
            for keep in ("memory", "disk", "none")
        }
        assert_same(runs["memory"], runs["disk"])
        assert_same(runs["memory"], runs["none"])


def test_two_processes_take_the_steps_of_one_and_go_on_exactly(
    small_set_of_two, boxes, subject_scenes, teacher, tmp_path
):
    small = {"precision": "32", "keep": "memory"}
    cases = [
        ["batch norm", "classify", str(small_set_of_two), small | {"net": "resnet18", "size": 32}],
        ["iou", "detect", str(boxes), DETECT],
        ["darknet", "detect", str(boxes), DETECT | {"loss": "darknet"}],
        ["student", "saliency", str(subject_scenes), SALIENCY | {"teacher": str(teacher.folder)}],
    ]
    # Steps of odd sizes, which two processes cannot halve, and teachers that are not sure.
    cases[0][3] |= {"batch": 7, "options": ("width=0.0625",)}
    cases[1][3], cases[2][3] = cases[1][3] | {"batch": 3}, cases[2][3] | {"batch": 5}
    cases[3][3] |= {"batch": 5, "alpha": 1.0, "epochs": 1}
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    script = Path(__file__).parent / "record_steps.py"
    runpy.run_path(str(script))["take_steps"](tmp_path, 1, tmp_path / "cases.json")
    command = [sys.executable, str(script), str(tmp_path), "2", str(tmp_path / "cases.json")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    # They killed the process that had started them, and were to end with it.
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "outlived").exists()
    one, two = (torch.load(tmp_path / f"steps-{n}.pt", weights_only=True) for n in (1, 2))
    for name, steps in one.items():
        assert len(steps) == len(two[name]) == 2
        for mine, theirs in zip(steps, two[name], strict=True):
            assert mine.keys() == theirs.keys()
            gradients = [key for key in mine if key.startswith("grad")]
            apart = torch.stack([(mine[key] - theirs[key]).norm() for key in gradients]).norm()
            whole = torch.stack([mine[key].norm() for key in gradients]).norm()
            assert apart < 1e-6 * whole, (name, float(apart / whole))
            for key in mine.keys() - set(gradients):
                torch.testing.assert_close(mine[key], theirs[key], rtol=1e-5, atol=1e-7)
    history = (tmp_path / "student-2" / "history.csv").read_text().splitlines()
    assert "val_s_measure" in history[0]
    assert len(history) == 2
    assert_same(open_run(tmp_path / "student-2"), open_run(tmp_path / "stopped-2"))


def test_what_a_stopped_training_began_with_must_be_there_as_long_as_it_begins(
    small_set_of_two, tmp_path, capsys
):
    start = learn("classify", small_set_of_two, tmp_path / "start", **CLASSIFY | {"epochs": 1})
    fields = CLASSIFY | {"epochs": 1, "init": str(start.folder)}
    run = learn("classify", small_set_of_two, tmp_path / "run", **fields)
    thaws = learn("classify", small_set_of_two, tmp_path / "thaws", **fields | {"freeze": 0.5})
    # As if it had been stopped as soon as there was a run.
    early = shutil.copytree(run.folder, tmp_path / "early")
    for name in ("state.ckpt", "weights.safetensors", "history.csv", "pictures.csv"):
        (early / name).unlink()
    capsys.readouterr()
    assert_same(run, learn("classify", small_set_of_two, early, resume=True, **fields))
    assert "nothing to go on from yet: its training begins anew" in capsys.readouterr().err
    assert (early / "pictures.csv").read_text() == (run.folder / "pictures.csv").read_text()
    (early / "state.ckpt").unlink()
    learn("classify", small_set_of_two, start.folder, resume=True, **CLASSIFY | {"epochs": 1})
    weights = load_file(start.weights_file)
    start.save_weights({name: -value for name, value in weights.items()})
    for folder, more in ((early, {}), (thaws.folder, {"freeze": 0.5})):
        with pytest.raises(InputError, match="--resume: what --init names has changed"):
            learn("classify", small_set_of_two, folder, resume=True, **fields | more)
    shutil.rmtree(start.folder)
    learn("classify", small_set_of_two, run.folder, resume=True, **fields)


def test_a_step_has_a_picture_for_each_process():
    with pytest.raises(InputError, match="--batch 1 is fewer pictures than --devices 2 can share"):
        recipe_of("classify")(batch=1, devices=2)
    for pictures, batch, count in product(range(1, 30), range(1, 9), range(1, 5)):
        if min(pictures, batch) < count:
            continue
        steps = steps_per_epoch(pictures, batch, count)
        sizes = [len(part) for part in np.array_split(np.arange(pictures), steps)]
        assert min(sizes) >= count, (pictures, batch, count)
        assert max(sizes) <= max(batch, 2 * count, 3)
        if batch >= 2 * count:
            assert steps == steps_per_epoch(pictures, batch)


def test_a_short_training_by_the_clock_ends_with_measured_weights(boxes, tmp_path, monkeypatch):
    # The limit passes while the first epoch's state is being written; measuring is not due then.
    clock, usual = [1.0], loop.Fit._save

    def save(fit: loop.Fit) -> None:
        usual(fit)
        if fit.progress.epoch == 1:
            clock[0] = 100.0

    monkeypatch.setattr(loop, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(loop.Fit, "_save", save)
    monkeypatch.setattr(loop.Fit, "_seconds", lambda fit: clock[0])
    run = learn("detect", boxes, tmp_path / "run", **DETECT | {"batch": 8, "minutes": 0.5})
    assert "val_ap50" in run.history()[-1]
    assert len(run.history()) == 2
    run.net()


def test_the_clock_is_read_between_laps_and_a_long_epoch_is_cut(boxes, tmp_path, monkeypatch):
    # Each step takes a second of three; an epoch has eight.
    readings = []

    def seconds(fit: loop.Fit) -> float:
        readings.append(fit.progress.updates)
        return float(fit.progress.updates)

    monkeypatch.setattr(loop.Fit, "_seconds", seconds)
    run = learn("detect", boxes, tmp_path / "run", **DETECT | {"batch": 1, "minutes": 0.05})
    state = torch.load(run.state_file, weights_only=True)["progress"]
    assert (state["updates"], state["epoch"], state["ended"]) == (3, 1, True)
    assert "val_ap50" in run.history()[-1]


def test_a_run_goes_on_with_its_threads_unless_others_are_asked_for(
    boxes, tmp_path, capsys, monkeypatch
):
    run = learn("detect", boxes, tmp_path / "run", **DETECT | {"epochs": 1})
    assert open_run(run.folder).manifest.threads == torch.get_num_threads() == 1
    assert open_run(run.folder).manifest.machine["processor"] == cpu_features().name
    capsys.readouterr()
    learn("detect", boxes, run.folder, resume=True, **DETECT | {"epochs": 1})
    assert "threads" not in capsys.readouterr().err
    torch.set_num_threads(2)
    try:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        learn("detect", boxes, run.folder, resume=True, **DETECT | {"epochs": 1})
        said = capsys.readouterr().err
        assert "goes on with 1 thread, as it began" in said
        assert "resumed with" not in said
        assert torch.get_num_threads() == 2
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        learn("detect", boxes, run.folder, resume=True, **DETECT | {"epochs": 1})
        assert "begun with 1 thread and resumed with 2" in capsys.readouterr().err
    finally:
        torch.set_num_threads(1)


def test_one_process_at_a_time_goes_on_with_a_run(boxes, tmp_path):
    run = learn("detect", boxes, tmp_path / "run", **DETECT | {"epochs": 1})
    with (
        taken(run.folder, "training"),
        pytest.raises(InputError, match="another training is at work"),
    ):
        learn("detect", boxes, run.folder, resume=True, **DETECT | {"epochs": 1})
    learn("detect", boxes, run.folder, resume=True, **DETECT | {"epochs": 1})


def test_the_state_is_written_no_more_often_than_twenty_times_its_cost(monkeypatch):
    fit = object.__new__(loop.Fit)
    monkeypatch.setattr(loop.time, "perf_counter", lambda: 100.0)
    for cost, wait in ((0.0, 15), (0.7, 15), (2.0, 40), (5.0, 100)):
        fit.save_cost = cost
        for since in (wait - 1, wait + 1):
            fit.saved = 100.0 - since
            assert fit._save_is_due() == (since > wait), (cost, since)


def test_a_teacher_that_changed_is_noticed(subject_scenes, teacher, tmp_path):
    copied = shutil.copytree(teacher.folder, tmp_path / "teacher")
    fields = SALIENCY | {"epochs": 1, "teacher": str(copied)}
    run = learn("saliency", subject_scenes, tmp_path / "student", **fields)
    learn("saliency", subject_scenes, run.folder, resume=True, **fields)
    more = SALIENCY | {"net": DEPTH_NET, "epochs": 2}
    other = learn("saliency", subject_scenes, tmp_path / "other", **more)
    shutil.copy(other.weights_file, copied)
    with pytest.raises(InputError, match="--resume: what --teacher names has changed"):
        learn("saliency", subject_scenes, run.folder, resume=True, **fields)
