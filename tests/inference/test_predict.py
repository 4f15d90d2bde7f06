"""Answers for pictures, wherever they are named, and the same that validation gave."""

import io
import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.inference.drawing import draw_answers
from viewfinder.inference.predict import find_pictures, predict
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import read_video
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import open_run
from viewfinder.tasks import find

CPU = torch.device("cpu")


@pytest.fixture
def run(small_run):
    return open_run(small_run)


def answers(run, source):
    return [each.as_json(run.manifest.classes) for each in predict(run.model, source, device=CPU)]


def say(monkeypatch, data: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_one_picture(run, small_set):
    file = small_set / "test" / "blue" / "001.png"
    (answer,) = answers(run, str(file))
    assert answer["source"] == str(file)
    assert (answer["width"], answer["height"]) == (32, 32)
    assert answer["label"] == "blue"
    assert list(answer["scores"]) == ["amber", "blue", "green"]
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-6)


def test_a_folder_is_answered_in_a_fixed_order_across_batches(run, small_set):
    given = answers(run, small_set)  # 72 pictures are more than one batch.
    assert len(given) == 72
    sources = [answer["source"] for answer in given]
    assert sources == sorted(sources)
    named = [Path(source).parent.name for source in sources]
    assert np.mean([a["label"] == n for a, n in zip(given, named, strict=True)]) > 0.95


def test_several_files_and_folders_are_answered_in_their_order(run, small_set):
    test = small_set / "test"
    named = [str(test / "green" / "001.png"), test / "amber", test / "blue" / "001.png"]
    sources = [answer["source"] for answer in answers(run, named)]
    assert sources[0] == named[0]
    assert sources[-1] == str(named[-1])
    assert {Path(source).parent.name for source in sources[1:-1]} == {"amber"}


def test_predict_equals_what_validation_says_of_the_same_picture(run, small_set, tmp_path):
    dataset = open_dataset(small_set).split("val")
    task, config = find("classify"), run.model.config
    examples = task.open_eval(dataset, config, keep="memory")
    expected = task.answers(run.net(), examples, config, CPU)
    given = {answer["source"]: answer["scores"] for answer in answers(run, small_set / "val")}
    for index in range(len(dataset)):
        mine = list(given[str(dataset.file(index))].values())
        np.testing.assert_allclose(mine, expected[index], atol=1e-6)


def test_other_sizes_are_brought_to_the_nets_own(run, tmp_path):
    write_picture(tmp_path / "wide.png", np.full((20, 300, 3), (40, 70, 200), np.uint8))
    (answer,) = answers(run, tmp_path / "wide.png")
    assert (answer["width"], answer["height"]) == (300, 20)


def test_paths_on_standard_input(run, small_set, tmp_path, monkeypatch):
    odd = tmp_path / "a 图 .png"
    shutil.copy(small_set / "test/green/000.png", odd)
    bytes_alone = tmp_path / os.fsdecode(b"caf\xe9.png")
    shutil.copy(odd, bytes_alone)
    lines = [os.fsencode(odd), b"", os.fsencode(bytes_alone) + b"\r", b"  "]
    say(monkeypatch, b"\n".join(lines))
    given = answers(run, "-")
    assert [answer["source"] for answer in given] == [str(odd), str(bytes_alone)]
    assert {answer["label"] for answer in given} == {"green"}


def test_what_cannot_be_read_is_passed_over_with_a_note(run, small_set, tmp_path, capsys):
    shutil.copy(small_set / "test/green/000.png", tmp_path / "b.png")
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "c.jpg").write_bytes(b"")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    given = answers(run, tmp_path)
    assert [answer["source"] for answer in given] == [str(tmp_path / "b.png")]
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in told] == ["passed over"] * 2
    assert "a.png" in told[0]
    assert "c.jpg" in told[1]


def test_nothing_to_answer_is_refused(run, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"there is no .*: give a picture, a folder"):
        answers(run, tmp_path / "nowhere.png")
    with pytest.raises(InputError, match="holds no pictures"):
        answers(run, tmp_path)
    say(monkeypatch, b"\n\n")
    with pytest.raises(InputError, match="standard input names no picture"):
        answers(run, "-")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png"):
        answers(run, tmp_path / "a.png")
    with pytest.raises(InputError, match="not one of the 2 files"):
        answers(run, tmp_path)


def test_find_pictures_goes_into_folders_but_not_hidden_files(tmp_path):
    for name in ("b/2.png", "a.JPG", "b/1.webp", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [path.relative_to(tmp_path).as_posix() for path in find_pictures(tmp_path)]
    assert found == ["a.JPG", "b/1.webp", "b/2.png"]


def test_drawn_answers_are_pictures_with_the_names_of_their_own(run, small_set, tmp_path):
    given = list(predict(run.model, small_set / "test", device=CPU))[:10]
    out = tmp_path / "图 drawn"
    draw_answers(given, out, classes=run.manifest.classes)
    # In folders like their own, as all classes have a picture of this name.
    whose = {
        Path(each.source).relative_to(small_set / "test").with_suffix(".jpg") for each in given
    }
    assert {file.relative_to(out) for file in out.rglob("*.jpg")} == whose
    assert len(whose) == 10
    drawn = read_picture(next(out.rglob("*.jpg")))
    assert drawn.shape[1] >= 160
    assert drawn.std() > 10
    with pytest.raises(InputError, match="exists already"):
        draw_answers(given, out, classes=run.manifest.classes)


def test_a_name_as_long_as_the_disk_allows_can_be_drawn(run, small_set, tmp_path):
    file = tmp_path / ("图" * 83 + ".png")
    shutil.copy(small_set / "test/green/000.png", file)
    given = list(predict(run.model, file, device=CPU))
    draw_answers(given, tmp_path / "out", classes=run.manifest.classes)
    (drawn,) = (tmp_path / "out").iterdir()
    assert drawn.name.startswith("图" * 80)
    assert drawn.suffix == ".jpg"


def test_drawn_pictures_whose_names_clash_keep_their_endings(run, small_set, tmp_path):
    for name in ("a.png", "a.b.png"):
        shutil.copy(small_set / "test/green/000.png", tmp_path / name)
    write_picture(tmp_path / "a.jpg", read_picture(tmp_path / "a.png"))
    given = list(
        predict(run.model, [tmp_path / n for n in ("a.b.png", "a.png", "a.jpg")], device=CPU)
    )
    draw_answers(given, tmp_path / "out", classes=run.manifest.classes)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["a.b.jpg", "a.jpg.jpg", "a.png.jpg"]


def test_what_a_folder_holds_is_told_by_its_bytes(tmp_path, run, capsys):
    """A video and an animation, of odd names, and one video that is cut short."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    write_picture(folder / "a.jpg", np.zeros((40, 40, 3), np.uint8))
    frames = [np.full((48, 64, 3), 8 * value, np.uint8) for value in range(30)]
    write_video(tmp_path / "it.mp4", frames)
    (tmp_path / "it.mp4").rename(folder / "b")
    with av.open(str(folder / "c.mkv"), "w") as target:
        stream = target.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in [*(av.VideoFrame.from_ndarray(each) for each in frames), None]:
            target.mux(stream.encode(frame))
    data = (folder / "c.mkv").read_bytes()
    (folder / "c.mkv").write_bytes(data[: round(0.6 * len(data))])
    (folder / "notes.txt").write_text("nothing")
    found = list(predict(run.model, folder, device=CPU))
    counts = Counter(Path(each.source).name for each in found)
    assert counts["a.jpg"] == 1
    assert counts["b"] == 30
    assert 0 < counts["c.mkv"] < 30
    assert set(counts) == {"a.jpg", "b", "c.mkv"}
    assert "c.mkv is cut short" in capsys.readouterr().err
    draw_answers(found, tmp_path / "drawn", classes=run.manifest.classes)
    assert capsys.readouterr().err == ""
    names = sorted(file.name for file in (tmp_path / "drawn").iterdir())
    assert names == ["a.jpg", "b.mp4", "c.mp4"]


def test_of_an_animated_webp_one_picture_is_answered_and_said(run, tmp_path, capsys):
    pictures = [Image.fromarray(np.full((32, 32, 3), value, np.uint8)) for value in (20, 200)]
    pictures[0].save(tmp_path / "still.webp")
    assert len(answers(run, tmp_path / "still.webp")) == 1
    assert "animated" not in capsys.readouterr().err
    pictures[0].save(tmp_path / "it.webp", save_all=True, append_images=pictures[1:])
    assert len(answers(run, tmp_path / "it.webp")) == 1
    assert "it.webp is an animated WebP, of which the first" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"it\.webp is an animated WebP, no video: convert it"):
        next(read_video(tmp_path / "it.webp"))


def test_pictures_are_drawn_while_the_next_are_answered(run, small_set, tmp_path):
    given = list(predict(run.model, small_set / "test", device=CPU))[:3]
    out, seen = tmp_path / "drawn", []

    def made():
        yield from given[:2]
        # The thread that makes answers waits here until the first one is drawn.
        for _ in range(500):
            if list(tmp_path.rglob("1.jpg")):
                break
            time.sleep(0.01)
        seen.extend(each.name for each in tmp_path.rglob("*.jpg"))
        yield given[2]

    assert len(draw_answers(made(), out, classes=run.manifest.classes)) == 3
    assert len(seen) == 1
    assert len(list(out.rglob("*.jpg"))) == 3


def test_what_fails_while_pictures_are_drawn_leaves_nothing(run, small_set, tmp_path):
    (given,) = list(predict(run.model, small_set / "test", device=CPU))[:1]

    def made():
        yield given
        raise InputError("the disk is full")

    with pytest.raises(InputError, match="the disk is full"):
        draw_answers(made(), tmp_path / "out", classes=run.manifest.classes)
    assert list(tmp_path.iterdir()) == []
