"""The ONNX file answers as the run does, whoever opens it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from untrained import untrained_detector

from viewfinder import api
from viewfinder.cli.export import pictures_to_prove
from viewfinder.errors import InputError
from viewfinder.inference import parity
from viewfinder.inference.export import _metadata, export_onnx
from viewfinder.inference.opening import open_model
from viewfinder.inference.predict import find_pictures, predict
from viewfinder.inference.thresholds import threshold_of
from viewfinder.inference.tiling import in_tiles
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import create_run, open_run
from viewfinder.tasks import find
from viewfinder.tasks.calibration import write_calibration
from viewfinder.tasks.detect.tiling.tiles import Tiles, tiles_of
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.run_weights import new_net
from viewfinder.tasks.saliency.recipe import SaliencyRecipe

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five pictures of noise and squares, of different sizes."""
    folder, random = tmp_path_factory.mktemp("图"), np.random.default_rng(0)
    for number in range(5):
        picture = random.integers(0, 255, (60 + 10 * number, 90, 3), np.uint8)
        picture[10:40, 20:60] = random.integers(0, 255, 3)
        write_picture(folder / f"{number}.png", picture)
    return folder


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """A run whose net is not trained, but believes in many objects."""
    return untrained_detector(tmp_path_factory.mktemp("runs") / "run", ("cat", "dög"))


@pytest.fixture(scope="module")
def detectors_file(detector, pictures, tmp_path_factory):
    """What the detector's export writes if it is not asked for anything else."""
    file = tmp_path_factory.mktemp("exported") / "a.onnx"
    export_onnx(detector.model, file, pictures=find_pictures(pictures))
    return file


def same(one, other):
    """Whether two answers are alike, but for the sums of float32 in another order."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == (pytest.approx(other, rel=1e-3, abs=1e-2) if type(one) is float else other)


def answers(file, batch):
    return onnxruntime.InferenceSession(str(file)).run(None, {"pictures": batch.numpy()})


def test_a_classifier_gives_the_runs_probabilities_for_any_batch(small_run, small_set, tmp_path):
    run, file = open_run(small_run), tmp_path / "图 model.onnx"
    parity = export_onnx(run.model, file, pictures=find_pictures(small_set / "test"))
    assert parity.pictures == 8
    assert parity.differences["probabilities"] < 1e-5
    batch = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    expected = find("classify").reply(run.net(), batch, run.model.config, torch.device("cpu"))
    (given,) = answers(file, batch.float() / 255)
    np.testing.assert_allclose(given, np.stack(expected), atol=1e-5)
    # And it can stand for the run.
    opened, run = api.open_run(file), api.open_run(small_run)
    found, wanted = (each.evaluate(small_set, split="test", device="cpu") for each in (opened, run))
    assert found["accuracy"] == wanted["accuracy"]
    assert found["loss"] == pytest.approx(wanted["loss"], abs=1e-5)
    assert same(*(each.predict(small_set / "val", device="cpu") for each in (opened, run)))


def test_the_names_of_the_classes_travel_inside(detectors_file):
    session = onnxruntime.InferenceSession(str(detectors_file))
    inside = session.get_modelmeta().custom_metadata_map
    assert json.loads(inside["classes"]) == ["cat", "dög"]
    assert json.loads(inside["size"]) == [96, 64]
    assert (inside["task"], inside["net"], inside["answers"]) == (
        "detect",
        "yolov3-tiny",
        "decoded",
    )


def stands_for(file, run, pictures):
    """Whether predict answers by a detector's file as by the run itself."""
    opened = open_model(file)
    assert opened.config.classes == run.manifest.classes
    found, expected = (
        [
            answer.as_json(run.manifest.classes)
            for answer in predict(each, pictures, device=torch.device("cpu"), threshold=0.3)
        ]
        for each in (opened, run.model)
    )
    assert sum(len(each["boxes"]) for each in expected) > 10
    return same(found, expected)


def test_a_detectors_file_stands_for_its_run(detector, detectors_file, pictures):
    assert stands_for(detectors_file, detector, pictures)


def test_a_detectors_own_maps(detector, pictures, tmp_path):
    files = find_pictures(pictures)
    parity = export_onnx(detector.model, tmp_path / "a.onnx", answers="raw", pictures=files)
    assert list(parity.differences) == ["stride_32", "stride_16"]
    with pytest.raises(InputError, match="export it again without --answers raw"):
        open_model(tmp_path / "a.onnx")
    coarse, fine = answers(tmp_path / "a.onnx", torch.rand(1, 3, 64, 96))
    assert coarse.shape == (1, 21, 2, 3)
    assert fine.shape == (1, 21, 4, 6)


def test_own_scores_of_a_file_that_calibrates_them_are_refused(
    detector, detectors_file, pictures, tmp_path
):
    assert api.open_run(detectors_file).predict(pictures, scores="own"), "it has none but these"
    shutil.copytree(detector.folder, tmp_path / "run")
    maps = {"slopes": [1.0, 2.0], "offsets": [0.5, 0.0], "most": [1.0, 0.9]}
    write_calibration(tmp_path / "run", {"map": maps})
    run = open_run(tmp_path / "run")
    export_onnx(run.model, tmp_path / "a.onnx", pictures=find_pictures(pictures))
    opened = api.open_run(tmp_path / "a.onnx")
    assert opened.predict(pictures)
    with pytest.raises(InputError, match=r"--scores own: .* calibrates its scores itself"):
        opened.predict(pictures, scores="own")


def test_final_objects_are_those_that_predict_finds(detector, pictures, tmp_path, capsys):
    threshold = 0.3
    export_onnx(
        detector.model,
        tmp_path / "a.onnx",
        answers="final",
        threshold=threshold,
        pictures=find_pictures(pictures),
    )
    assert stands_for(tmp_path / "a.onnx", detector, pictures)
    batch = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    of_picture, labels, scores, boxes = answers(tmp_path / "a.onnx", batch.float() / 255)
    replies = find("detect").reply(
        detector.net(), batch, detector.model.config, torch.device("cpu")
    )
    for number, reply in enumerate(replies):
        shown = reply.scores > threshold
        assert shown.sum() > 3
        mine = of_picture == number
        assert mine.sum() == shown.sum()
        order = np.argsort(-scores[mine], kind="stable")
        np.testing.assert_allclose(scores[mine][order], reply.scores[shown], atol=1e-5)
        assert sorted(labels[mine]) == sorted(reply.labels[shown])
        np.testing.assert_allclose(boxes[mine][order], reply.boxes[shown], rtol=1e-4, atol=1e-2)
    model = open_model(tmp_path / "a.onnx")
    assert (threshold_of(model, threshold, None), capsys.readouterr().err) == (threshold, "")
    assert threshold_of(model, 0.1, None) == 0.1
    assert "chooses objects itself, with scores above 0.3 alone" in capsys.readouterr().err


def test_a_saliency_run_gives_its_maps(pictures, tmp_path):
    manifest = Manifest(
        task="saliency",
        net="a2dele",
        classes=("background", "salient"),
        size=(64, 48),
        options={"width": 0.0625},
        mean=(0.5, 0.5, 0.5),
        std=(0.2, 0.2, 0.2),
        recipe=SaliencyRecipe(),
        versions={},
        data={},
        device="CPU",
        precision={},
    )
    run = create_run(tmp_path / "run", manifest)
    run.save_weights(new_net("a2dele", 2, manifest.options).state_dict())
    export_onnx(run.model, tmp_path / "a.onnx", pictures=find_pictures(pictures))
    batch = torch.randint(0, 256, (2, 3, 48, 64), dtype=torch.uint8)
    expected = find("saliency").reply(run.net(), batch, run.model.config, torch.device("cpu"))
    (given,) = answers(tmp_path / "a.onnx", batch.float() / 255)
    np.testing.assert_allclose(given, np.stack(expected), atol=1e-5)
    opened = open_model(tmp_path / "a.onnx")
    again = find("saliency").reply(opened.load(), batch, opened.config, torch.device("cpu"))
    np.testing.assert_allclose(np.stack(again), np.stack(expected), atol=1e-5)


def test_a_file_that_answers_otherwise_is_not_written(detector, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "_AGREEMENT", 1e-12)
    monkeypatch.setattr(parity, "_difference", lambda one, other: 0.5)
    with pytest.raises(InputError, match=r"does not answer as the run does: boxes differs by 0\.5"):
        export_onnx(detector.model, tmp_path / "a.onnx", pictures=find_pictures(pictures))
    assert list(tmp_path.iterdir()) == []


def test_boxes_are_compared_within_the_picture(detector, pictures, tmp_path, monkeypatch):
    """Before a net has learnt, some are a million pixels wide, and so are their differences."""
    grown = detector.model.load()
    for name, parameter in grown.named_parameters():
        if name.endswith("predict.bias"):
            torch.nn.init.constant_(parameter, 9.0)
    monkeypatch.setattr(type(detector.model), "load", lambda _: grown)
    parity = export_onnx(detector.model, tmp_path / "a.onnx", pictures=find_pictures(pictures))
    side = max(detector.model.config.size)
    assert parity.scales["boxes"] == side
    assert f"of values up to {side}" in str(parity)
    assert parity.differences["boxes"] <= 1e-4 * side


def test_what_cannot_be_exported_is_said(detector, small_run, small_set, tmp_path):
    with pytest.raises(InputError, match="only a detector"):
        export_onnx(open_run(small_run).model, tmp_path / "a.onnx", answers="final", pictures=[])
    with pytest.raises(InputError, match="--pictures FOLDER"):
        pictures_to_prove(api.Run(detector.model, detector), None)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("classes", '["cat"]', "where its metadata promise"),
        ("classes", '["cat", "cat"]', "classes or size"),
        ("classes", "[" * 100_000, "does not say"),
        ("size", "[96, 0]", "classes or size"),
        ("size", "[128, 64]", "says that it takes 128×64, and takes 96×64"),
        ("pictures", "as they are", "does not say"),
        ("task", "dreaming", "export it again"),
    ],
)
def test_metadata_that_contradict_the_file_are_refused(detectors_file, tmp_path, key, value, says):
    model = onnx.load(detectors_file)
    (entry,) = (each for each in model.metadata_props if each.key == key)
    entry.value = value
    onnx.save(model, tmp_path / "b.onnx")
    with pytest.raises(InputError, match=says):
        open_model(tmp_path / "b.onnx")


def test_the_tiles_of_a_run_travel_in_its_file(detectors_file, detector, tmp_path):
    tiled = in_tiles(detector.model, 640, 0.3).config
    told = {"side": 640, "overlap": 0.3, "learnt": False}
    assert json.loads(_metadata(tiled, "decoded")["tiles"]) == told
    for told, there in (('{"side": 640, "overlap": 0.3}', True), ('{"side": 1}', False)):
        model = onnx.load(detectors_file)
        entry = model.metadata_props.add()
        entry.key, entry.value = "tiles", told
        onnx.save(model, tmp_path / "a.onnx")
        if there:
            assert tiles_of(open_model(tmp_path / "a.onnx").config) == Tiles(640, 0.3)
        else:
            with pytest.raises(InputError, match="export the run again"):
                open_model(tmp_path / "a.onnx")


def test_a_name_that_is_no_utf8_is_refused_in_a_sentence(detector, pictures, tmp_path):
    named = replace(detector, manifest=replace(detector.manifest, classes=("cat", "caf\udce9")))
    with pytest.raises(InputError, match=r"the class 'caf\\\\udce9' has a name that is no UTF-8"):
        export_onnx(named.model, tmp_path / "it.onnx", pictures=find_pictures(pictures))
    assert not (tmp_path / "it.onnx").exists()
