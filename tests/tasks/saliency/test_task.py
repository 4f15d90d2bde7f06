"""The task: from pictures and depth to maps, and what is told of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import save

from viewfinder import nets
from viewfinder.datasets.formats.rgbd.reading import read_subject
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.nets import a2dele_weights
from viewfinder.tasks import find, recipe_of
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import IMAGENET, PLAIN
from viewfinder.tasks.parts import TrainSetup
from viewfinder.tasks.saliency.maps import extent_of
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe
from viewfinder.tasks.saliency.scores import mean, score
from viewfinder.tasks.saliency.task import Saliency
from viewfinder.tasks.saliency.teacher import read_teacher
from viewfinder.training import preparing
from viewfinder.training.batches import Share

CPU = torch.device("cpu")
TINY = ("width=0.0625",)
SIZE = (64, 64)


def setup_of(**fields):
    recipe = SaliencyRecipe(options=TINY, size=64, keep="memory", **fields)
    colours = PLAIN if recipe.net == DEPTH_NET else IMAGENET
    classes, options = ("background", "salient"), recipe.net_options()
    config = ModelConfig("saliency", recipe.net, classes, SIZE, colours, options)
    return TrainSetup(recipe, config)


def net_of(setup):
    return nets.create(setup.recipe.net, **setup.config.options).eval()


@pytest.fixture
def dataset(subject_scenes):
    return open_dataset(subject_scenes)


def test_the_task_is_found_by_its_name_and_its_net_by_the_task(dataset):
    task = find("saliency")
    assert isinstance(task, Saliency)
    assert recipe_of("saliency") is SaliencyRecipe
    assert SaliencyRecipe().net in nets.names("saliency")
    task.require(dataset)


def test_a_set_without_masks_is_refused(small_set):
    with pytest.raises(InputError, match="no masks of their subjects"):
        Saliency().require(open_dataset(small_set))


@pytest.mark.parametrize(
    ("recipe", "width"),
    [
        (SaliencyRecipe(), 0.25),
        (SaliencyRecipe(options=("width=0.5",)), 0.5),
        (SaliencyRecipe(init="imagenet"), 1.0),
    ],
)
def test_the_width_follows_from_what_is_started_from(dataset, recipe, width):
    options = Saliency().net_options(recipe, dataset, SIZE)
    assert ({"width": 1.0} | options)["width"] == width


def test_the_size_is_the_recipes_or_the_papers(dataset):
    assert Saliency().size(SaliencyRecipe(size=96), dataset) == (96, 96)
    assert Saliency().size(SaliencyRecipe(size=None), dataset) == (256, 256)


def test_colours_are_measured_or_those_of_the_weights_and_depth_has_none(dataset):
    task, setup = Saliency(), setup_of()
    examples = task.open_train(dataset.split("train"), setup)
    assert task.colours(SaliencyRecipe(init="vgg16.pth"), examples) == IMAGENET
    assert task.colours(SaliencyRecipe(net=DEPTH_NET, init="imagenet"), examples) == PLAIN
    pixels = examples.take(range(len(examples))).pictures.double() / 255
    measured = task.colours(SaliencyRecipe(), examples)
    assert measured.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-4)
    assert measured.std == pytest.approx(pixels.std((0, 2, 3)).tolist(), abs=1e-3)


@pytest.mark.parametrize("net", ["a2dele", DEPTH_NET])
def test_imagenet_starts_the_backbone_of_either_stream(monkeypatch, dataset, net):
    """torchvision's weights are stood in for by those of a narrow net, under VGG-16's names."""
    own = nets.create("a2dele", width=0.0625).state_dict()
    vgg16 = {
        f"{theirs}.{kind.rpartition('.')[2]}": tensor
        for theirs, layer in a2dele_weights._names_in_vgg16().items()
        for kind, tensor in own.items()
        if kind.startswith(f"{layer}.")
    }
    asked = []
    monkeypatch.setattr(preparing, "imagenet_weights", lambda name: asked.append(name) or vgg16)
    recipe = SaliencyRecipe(net=net, init="imagenet", options=TINY)
    started, start = preparing.start_net(
        Saliency(), recipe, ("background", "salient"), recipe.net_options()
    )
    assert asked == ["vgg16"]
    assert torch.equal(started.conv1_1.weight, vgg16["features.0.weight"])
    assert torch.equal(started.bn5_3.weight, vgg16["features.41.weight"])
    assert start.colours == (PLAIN if net == DEPTH_NET else IMAGENET)
    assert {"conv1_1.weight", "bn5_3.running_mean"} <= start.loaded
    assert "agg1.conv5.weight" not in start.loaded


def test_weights_of_the_other_stream_are_refused():
    student, teacher = (nets.create(n, width=0.0625) for n in ("a2dele", DEPTH_NET))
    names = ("background", "salient")
    with pytest.raises(InputError, match=r"depth stream.*--teacher"):
        Saliency().load(student, teacher.state_dict(), (), names)
    with pytest.raises(InputError, match="rgb stream"):
        Saliency().load(teacher, student.state_dict(), (), names)
    with pytest.raises(InputError, match="none of these weights fit"):
        Saliency().load(student, nets.create("lenet").state_dict(), (), names)


@pytest.mark.parametrize("net", ["a2dele", DEPTH_NET])
def test_two_processes_draw_the_rows_that_one_draws(dataset, net):
    task, setup = Saliency(), setup_of(net=net)
    examples = task.open_train(dataset.split("train"), setup)
    order = task.order(examples, setup.recipe, torch.Generator().manual_seed(1))
    assert sorted(order.tolist()) == list(range(12))

    def draw(share):
        rows = share.of(7)
        return task.draw(examples, order[:7], rows, setup, seed=5, done=0.0).changed()

    whole, halves = draw(Share()), [draw(Share(rank, 2)) for rank in (0, 1)]
    for part, pair in zip(whole, zip(*halves, strict=True), strict=True):
        assert (part is None) == (net == "a2dele" and part is whole[2])
        if part is not None:
            assert torch.equal(part, torch.cat(pair))


def test_pictures_without_depth_are_shown_to_the_student_alone(dataset, tmp_path):
    depths = tuple("" if index % 3 == 0 else path for index, path in enumerate(dataset.depths))
    train = replace(dataset, depths=depths).split("train")
    task, setup = Saliency(), setup_of(net=DEPTH_NET)
    examples = task.open_train(train, setup)
    order = task.order(examples, setup.recipe, torch.Generator())
    assert sorted(order.tolist()) == [i for i in range(12) if train.depths[i]]
    student = setup_of(teacher="somewhere")
    order = task.order(examples, student.recipe, torch.Generator())
    assert sorted(order.tolist()) == list(range(12))
    inputs = task.draw(examples, order, slice(None), student, seed=0, done=0.0)
    assert inputs.seen.tolist() == [bool(train.depths[i]) for i in order]


def test_depth_is_read_by_those_that_need_it_alone(dataset):
    task, train = Saliency(), dataset.split("train")
    blind = replace(train, depths=())
    for fields, learn, reads in (
        ({}, True, False),
        ({"teacher": "somewhere"}, True, True),
        ({"teacher": "somewhere"}, False, False),
        ({"net": DEPTH_NET}, False, True),
    ):
        setup = setup_of(**fields)

        def opened(split, setup=setup, learn=learn):
            if learn:
                return task.open_train(split, setup)
            return task.open_eval(split, setup.config, keep="memory")

        assert (opened(train).take([0]).depths is not None) == reads
        if reads:
            with pytest.raises(InputError, match="no depth maps"):
                opened(blind)
        else:
            assert len(opened(blind)) == 12


@pytest.mark.parametrize("net", ["a2dele", DEPTH_NET])
def test_a_picture_is_answered_alike_in_validation_and_in_predict(dataset, net):
    task, setup, val = Saliency(), setup_of(net=net), dataset.split("val")
    network = net_of(setup)
    maps = task.answers(
        network, task.open_eval(val, setup.config, keep="memory"), setup.config, CPU
    )
    for index, found in enumerate(maps):
        file = val.file(index) if net == "a2dele" else val.root / val.depths[index]
        picture, size = task.read(file, setup.config)
        assert size == (96, 96)
        prepared = torch.tensor(task.prepare(picture, setup.config, of=size)).permute(2, 0, 1)
        (reply,) = task.reply(network, prepared[None], setup.config, CPU)
        np.testing.assert_allclose(reply, found.values, atol=1e-6)
        assert found.size == (96, 96)
        assert found.at_own_size().shape == (96, 96)


def test_scores_are_the_mean_over_pictures_at_their_own_size(dataset):
    task, setup, val = Saliency(), setup_of(), dataset.split("val")
    maps = task.answers(
        net_of(setup), task.open_eval(val, setup.config, keep="memory"), setup.config, CPU
    )
    judged = task.score(maps, val)
    alone = [
        score(found.at_own_size(), read_subject(val, index)) for index, found in enumerate(maps)
    ]
    assert judged.as_json(val.classes) == pytest.approx(mean(alone).as_json())
    assert set(judged.figures()) <= set(judged.as_json(val.classes))
    assert task.best in judged.figures()
    assert {name for name, _ in task.headline} <= set(judged.as_json(val.classes))


def test_the_depth_stream_refuses_a_picture_in_colour(dataset):
    setup = setup_of(net=DEPTH_NET)
    colour = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    colour[0, 0] = 9
    with pytest.raises(InputError, match="reads depth maps"):
        Saliency().reply(net_of(setup), colour, setup.config, CPU)


def test_a_description_is_json_beside_its_map(dataset):
    setup = setup_of()
    answer = np.zeros((64, 64), np.float32)
    answer[16:32, 8:40] = 1
    found = Saliency().describe(answer, setup.config, of=(128, 64), threshold=None)
    told = found.as_json(())
    assert told["mask"]["box"] == {"x1": 16, "y1": 16, "x2": 80, "y2": 32}
    assert told["mask"]["share"] == pytest.approx(0.125)
    assert told["mask"]["threshold"] == 0.5
    assert json.loads(json.dumps(told["mask"])) == told["mask"]
    assert found.map.at_own_size().shape == (64, 128)
    nothing = Saliency().describe(answer / 2, setup.config, of=(128, 64), threshold=0.75)
    nothing = nothing.as_json(())["mask"]
    assert nothing == {"box": None, "share": 0.0, "mean": 0.0, "threshold": 0.75}


@settings(max_examples=50)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 7), st.integers(1, 7)),
        elements=st.floats(0, 1, width=32),
    ),
    st.floats(0.01, 1),
)
def test_the_box_holds_the_subject_and_touches_it_on_four_sides(values, threshold):
    told = extent_of(values, threshold=threshold)
    subject = values >= threshold
    assert told.share == pytest.approx(subject.mean())
    if told.box is None:
        assert not subject.any()
        return
    x1, y1, x2, y2 = told.box
    assert subject[y1:y2, x1:x2].sum() == subject.sum()
    assert subject[y1].any()
    assert subject[y2 - 1].any()
    assert subject[:, x1].any()
    assert subject[:, x2 - 1].any()
    assert threshold <= told.mean + 1e-6 <= 1 + 1e-5


@pytest.mark.parametrize(
    "wrong",
    [
        {"teacher_weight": 1.5, "teacher": "t"},
        {"teacher_weight": "adaptiv", "teacher": "t"},
        {"teacher_weight": float("nan"), "teacher": "t"},
        {"attention": "some", "teacher": "t"},
        {"dilation": 10, "teacher": "t"},
        {"temperature": 0.0},
        {"alpha": -1.0},
        {"teacher_weight": 0.5},
        {"attention": "plain"},
        {"alpha": 35.0},
        {"dilation": 1},
        {"net": DEPTH_NET, "teacher": "t"},
    ],
)
def test_choices_that_cannot_be_meant_name_their_flag(wrong):
    flag = next(iter(wrong)).replace("_", "-") if "net" not in wrong else "teacher"
    with pytest.raises(InputError, match=f"--{flag}"):
        SaliencyRecipe(**wrong)


def test_without_a_teacher_nothing_is_learnt_of_one():
    alone = SaliencyRecipe()
    assert (alone.share_of_teacher(), alone.taught_attention()) == (0.0, "none")
    taught = SaliencyRecipe(teacher="somewhere")
    assert (taught.share_of_teacher(), taught.taught_attention()) == ("adaptive", "dilated")
    assert SaliencyRecipe(teacher_weight=0, attention="none").share_of_teacher() == 0
    again = SaliencyRecipe.from_json(json.loads(json.dumps(taught.as_json())))
    assert again == taught


def test_a_teacher_out_of_the_authors_checkpoint_computes_as_theirs_does(tmp_path):
    net = nets.create(DEPTH_NET, profile="upstream")
    torch.save(net.state_dict(), tmp_path / "depth.pth")
    teacher = read_teacher(str(tmp_path / "depth.pth"), (64, 64))
    assert teacher.profile == "upstream"
    assert not teacher.training
    assert not any(p.requires_grad for p in teacher.parameters())
    depth = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(teacher(depth), net.eval()(depth))
    torch.save(nets.create("a2dele").state_dict(), tmp_path / "rgb.pth")
    with pytest.raises(InputError, match="stream of pictures"):
        read_teacher(str(tmp_path / "rgb.pth"), (64, 64))


class Hidden:
    """What runs code when a pickle is trusted."""

    def __reduce__(self):
        return (Path.write_text, (Path("code-was-run"), "x"))


def manifest(**fields):
    """A `run.json` of a depth stream; `fields` replace parts of it."""
    document = {
        "schema": 2,
        "task": "saliency",
        "net": DEPTH_NET,
        "classes": ["background", "salient"],
        "size": [64, 64],
        "options": {"width": 0.0625},
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "recipe": {"net": DEPTH_NET},
        "versions": {},
        "data": dict.fromkeys(("source", "root", "layout", "fingerprint"), "a")
        | {"images": {}, "per_class": {}},
        "device": "CPU",
        "precision": {
            "arrangement": {"arithmetic": "32", "layout": "contiguous"},
            "why": "as asked for",
            "trials": [],
        },
    }
    return json.dumps(document | fields)


WEIGHTS = {"weights.safetensors": save({"a": torch.zeros(1)})}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "no such run or file"),
        ({}, "is not a run"),
        ({"run.json": manifest(net="lenet")}, "cannot read depth"),
        ({"run.json": manifest(net="a2dele")}, "cannot read depth"),
        ({"run.json": "{" * 100_000}, "damaged"),
        ({"run.json": "[]"}, "damaged"),
        ({"run.json": manifest(size=[64])}, "damaged"),
        ({"run.json": manifest(options=3)}, "damaged"),
        ({"run.json": manifest(schema=3)}, "another version"),
        ({"run.json": manifest(options={"breadth": 1}), **WEIGHTS}, "no option 'breadth'"),
        ({"run.json": manifest(options={"width": 99}), **WEIGHTS}, "larger than its weights"),
        ({"run.json": manifest(options={"width": "wide"}), **WEIGHTS}, "damaged"),
        ({"run.json": manifest()}, "no weights yet"),
        ({"run.json": manifest(), "weights.safetensors": "x"}, "does not hold the weights"),
    ],
)
def test_what_cannot_teach_is_one_clear_line(tmp_path, files, told):
    folder = tmp_path / "teacher"
    for name, text in (files or {}).items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    if files == {}:
        folder.mkdir()
    with pytest.raises(InputError, match=told) as caught:
        read_teacher(str(folder), SIZE)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_hides_code_is_refused_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1_1.weight": Hidden()}, tmp_path / "teacher.pth")
    with pytest.raises(InputError, match="holds more than tensors"):
        read_teacher(str(tmp_path / "teacher.pth"), SIZE)
    assert not (tmp_path / "code-was-run").exists()


def test_weights_of_another_width_than_the_manifest_says(tmp_path):
    from safetensors.torch import save_file

    folder = tmp_path / "teacher"
    folder.mkdir()
    (folder / "run.json").write_text(manifest())
    save_file(nets.create(DEPTH_NET, width=0.125).state_dict(), folder / "weights.safetensors")
    with pytest.raises(InputError, match="does not hold the weights"):
        read_teacher(str(folder), SIZE)
