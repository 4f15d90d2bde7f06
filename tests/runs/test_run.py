"""A run's folder: what is written is read back, and what is damaged is said to be."""

import json
import os
import shutil

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from viewfinder.errors import InputError
from viewfinder.runs.run import Manifest, create_run, new_net, open_run
from viewfinder.tasks.classify.recipe import ClassifyRecipe

MANIFEST = Manifest(
    task="classify",
    net="lenet",
    classes=("图 & 片", "<b>", "🙂"),
    size=(32, 32),
    options={"size": 32, "dropout": 0.1},
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.2, 0.1),
    recipe=ClassifyRecipe(epochs=3, options=("dropout=0.1",)),
    versions={"python": "3"},
    data={"source": "a"},
    device="CPU",
    precision={"why": "as asked for"},
)


@pytest.fixture
def run(tmp_path):
    run = create_run(tmp_path / "runs" / "图", MANIFEST)
    run.save_weights(new_net("lenet", 3, MANIFEST.options).state_dict())
    return run


def test_a_run_is_read_back_as_it_was_written(run):
    again = open_run(str(run.folder))
    assert again == run
    assert again.manifest == MANIFEST
    pictures = torch.rand(2, 3, 32, 32)
    net = again.net()
    assert not net.training
    assert net(pictures).shape == (2, 3)
    assert torch.equal(net(pictures), run.net()(pictures))


def test_the_history_is_read_back_to_seven_digits(run):
    assert run.history() == []
    rows = [
        {"epoch": 1, "loss": 1.23456789, "val_accuracy": 0.5},
        {"epoch": 2, "loss": 1e-9, "val_accuracy": 1.0},
    ]
    run.save_history(rows)
    assert run.history() == [pytest.approx(row, rel=1e-6) for row in rows]
    assert run.history_file.read_text().splitlines()[0] == "epoch,loss,val_accuracy"


def test_a_folder_with_something_in_it_is_not_written_to(run, tmp_path):
    with pytest.raises(InputError, match=r"exists already: give --resume"):
        create_run(run.folder, MANIFEST)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        create_run(tmp_path / "file", MANIFEST)
    (tmp_path / "empty").mkdir()
    # What a training leaves that is killed before its first file is whole.
    (tmp_path / "empty/.writing-x").write_text("{")
    assert create_run(tmp_path / "empty", MANIFEST).manifest == MANIFEST


def test_a_run_that_cannot_be_written_leaves_no_folder(tmp_path):
    from dataclasses import replace

    with pytest.raises(ValueError, match="JSON"):
        create_run(tmp_path / "run", replace(MANIFEST, data={"x": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist: give the folder that `viewfinder train`"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is not a run"):
        open_run(tmp_path)
    (tmp_path / "run.json").mkdir()
    with pytest.raises(InputError, match="is not a run"):
        open_run(tmp_path)


def damaged(document, path, value):
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 3),
        (["schema"], "1"),
        (["schema"], None),
        (["task"], 5),
        (["net"], ["lenet"]),
        (["classes"], "ab"),
        (["classes"], None),
        (["classes"], [1, 2]),
        (["classes"], []),
        (["classes"], ["one"]),
        (["classes"], ["a", "a"]),
        (["classes"], [["a"], ["b"]]),
        (["size"], 32),
        (["size"], [32]),
        (["size"], ["32", 32]),
        (["size"], [0, 32]),
        (["size"], [32, -1]),
        (["size"], [1.5, 32]),
        (["size"], [True, 32]),
        (["size"], [10**12, 32]),
        (["options"], [1]),
        (["mean"], [0.5, 0.5]),
        (["mean"], ["a", "b", "c"]),
        (["mean"], [0.5, float("nan"), 0.5]),
        (["std"], [0.1, 0, 0.1]),
        (["std"], [0.1, float("inf"), 0.1]),
        (["std"], None),
        (["recipe"], []),
        (["recipe"], 5),
        (["recipe"], None),
        (["recipe", "epochs"], "ten"),
        (["recipe", "epochs"], -1),
        (["recipe", "surprise"], 1),
        (["recipe", "options"], [5]),
        (["recipe", "options"], ["size=" + "9" * 9]),
        (["recipe", "learning_rate"], float("nan")),
        (["versions"], 5),
        (["data"], []),
        (["precision"], "32"),
        (["surprise"], 1),
    ],
)
def test_a_manifest_that_no_training_wrote_is_refused(run, path, value):
    file = run.folder / "run.json"
    document = damaged(json.loads(file.read_text(encoding="utf-8")), path, value)
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        open_run(run.folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["schema", "task", "recipe", "classes", "size", "mean", "data"])
def test_a_manifest_that_lacks_something_is_refused(run, key):
    file = run.folder / "run.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    del document[key]
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        open_run(run.folder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"5",
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b"NaN",
        b'{"schema": 1}',
        b"[" * 200_000,
        b'{"schema": 1, "recipe": ' + b'{"a":' * 100_000,
        b'{"schema": ' + b"9" * 10_000 + b"}",
        b"\0" * 1000,
    ],
    ids=range(13),
)
def test_hostile_bytes_are_refused(run, data):
    (run.folder / "run.json").write_bytes(data)
    with pytest.raises(InputError, match=r"run\.json"):
        open_run(run.folder)


def test_a_huge_manifest_is_refused_before_it_is_read(run):
    os.truncate(run.folder / "run.json", 1 << 40)
    with pytest.raises(InputError, match="larger than any"):
        open_run(run.folder)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_manifest_cut_anywhere_is_refused(run, data):
    file = run.folder / "run.json"
    kept = file.with_suffix(".kept")
    if not kept.exists():
        shutil.copy(file, kept)
    whole = kept.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])
    with pytest.raises(InputError, match="damaged"):
        open_run(run.folder)


def test_a_run_without_weights_says_how_to_go_on(run):
    run.weights_file.unlink()
    with pytest.raises(InputError, match=r"no weights yet.*--resume"):
        run.net()


def cut(run):
    data = run.weights_file.read_bytes()
    run.weights_file.write_bytes(data[: len(data) // 2])


def empty(run):
    run.weights_file.write_bytes(b"")


def noise(run):
    run.weights_file.write_bytes(bytes(range(256)) * 100)


def endless_header(run):
    run.weights_file.write_bytes(b"\xff" * 8 + b"{}")


def other_net(run):
    run.save_weights(new_net("resnet18", 3, {}).state_dict())


def other_classes(run):
    run.save_weights(new_net("lenet", 4, {"size": 32}).state_dict())


def one_missing(run):
    state = new_net("lenet", 3, {"size": 32}).state_dict()
    state.pop("fc3.bias")
    save_file(state, run.weights_file)


def folder(run):
    run.weights_file.unlink()
    run.weights_file.mkdir()


@pytest.mark.parametrize(
    "damage",
    [cut, empty, noise, endless_header, other_net, other_classes, one_missing, folder],
)
def test_weights_that_are_not_this_nets_are_refused(run, damage):
    damage(run)
    with pytest.raises(InputError, match=r"weights\.safetensors does not hold the weights of this"):
        run.net()
