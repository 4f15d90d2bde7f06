"""A last layer solved at once is a run like any other."""

import json
import shutil

import numpy as np
import pytest
import torch

from viewfinder import nets
from viewfinder.api import open_run, train
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.events import listening
from viewfinder.features import vectors
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import find
from viewfinder.tasks.classify import learner, solving
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.folds_usual import usual_folds
from viewfinder.training.solving import alike

CPU = torch.device("cpu")
FIELDS = {"net": "efficientnet-lite0", "size": 64, "keep": "memory"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Stripes that lie or stand, in noise: 8 to train on, 2 to choose by and 4 to test of each."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    waves = 90 * np.sign(np.sin(np.arange(64) / 3))[None, :, None]
    for split, count in (("train", 8), ("val", 2), ("test", 4), ("more", 6)):
        for name, turned in (("lying", False), ("standing", True)):
            for number in range(count):
                stripes = waves.transpose(1, 0, 2) if turned else waves
                picture = 128 + stripes + rng.normal(0, 30, (64, 64, 3))
                place = folder / split / name / f"{number}.png"
                write_picture(place, picture.clip(0, 255).astype(np.uint8))
    (folder / "more").rename(folder.parent / f"{folder.name}-more")
    return folder


def test_folds_that_learnt_another_kind_of_last_layer_do_not_tell_how_sure_one_is(
    small_run, tmp_path
):
    heads = (
        {"way": "linear", "believed": 0},
        {"way": "linear", "believed": 40},
        {"way": "prototypes", "believed": 0},
        {},
    )
    folds = [shutil.copytree(small_run, tmp_path / str(number)) for number in range(len(heads))]
    for fold, head in zip(folds, heads, strict=True):
        scores = json.loads((fold / "scores.json").read_text())
        (fold / "scores.json").write_text(json.dumps(scores | ({"head": head} if head else {})))
    said: list[str] = []
    with listening(lambda event: said.append(event.text)):
        assert alike(folds, {"way": "linear", "believed": 0, "decay": 1.0}) == folds[:1]
        assert alike(folds[:1], {"way": "linear", "believed": 0}) == folds[:1]
        assert alike(folds, {}) == folds, "what learns in steps is of one kind"
    (only,) = said
    assert only.startswith("3 of 4 folds learnt the last layer in another way")


@pytest.mark.parametrize("head", ["auto"])
def test_it_answers_resumes_and_leaves_the_other_layers_alone(photos, tmp_path, monkeypatch, head):
    # Of so many a class, two of them held out.
    monkeypatch.setattr(ClassifyRecipe, "FURTHER_FROM", 10)
    heard: list[str] = []
    with listening(lambda event: heard.append(getattr(event, "text", ""))):
        run = train("classify", photos, out=tmp_path / "run", init="imagenet", head=head, **FIELDS)
    assert heard[-2].startswith("try: let later layers learn too, in ")
    called = f"'classify', '{photos}', head=\"full\", size=64, keep=\"memory\""
    assert heard[-1] == f"  viewfinder.train({called})"
    scores = json.loads(run.scores_file.read_text())
    says = scores["head"]["says"]
    assert says in heard
    assert f"<h2>How it learnt</h2>\n<p>{says[:1].upper()}{says[1:]}.</p>" in (
        run.report_file.read_text()
    )
    assert scores["test"]["accuracy"] > 0.8
    assert scores["head"]["way"] in ("linear", "prototypes")
    assert [row["epoch"] for row in run.history()] == [1]
    state, published = run.net().state_dict(), imagenet_weights("efficientnet-lite0")
    assert all(torch.equal(state[n], t) for n, t in published.items() if not n.startswith("fc."))
    answer = open_run(tmp_path / "run").predict(photos / "test" / "lying" / "0.png")
    assert answer[0]["label"] == "lying"
    weights = tmp_path / "run" / "weights.safetensors"
    before = weights.read_bytes()
    run.report_file.unlink()
    fields = {"init": "imagenet", "head": head, **FIELDS}
    again = train("classify", photos, out=tmp_path / "run", resume=True, **fields)
    assert weights.read_bytes() == before
    assert "--epochs 300" not in again.report_file.read_text()


def test_each_picture_is_described_once_and_scored_as_the_net_answers(
    photos, tmp_path, monkeypatch
):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    asked: list[int] = []
    described = vectors.described

    def count(extractor, pictures):
        asked.append(len(pictures))
        return described(extractor, pictures)

    monkeypatch.setattr(vectors, "described", count)
    counted: list[int] = []
    undescribed = learner.undescribed

    def note_count(extractors, truth):
        counted.append(undescribed(extractors, truth))
        return counted[-1]

    monkeypatch.setattr(learner, "undescribed", note_count)
    run = train("classify", photos, out=tmp_path / "run", init="imagenet", head="auto", **FIELDS)
    assert sum(asked) == 2 * (16 + 4 + 8), "each of three sides, and mirrored"
    train("classify", photos, out=tmp_path / "more", init="imagenet", head="linear", **FIELDS)
    assert counted == [28, 0], "what is kept costs no time, and is not promised to"
    scores = json.loads(run.scores_file.read_text())
    assert scores["train"]["images"] == 16
    before = scores["test"]
    assert run.evaluate(photos)["accuracy"] == before["accuracy"]
    assert sum(asked) == 2 * (16 + 4 + 8)
    task, config, net = find("classify"), run.model.config, run.net()
    examples = task.open_eval(open_dataset(photos).split("test"), config, keep="memory")
    kept = task.answers(net, examples, config, CPU)
    pictures = examples.pixels.take(range(len(examples)))
    np.testing.assert_allclose(kept, task.reply(net, pictures, config, CPU), atol=1e-4)
    with torch.no_grad():
        net.get_submodule("fc").bias[0] = torch.nan
    assert np.isnan(task.answers(net, examples, config, CPU)).all()


def test_a_net_that_another_program_answers_for_is_looked_into_as_it_is_written(photos, tmp_path):
    run = train("classify", photos, out=tmp_path / "run", init="imagenet", head="linear", **FIELDS)
    task, config, net = find("classify"), run.model.config, run.net()
    examples = task.open_eval(open_dataset(photos).split("test"), config, keep="auto")
    expected = task.answers(net, examples, config, CPU)
    solving._LAYERS.clear()
    net.forward = lambda pictures: type(net).forward(net, pictures).clone()  # as ONNX Runtime would
    np.testing.assert_array_equal(task.answers(net, examples, config, CPU), expected)


def test_another_head_for_a_run_of_ones_own(photos, tmp_path):
    fields = {**FIELDS, "net": "lenet", "size": 32}
    first = train("classify", photos, out=tmp_path / "a", epochs=1, precision="32", **fields)
    heard: list[str] = []
    fields |= {"init": str(first.folder), "head": "linear", "learning_rate": 0.1, "turn": 90.0}
    with listening(lambda event: heard.append(getattr(event, "text", ""))):
        run = train("classify", photos, out=tmp_path / "b", **fields)
    assert (
        "what is solved takes no steps: --learning-rate 0.1, --turn 90.0 changes nothing" in heard
    )
    assert not [said for said in heard if "epoch" in said]
    mine, theirs = run.net().state_dict(), first.net().state_dict()
    changed = {n.rpartition(".")[0] for n in mine if not torch.equal(mine[n], theirs[n])}
    assert len(changed) == 1
    assert isinstance(nets.create("lenet").get_submodule(*changed), torch.nn.Linear)


def test_pictures_without_labels_are_looked_at(photos, tmp_path):
    fields = {**FIELDS, "init": "imagenet", "head": "linear"}
    more = str(photos.parent / f"{photos.name}-more")
    run = train("classify", photos, out=tmp_path / "run", unlabelled=more, **fields)
    head = json.loads(run.scores_file.read_text())["head"]
    assert set(head["right"]) >= {"unlabelled"}
    right = head["right"]
    assert f"{right['labelled']:.1%} without them, {right['unlabelled']:.1%} with" in head["says"]
    assert (head["believed"] > 0) == ("learnt from too" in head["says"])
    with pytest.raises(InputError, match="no pictures but those of the set itself"):
        train("classify", photos, out=tmp_path / "b", unlabelled=str(photos / "test"), **fields)
    with pytest.raises(InputError, match="is no folder"):
        train("classify", photos, out=tmp_path / "c", unlabelled=str(photos / "nothing"), **fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"head": "linear", "init": "random"}, "give --init imagenet"),
        ({"unlabelled": "more", "head": "full"}, "--unlabelled needs --head"),
        ({"head": "half"}, "--head must be one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(photos, tmp_path, fields, says):
    with pytest.raises(InputError, match=says):
        train("classify", photos, out=tmp_path / "run", **fields)
    assert not (tmp_path / "run").exists()


def test_small_pictures_are_enlarged_for_weights_of_imagenet_and_no_further(photos):
    task, data = find("classify"), open_dataset(photos)
    assert task.size(ClassifyRecipe(net="resnet18"), data) == (64, 64)
    assert task.size(ClassifyRecipe(net="resnet18", init="imagenet"), data) == (224, 224)
    given = ClassifyRecipe(net="resnet18", init="imagenet", size=96)
    assert task.size(given, data) == (96, 96)


def test_thumbnails_are_enlarged_five_times(tmp_path):
    for split, name in (("train", "a"), ("train", "b"), ("test", "a")):
        write_picture(tmp_path / split / name / "1.png", np.zeros((32, 32, 3), np.uint8))
    recipe = ClassifyRecipe(net="efficientnet-lite0", init="imagenet")
    assert find("classify").size(recipe, open_dataset(tmp_path)) == (160, 160)


def test_few_pictures_judge_by_folds_where_that_takes_seconds(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(ClassifyRecipe, "FURTHER_FROM", 8)
    flat, rng = tmp_path / "flat", np.random.default_rng(1)
    for number in range(9):
        for name, axis in (("lying", 0), ("standing", 1)):
            waves = np.sign(np.sin(np.arange(64) / rng.uniform(2, 5) + rng.uniform(0, 6)))
            field = np.expand_dims(waves, 1 - axis)[..., None] * rng.uniform(40, 90, 3)
            light = np.linspace(*rng.uniform(60, 200, 2), 64)[:, None, None]
            picture = (light + field).clip(0, 255).astype(np.uint8)
            place = flat / ("train" if number < 8 else "test") / name / f"{number}.png"
            write_picture(place, np.broadcast_to(picture, (64, 64, 3)))
    fields = {**FIELDS, "init": "imagenet", "head": "auto"}
    heard: list[str] = []
    with listening(lambda event: heard.append(getattr(event, "text", ""))):
        run = train("classify", flat, out=tmp_path / "run", **fields)
    folds = json.loads(run.scores_file.read_text())["folds"]
    assert folds["folds"] == 5
    # Its last training held nothing out, and the next has no more reason to: folds judge it.
    asked = ('head="full"', "val_share=0", "folds=5")
    assert any(all(flag in said for flag in asked) for said in heard)
    assert sum(each["test"] for each in folds["each"]) == 16
    for data, recipe in (
        (flat, ClassifyRecipe(**FIELDS, head="full", epochs=2)),  # before a net has learnt
        (photos, ClassifyRecipe(**fields)),
        (flat, ClassifyRecipe(**fields, val_share=0.0)),
    ):
        assert usual_folds("classify", data, recipe).folds is None


@pytest.mark.parametrize("learning_rate", [1.0, 1e-6])
def test_the_solved_layer_is_kept_where_steps_do_worse_or_as_well(photos, tmp_path, learning_rate):
    solved = train("classify", photos, out=tmp_path / "a", head="linear", init="imagenet", **FIELDS)
    steps = {"epochs": 1, "precision": "32", "batch": 2, "average": 0.0, "warmup": 0.0}
    fields = {**FIELDS, **steps, "head": "full", "learning_rate": learning_rate}
    heard: list[str] = []
    with listening(lambda event: heard.append(getattr(event, "text", ""))):
        run = train("classify", photos, out=tmp_path / "b", **fields)
    told = "The weights are those before the first step, the last layer solved, which is the "
    assert any(said.startswith(told) for said in heard)
    first, last = (json.loads(each.scores_file.read_text())["val"] for each in (solved, run))
    assert last["accuracy"] == first["accuracy"] > 0.5
    before, after = solved.net().state_dict(), run.net().state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert run.history()[-1]["kept_epoch"] == 0
