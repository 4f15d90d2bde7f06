"""Frames of a video: sharp, different, spread evenly, and known by name."""

import json

import cv2
import numpy as np
import pytest

from viewfinder.datasets.frame_list import read_frame_list
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.labelling.frames import find_videos, write_frames
from viewfinder.labelling.sharpest import cells, difference
from viewfinder.labelling.sharpness import are_blurred, look, sharpness
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video_writing import write_video


def test_one_frame_of_each_stretch_is_the_sharpest(tmp_path, moving):
    pictures = moving(24)
    sharp = {3, 9, 14, 21}
    blurred = [p if i in sharp else cv2.GaussianBlur(p, (0, 0), 2) for i, p in enumerate(pictures)]
    write_video(tmp_path / "turn: é 写.mp4", blurred, rate=12)
    (done,) = write_frames([tmp_path / "turn: é 写.mp4"], tmp_path / "out")
    assert (done.read, done.blurred, done.alike, done.broken) == (24, 0, 0, "")
    origins = read_frame_list(tmp_path / "out")
    assert {origin.frame for origin in origins.values()} == sharp
    for name, origin in origins.items():
        assert name == f"turn: é 写-{origin.frame:06}.jpg"
        assert origin.video == "turn: é 写.mp4"
        assert origin.seconds == pytest.approx(origin.frame / 12, abs=1e-3)
        picture = read_picture(tmp_path / "out" / name).astype(int)
        assert np.abs(picture - pictures[origin.frame]).mean() < 10
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(
        ["frames.json", *origins]
    )
    assert done.written == tuple(origins)


def test_chosen_frames_lie_apart_where_all_are_as_sharp(tmp_path, moving):
    write_video(tmp_path / "it.mp4", moving(32, step=2), rate=16)
    write_frames([tmp_path / "it.mp4"], tmp_path / "out")
    numbers = sorted(origin.frame for origin in read_frame_list(tmp_path / "out").values())
    assert len(numbers) == 4
    assert np.diff(numbers).min() >= 5


def test_what_hardly_differs_is_taken_once(tmp_path, moving):
    # Soft, so that compression leaves little of its own.
    here, there = (cv2.GaussianBlur(moving(1, start=x)[0], (0, 0), 3) for x in (4, 70))
    still, elsewhere, darker = [here] * 10, [there] * 10, [(here * 0.85).astype(np.uint8)] * 10
    write_video(tmp_path / "it.mp4", [*still, *darker, *elsewhere, *still], rate=10)
    (done,) = write_frames([tmp_path / "it.mp4"], tmp_path / "out", to="png")
    assert (len(done.written), done.alike) == (2, 6)
    assert all(name.endswith(".png") for name in done.written)


def test_a_blurred_stretch_is_left_out(tmp_path, moving):
    pictures = moving(40, step=1)
    pictures[20:25] = [cv2.blur(p, (15, 1)) for p in pictures[20:25]]
    write_video(tmp_path / "it.mp4", pictures, rate=10)
    (done,) = write_frames([tmp_path / "it.mp4"], tmp_path / "out")
    assert done.blurred == 1
    frames = [origin.frame for origin in read_frame_list(tmp_path / "out").values()]
    assert not set(frames) & set(range(20, 25))


def test_the_empty_stand_is_no_blurred_picture(tmp_path, turntables):
    """However smooth it is beside frames with an object."""
    turn = turntables[0]
    shown = [*[turn.empty] * 8, *np.repeat(turn.frames, 4, axis=0), *[turn.empty] * 4]
    write_video(tmp_path / "it.mp4", shown, rate=8)
    (done,) = write_frames([tmp_path / "it.mp4"], tmp_path / "out")
    assert done.blurred == 0
    frames = [origin.frame for origin in read_frame_list(tmp_path / "out").values()]
    assert any(frame < 8 for frame in frames)
    assert any(8 <= frame < 24 for frame in frames)


def test_smooth_things_among_others_are_not_blurred(turntables):
    apple = np.full((160, 240, 3), 140, np.uint8)
    cv2.circle(apple, (120, 80), 50, (190, 40, 30), -1)
    apple = cv2.GaussianBlur(apple, (0, 0), 1)
    belt = cv2.rectangle(np.full_like(apple, 90), (60, 0), (180, 160), (130, 130, 130), -1)
    belt = cv2.GaussianBlur(belt, (0, 0), 12)
    busy = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    busy = busy.repeat(4, 0).repeat(4, 1)
    plain = np.full_like(apple, 128)
    shown = (busy, busy, belt, busy, apple, busy, plain, busy)
    assert not any(are_blurred([look(each) for each in shown]))
    turns = [look(each) for turn in turntables for each in (turn.empty, *turn.frames, turn.empty)]
    assert not any(are_blurred(turns))


def test_a_stand_from_which_a_faint_thing_was_taken_is_not_blurred():
    stand = np.full((180, 320, 3), 170, np.uint8)
    thing = stand.copy()
    thing[60:150, 110:210] = (150, 140, 120)
    printed = thing.copy()
    printed[64:146:6, 116:204] = (110, 100, 80)
    shown = (printed, printed, thing, printed, stand, printed, printed)
    assert not any(are_blurred([look(cv2.GaussianBlur(each, (0, 0), 0.7)) for each in shown]))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (200, 3), (40, 30)])
def test_small_frames_can_be_looked_at(width, height):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (height, width, 3)).astype(np.uint8) for _ in range(3)]
    assert are_blurred([look(frame) for frame in frames]) == [False] * 3


@pytest.mark.parametrize("kernel", [(9, 1), (1, 13), (9, 9)])
def test_a_blurred_frame_is_found_where_the_camera_moves(kernel):
    random = np.random.default_rng(0)
    wall = random.integers(0, 255, (100, 120, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    views = []
    for x, y in 250 + random.integers(-25, 26, (11, 2)).cumsum(axis=0):
        light = wall[y : y + 240, x : x + 320] * random.uniform(0.9, 1.1)
        noisy = light + random.normal(0, 3, light.shape)
        views.append(np.clip(noisy, 0, 255).astype(np.uint8))
    assert not any(are_blurred([look(view) for view in views]))
    views[4], views[8] = (cv2.blur(views[place], kernel) for place in (4, 8))
    found = are_blurred([look(view) for view in views])
    assert [place for place, bad in enumerate(found) if bad] == [4, 8]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_so_many_of_each_video(tmp_path, moving, count):
    write_video(tmp_path / "it.mp4", moving(28), rate=14)
    (done,) = write_frames([tmp_path / "it.mp4"], tmp_path / "out", sharpest=count)
    assert len(done.written) == count


def test_blur_and_noise_do_not_raise_sharpness(moving):
    picture = moving(1)[0]
    random = np.random.default_rng(0)
    values = [sharpness(picture)]
    for width in (3, 7, 15):
        blurred = cv2.blur(picture, (width, 1))
        noisy = np.clip(blurred + random.normal(0, 3, blurred.shape), 0, 255).astype(np.uint8)
        values.append(sharpness(noisy))
    assert values == sorted(values, reverse=True)
    assert values[3] < values[0] / 2


def test_difference_is_none_of_exposure_and_grows_with_motion(moving):
    frames = [cells(picture) for picture in moving(8)]
    apart = [difference(frames[0], other) for other in frames]
    assert apart[0] == 0
    assert apart[1] > 5
    assert apart[4] > apart[1]


def test_videos_of_one_name_keep_their_frames_apart(tmp_path, moving):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_video(tmp_path / folder / "it.mp4", moving(6), rate=6)
    (tmp_path / "b" / "notes.txt").write_text("no video")
    videos = find_videos([tmp_path / "a" / "it.mp4", tmp_path / "b"])
    assert videos == [tmp_path / "a" / "it.mp4", tmp_path / "b" / "it.mp4"]
    first, second = write_frames(videos, tmp_path / "out")
    assert len(first.written) == len(second.written) == 2
    assert all(name.startswith("it-2-") for name in second.written)
    origins = read_frame_list(tmp_path / "out")
    assert len({origin.video for origin in origins.values()}) == 2


def test_a_video_cut_short_keeps_what_it_has(tmp_path, cut_short, moving):
    write_video(tmp_path / "whole.mp4", moving(12))
    first, second = write_frames([cut_short, tmp_path / "whole.mp4"], tmp_path / "out", every=0.1)
    assert "can be read for" in first.broken
    assert first.written
    assert second.broken == ""
    assert second.written
    names = {file.name for file in (tmp_path / "out").iterdir()} - {"frames.json"}
    assert names == {*first.written, *second.written}


def test_without_any_frame_nothing_is_written(tmp_path):
    (tmp_path / "it.mp4").write_bytes(b"not a video" * 40)
    with pytest.raises(InputError, match="not a video that can be read"):
        write_frames([tmp_path / "it.mp4"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for options in ({"every": 0.0}, {"every": float("nan")}, {"sharpest": 0}):
        with pytest.raises(InputError, match="cannot be"):
            write_frames([tmp_path / "it.mp4"], tmp_path / "out", **options)
    with pytest.raises(InputError, match="holds no videos"):
        find_videos([tmp_path / "out" if (tmp_path / "out").exists() else _empty(tmp_path)])
    with pytest.raises(InputError, match="there is no"):
        find_videos([tmp_path / "nothing"])


def _empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


@pytest.mark.parametrize("kind", ["class folders", "coco"])
def test_frames_of_one_video_stay_on_one_side(tmp_path, moving, kind):
    """Six videos of each of two classes, dealt whole."""
    for number, name in enumerate(("mug", "bowl")):
        videos = []
        for take in range(6):
            videos.append(tmp_path / f"{name}{take}.mp4")
            write_video(videos[-1], moving(12, seed=10 * number + take), rate=12)
        write_frames(videos, tmp_path / "set" / name, every=0.2)
    root = tmp_path / "set"
    if kind == "coco":
        files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*.jpg"))
        document = {
            "images": [
                {"id": i, "file_name": f, "width": 128, "height": 96} for i, f in enumerate(files)
            ],
            "annotations": [
                {"id": i, "image_id": i, "category_id": 1, "bbox": [1, 1, 9, 9]}
                for i in range(len(files))
            ],
            "categories": [{"id": 1, "name": "thing"}],
        }
        (root / "annotations").mkdir()
        (root / "annotations/instances_all.json").write_text(json.dumps(document))
    dataset = open_dataset(root)
    assert dataset.layout == ("COCO" if kind == "coco" else kind)
    sides = {}
    for group, side in zip(dataset.groups, dataset.splits.tolist(), strict=True):
        assert group.startswith(("mug/mug", "bowl/bowl"))
        sides.setdefault(group, set()).add(side)
    assert len(sides) == 12
    assert all(len(found) == 1 for found in sides.values())
    assert {side for found in sides.values() for side in found} == {0, 1, 2}
    assert dataset.notes == ()


def test_a_class_filmed_once_stays_in_train_and_is_told(tmp_path, moving):
    for name, start in (("mug", 4), ("bowl", 60)):
        write_video(tmp_path / f"{name}.mp4", moving(12, start=start, step=2), rate=12)
        write_frames([tmp_path / f"{name}.mp4"], tmp_path / "set" / name, every=0.2)
    dataset = open_dataset(tmp_path / "set")
    assert (dataset.splits == 0).all()
    assert "all pictures of bowl, mug are to train on" in dataset.notes[0]


@pytest.mark.parametrize("shape", [(2, 2000, 3), (2000, 2, 3)])
def test_frames_of_any_shape_are_looked_at(tmp_path, shape):
    write_video(tmp_path / "it.mp4", [np.full(shape, value, np.uint8) for value in (10, 200)])
    (done,) = write_frames([tmp_path / "it.mp4"], tmp_path / "out")
    assert (done.read, len(done.written), done.broken) == (2, 1, "")


def test_of_a_short_clip_it_is_said_what_to_film(tmp_path, moving):
    write_video(tmp_path / "short.mp4", moving(24), rate=24)
    (done,) = write_frames([tmp_path / "short.mp4"], tmp_path / "two")
    assert len(done.written) == 2
    assert done.few == (
        "2 pictures of short.mp4 are few: it lasts 1.0 s, and one frame is taken of each 0.5 s; "
        "film a whole turn, slowly, for 10 seconds or more, or look closer with "
        "`viewfinder frames --every 0.04`"
    )
    (closer,) = write_frames([tmp_path / "short.mp4"], tmp_path / "more", every=0.04)
    assert (len(closer.written), closer.few) == (24, "")
    (asked,) = write_frames([tmp_path / "short.mp4"], tmp_path / "asked", sharpest=2)
    assert asked.few == ""


def test_of_a_long_clip_that_was_hardly_looked_at_nobody_films_more(tmp_path, moving):
    write_video(tmp_path / "long.mp4", moving(48, step=1), rate=4)
    (done,) = write_frames([tmp_path / "long.mp4"], tmp_path / "few", every=5)
    assert len(done.written) == 3
    assert done.few == (
        "3 pictures of long.mp4 are few: it lasts 11.8 s, and one frame is taken of each 5 s; "
        "look closer with `viewfinder frames --every 0.4`"
    )


def test_of_a_clip_that_stands_still_too(tmp_path, moving):
    write_video(tmp_path / "still.mp4", moving(1) * 120, rate=24)
    (done,) = write_frames([tmp_path / "still.mp4"], tmp_path / "out")
    assert done.few.endswith(
        " few: most of its frames show the same view; film the thing from all sides"
    )
