"""Composed scenes: their truth is what is seen; nothing of old backgrounds or of other sides."""

import json
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.composing.backgrounds import read_backgrounds, tabletop_backgrounds
from viewfinder.composing.captures import open_captures
from viewfinder.composing.composed_set import write_composed
from viewfinder.composing.composition import Composition
from viewfinder.composing.cutouts import CutOut, cut_out
from viewfinder.composing.labelled import cutouts_from
from viewfinder.composing.scenes import compose_scene
from viewfinder.composing.source import composed
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.masks import decode, encode
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_mask, write_picture

RED, GREEN, BLUE = (210, 40, 40), (40, 200, 40), (40, 40, 210)
PLAIN = Composition(light=0, shadow=0, blur=0, noise=0)
# On this grey, objects keep their colours.
GREY = np.full((200, 260, 3), 115, np.uint8)


def disc(side=96, radius=36):
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    return x * x + y * y < radius * radius


def eroded(mask, by):
    """Smaller by so many pixels, at the frame's edge too."""
    return ~dilated(np.pad(~mask, by, constant_values=True), by)[by:-by, by:-by]


def dilated(mask, by):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1,) * 2)).astype(bool)


def capture(colour=RED, ground=GREEN, mask=None):
    """A picture of an object of one colour, and its mask."""
    mask = disc() if mask is None else mask
    picture = np.empty((*mask.shape, 3), np.uint8)
    picture[:] = ground
    picture[mask] = colour
    return picture, mask


def disc_cutout(label=0, colour=RED, source="a"):
    return cut_out(*capture(colour), label, source)


def scene_of(cutouts, settings=PLAIN, size=(160, 120), seed=0, backgrounds=(GREY,)):
    return compose_scene(cutouts, backgrounds, settings, size, np.random.default_rng(seed))


def test_a_cut_out_has_a_soft_edge_about_a_pixel_within_the_mask():
    _, mask = capture()
    cutout = disc_cutout()
    alpha = np.zeros(mask.shape, np.uint8)
    top = int(np.flatnonzero(mask.any(1))[0]) - 4
    alpha[top : top + cutout.size[1], top : top + cutout.size[0]] = cutout.alpha
    solid = alpha > 127
    assert (solid <= mask).all()
    assert (eroded(mask, 2) <= solid).all()
    assert ((alpha > 0) & (alpha < 255)).any()
    across = alpha[48, :48].astype(int)
    assert (np.diff(across) >= 0).all()
    assert not cutout.alpha[[0, -1]].any()
    assert not cutout.alpha[:, [0, -1]].any()


def test_nothing_of_the_old_background_is_left():
    """Also where the mask is a pixel too wide, and at every scale."""
    picture, mask = capture()
    wide = dilated(mask, 1)
    settings = replace(PLAIN, scale=(0.05, 0.6), turn=180, objects=(6, 6))
    for outline in (mask, wide):
        cutout = cut_out(picture, outline, 0, "a")
        assert (cutout.picture[..., 1] == RED[1]).all()
        for seed in range(10):
            told = scene_of([cutout], settings, seed=seed)[0].astype(int)
            assert (told[..., 1] - told.max(axis=2)).max() <= 0
            assert (told[..., 1] <= np.maximum(told[..., 2], 115) + 3).all()


def test_an_object_at_the_pictures_edge_is_not_eroded_there():
    mask = np.zeros((40, 60), np.bool_)
    mask[10:40, 20:50] = True
    cutout = cut_out(*capture(mask=mask), 0, "a")
    solid = cutout.alpha > 127
    assert np.flatnonzero(solid.any(1)).tolist() == list(range(5, 34))
    assert np.flatnonzero(solid.any(0)).tolist() == list(range(5, 33))


def test_thin_and_tiny_objects_survive():
    mask = np.zeros((40, 40), np.bool_)
    mask[20:22, 5:35] = True
    assert (cut_out(*capture(mask=mask), 0, "a").alpha > 127).sum() > 40
    mask[:] = False
    mask[3, 3] = True
    assert cut_out(*capture(mask=mask), 0, "a").alpha.shape == (9, 9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mask": np.zeros((96, 96), np.bool_)}, "the mask is empty"),
        ({"mask": np.ones((95, 96), np.bool_)}, "a mask lies on its own picture"),
        ({"label": -1}, "needs a class"),
        ({"picture": np.zeros((96, 96), np.uint8)}, "H×W×3 uint8"),
        ({"picture": np.zeros((96, 96, 3), np.float32)}, "H×W×3 uint8"),
    ],
)
def test_what_cannot_be_cut_out_is_said(change, says):
    picture, mask = capture()
    given = {"picture": picture, "mask": mask, "label": 0, "source": "été.png"} | change
    with pytest.raises(InputError, match=says) as caught:
        cut_out(**given)
    assert "été.png" in str(caught.value)


def test_boxes_and_masks_are_what_the_picture_shows():
    """Against the pixels: an object's own colour within its mask, the background's without."""
    colours = (RED, GREEN, BLUE)
    cutouts = [disc_cutout(i, colour, str(i)) for i, colour in enumerate(colours)]
    settings = replace(PLAIN, objects=(8, 8), overlap=0.7, hidden=0.8, scale=(0.2, 0.5))
    overlapping = 0
    for seed in range(25):
        picture, boxes, labels, masks = scene_of(cutouts, settings, seed=seed)
        assert (masks.sum(axis=0) <= 1).all()
        edge = np.zeros(masks.shape[1:], np.bool_)
        for box, label, mask in zip(boxes, labels, masks, strict=True):
            inner = eroded(mask, 3)
            apart = np.abs(picture[inner].astype(int) - colours[label])
            assert apart.max(initial=0) <= 4
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            around = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert box.tolist() == around
            edge |= dilated(mask, 2)
        assert np.abs(picture[~edge].astype(int) - 115).max() <= 1
        overlapping += len(labels) > 4
    assert overlapping > 5


WHOLE = float((disc_cutout().alpha > 127).sum()) / max(disc_cutout().size) ** 2


@pytest.mark.parametrize("hidden", [0.0, 0.3, 0.6])
def test_objects_hidden_by_more_than_a_share_are_dropped(hidden):
    """Of discs of one size the visible share is known."""
    cutouts = [disc_cutout()]
    settings = replace(PLAIN, objects=(60, 60), scale=(0.35, 0.35), overlap=1, hidden=hidden)
    shares, kept = [], []
    for seed in range(12):
        masks = scene_of(cutouts, settings, seed=seed)[3]
        shares += (masks.sum(axis=(1, 2)) / (WHOLE * (0.35 * 120) ** 2)).tolist()
        kept.append(len(masks))
    assert min(shares) > 1 - hidden - 0.04
    assert max(shares) < 1.05
    assert 1 <= min(kept) <= max(kept) < 60
    if hidden:
        assert min(shares) < 1 - hidden / 2


def test_the_overlap_is_limited_apart_from_the_edge():
    settings = replace(PLAIN, objects=(25, 25), scale=(0.3, 0.3), overlap=0.1, hidden=0.9)
    for seed in range(8):
        masks = scene_of([disc_cutout()], settings, seed=seed)[3]
        for mask in masks:
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            inside = rows[0] > 0 and columns[0] > 0 and rows[-1] < 119 and columns[-1] < 159
            if inside:
                assert mask.sum() > 0.86 * WHOLE * (0.3 * 120) ** 2


def test_classes_are_balanced_however_many_cut_outs_each_has():
    common = [disc_cutout(0, RED, str(i % 5)) for i in range(40)]
    cutouts = [*common, disc_cutout(3, GREEN), disc_cutout(7, BLUE)]
    source = composed(cutouts, [GREY], size=(160, 120), count=200, settings=PLAIN)
    counts = np.bincount(np.concatenate([labels for _, _, labels in source]), minlength=8)
    assert set(np.flatnonzero(counts).tolist()) == {0, 3, 7}
    chosen = counts[[0, 3, 7]]
    assert chosen.min() > 0.88 * chosen.max()


def test_sources_are_balanced_within_a_class():
    many = [disc_cutout(0, RED, "a") for _ in range(30)]
    source = composed([*many, disc_cutout(0, BLUE, "b")], [GREY], size=(96, 96), count=150)
    blue = red = 0
    for number in range(150):
        picture, _, _, masks = source.scene(number)
        for mask in masks:
            r, _, b = picture[mask].mean(axis=0)
            blue, red = blue + (b > r), red + (r > b)
    assert 0.8 < blue / red < 1.25


SCENES = st.builds(
    Composition,
    objects=st.tuples(st.integers(1, 4), st.integers(4, 12)),
    scale=st.tuples(st.floats(0.02, 0.2), st.floats(0.2, 1.0)),
    turn=st.floats(0, 180),
    mirror=st.floats(0, 1),
    overlap=st.floats(0, 1),
    hidden=st.floats(0, 1),
    light=st.floats(0, 1),
    shadow=st.floats(0, 1),
    blur=st.floats(0, 3),
    noise=st.floats(0, 30),
)


@settings(max_examples=60)
@given(SCENES, st.integers(16, 90), st.integers(16, 90), st.integers(0, 2**40))
def test_any_scene_is_sound_and_made_again(options, width, height, seed):
    cutouts = [disc_cutout(0), disc_cutout(4, BLUE)]
    random = np.random.default_rng(seed)
    backgrounds = [random.integers(0, 256, (31, 47, 3)).astype(np.uint8), GREY]
    scene = scene_of(cutouts, options, (width, height), seed, backgrounds)
    picture, boxes, labels, masks = scene
    assert (picture.shape, picture.dtype) == ((height, width, 3), np.uint8)
    assert (boxes.dtype, labels.dtype, masks.dtype) == (np.float32, np.int64, np.bool_)
    assert boxes.shape == (len(labels), 4)
    assert masks.shape == (len(labels), height, width)
    assert len(labels) <= options.objects[1]
    assert set(labels.tolist()) <= {0, 4}
    assert (masks.sum(axis=0) <= 1).all()
    assert (masks.sum(axis=(1, 2)) >= 16).all()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [width, height]).all()
    for one, other in zip(
        scene, scene_of(cutouts, options, (width, height), seed, backgrounds), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_scenes_by_number_are_pure():
    cutouts = [disc_cutout(0), disc_cutout(1, BLUE)]
    source = composed(cutouts, [GREY], size=(96, 64), count=5, seed=3)
    there = [picture for picture, _, _ in source]
    assert (len(source), len(there)) == (5, 5)
    again = pickle.loads(pickle.dumps(source))
    for number in (4, 0, 2):
        np.testing.assert_array_equal(again[number][0], there[number])
    assert len({picture.tobytes() for picture in [*there, source.scene(5)[0]]}) == 6
    other = composed(cutouts, [GREY], size=(96, 64), count=5, seed=4)
    assert other[0][0].tobytes() != there[0].tobytes()
    with pytest.raises(IndexError, match="5 scenes"):
        source[5]


def test_shadows_darken_the_ground_about_the_foot_alone():
    """With the same random numbers, the scene without shadows is nowhere darker."""
    settings = replace(PLAIN, objects=(1, 1), scale=(0.4, 0.4), hidden=0)
    for seed in range(6):
        without, boxes, _, masks = scene_of([disc_cutout()], settings, seed=seed)
        shaded = scene_of([disc_cutout()], replace(settings, shadow=1), seed=seed)[0]
        darker = without.astype(int).sum(2) - shaded.astype(int).sum(2)
        assert darker.min() >= 0
        inner = eroded(masks[0], 3)
        assert darker[inner].max() == 0
        x1, y1, x2, y2 = boxes[0]
        foot = darker[int(y2) - 4 : int(y2) + 3, int(x1) : int(x2)].max(initial=0)
        head = darker[max(0, int(y1) - 8) : int(y1), int(x1) : int(x2)].max(initial=0)
        assert foot > 60
        assert head < foot / 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"objects": (0, 4)}, "objects must be from 1"),
        ({"objects": (5, 4)}, "ascending"),
        ({"scale": (0.5, 1.5)}, "scale must be"),
        ({"hidden": 1.1}, "hidden must be from 0 to 1"),
        ({"light": float("nan")}, "light must be"),
        ({"turn": -1}, "turn must be"),
    ],
)
def test_impossible_settings_are_said(change, says):
    with pytest.raises(InputError, match=says):
        Composition(**change)


def test_nothing_to_compose_of_is_said():
    with pytest.raises(InputError, match="no cut-outs"):
        scene_of([])
    with pytest.raises(InputError, match="no backgrounds"):
        scene_of([disc_cutout()], backgrounds=())
    with pytest.raises(InputError, match="16 to 8192"):
        scene_of([disc_cutout()], size=(8, 8))
    with pytest.raises(InputError, match="seed"):
        composed([disc_cutout()], [GREY], size=(32, 32), count=1, seed=-1)


# Sets and captures

SIDES = {"train": RED, "val": GREEN, "test": BLUE}


def write_outlined_set(root, *, pictures=3):
    """A COCO set of discs, red on train, green on val and blue on test; the ground tells too."""
    polygon = [v for a in np.linspace(0, 6, 40) for v in (48 + 36 * np.cos(a), 48 + 36 * np.sin(a))]
    for side, colour in SIDES.items():
        images, annotations = [], []
        for i in range(pictures):
            name = f"{side} 图 {i}.png"
            ground = tuple(v // 2 for v in colour)
            write_picture(root / "images" / side / name, capture(colour, ground)[0])
            images.append({"id": i + 1, "file_name": name, "width": 96, "height": 96})
            outline = [polygon] if i else encode(capture(colour)[1])
            annotations.append(
                {
                    "id": i + 1,
                    "image_id": i + 1,
                    "category_id": 1 + i % 2,
                    "bbox": [12, 12, 72, 72],
                    "iscrowd": 0,
                    "segmentation": outline,
                }
            )
        file = root / "annotations" / f"instances_{side}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        categories = [{"id": 1, "name": "Schraube ö"}, {"id": 2, "name": "螺"}]
        document = {"images": images, "annotations": annotations, "categories": categories}
        file.write_text(json.dumps(document), encoding="utf-8")
    return root


def is_red(cutout: CutOut):
    r, g, b = cutout.picture[cutout.alpha > 127].mean(axis=0)
    return r > 180 and g < 60 and b < 60


def test_only_train_is_cut_out(tmp_path):
    dataset = open_dataset(write_outlined_set(tmp_path / "set"))
    cutouts = cutouts_from(dataset)
    assert [cutout.label for cutout in cutouts] == [0, 1, 0]
    assert all(map(is_red, cutouts))
    assert all(cutout.source.startswith("images/train/") for cutout in cutouts)
    with pytest.raises(InputError, match="val and test are not used"):
        cutouts_from(dataset.split("val"))


def test_a_picture_or_group_on_two_sides_is_not_cut_out(tmp_path):
    dataset = open_dataset(write_outlined_set(tmp_path / "set"))
    paths = list(dataset.paths)
    paths[dataset.splits.tolist().index(1)] = paths[0]
    shared = replace(dataset, paths=tuple(paths))
    assert [cutout.source for cutout in cutouts_from(shared)] == paths[1:3]
    groups = ["", "a", "b", "a", "", "", "", "", ""]
    assert dataset.splits[:4].tolist() == [0, 0, 0, 1]
    grouped = replace(dataset, groups=tuple(groups))
    assert [cutout.source for cutout in cutouts_from(grouped)] == [
        dataset.paths[0],
        dataset.paths[2],
    ]


def test_a_set_that_is_not_dealt_is_refused(tmp_path):
    dataset = read_boxes(write_outlined_set(tmp_path / "set"))
    undealt = replace(dataset, splits=np.full(len(dataset), -1, np.int8))
    with pytest.raises(InputError, match="in no split yet"):
        cutouts_from(undealt)


def test_backgrounds_of_val_and_test_are_refused(tmp_path):
    dataset = open_dataset(write_outlined_set(tmp_path / "set"))
    places = tmp_path / "places"
    write_picture(places / "café.png", GREY)
    read = read_backgrounds(places, (64, 48), apart_from=[dataset])
    assert [place.shape for place in read] == [(70, 90, 3)]
    held = dataset.file(dataset.splits.tolist().index(2))
    (places / "deep").mkdir()
    (places / "deep" / "copy.png").write_bytes(held.read_bytes())
    with pytest.raises(InputError, match=r"copy\.png is a picture of .* in its split val or test"):
        read_backgrounds(places, (64, 48), apart_from=[dataset])
    with pytest.raises(InputError, match="split val or test"):
        write_composed(
            tmp_path / "set", tmp_path / "out", backgrounds=places, count=2, size=(64, 48)
        )
    assert not (tmp_path / "out").exists()


def test_what_is_written_shows_train_alone(tmp_path):
    write_outlined_set(tmp_path / "set")
    write_picture(tmp_path / "places" / "a.png", GREY)
    made = write_composed(
        tmp_path / "set",
        tmp_path / "out é",
        backgrounds=tmp_path / "places",
        count=6,
        size=(96, 64),
        settings=PLAIN,
        processes=1,
    )
    opened = read_boxes(tmp_path / "out é")
    assert opened.classes == made.classes == ("Schraube ö", "螺")
    assert opened.splits.tolist() == [0] * 6
    assert opened.notes == made.notes == (COMPOSED,)
    assert not opened.unread
    np.testing.assert_array_equal(opened.boxes.corners, made.boxes.corners)
    np.testing.assert_array_equal(opened.boxes.classes, made.boxes.classes)
    for i in range(6):
        picture = read_picture(opened.file(i)).astype(int)
        assert picture.shape == (64, 96, 3)
        assert (picture[..., 1:].max(2) <= np.maximum(picture[..., 0], 115) + 25).all()
        for row in range(*opened.boxes.of(i).indices(10**6)):
            mask = decode(opened.boxes.segmentations[row], (96, 64))
            assert mask.sum() == opened.boxes.areas[row]
            assert picture[mask].mean(axis=0)[0] > 150


def test_the_files_do_not_depend_on_the_number_of_processes(tmp_path):
    write_outlined_set(tmp_path / "set")
    for processes in (1, 2):
        write_composed(
            tmp_path / "set",
            tmp_path / str(processes),
            backgrounds="tabletop",
            count=4,
            size=(64, 48),
            processes=processes,
        )
    files = sorted(path for path in (tmp_path / "1").rglob("*") if path.is_file())
    assert len(files) == 5
    for file in files:
        assert file.read_bytes() == (tmp_path / "2" / file.relative_to(tmp_path / "1")).read_bytes()


def test_damaged_outlines_are_passed_over(tmp_path, capsys):
    root = write_outlined_set(tmp_path / "set")
    file = root / "annotations" / "instances_train.json"
    document = json.loads(file.read_text("utf-8"))
    document["annotations"][0]["segmentation"] = {"size": [96, 96], "counts": [7]}
    document["annotations"][1]["segmentation"] = [[200, 200, 210, 200, 210, 210]]
    file.write_text(json.dumps(document))
    assert [cutout.label for cutout in cutouts_from(open_dataset(root))] == [0]
    assert "2 objects with damaged or empty outlines" in capsys.readouterr().err


def test_objects_cut_by_the_edge_are_not_used(tmp_path, capsys):
    """Whether their box says so or their outline alone; a class with no others is told."""
    root = write_outlined_set(tmp_path / "set")
    file = root / "annotations" / "instances_train.json"
    document = json.loads(file.read_text("utf-8"))
    document["annotations"][0]["bbox"] = [0, 12, 84, 72]
    document["annotations"][1]["segmentation"] = [[0, 30, 60, 30, 60, 70, 0, 70]]
    file.write_text(json.dumps(document))
    assert [cutout.label for cutout in cutouts_from(open_dataset(root))] == [0]
    told = capsys.readouterr().err
    assert "of objects cut by their picture's edge, 2 left out" in told
    assert "nothing to cut out in its split train of 螺, so no scene shows it" in told
    document["annotations"] = document["annotations"][:2]
    file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="seen whole"):
        cutouts_from(open_dataset(root))


def test_captures_cut_by_the_edge_are_not_used(tmp_path, capsys):
    write_capture(tmp_path / "mug")
    half = np.roll(disc(), 40, axis=1)
    half[:, :40] = False
    write_mask(tmp_path / "mug/masks/bild_001.png", half)
    assert len(open_captures(tmp_path).cutouts) == 2
    assert (
        "left out 1 of mug, since their masks reach the picture's edge" in capsys.readouterr().err
    )
    for name in ("bild_000.png", "bild_002.png"):
        write_mask(tmp_path / "mug/masks" / name, half)
    with pytest.raises(InputError, match="every mask reaches its picture's edge"):
        open_captures(tmp_path)


def test_sets_and_captures_below_a_folder_are_one(tmp_path, capsys):
    write_outlined_set(tmp_path / "screws")
    write_outlined_set(tmp_path / "more")
    write_capture(tmp_path / "螺", colour=BLUE)
    write_picture(tmp_path / "forgotten" / "1.png", GREY)
    found = open_captures(tmp_path)
    assert found.classes == ("Schraube ö", "螺")
    assert np.bincount([cutout.label for cutout in found.cutouts]).tolist() == [4, 5]
    assert len({cutout.source for cutout in found.cutouts}) == 7
    assert [dataset.root.name for dataset in found.datasets] == ["more", "screws"]
    told = capsys.readouterr().err
    assert told.count("neither labels with outlines nor masks") == 1
    assert str(tmp_path / "forgotten") in told


def test_more_than_enough_objects_are_thinned_evenly(tmp_path):
    dataset = open_dataset(write_outlined_set(tmp_path / "set", pictures=9))
    sources = [cutout.source for cutout in cutouts_from(dataset, per_class=2)]
    assert len(sources) == 4
    assert sources[0].endswith("图 0.png")
    small = cutouts_from(dataset, longest=20)
    assert {max(cutout.size) for cutout in small} == {20}


def write_capture(folder, *, colour=RED, frames=3, video=False):
    pictures = [capture(colour)[0] for _ in range(frames)]
    for i, picture in enumerate(pictures):
        write_mask(folder / "masks" / f"bild_{i:03}.png", capture()[1])
        if not video:
            write_picture(folder / "frames" / f"bild_{i:03}.png", picture)
    if video:
        write_video(folder / "turn.mp4", pictures)


@pytest.mark.parametrize("video", [False, True])
def test_masks_of_frames_that_are_not_there_are_told(tmp_path, capsys, video):
    write_capture(tmp_path / "mug", video=video)
    open_captures(tmp_path)
    assert "mask" not in capsys.readouterr().err
    for number in (7, 8):
        write_mask(tmp_path / f"mug/masks/bild_{number:03}.png", capture()[1])
    assert len(open_captures(tmp_path).cutouts) == 3
    assert "2 masks of frames that are not there, such as bild_007.png" in capsys.readouterr().err


def test_captures_of_frames_and_videos(tmp_path):
    write_capture(tmp_path / "Tasse ☕" / "blue", colour=RED)
    write_capture(tmp_path / "Tasse ☕" / "other", colour=BLUE, frames=2)
    write_capture(tmp_path / "ball", colour=BLUE, video=True)
    # By its content: it has no suffix, and what has one is none.
    (tmp_path / "ball/turn.mp4").rename(tmp_path / "ball/turn")
    (tmp_path / "ball/notes.mts").write_text("Written about the film.")
    captures = open_captures(tmp_path, longest=40)
    assert captures.classes == ("Tasse ☕", "ball")
    assert [cutout.label for cutout in captures.cutouts] == [0] * 5 + [1] * 3
    assert len({cutout.source for cutout in captures.cutouts}) == 3
    assert max(max(cutout.size) for cutout in captures.cutouts) == 40
    blue = captures.cutouts[-1]
    assert blue.picture[blue.alpha > 127].mean(axis=0)[2] > 150


def test_one_capture_is_named_by_its_folder(tmp_path):
    write_capture(tmp_path / "mug")
    assert open_captures(tmp_path / "mug").classes == ("mug",)


@pytest.mark.parametrize("names", [tuple(SIDES), ("Train", "val2017", "TestSet")])
def test_captures_of_val_and_test_are_not_cut_out(tmp_path, names):
    for name, colour in zip(names, SIDES.values(), strict=True):
        write_capture(tmp_path / name / "mug", colour=colour)
    captures = open_captures(tmp_path)
    assert captures.classes == ("mug",)
    assert len(captures.cutouts) == 3
    assert all(map(is_red, captures.cutouts))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: None, "there is no folder"),
        (lambda root: root.mkdir(), "nothing to cut out"),
        (
            lambda root: (root / "mug" / "masks").mkdir(parents=True),
            "neither frames/ nor one video",
        ),
        (lambda root: write_picture(root / "mug/frames/a.png", GREY), "nothing to cut out"),
        (lambda root: other_size(root), "a mask lies on its own picture"),
        (lambda root: other_names(root), "belong together"),
        (lambda root: no_picture(root), "bild_000.png"),
    ],
)
def test_captures_that_cannot_be_used_are_said(tmp_path, spoil, says):
    spoil(tmp_path / "captures")
    with pytest.raises(InputError, match=says):
        open_captures(tmp_path / "captures")


def other_size(root):
    write_capture(root / "mug", frames=1)
    write_picture(root / "mug/frames/bild_000.png", GREY)


def other_names(root):
    write_capture(root / "mug", frames=1)
    (root / "mug/frames/bild_000.png").rename(root / "mug/frames/picture.png")


def no_picture(root):
    write_capture(root / "mug", frames=1)
    (root / "mug/frames/bild_000.png").write_bytes(b"no picture")


def test_a_set_without_outlines_is_refused(tmp_path):
    root = write_outlined_set(tmp_path / "set")
    for file in (root / "annotations").iterdir():
        document = json.loads(file.read_text("utf-8"))
        for annotation in document["annotations"]:
            del annotation["segmentation"]
        file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="has no outlines"):
        open_captures(root)


def test_empty_tables_are_made_again_and_differ():
    one, two = tabletop_backgrounds(2, (32, 24), seed=5)
    assert one.shape == (37, 37, 3)
    assert one.tobytes() != two.tobytes()
    np.testing.assert_array_equal(one, tabletop_backgrounds(1, (32, 24), seed=5)[0])


def test_folders_without_backgrounds_are_said(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        read_backgrounds(tmp_path / "nowhere", (32, 32))
    with pytest.raises(InputError, match="holds no pictures"):
        read_backgrounds(tmp_path, (32, 32))
    with pytest.raises(InputError, match="at least one scene"):
        write_composed(tmp_path, tmp_path / "o", backgrounds="tabletop", count=0, size=(32, 32))
