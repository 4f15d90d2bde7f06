"""As few classes as a task allows: what was trained on them does all that a run is for."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from viewfinder import api
from viewfinder.ablation.grid import read_grid
from viewfinder.ablation.running import ablate
from viewfinder.errors import InputError
from viewfinder.inference.export import export_onnx
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import NAMES, find
from viewfinder.tasks.task import require_classes

FIELDS = {
    "classify": {"net": "lenet", "batch": 4},
    "detect": {"net": "yolov3-tiny", "size": 64, "options": ("width=0.0625",), "batch": 4},
    "saliency": {"net": "a2dele", "size": 32, "options": ("width=0.0625",), "batch": 4},
}


def paint(file: Path, number: int) -> None:
    picture = np.random.default_rng(number).integers(0, 99, (48, 64, 3), dtype=np.uint8)
    picture[8:32, 8:40, number % 2] = 240
    write_picture(file, picture)


def write_two_folders(root: Path) -> Path:
    for number in range(12):
        side = "val" if number < 4 else "train"
        paint(root / side / "ab"[number % 2] / f"{number}.png", number)
    return root


def write_one_box(root: Path) -> Path:
    """A YOLO set of one class."""
    for number in range(12):
        side = "val" if number < 4 else "train"
        paint(root / "images" / side / f"{number}.png", number)
        labels = root / "labels" / side / f"{number}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("0 0.375 0.4167 0.5 0.5\n")
    (root / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [raccoon]\n")
    return root


@pytest.fixture(params=sorted(FIELDS))
def learnt(request, tmp_path):
    """The name of a task, and a set with the fewest classes that the task takes."""
    if request.param == "saliency":
        return request.param, request.getfixturevalue("subject_scenes")
    write = write_two_folders if request.param == "classify" else write_one_box
    return request.param, write(tmp_path / "set")


def test_a_run_of_the_fewest_classes_does_all_that_a_run_is_for(learnt, tmp_path):
    pytest.importorskip("onnxruntime")
    task, data = learnt
    fields = FIELDS[task] | {"epochs": 1, "precision": "32", "keep": "memory"}
    api.train(task, data, out=tmp_path / "run", **fields)
    run = api.open_run(tmp_path / "run")
    if task != "saliency":  # Whose classes are always background and salient.
        assert len(run.manifest.classes) == find(task).fewest_classes
    picture = next(data.rglob("*.[jp][pn]g"))
    assert len(run.predict(picture)) == 1
    assert run.evaluate(data, split="val")["images"] >= 4
    export_onnx(run.model, tmp_path / "run.onnx", pictures=[picture])
    assert (tmp_path / "run.onnx").stat().st_size > 1000
    before = load_file(run.weights_file)
    resumed = api.train(task, data, out=run.folder, resume=True, **fields)
    assert all(before[name].equal(kept) for name, kept in load_file(resumed.weights_file).items())
    api.train(task, data, out=tmp_path / "next", **fields, init=str(run.folder))
    text = f'task = "{task}"\ndata = "{data}"\nseeds = 1\n[base]\n' + "".join(
        f"{name} = {list(value) if isinstance(value, tuple) else value!r}\n"
        for name, value in fields.items()
    )
    (tmp_path / "plan.toml").write_text(text + "[grid]\nlearning_rate = [0.01]\n")
    done = ablate(read_grid(tmp_path / "plan.toml"), out=tmp_path / "grid", train=api.train)
    assert [len(cell.values) for cell in done.cells] == [1]


@pytest.mark.parametrize("name", NAMES)
def test_fewer_classes_than_the_task_takes_are_refused(name):
    task = find(name)
    classes = [str(number) for number in range(task.fewest_classes)]
    require_classes(task, classes)
    with pytest.raises(InputError, match=rf"{task.fewest_classes} classes or more to {name}"):
        require_classes(task, classes[1:])
