"""`viewfinder propose`: proposals, a sheet of them, labels by a rule, and back."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from viewfinder.datasets.opening import read_boxes
from viewfinder.inference.opening import open_model
from viewfinder.labelling.proposals import read_proposals
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.reading import read_header
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop import TurntableOptions, render_turntable


@pytest.fixture(scope="module")
def table():
    options = TurntableOptions(size=128, noise=2, drift=0.03, shadow=0.6, shake=1)
    return render_turntable(5, seed=4, frames=8, options=options)


@pytest.fixture
def root(tmp_path, table):
    """A folder with four frames of a turn and the picture of the empty stand."""
    for index in range(4):
        write_picture(tmp_path / "my mug" / f"{index}.png", table.frames[index])
    write_picture(tmp_path / "my mug/empty.png", table.empty)
    return tmp_path / "my mug"


def test_by_plate_to_labels_and_back(ask, root, table, tmp_path):
    sheet = tmp_path / "look.png"
    words = ("propose", root, "--by", "plate", "--empty", root / "empty.png", "--sheet", sheet)
    status, out, err = ask(*words)
    assert (status, err) == (0, "")
    assert f"{root}: 4 proposals for 4 pictures" in out
    assert read_header(sheet).width > 2 * 320
    before = sorted(root.rglob("*"))
    status, out, _ = ask("propose", root, "--accept-above", 1)
    assert "no box of my mug is accepted: its best picture scores 0." in out
    status, out, _ = ask("propose", root, "--accept-above", 0.3, "--json")
    document = json.loads(out)
    assert (status, document["pictures"], document["proposals"]) == (0, 4, 4)
    assert document["accepted"]["boxes"] == 4
    assert document["accepted"]["files"] == ["annotations/instances_all.json"]
    dataset = read_boxes(root)
    assert dataset.classes == ("my mug",)
    for index, path in enumerate(dataset.paths):
        true = table.boxes[int(path[0])][None]
        box = dataset.boxes.corners[dataset.boxes.of(index)].astype(np.float32)
        assert iou(box, true)[0, 0] > 0.85
    status, out, _ = ask("propose", root, "--accept-above", 0.3)
    assert "left alone: 4 pictures that have boxes already" in out
    status, out, _ = ask("propose", root, "--take-back")
    assert (status, "4 boxes in 4 pictures taken back" in out) == (0, True)
    assert sorted(root.rglob("*")) == before


def test_a_video_gives_frames_first(ask, tmp_path, table):
    video = tmp_path / "blue cup.mp4"
    write_video(video, table.frames, rate=4)
    write_picture(tmp_path / "empty.png", table.empty)
    words = ("propose", video, "--by", "plate", "--empty", tmp_path / "empty.png")
    status, out, err = ask(*words, "--class", "é 写", "--accept-above", 0)
    assert status == 0
    assert f"{tmp_path / 'blue cup'}: 4 frames of {video}" in err
    assert "accepted: 4 boxes in 4 pictures" in out
    dataset = read_boxes(tmp_path / "blue cup")
    assert dataset.classes == ("é 写",)
    assert set(dataset.groups) == {"blue cup.mp4"}


def test_with_a_video_one_goes_on_where_its_frames_are(ask, tmp_path, table):
    """After a stop between its frames and their proposals, and to accept and take back."""
    video = tmp_path / "mug.mp4"
    write_video(video, table.frames, rate=4)
    write_picture(tmp_path / "empty.png", table.empty)
    assert ask("frames", video, tmp_path / "mug")[0] == 0
    words = ("propose", video, "--by", "plate", "--empty", tmp_path / "empty.png")
    status, out, err = ask(*words)
    assert (status, "already: these are used" in err) == (0, True)
    assert f"{tmp_path / 'mug'}: " in out
    assert ask("propose", video, "--accept-above", 0.1)[0] == 0
    assert ask("propose", video, "--take-back")[0] == 0
    other = tmp_path / "mug.mov"
    video.rename(other)
    status, _, err = ask("propose", other, *words[2:])
    assert (status, "holds something else: take them into another folder" in err) == (2, True)


def test_videos_where_pictures_are_wanted_are_named(ask, tmp_path, table):
    (tmp_path / "all/mug").mkdir(parents=True)
    write_video(tmp_path / "a.mp4", table.frames[:2], rate=4)
    (tmp_path / "a.mp4").rename(tmp_path / "all/mug/a film")
    for words in ((), ("empty",)):
        for name in words:
            write_picture(tmp_path / f"all/mug/{name}.png", table.empty)
        status, _, err = ask("propose", tmp_path / "all", "--by", "plate")
        assert (status, "only videos (mug/a film): take frames of each" in err) == (2, True)


def test_a_picture_is_no_video_and_coco_may_be_a_folder(ask, root, monkeypatch):
    status, _, err = ask("propose", root / "0.png", "--by", "coco")
    assert (status, f"0.png is no video: give a folder of pictures, such as {root}" in err) == (
        2,
        True,
    )
    assert not (root / "0").exists()
    monkeypatch.chdir(root.parent)
    (root.parent / "coco").mkdir()
    assert len(open_model("coco").config.classes) == 80


def test_the_stands_picture_is_found_whatever_its_case(ask, root):
    (root / "empty.png").rename(root / "Empty.PNG")
    status, out, err = ask("propose", root, "--by", "plate")
    assert (status, err) == (0, "")
    assert "4 proposals for 4 pictures" in out


def test_nothing_on_the_stand_is_told(ask, root, table):
    write_picture(root / "nothing.png", np.roll(table.empty, 1, axis=1))
    write_picture(root / "small.png", table.empty[:50])
    words = ("propose", root, "--by", "plate", "--empty", root / "empty.png")
    status, out, err = ask(*words)
    assert status == 0
    assert "nothing on the stand in nothing.png" in err
    assert "passed over: small.png: it is 128×50" in err
    assert "4 proposals for 5 pictures" in out


def test_several_objects_each_with_its_own_stand(ask, root, table, tmp_path):
    """Two folders below one; two things on one picture are told, and not accepted as sure."""
    other = render_turntable(1, seed=4, frames=2, options=TurntableOptions(size=128))
    for index, frame in enumerate(other.frames):
        write_picture(tmp_path / "ball" / f"{index}.png", frame)
    status, _, err = ask("propose", tmp_path, "--by", "plate")
    assert (status, "ball has no picture of its empty stand" in err) == (2, True)
    write_picture(tmp_path / "ball/empty.png", other.empty)
    both = other.frames[0].copy()
    both[86:122, 2:34] = (250, 30, 200)
    write_picture(tmp_path / "ball/both.png", both)
    status, out, err = ask("propose", tmp_path, "--by", "plate")
    assert status == 0
    assert "8 proposals for 7 pictures" in out
    assert "2 things stand apart in ball/both.png: all are proposed as one class" in err
    assert ask("propose", tmp_path, "--accept-above", 0.6)[0] == 0
    dataset = read_boxes(tmp_path)
    assert set(dataset.classes) == {"ball", "my mug"}
    assert "ball/both.png" not in dataset.paths


def test_by_track(ask, tmp_path, table):
    video = tmp_path / "turn.mp4"
    write_video(video, table.frames, rate=4)
    frames = tmp_path / "frames"
    assert ask("frames", video, frames)[0] == 0
    names = sorted(file.name for file in frames.glob("*.jpg"))
    assert len(names) == 4
    numbers = [int(name[5:11]) for name in names]
    keys = (names[0], names[-1])
    document = {
        "images": [
            {"id": i, "file_name": n, "width": 128, "height": 128} for i, n in enumerate(keys)
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}
            for i, (x1, y1, x2, y2) in enumerate(table.boxes[[numbers[0], numbers[-1]]].tolist())
        ],
        "categories": [{"id": 1, "name": "mug"}],
    }
    (tmp_path / "keys.json").write_text(json.dumps(document))
    words = ("propose", frames, "--by", "track", "--keys", tmp_path / "keys.json")
    status, out, err = ask(*words, "--accept-above", 0.5)
    assert (status, err) == (0, "")
    assert "2 proposals for 2 pictures" in out
    dataset = read_boxes(frames)
    assert set(dataset.paths) == set(names[1:-1])
    status, out, err = ask(*words, "--motion", "flow", "--video", video)
    assert status == 0
    assert "proposals for 2 pictures" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say who proposes: --by plate, track, saliency or RUN"),
        (["--by", "magic"], "--by magic is not known: choose plate, track, saliency, coco"),
        (
            ["--by", "plate", "--empty", "nothing.png"],
            "--empty: there is no folder or file nothing",
        ),
        (["--by", "track"], "draw one in a few frames"),
        (["--by", "track", "--keys", "none.json"], "--keys: there is no folder or file none.json"),
        (["--accept-above", "0.9"], "nothing is proposed"),
        (["--sheet", "x.png"], "nothing is proposed"),
        (["--take-back"], "nothing in"),
        (["--take-back", "--accept-above", "0.9"], "goes alone"),
        (
            ["--by", "plate", "--empty", "x.png", "--accept-above", "2"],
            "there is no folder or file",
        ),
    ],
    ids=" ".join,
)
def test_one_line_says_what_is_wrong(ask, root, words, says):
    before = sorted(root.rglob("*"))
    status, out, err = ask("propose", root, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert sorted(root.rglob("*")) == before
    status, out, err = ask("propose", root / "nowhere", "--by", "plate", "--empty", "x.png")
    assert (status, out) == (2, "")
    assert "there is no folder" in err


def write_detector(file):
    """A detector, as `viewfinder export` writes it, that finds a person and a cat everywhere."""
    boxes = np.array([[[4, 4, 20, 20], [30, 8, 60, 40]]], np.float32)
    scores = np.array([[[0.9, 0.1], [0.2, 0.8]]], np.float32)
    values = {"boxes": boxes, "scores": scores}
    nodes = [
        helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))
        for name, value in values.items()
    ]
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("pictures", floats, [1, 3, 64, 64])],
        [helper.make_tensor_value_info(n, floats, v.shape) for n, v in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    told = {"task": "detect", "classes": '["person", "cat"]', "size": "[64, 64]"}
    told |= {"answers": "decoded", "pictures": "letterboxed on grey 114"}
    helper.set_model_props(model, told)
    onnx.save(model, file)
    return file


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), {"person", "cat"}),
        (("person",), {"person"}),
        (("cat=tom",), {"tom"}),
        (("cat", " person = me "), {"cat", "me"}),
    ],
)
def test_only_the_classes_that_are_asked_for_are_proposed(ask, tmp_path, names, found):
    write_picture(tmp_path / "pictures/a.png", np.full((80, 90, 3), 128, np.uint8))
    write_picture(tmp_path / "pictures/b.png", np.full((80, 90, 3), 128, np.uint8))
    file = write_detector(tmp_path / "d.onnx")
    asked = ("--names", *names) if names else ()
    status, _, err = ask("propose", tmp_path / "pictures", "--by", file, *asked)
    told = f"propose for the pictures of {tmp_path / 'pictures'}, by {file}\n"
    assert (status, err) == (0, told)
    proposals = read_proposals(tmp_path / "pictures")
    assert {proposals.classes[label] for label in proposals.found.labels} == found
    assert len(proposals) == 2 * len(found)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Person", "no class 'Person' (did you mean person?)"),
        ("cat=", "write each as class, or as class=name"),
        ("=tom", "write each as class, or as class=name"),
    ],
)
def test_names_that_mean_nothing_are_refused(ask, tmp_path, name, says):
    write_picture(tmp_path / "pictures/a.png", np.full((80, 90, 3), 128, np.uint8))
    file = write_detector(tmp_path / "d.onnx")
    status, _, err = ask("propose", tmp_path / "pictures", "--by", file, "--names", name)
    assert status == 2
    assert says in err
