"""Maps, overlays and cut-outs of pictures, folders and videos."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from viewfinder import api, nets
from viewfinder.cli.main import main
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.inference.drawing import draw_answers
from viewfinder.inference.predict import predict
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import probe_video, read_video
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.runs.run import create_run, open_run
from viewfinder.tasks import find
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe

CPU = torch.device("cpu")
CLASSES = ("background", "salient")
OPTIONS = {"width": 0.0625}
DATA = dict.fromkeys(("source", "root", "layout", "fingerprint"), "elsewhere")
DATA |= {"images": {}, "per_class": {}}
PRECISION = {
    "arrangement": {"arithmetic": "32", "layout": "contiguous"},
    "why": "as asked for",
    "trials": [],
}


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
            data=DATA,
            device="",
            precision=PRECISION,
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
    (answer,) = predict(run.model, picture, device=CPU)
    assert answer.size == (150, 96)
    values = answer.value.map.at_own_size()
    assert values.shape == (96, 150)
    assert 0 <= values.min() < values.max() <= 1
    mask = answer.as_json(CLASSES)["mask"]
    assert mask["share"] == pytest.approx((values >= 0.5).mean())
    (strict,) = predict(run.model, picture, device=CPU, threshold=0.9)
    strict = strict.as_json(CLASSES)
    assert strict["mask"]["share"] <= mask["share"]
    assert strict["mask"]["threshold"] == 0.9


def test_what_is_written_is_what_was_answered(run, picture, tmp_path):
    (answer,) = predict(run.model, picture, device=CPU)
    out = tmp_path / "out"
    (drawn,) = draw_answers([answer], out, classes=CLASSES)
    files = drawn.as_json(CLASSES)["mask"]["files"]
    assert set(files) == {"map", "overlay", "cutout"}
    assert sorted(files.values()) == sorted(str(path) for path in out.rglob("*.*"))
    assert files["map"] == str(out / "图 1.png")

    def stored(kind):
        data = np.fromfile(files[kind], np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)

    values, pixels = answer.value.map.at_own_size(), read_picture(picture)
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
    printed = capsys.readouterr()
    wrote = f"wrote into {tmp_path / 'out'}: 2 maps, and in overlays/ and cutouts/ the pictures"
    assert wrote in printed.err
    told = json.loads(printed.out)["predictions"]
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


def test_maps_keep_the_names_of_their_pictures(run, picture, tmp_path):
    """And their folders, and their endings where nothing else tells two apart."""
    for name in ("s/a/1.png", "s/b/1.png", "s/b/1.x.png", "s/c/2.png", "s/cutouts/c/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, tmp_path / name)
    write_picture(tmp_path / "s/c/3.JPG", read_picture(picture))
    shutil.copy(picture, tmp_path / "s/c/3.png")
    drawn = draw_answers(
        list(predict(run.model, tmp_path / "s", device=CPU)), tmp_path / "out", classes=CLASSES
    )
    maps = [Path(each.value.files["map"]) for each in drawn]
    assert {path.relative_to(tmp_path / "out").as_posix() for path in maps} == {
        "a/1.png", "b/1.png", "b/1.x.png", "c/2.png", "cutouts/c/2.png.png", "c/3.JPG.png",
        "c/3.png.png",
    }  # fmt: skip
    files = [file for each in drawn for file in each.value.files.values()]
    assert len(files) == len(set(files)) == len(list((tmp_path / "out").rglob("*.*")))


def test_a_video_gets_an_overlay(run, picture, tmp_path):
    scene = read_picture(picture)
    video = tmp_path / "scene.mp4"
    write_video(video, [np.roll(scene, 5 * number, axis=1) for number in range(6)], rate=5)
    answers = list(predict(run.model, video, device=CPU))
    assert [answer.frame for answer in answers] == list(range(6))
    assert all("mask" in answer.as_json(CLASSES) for answer in answers)
    out = tmp_path / "out"
    assert draw_answers(answers, out, classes=CLASSES) == answers
    (written,) = out.iterdir()
    assert written.suffix == ".mp4"
    assert probe_video(written).rate == 5
    frames = [frame.picture for frame in read_video(written)]
    assert len(frames) == 6
    assert frames[0].shape == scene.shape
    assert np.abs(frames[0].astype(int) - scene).mean() > 2


def test_a_drawn_video_keeps_time_whatever_its_frames_size(run, tmp_path):
    """A moving picture whose frames change their size, and come late where some are left out."""
    import av

    sizes, shown = [(64, 48)] * 3 + [(48, 64)] * 3, [0, 1, 2, 7, 8, 9]
    parts = []
    for part in (slice(0, 3), slice(3, 6)):
        with av.open(str(tmp_path / "part.ts"), "w") as target:
            stream = target.add_stream("mpeg2video", rate=25)
            (stream.width, stream.height), stream.pix_fmt = sizes[part][0], "yuv420p"
            for at, size in zip(shown[part], sizes[part], strict=True):
                picture = np.full((size[1], size[0], 3), 40 * at % 256, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = at
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
        parts.append((tmp_path / "part.ts").read_bytes())
    video = tmp_path / "it.ts"
    video.write_bytes(b"".join(parts))
    answers = list(predict(run.model, video, device=CPU))
    assert len({answer.size for answer in answers}) == 2
    draw_answers(answers, tmp_path / "out", classes=CLASSES)
    (written,) = (tmp_path / "out").iterdir()
    own = [frame.seconds for frame in read_video(video, tell=lambda _: None)]
    drawn = list(read_video(written))
    assert [frame.seconds for frame in drawn] == pytest.approx(own, abs=0.001)
    assert {frame.picture.shape for frame in drawn} == {(48, 64, 3)}


def test_a_run_of_depth_answers_depth_maps_and_refuses_pictures(subject_scenes, tmp_path):
    run = write_run(tmp_path / "run", net=DEPTH_NET)
    (answer, *_) = predict(run.model, subject_scenes / "test/depth", device=CPU)
    assert answer.value.map.at_own_size().shape == (96, 96)
    with pytest.raises(InputError, match=r"not one of the .* in colour, but a depth map is grey"):
        list(predict(run.model, subject_scenes / "test/RGB", device=CPU))
    with pytest.raises(InputError, match="in colour, but a depth map is grey"):
        list(predict(run.model, next((subject_scenes / "test/RGB").iterdir()), device=CPU))


def test_depth_whose_near_is_dark_is_answered_as_it_was_learnt(tmp_path):
    """A net of depth is trained on such a set; what it answers is what `evaluate` scores."""
    root = tmp_path / "set"
    for number in range(12):
        write_depth_scene(root, number)
    api.train(
        "saliency", root, out=tmp_path / "run", net=DEPTH_NET, size=32, epochs=1, device="cpu",
        options=("width=0.0625",), batch=4,
    )  # fmt: skip
    kept = json.loads((tmp_path / "run/run.json").read_text())["data"]["depth"]
    assert kept["."]["near_is_bright"] is False
    opened, dataset = open_run(tmp_path / "run"), open_dataset(root)
    task, config = find("saliency"), opened.model.config
    examples = task.open_eval(dataset, config, keep="memory")
    maps = task.answers(opened.net(), examples, config, CPU)
    for source in (root / "depth", root):
        answers = predict(opened.model, source, device=CPU)
        of = {Path(answer.source): answer.value.map.values for answer in answers}
        assert set(of) == {root / depth for depth in dataset.depths}
        for depth, expected in zip(dataset.depths, maps, strict=True):
            np.testing.assert_allclose(of[root / depth], expected.values, atol=1e-6)
    # Masks and depth maps beside the pictures are not asked about by a net of pictures.
    asked = predict(write_run(tmp_path / "rgb").model, root, device=CPU)
    assert {Path(answer.source) for answer in asked} == {root / path for path in dataset.paths}
    shutil.rmtree(root / "GT")
    assert len(list(predict(opened.model, root, device=CPU))) == 12
    # What lies above the set's own folder is not its own.
    (tmp_path / "depth.toml").write_text("near_is_bright = true\n")
    (again, *_) = predict(opened.model, root / "depth", device=CPU)
    np.testing.assert_allclose(again.value.map.values, of[Path(again.source)])
    # What a file beside the maps states counts for more, as it does in training.
    (root / "depth.toml").write_text("near_is_bright = true\n")
    turned = predict(opened.model, root / "depth", device=CPU)
    assert any(
        np.abs(answer.value.map.values - of[Path(answer.source)]).max() > 1e-3 for answer in turned
    )


def write_depth_scene(root, number):
    """A subject whose depth is darker than what is around it; of every third scene as an array."""
    random = np.random.default_rng(number)
    mask = np.zeros((40, 48), np.bool_)
    mask[8 + number : 24 + number, 10 : 30 + number % 5] = True
    depth = np.where(mask, 40, 170).astype(np.uint8) + random.integers(0, 40, mask.shape, np.uint8)
    for folder in ("RGB", "GT", "depth"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write_picture(root / f"RGB/{number}.png", random.integers(0, 256, (40, 48, 3), np.uint8))
    write_mask(root / f"GT/{number}.png", mask)
    if number % 3:
        cv2.imwrite(str(root / f"depth/{number}.png"), depth)
    else:
        np.save(root / f"depth/{number}.npy", depth)
