"""Maps, overlays and cut-outs of pictures, folders and videos."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from viewfinder import nets
from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.inference.drawing import draw_predictions
from viewfinder.inference.predict import predict
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import probe_video, read_video, write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import Manifest, create_run
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe

CPU = torch.device("cpu")
CLASSES = ("background", "salient")
OPTIONS = {"width": 0.0625}


def write_run(folder, net="a2dele"):
    """A run of a net with random weights, large enough for its answers to be anything but even."""
    recipe = SaliencyRecipe(net=net, size=64, options=("width=0.0625",))
    run = create_run(
        folder,
        Manifest(
            task="saliency",
            net=net,
            classes=CLASSES,
            size=(64, 64),
            options=OPTIONS,
            mean=(0.0,) * 3,
            std=(1.0,) * 3,
            recipe=recipe,
            versions={},
            data={},
            device="",
            precision={},
        ),
    )
    torch.manual_seed(1)
    made = nets.create(net, **OPTIONS)
    torch.nn.init.normal_(made.agg1.conv5.weight, std=3.0)
    run.save_weights(made.state_dict())
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run") / "run")


@pytest.fixture
def picture(subject_scenes, tmp_path):
    """One scene, wider than high, under a name that not every system likes."""
    file = tmp_path / "图 1.png"
    scene = read_picture(next(iter(sorted((subject_scenes / "test/RGB").iterdir()))))
    write_picture(file, np.repeat(scene, 2, axis=1)[:, :150])
    return file


def test_a_picture_is_told_and_its_map_is_of_its_own_size(run, picture):
    (answer,) = predict(run, picture, device=CPU)
    assert (answer["width"], answer["height"]) == (150, 96)
    values = answer["map"].at_own_size()
    assert values.shape == (96, 150)
    assert 0 <= values.min() < values.max() <= 1
    mask = answer["mask"]
    assert mask["share"] == pytest.approx((values >= 0.5).mean())
    (strict,) = predict(run, picture, device=CPU, threshold=0.9)
    assert strict["mask"]["share"] <= mask["share"]
    assert strict["mask"]["threshold"] == 0.9


def test_what_is_written_is_what_was_answered(run, picture, tmp_path):
    (answer,) = predict(run, picture, device=CPU)
    out = tmp_path / "out"
    (drawn,) = draw_predictions([answer], out, classes=CLASSES)
    files = drawn["mask"]["files"]
    assert set(files) == {"map", "overlay", "cutout"}
    assert sorted(files.values()) == sorted(str(path) for path in out.iterdir())

    def stored(kind):
        data = np.fromfile(files[kind], np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)

    values, pixels = answer["map"].at_own_size(), read_picture(picture)
    assert stored("map").dtype == np.uint8
    assert np.abs(stored("map") / 255 - values).max() <= 0.5 / 255 + 1e-6
    cutout = stored("cutout")
    assert cutout.shape == (96, 150, 4)
    assert np.array_equal(cutout[..., 3], stored("map"))
    seen = cutout[..., 3] > 0
    assert np.array_equal(cutout[seen][:, 2::-1], pixels[seen])
    assert not cutout[~seen].any()
    overlay = read_picture(out / files["overlay"])
    assert overlay.shape == pixels.shape
    change = np.abs(overlay.astype(int) - pixels).mean(axis=2)
    unlikely, likely = np.quantile(values, [0.1, 0.9])
    assert change[values >= likely].mean() < 0.8 * change[values <= unlikely].mean()


def test_the_command_writes_and_tells_json(run, picture, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(picture, folder / name)
    words = ["predict", str(run.folder), str(folder), "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)["predictions"]
    assert [set(each) for each in told] == [{"source", "width", "height", "mask"}] * 2
    for each in told:
        assert set(each["mask"]) == {"box", "share", "mean", "threshold", "files"}
        for file in each["mask"]["files"].values():
            assert read_picture(Path(file)).shape[:2] == (96, 150)
    assert main(["predict", str(run.folder), str(picture)]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"{picture}: ")
    assert "subject" in line
    assert main(["predict", str(run.folder), str(picture), "--coco", str(tmp_path / "c")]) == 2
    assert "only a detector" in capsys.readouterr().err


def test_a_video_gets_an_overlay(run, picture, tmp_path):
    scene = read_picture(picture)
    video = tmp_path / "scene.mp4"
    write_video(video, [np.roll(scene, 5 * number, axis=1) for number in range(6)], rate=5)
    answers = predict(run, video, device=CPU)
    assert [answer["frame"] for answer in answers] == list(range(6))
    assert all("mask" in answer for answer in answers)
    out = tmp_path / "out"
    assert draw_predictions(answers, out, classes=CLASSES) == answers
    (written,) = out.iterdir()
    assert written.suffix == ".mp4"
    assert probe_video(written).rate == 5
    frames = [frame.picture for frame in read_video(written)]
    assert len(frames) == 6
    assert frames[0].shape == scene.shape
    assert np.abs(frames[0].astype(int) - scene).mean() > 2


def test_a_run_of_depth_answers_depth_maps_and_refuses_pictures(subject_scenes, tmp_path):
    run = write_run(tmp_path / "run", net=DEPTH_NET)
    (answer, *_) = predict(run, subject_scenes / "test/depth", device=CPU)
    assert answer["map"].at_own_size().shape == (96, 96)
    with pytest.raises(InputError, match="reads depth maps"):
        predict(run, subject_scenes / "test/RGB", device=CPU)
