"""A run's folder: what is written is read back, and what is damaged is said to be."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from viewfinder import api
from viewfinder.errors import InputError
from viewfinder.runs.places import discard, holds_run, refuse_taken
from viewfinder.runs.run import RunFolder, create_run, open_run
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.model import Model
from viewfinder.tasks.run_weights import RunWeights, config_of, new_net

MANIFEST = Manifest(
    task="classify",
    net="lenet",
    classes=("图 & 片", "<b>", "🙂"),
    size=(32, 32),
    options={"size": 32, "dropout": 0.1},
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.2, 0.1),
    recipe=ClassifyRecipe(net="lenet", epochs=3, options=("dropout=0.1",)),
    versions={"python": "3"},
    data={
        "source": "a",
        "root": "/a",
        "layout": "class folders",
        "fingerprint": "f",
        "images": {"train": 3},
        "per_class": {"<b>": 3},
    },
    device="CPU",
    precision={
        "arrangement": {"arithmetic": "32", "layout": "contiguous"},
        "why": "it won",
        "trials": [
            {
                "arithmetic": "bf16",
                "layout": "channels_last",
                "milliseconds": None,
                "loss": 1.5,
                "verdict": "agrees",
            }
        ],
    },
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
        {"epoch": 1, "seconds": 0.5, "images_per_s": 9.5, "loss": 1.23456789},
        {"epoch": 2, "seconds": 1.0, "images_per_s": 9.0, "loss": 1e-9, "val_accuracy": 1.0},
    ]
    run.save_history(rows)
    assert run.history() == [pytest.approx(row, rel=1e-6) for row in rows]
    assert (
        run.history_file.read_text().splitlines()[0]
        == "epoch,seconds,images_per_s,loss,val_accuracy"
    )


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
    (tmp_path / "stopped/folds").mkdir(parents=True)
    with pytest.raises(InputError, match=r"in folds has not come to its end.* --resume"):
        open_run(tmp_path / "stopped")
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
        (["mean"], [0.5, True, 0.5]),
        (["mean"], [1e308, 0, 0]),
        (["mean"], [0.5, -0.1, 0.5]),
        (["std"], [0.1, 1e-30, 0.1]),
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
        (["versions"], {"python": 3}),
        (["device"], None),
        (["data"], []),
        (["data"], {}),
        (["data", "source"], 5),
        (["data", "fingerprint"], None),
        (["data", "images"], {"train": "many"}),
        (["data", "images"], {"train": -1}),
        (["data", "per_class"], ["<b>"]),
        (["options", "dropout"], 10**30),
        (["options", "dropout"], float("inf")),
        (["precision"], {}),
        (["precision", "arrangement"], {"arithmetic": "8", "layout": "contiguous"}),
        (["precision", "arrangement", "layout"], "woven"),
        (["precision", "arrangement", "surprise"], 1),
        (["precision", "why"], 5),
        (["precision", "trials"], [{"arithmetic": "32", "layout": "contiguous"}]),
        (["precision", "trials", 0, "loss"], "low"),
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


@pytest.mark.parametrize(
    "text",
    [
        "word",
        "epoch,seconds,images_per_s,loss\n1,2,3,a word\n",
        "epoch,seconds,images_per_s,loss\n1,2,3,4,5\n",
        "epoch,seconds,images_per_s,loss\n1,2,3\n",
        "epoch,images_per_s,loss\n1,3,4\n",
        "epoch,seconds,images_per_s,loss\n0.5,2,3,4\n",
        "epoch,seconds,images_per_s,loss\n-5,2,3,4\n",
        "epoch,seconds,images_per_s,loss\n1,2,3,nan\n",
        "epoch,seconds,images_per_s,loss\n1,2,3,1e300\n",
        "epoch,seconds,images_per_s,loss\n1,2,3,4\0\n",
        'epoch,seconds,images_per_s,loss\n1,2,3,"4\n',
        "epoch,seconds,images_per_s,loss\n1,2,3," + "4" * 200_000 + "\n",
        "epoch,seconds,images_per_s,loss\n1,2,3,4\udcff\n",
    ],
    ids=range(13),
)
def test_a_history_that_no_training_wrote_is_refused(run, text):
    run.history_file.write_bytes(text.encode("utf-8", "surrogateescape"))
    if text == "word":
        assert run.history() == []
        return
    with pytest.raises(InputError, match=r"history\.csv is damaged") as caught:
        run.history()
    assert "\n" not in str(caught.value)


def test_a_huge_history_is_refused_before_it_is_read(run):
    run.save_history([])
    os.truncate(run.history_file, 1 << 40)
    with pytest.raises(InputError, match="larger than any"):
        run.history()


@pytest.mark.parametrize("options", [{"width": 30}, {"width": -1}, {"width": "wide"}])
def test_options_that_do_not_fit_the_weights_are_refused_before_the_net_is_made(
    tmp_path, monkeypatch, options
):
    """At 30 times its width a ResNet-152 has 50 thousand million parameters: 200 GB."""
    from dataclasses import replace

    run = create_run(tmp_path / "run", replace(MANIFEST, net="resnet152", options=options))
    save_file({"fc.bias": torch.zeros(3)}, run.weights_file)
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        open_run(run.folder).net()


def test_what_a_killed_training_leaves_before_its_manifest_is_no_run_and_no_hindrance(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".writing-abcd1234").write_bytes(b"{")
    refuse_taken(folder)
    assert create_run(folder, MANIFEST).manifest == open_run(folder).manifest


def test_a_folder_without_a_run_is_not_told_to_be_gone_on_with(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no run: give another --out"):
        refuse_taken(tmp_path)


def test_nothing_beside_weights_of_another_program_is_taken_for_the_runs(tmp_path):
    from viewfinder.cli.export import _place

    file = tmp_path / "net.weights"
    for name in ("net.weights", "history.csv", "scores.json", "report.html", "model.onnx"):
        (tmp_path / name).write_text("a stranger's")
    run = api.Run(Model(file, RunWeights(file), config_of(MANIFEST)))
    for asked in (run.history, lambda: run.scores_file, lambda: run.manifest):
        with pytest.raises(InputError, match=r"net\.weights is no run that Viewfinder trained"):
            asked()
    assert _place(run, "model.onnx") == tmp_path / "net.onnx"
    (tmp_path / "net.onnx").write_text("a stranger's")
    with pytest.raises(InputError, match="exists already: name the file to write, with --out"):
        _place(run, "model.onnx")


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


def test_a_size_that_the_net_does_not_take_is_refused(small_run, tmp_path):
    folder = Path(shutil.copytree(small_run, tmp_path / "run"))
    document = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(document | {"size": [4096, 4096]}))
    with pytest.raises(InputError, match="takes no pictures of 4096×4096"):
        open_run(folder).net()


def test_a_state_that_the_disk_refuses_is_told_of_and_the_old_one_kept(tmp_path):
    resource = pytest.importorskip("resource")
    run = RunFolder(tmp_path, MANIFEST)
    run.save_state({"net": {"a": torch.zeros(3)}}, {"epoch": 1})
    before = run.state_file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(
            InputError, match=r"cannot write .*state.ckpt: the file would be larger"
        ):
            run.save_state({"net": {"a": torch.zeros(1_000_000)}}, {"epoch": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.state_file.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state.ckpt"]


def test_what_is_left_of_a_run_that_is_being_discarded_is_a_run(tmp_path, monkeypatch):
    folder = create_run(tmp_path / "run", MANIFEST).folder
    for name in ("a", "pictures.csv", "z"):
        (folder / name).write_text("")
    usual, removed = Path.unlink, []

    def unlink(path: Path, **options) -> None:
        if len(removed) == 2:
            raise KeyboardInterrupt
        removed.append(path)
        usual(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            discard(folder)
    assert holds_run(folder)
    discard(folder)
    assert not folder.exists()
