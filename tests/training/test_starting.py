"""Weights of others to start from: whose colours, behind what prefix, and what stops it."""

import pickle
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from untrained import untrained_detector

from viewfinder import nets
from viewfinder.cli.main import main
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.nets.darknet.config import PUBLISHED_HEADER
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.nets.obtaining import imagenet_file
from viewfinder.nets.pickled import OLD
from viewfinder.nets.published import _PUBLISHED as facts
from viewfinder.nets.published import COCO_NET, coco_weights
from viewfinder.tasks import find, recipe_of
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.class_names import COCO
from viewfinder.tasks.detect.foreign import COCO as COCO_WORD
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.normalisation import IMAGENET
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training.beginning import refuse_early
from viewfinder.training.fetching import as_published, look_at_start, unused_weights
from viewfinder.training.preparing import refuse_unfit_file, start_net

CLASSES = ("one", "two")


def published(name: str, **options: object) -> dict[str, torch.Tensor]:
    """Weights in the layout that torchvision publishes, all of them 0.01, which takes no time."""
    with torch.device("meta"):
        layout = nets.create(name, **options).state_dict()
    return {
        n: torch.full(t.shape, 0.01).expand(t.shape) if t.is_floating_point() else torch.tensor(0)
        for n, t in layout.items()
    }


@pytest.mark.parametrize(
    ("name", "mean"), [("resnet18", IMAGENET.mean), ("googlenet", (0.5, 0.5, 0.5))]
)
@pytest.mark.parametrize("prefix", ["", "module.model."])
def test_torchvisions_file_by_path_is_init_imagenet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, mean: object, prefix: str
) -> None:
    file = tmp_path / f"{name}.pth"
    weights = published(name)
    torch.save({f"{prefix}{n}": tensor for n, tensor in weights.items()}, file)
    recipe = ClassifyRecipe(net=name, init=str(file))
    net, start = start_net(find("classify"), recipe, CLASSES, {})
    assert start.colours is not None
    assert start.colours.mean == mean
    assert "for the 1000 classes of ImageNet" in capsys.readouterr().err
    assert torch.equal(next(net.parameters()), next(iter(weights.values())))


def test_weights_for_other_classes_take_the_sets_own_colours(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    torch.save({"net": published("resnet18", classes=10)}, file)
    recipe = ClassifyRecipe(net="resnet18", init=str(file))
    assert start_net(find("classify"), recipe, CLASSES, {})[1].colours is None


def test_a_prefix_before_a_backbones_weights_is_left_away(tmp_path: Path) -> None:
    from viewfinder.tasks.saliency.recipe import SaliencyRecipe

    file = tmp_path / "vgg16.pth"
    weights = published("vgg16")
    kept = {n: t for n, t in weights.items() if n.startswith("features.")}
    torch.save({f"backbone.{n}": tensor for n, tensor in kept.items()}, file)
    recipe = SaliencyRecipe(net="a2dele", init=str(file))
    _, start = start_net(find("saliency"), recipe, ("subject",), {})
    assert "conv1_1.weight" in start.loaded


def test_weights_that_are_no_numbers_stop_it(tmp_path: Path) -> None:
    weights = nets.create("lenet").state_dict()
    weights["conv2.bias"] = torch.full_like(weights["conv2.bias"], float("inf"))
    torch.save(weights, tmp_path / "a.pth")
    recipe = ClassifyRecipe(net="lenet", init=str(tmp_path / "a.pth"))
    with pytest.raises(InputError, match=r"NaN or infinite numbers, in conv2\.bias"):
        start_net(find("classify"), recipe, CLASSES, {})


@pytest.mark.parametrize("classes", [("leaf",), ("person", "leaf", "car")])
def test_a_detector_starts_from_coco_whatever_its_classes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    classes: tuple[str, ...],
) -> None:
    # What lies about under this name was not asked for.
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "run.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    net, start = start_net(find("detect"), DetectRecipe(), classes, {})
    state, published = net.state_dict(), coco_weights()
    assert torch.equal(state["conv1.conv.weight"], published["conv1.conv.weight"])
    assert len(start.loaded) > 20
    told = capsys.readouterr().err
    known = ", ".join(each for each in classes if each in COCO) or "none"
    assert f"classes known to the weights: {known}" in told
    # A class that COCO knows is taken over, one that it does not know learns from the start.
    head, theirs = (each["head16.predict.weight"] for each in (state, published))
    ours = head.unflatten(0, (3, 5 + len(classes)))
    for index, name in enumerate(classes):
        if name in COCO:
            there = theirs.unflatten(0, (3, 85))[:, 5 + COCO.index(name)]
            assert torch.equal(ours[:, 5 + index], there)


def test_a_larger_detector_starts_from_cocos_weights_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of the published length and header, of zeros, which take no place on the disk."""
    length, _ = facts["yolov3-spp"]
    with (tmp_path / "yolov3-spp.weights").open("wb") as file:
        file.write(PUBLISHED_HEADER.pack())
        file.truncate(length)
    monkeypatch.setitem(facts, "yolov3-spp", (length, ""))  # of any digest
    monkeypatch.setenv("VIEWFINDER_WEIGHTS", str(tmp_path))
    recipe = DetectRecipe(net="yolov3-spp", init="coco")
    net, start = start_net(find("detect"), recipe, ("person", "leaf"), {})
    assert not net.state_dict()["backbone.conv.conv.weight"].any()
    assert len(start.loaded) > 400
    head = net.state_dict()["head8.predict.weight"].unflatten(0, (3, 7))
    assert not head[:, 5].any()
    assert head[:, 6].any(), "COCO has no such class"
    assert "classes known to the weights: person" in capsys.readouterr().err


def test_a_net_without_cocos_weights_is_told_which_have_them() -> None:
    recipe = DetectRecipe(net="yolov3-lite0", init="coco")
    told = "are of yolov3-tiny, yolov3, yolov3-spp, and not yolov3-lite0, which has ImageNet.s"
    with pytest.raises(InputError, match=told):
        start_net(find("detect"), recipe, CLASSES, {})


def test_what_a_detector_starts_from_follows_from_what_was_asked_for() -> None:
    def start(**fields: Any) -> str:
        return DetectRecipe(**fields).init

    assert start() == start(options=("width=1",)) == "coco" == COCO_WORD
    assert DetectRecipe().net == COCO_NET
    assert (
        start(net="yolov3") == start(net="yolov3-spp") == start(options=("width=0.5",)) == "random"
    )
    assert start(init="random") == "random"
    assert start(net="yolov3", init="coco") == "coco", "what was asked for is refused, not replaced"
    # As where some fields are given later, by flags or in a cell of an ablation.
    assert replace(DetectRecipe(), net="yolov3").init == "random"
    assert replace(DetectRecipe(net="yolov3"), net="yolov3-tiny").init == "coco"
    assert replace(DetectRecipe(init="random"), net="yolov3-tiny").init == "random"
    sent = pickle.loads(pickle.dumps(DetectRecipe()))
    assert replace(sent, net="yolov3") == DetectRecipe(net="yolov3")
    assert DetectRecipe.from_json(DetectRecipe().as_json()) == DetectRecipe()


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ([], "yolov3-tiny from COCO's weights on"),
        (["--init", "random"], "yolov3-tiny from random weights on"),
        (["--options", "width=0.25"], "yolov3-tiny from random weights on"),
        (["--net", "yolov3"], "yolov3 from random weights on"),
    ],
)
def test_the_first_line_tells_where_weights_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], start: str
) -> None:
    # There is no picture that can be read, so it goes no further.
    (tmp_path / "1.png").touch()
    assert main(["train", "detect", str(tmp_path), "--out", str(tmp_path / "run"), *words]) == 2
    assert f"train detect: {start}" in " ".join(capsys.readouterr().err.split())


LITE = "efficientnet-lite0"


def test_weights_that_are_here_and_not_asked_for_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unused_weights(ClassifyRecipe(net="resnet18")) == ""
    monkeypatch.setattr("viewfinder.training.fetching.imagenet_here", lambda net: tmp_path)
    told = unused_weights(ClassifyRecipe(net="resnet18"))
    assert told == "ImageNet's weights of resnet18 are here: --init imagenet starts from them"
    for recipe in (
        ClassifyRecipe(),
        ClassifyRecipe(net="lenet"),
        ClassifyRecipe(net="efficientnet-lite2"),
        ClassifyRecipe(net="resnet18", init="random"),
        ClassifyRecipe(net="resnet18", init="imagenet"),
        DetectRecipe(),
    ):
        assert unused_weights(recipe) == ""


def test_the_installed_file_by_its_path_is_init_imagenet() -> None:
    file = str(imagenet_file(LITE))
    for net in (LITE, "a2dele-lite0", "yolov3-lite0"):
        kind = {LITE: "classify", "a2dele-lite0": "saliency"}.get(net, "detect")
        named = recipe_of(kind)(net=net, init=file)
        assert as_published(named) == recipe_of(kind)(net=net, init="imagenet")
    other = ClassifyRecipe(net="resnet18", init=file)
    assert as_published(other) is other


@pytest.mark.parametrize("packed", ["safetensors", "behind a prefix", "older"])
def test_the_installed_weights_saved_again_are_init_imagenet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: str
) -> None:
    """By what they hold: names and layouts in memory are others', and counters may lack."""
    weights = {
        name: tensor.contiguous()
        for name, tensor in torch.load(imagenet_file(LITE)).items()
        if tensor.is_floating_point()
    }

    def save(file: Path) -> None:
        if packed == "safetensors":
            safetensors.torch.save_file(weights, file)
        elif packed == "older":
            torch.save(weights, file, _use_new_zipfile_serialization=False)
        else:
            torch.save({"state": {f"mine.{n}": t for n, t in weights.items()}}, file)

    save(tmp_path / "mine")
    for kind, net in (("classify", LITE), ("detect", "yolov3-lite0")):
        named = recipe_of(kind)(net=net, init=str(tmp_path / "mine"))
        assert as_published(named) == recipe_of(kind)(net=net, init="imagenet")
    told = " ".join(capsys.readouterr().err.split())
    assert "holds, number for number, what --init imagenet names" in told
    # One number is another: they have learnt something else since.
    next(iter(weights.values()))[0] += 1
    save(tmp_path / "other")
    other = ClassifyRecipe(init=str(tmp_path / "other"))
    assert as_published(other) is other
    assert capsys.readouterr().err == ""


def test_of_two_copies_of_a_net_the_one_that_is_read_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = torch.load(imagenet_file(LITE))
    slow = {name: torch.zeros_like(tensor) for name, tensor in theirs.items()}
    for first, second, taken in ((theirs, slow, True), (slow, theirs, False)):
        copies = {f"backbone.{name}": tensor for name, tensor in first.items()}
        copies |= {f"momentum_backbone.{name}": tensor for name, tensor in second.items()}
        torch.save({"net": copies}, tmp_path / "two.pth")
        recipe = ClassifyRecipe(init=str(tmp_path / "two.pth"))
        assert (as_published(recipe).init == "imagenet") is taken
        assert ("number for number" in capsys.readouterr().err) is taken


def test_lite0s_own_layers_below_another_head_bring_their_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = imagenet_weights(LITE)
    weights |= {"fc.weight": torch.zeros(3, 1280), "fc.bias": torch.zeros(3)}
    torch.save(weights, tmp_path / "mine.pth")
    recipe = ClassifyRecipe(init=str(tmp_path / "mine.pth"))
    _, start = start_net(find("classify"), recipe, CLASSES, {})
    assert (start.colours.mean, start.colours.std) == nets.colours(LITE)
    told = " ".join(capsys.readouterr().err.split())
    assert "(--size, --epochs)" in told
    assert "with another last one" in told


def test_a_last_layer_is_solved_only_behind_layers_that_were_taught(tmp_path: Path) -> None:
    """Those of another net leave most of this one as chance drew it."""
    file = str(imagenet_file(LITE))
    for net, head in (("efficientnet-lite1", "prototypes"), ("efficientnet-lite2", "linear")):
        recipe = ClassifyRecipe(net=net, init=file, head=head)
        looks = f"weights of {LITE}, not of {net}: give --net {LITE}, or other weights"
        with pytest.raises(InputError, match=looks):
            start_net(find("classify"), recipe, CLASSES, {})
    start_net(find("classify"), ClassifyRecipe(init=file, head="linear"), CLASSES, {})
    # GoogLeNet's heads that only learn beside the last are none of what describes pictures.
    torch.save(published("googlenet", auxiliary=False), tmp_path / "g.pth")
    recipe = ClassifyRecipe(net="googlenet", init=str(tmp_path / "g.pth"), head="linear")
    start_net(find("classify"), recipe, CLASSES, {})


@pytest.mark.parametrize(
    ("net", "theirs", "says"),
    [
        ("resnet34", "resnet18", "resnet18, not of resnet34: give --net resnet18"),
        ("resnet18", "resnet34", "resnet34, not of resnet18: give --net resnet34"),
        ("lenet", "resnet18", "resnet18, not of lenet: give --net resnet18"),
        ("a2dele", LITE, f"{LITE}, not of a2dele: give --net a2dele-lite0"),
        ("lenet", "yolov3-tiny", "yolov3-tiny, not of lenet: no net for classify starts from that"),
    ],
)
def test_another_nets_weights_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], net: str, theirs: str, says: str
) -> None:
    """Also where most of them fit by name and shape, as resnet34's do in resnet18."""
    task = "saliency" if net == "a2dele" else "classify"
    torch.save(published(theirs), tmp_path / "a.pth")
    recipe = recipe_of(task)(net=net, init=str(tmp_path / "a.pth"))
    for refuse in (
        lambda: start_net(find(task), recipe, CLASSES, {}),
        lambda: refuse_unfit_file(find(task), recipe),
    ):
        with pytest.raises(InputError, match=f"looks like weights of {re.escape(says)}") as refused:
            refuse()
        assert len(str(refused.value)) < 500
        assert capsys.readouterr().err == "", "what is refused is praised as nothing else before"


@pytest.mark.parametrize("width", [1, 0.25])
def test_a_nets_own_weights_are_not_taken_for_anothers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], width: float
) -> None:
    torch.save(published("resnet18", classes=7, width=width), tmp_path / "a.pth")
    recipe = ClassifyRecipe(net="resnet18", init=str(tmp_path / "a.pth"))
    if width == 1:
        start_net(find("classify"), recipe, CLASSES, {})
    else:
        with pytest.raises(InputError, match="none of these weights fit this net"):
            start_net(find("classify"), recipe, CLASSES, {})
    assert "looks like" not in capsys.readouterr().err


def test_a_classifier_starts_from_the_backbone_of_a_detectors_run(
    tmp_path: Path, make_set: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = open_dataset(make_set())
    run = untrained_detector(tmp_path / "run", CLASSES, net="yolov3-lite0", options={})
    for place in (run.folder, run.folder / "weights.safetensors"):
        recipe = ClassifyRecipe(init=str(place))
        look_at_start(recipe)
        net, start = start_net(find("classify"), recipe, CLASSES, {})
        assert torch.equal(net.stem.conv.weight, run.net().backbone.stem.conv.weight)
        assert start.colours.mean == run.manifest.mean
        side = max(run.manifest.size)
        assert find("classify").size(recipe, data) == (side, side)
        assert f"{side}×{side}, at which {place}" in " ".join(capsys.readouterr().err.split())
        # The detector has no layers for the last but one to describe pictures by.
        recipe = ClassifyRecipe(init=str(place), head="linear")
        with pytest.raises(InputError, match="is a run of yolov3-lite0, which has not all layers"):
            refuse_early(find("classify"), recipe)


def test_a_run_of_an_unrelated_net_is_refused_before_the_set_is_opened(tmp_path: Path) -> None:
    run = untrained_detector(tmp_path / "run", CLASSES)
    for place in (run.folder, run.folder / "weights.safetensors"):
        with pytest.raises(InputError, match="is a run of yolov3-tiny, not of lenet: no net for"):
            look_at_start(ClassifyRecipe(net="lenet", init=str(place)))
    look_at_start(DetectRecipe(net="yolov3", init=str(run.folder)))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pth", b"", "is empty"),
        ("a.pth", b"<!doctype html>", "is a web page"),
        ("a.pth", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("a.pth", b"PK\3\4 and no end", "was cut short"),
        ("a.safetensors", b"\x4a" + bytes(7) + b'{"a":{"dtype":"F32","shape":[9],', "safetensors"),
        ("yolov3-tiny.weights", bytes(64), "is a file of Darknet's, whose weights are a detector"),
        ("folder", None, "is a folder that holds no run"),
        ("a.pth", b"\x89PNG and more", "is not a weight file that can be read"),
        ("a.pth", pickle.dumps({"a": 1}), "it holds more than tensors"),
        ("a.pth", OLD[:20], "was cut short: fetch or save it again|is damaged"),
    ],
)
def test_what_is_no_file_of_weights_is_refused_before_the_set_is_opened(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    file = tmp_path / name
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    recipe = ClassifyRecipe(net="resnet18", init=str(file))
    if name != "a.safetensors":  # whose header is damaged: its reader says so
        with pytest.raises(InputError, match=says):
            look_at_start(recipe)
    with pytest.raises(InputError, match=says):
        start_net(find("classify"), recipe, CLASSES, {})


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9, 1.0])
def test_a_file_of_torchs_older_format_is_as_long_as_it_says(tmp_path: Path, share: float) -> None:
    file = tmp_path / "a.pth"
    state = nets.create("lenet").state_dict()
    # Storages of several kinds, and one that two tensors share.
    state |= {
        f"{n}.{kind}": torch.zeros(n + 1, 3).to(kind)
        for n, kind in enumerate((torch.half, torch.bfloat16, torch.long, torch.bool, torch.double))
    }
    state["again"] = (
        state["fc1.weight"][:3] if "fc1.weight" in state else next(iter(state.values()))
    )
    torch.save({"model": state, "epoch": 3}, file, _use_new_zipfile_serialization=False)
    content = file.read_bytes()
    file.write_bytes(content[: round(share * len(content))])
    recipe = ClassifyRecipe(net="lenet", init=str(file))
    if share == 1:
        return look_at_start(recipe)
    with pytest.raises(InputError, match=r"was cut short: fetch or save it again"):
        look_at_start(recipe)
    return None


@pytest.mark.parametrize("old", [False, True])
def test_a_whole_net_in_a_file_is_seen_at_a_glance(tmp_path: Path, old: bool) -> None:
    torch.save(
        {"net": torch.nn.Linear(2, 2)}, tmp_path / "a.pth", _use_new_zipfile_serialization=not old
    )
    with pytest.raises(InputError, match="holds more than tensors"):
        look_at_start(ClassifyRecipe(net="lenet", init=str(tmp_path / "a.pth")))


def test_an_archive_of_something_else_is_seen_at_a_glance(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("words.txt", "nothing")
    with pytest.raises(InputError, match=r"an archive without the data\.pkl"):
        look_at_start(ClassifyRecipe(net="lenet", init=str(tmp_path / "a.pth")))


@pytest.mark.parametrize("opcodes", [b"(t" * 200_000, b"(" * 200_000, b"\x95" + b"\xff" * 8])
def test_a_pickle_of_a_stranger_is_looked_at_in_no_time(tmp_path: Path, opcodes: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(OLD + opcodes + b".")
    with pytest.raises(InputError, match="was cut short"):
        look_at_start(ClassifyRecipe(net="lenet", init=str(tmp_path / "a.pth")))


def test_a_safetensors_file_that_was_cut_short_is_seen_at_a_glance(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    safetensors.torch.save_file(nets.create("lenet").state_dict(), file)
    look_at_start(ClassifyRecipe(net="lenet", init=str(file)))
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(InputError, match="was cut short: fetch or save it again"):
        look_at_start(ClassifyRecipe(net="lenet", init=str(file)))


@pytest.mark.parametrize("option", ["stil=2", "still=99"])
def test_options_are_refused_before_the_set_is_opened(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    (tmp_path / "1.png").touch()
    words = ["train", "detect", str(tmp_path), "--net", "yolov3-lite0"]
    assert main([*words, "--options", option]) == 2
    assert option.partition("=")[0] in capsys.readouterr().err.partition("error:")[2]


def test_nets_whose_weights_are_packages_start_from_them_where_nobody_says():
    starts = {net: ClassifyRecipe(net=net).init for net in ("efficientnet-lite2", "resnet18")}
    assert starts == {"efficientnet-lite2": "imagenet", "resnet18": "random"}
    assert ClassifyRecipe(net="efficientnet-lite1", init="random").init == "random"
    assert ClassifyRecipe(net="efficientnet-lite1").head == "auto"


def test_what_is_taught_by_a_package_starts_from_it_for_any_task() -> None:
    starts = {net: SaliencyRecipe(net=net).init for net in ("a2dele-lite0", "a2dele")}
    assert starts == {"a2dele-lite0": "imagenet", "a2dele": "random"}
    assert SaliencyRecipe(net="a2dele-lite0", init="random").init == "random"
    assert replace(SaliencyRecipe(net="a2dele-lite0"), net="a2dele").init == "random"
