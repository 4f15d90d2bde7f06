"""Saliency sets are found under the names the public ones use, and paired without a slip."""

import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder import tabletop
from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.depth import DepthScale, read_scale
from viewfinder.datasets.formats.rgbd.pairing import find_triples
from viewfinder.datasets.formats.rgbd.reading import (
    CLASSES,
    read_nearness,
    read_saliency,
    read_subject,
)
from viewfinder.datasets.formats.rgbd.stored import stored_depth, stored_mask
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.files import write_text
from viewfinder.pictures.writing import write_mask, write_picture

SIZE = (20, 16)  # width, height


def mask_of(number, size=SIZE):
    """A rectangle that moves with the number."""
    mask = np.zeros(size[::-1], np.bool_)
    mask[3 : 9 + number % 4, 2 + number % 5 : 12] = True
    return mask


def write_grey(path: Path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", values)[1].tobytes())


def write_triple(root, picture, mask, depth=None, *, number=0, near_is_bright=True):
    random = np.random.default_rng(number)
    pixels = random.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    write_picture(root / picture, pixels)
    write_mask(root / mask, mask_of(number))
    if depth:
        near = np.where(mask_of(number), 200, 60).astype(np.uint8)
        near += random.integers(0, 20, near.shape, dtype=np.uint8)
        write_grey(root / depth, near if near_is_bright else 255 - near)


def write_set(root, count=6, **options):
    for number in range(count):
        write_triple(
            root, f"RGB/{number}.png", f"GT/{number}.png", f"depth/{number}.png", number=number,
            **options,
        )  # fmt: skip
    return root


def faults(root):
    return {(f.kind, f.file): f for f in check_dataset(open_dataset(root))}


LAYOUTS = {
    "sip": ("RGB/{}.png", "GT/{}.png", "depth/{}.png"),
    "capital": ("Image/{}.png", "Mask/{}.png", "Depth/{}.png"),
    "plural": ("imgs/{}.png", "gts/{}.png", "depths/{}.png"),
    "suffixed": ("NJU_RGB/{}.png", "NJU_GT/{}.png", "NJU_Depth/{}.png"),
    "dut": (
        "train_data/train_images/{}.png",
        "train_data/train_masks/{}.png",
        "train_data/train_depth_negation/{}.png",
    ),
    "set of sets": ("RGB-D/LFSD/RGB/{}.png", "RGB-D/LFSD/GT/{}.png", "RGB-D/LFSD/depth/{}.png"),
    "kind before side": ("images/train/{}.png", "masks/train/{}.png", "depth/train/{}.png"),
    "doubled": ("SET-image/SET-image/{}.png", "SET-gt/{}.png", "SET-depth/x/y/{}.png"),
    "inside a kind": ("images/RGB/{}.png", "images/GT/{}.png", "images/depth/{}.png"),
    "endings": ("RGB/{}_rgb.png", "GT/{}-GT.png", "depth/{}_Depth.png"),
    "beginnings": ("RGB/img_{}.png", "GT/mask_{}.png", "depth/depth_{}.png"),
    "double suffix": ("RGB/{}.png", "GT/{}.jpg.png", "depth/{}.png"),
    "scene folders": ("RGB/厨房/{}.png", "GT/厨房/{}.png", "depth/厨房/{}.png"),
    "rgb only": ("DUTS-TR-Image/{}.png", "DUTS-TR-Mask/{}.png", None),
    "ecssd": ("images/{}.png", "ground_truth_mask/{}.png", None),
    "omron": ("DUT-OMRON-image/{}.png", "pixelwiseGT-new-PNG/{}.png", None),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_known_layouts(tmp_path, layout):
    picture, mask, depth = LAYOUTS[layout]
    for number in (3, 10, 11):
        write_triple(tmp_path, *(n and n.format(number) for n in (picture, mask, depth)))
    dataset = read_saliency(tmp_path)
    assert len(dataset) == 3
    for path, found, deep in zip(
        dataset.paths, dataset.masks, dataset.depths or ("",) * 3, strict=True
    ):
        number = next(n for n in (10, 11, 3) if str(n) in path)
        assert path == picture.format(number)
        assert found == mask.format(number)
        assert deep == (depth.format(number) if depth else "")
    assert bool(dataset.depths) == bool(depth)
    assert dataset.classes == CLASSES
    assert dataset.labels.tolist() == [-1] * 3
    assert read_boxes(tmp_path) is None
    trains = "train" in picture or "TR" in picture
    assert dataset.splits.tolist() == [0 if trains else -1] * 3
    assert not any("has no" in note for note in dataset.notes)


def test_sides_are_told_by_names_and_the_innermost_counts(tmp_path):
    for number, place in enumerate(
        ("train_data/NLPR/{}/1.png", "train_data/val/{}/1.png", "RGBD_for_test/{}/1.png",
         "NJU2K_TEST/{}/1.png", "SIP/{}/1.png", "test_in_train/{}/1.png", "contest/{}/1.png")
    ):  # fmt: skip
        write_triple(tmp_path, *(place.format(kind) for kind in ("RGB", "GT")), number=number)
    sides = dict(
        zip(*(lambda d: (d.paths, d.splits.tolist()))(read_saliency(tmp_path)), strict=True)
    )
    assert {path.rsplit("/", 2)[0]: side for path, side in sides.items()} == {
        "train_data/NLPR": 0,
        "train_data/val": 1,
        "RGBD_for_test": 2,
        "NJU2K_TEST": 2,
        "SIP": -1,
        "test_in_train": -1,
        "contest": -1,
    }


def test_opening_deals_what_has_no_side_and_a_val_side_the_same_way_each_time(tmp_path):
    write_set(tmp_path / "a", count=20)
    dataset = open_dataset(tmp_path / "a")
    counts = np.bincount(dataset.splits, minlength=3).tolist()
    assert sum(counts) == 20
    assert counts[1] >= 1
    assert counts[2] >= 1
    assert counts[0] > 10
    assert open_dataset(tmp_path / "a").splits.tolist() == dataset.splits.tolist()
    write_set(tmp_path / "b" / "train", count=20)
    sides = open_dataset(tmp_path / "b").splits
    assert np.bincount(sides, minlength=3)[2] == 0
    assert (sides == 1).any()
    write_set(tmp_path / "c" / "test", count=5)
    assert set(open_dataset(tmp_path / "c").splits.tolist()) == {2}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_names_pair_however_their_accents_are_written(tmp_path, form):
    name = unicodedata.normalize(form, "étagère café 杯")
    write_triple(tmp_path, "RGB/étagère café 杯.png", f"GT/{name}_GT.png", f"depth/{name}.png")
    dataset = read_saliency(tmp_path)
    assert len(dataset) == 1
    assert read_subject(dataset, 0).any()
    assert read_nearness(dataset, 0).shape == SIZE[::-1]


def test_what_has_no_partner_is_named_and_counted(tmp_path):
    write_set(tmp_path, count=6)
    for gone in ("GT/0.png", "GT/1.png", "depth/2.png", "RGB/3.png"):
        (tmp_path / gone).unlink()
    write_triple(tmp_path, "RGB/4.jpg", "GT/4.png", number=9)  # a second picture called 4
    write_grey(tmp_path / "GT_edge/4.png", np.zeros((4, 4), np.uint8))
    dataset = open_dataset(tmp_path)
    assert [Path(path).stem for path in dataset.paths] == ["2", "4", "5"]
    assert [bool(path) for path in dataset.depths] == [False, True, True]
    told = "; ".join(dataset.notes)
    assert "these pictures have no mask (2): RGB/0.png, RGB/1.png" in told
    assert "this picture has no depth map (1): RGB/2.png" in told
    assert "this mask has no picture (1): GT/3.png" in told
    assert "this depth map has no picture (1): depth/3.png" in told
    assert "another file here has the same name (1)" in told
    assert "not read: GT_edge" in told
    assert told in dataset.summary()
    kinds = [key for key in faults(tmp_path) if key[0] in ("no-partner", "passed-over")]
    assert len(kinds) == 7


def test_a_bare_name_that_fits_two_files_pairs_with_neither(tmp_path):
    write_triple(tmp_path, "RGB/1.png", "GT/1.png")
    write_triple(tmp_path, "RGB/2.png", "GT/2_mask.png", number=2)
    write_mask(tmp_path / "GT/2_gt.png", mask_of(2))
    assert read_saliency(tmp_path).paths == ("RGB/1.png",)


@settings(max_examples=60)
@given(
    stems=st.sets(
        st.text(st.characters(codec="utf-8", exclude_characters="/\\\0.", min_codepoint=33),
                min_size=1, max_size=12),
        max_size=8,
    ),
    ending=st.sampled_from(["", "_GT", "-mask", " Mask", ".jpg"]),
)  # fmt: skip
def test_no_picture_is_ever_paired_with_anothers_mask(tmp_path_factory, stems, ending):
    root = tmp_path_factory.mktemp("set")
    distinct = {unicodedata.normalize("NFC", stem).casefold(): stem for stem in stems}.values()
    for folder, end in (("RGB", ".png"), ("GT", f"{ending}.png")):
        (root / folder).mkdir()
        for stem in distinct:
            (root / folder / f"x{stem}x{end}").touch()
    pairing = find_triples(root) if distinct else None
    triples = pairing.triples if pairing else ()
    assert len(triples) == len(distinct)
    for triple in triples:
        assert triple.mask == f"GT/{Path(triple.picture).stem}{ending}.png"


def test_sets_of_other_kinds_are_left_to_those_who_know_them(tmp_path):
    for name in ("with_mask", "without_mask"):
        for number in range(3):
            write_picture(tmp_path / name / f"{number}.png", np.zeros((4, 4, 3), np.uint8))
    assert read_saliency(tmp_path) is None
    assert open_dataset(tmp_path).layout == "class folders"
    dataset = open_dataset(tmp_path)
    told = r"no masks of their subjects: .* `viewfinder render OUT --kind scenes --subject True`"
    with pytest.raises(InputError, match=told):
        dataset.require_masks()


def test_folders_that_do_not_fit_together_are_told(tmp_path):
    write_triple(tmp_path, "RGB/a.png", "GT/b.png")
    with pytest.raises(InputError, match="no two share a name"):
        open_dataset(tmp_path)
    (tmp_path / "GT/b.png").unlink()
    (tmp_path / "GT").rmdir()
    write_grey(tmp_path / "depth/a.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="no masks of their subjects"):
        open_dataset(tmp_path)


def test_a_loop_of_links_is_walked_once(tmp_path):
    write_triple(tmp_path, "RGB/a.png", "GT/a.png")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert read_saliency(tmp_path).paths == ("RGB/a.png",)


def test_linked_folders_are_read(tmp_path):
    write_triple(tmp_path / "far", "a/1.png", "b/1.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/RGB").symlink_to(tmp_path / "far/a", target_is_directory=True)
    (tmp_path / "set/GT").symlink_to(tmp_path / "far/b", target_is_directory=True)
    assert len(read_saliency(tmp_path / "set")) == 1


@pytest.mark.parametrize("near_is_bright", [True, False])
def test_the_direction_of_depth_is_found_and_told(tmp_path, near_is_bright):
    write_set(tmp_path, near_is_bright=near_is_bright)
    dataset = open_dataset(tmp_path)
    for index in range(len(dataset)):
        near, mask = read_nearness(dataset, index), read_subject(dataset, index)
        assert near.dtype == np.float32
        assert near[mask].min() > near[~mask].max()
    (note,) = dataset.notes
    assert "6 of 6" in note
    assert f"near_is_bright = {str(near_is_bright).lower()}" in note
    write_text(tmp_path / "depth.toml", f"near_is_bright = {str(near_is_bright).lower()}\n")
    stated = open_dataset(tmp_path)
    assert stated.notes == ()
    assert (read_nearness(stated, 0) == read_nearness(dataset, 0)).all()


@pytest.mark.parametrize("near_is_bright", [True, False])
def test_depth_of_fewer_pixels_than_its_pictures_is_no_fault_and_its_direction_is_found(
    tmp_path, near_is_bright
):
    write_set(tmp_path, near_is_bright=near_is_bright)
    for file in (tmp_path / "depth").iterdir():
        values = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        write_grey(file, np.ascontiguousarray(values[::2, ::2]))
    dataset = open_dataset(tmp_path)
    assert "6 of 6" in dataset.notes[0]
    assert dataset.depth_scales[0].near_is_bright is near_is_bright
    assert not check_dataset(dataset)


def test_what_is_stated_beats_what_is_seen_and_the_nearest_file_counts(tmp_path):
    write_set(tmp_path / "a", near_is_bright=True)
    write_set(tmp_path / "b", near_is_bright=True)
    write_text(tmp_path / "depth.toml", "near_is_bright = false\n")
    write_text(tmp_path / "b/depth.toml", "near_is_bright = true\n")
    dataset = open_dataset(tmp_path)
    for index, path in enumerate(dataset.paths):
        near, mask = read_nearness(dataset, index), read_subject(dataset, index)
        assert (near[mask].mean() > near[~mask].mean()) == path.startswith("b/")


def test_sets_of_different_makers_in_one_folder_keep_their_directions(tmp_path):
    write_set(tmp_path / "NJUD/train", near_is_bright=False)
    write_set(tmp_path / "SIP/train", near_is_bright=True)
    dataset = open_dataset(tmp_path)
    assert len(dataset.notes) == 2
    for index in range(len(dataset)):
        near, mask = read_nearness(dataset, index), read_subject(dataset, index)
        assert near[mask].mean() > near[~mask].mean()


def test_a_direction_that_the_masks_do_not_tell_is_called_a_guess(tmp_path):
    write_set(tmp_path, count=3, near_is_bright=True)
    for number in (10, 11, 12):
        write_triple(tmp_path, f"RGB/{number}.png", f"GT/{number}.png", f"depth/{number}.png",
                     number=number, near_is_bright=False)  # fmt: skip
    dataset = open_dataset(tmp_path)
    assert "hardly tell" in dataset.notes[0]
    assert dataset.depth_scales[0].near_is_bright is True


def test_values_become_depth_by_the_rule():
    eight = np.array([[0, 51, 255]], np.uint8)
    assert DepthScale(True).apply(eight).tolist() == [[0, pytest.approx(0.2), 1]]
    assert DepthScale(False).apply(eight).tolist() == [[1, pytest.approx(0.8), 0]]
    sixteen = np.array([[500, 1000, 2500]], np.uint16)
    assert DepthScale(True).apply(sixteen).tolist() == [[0, 0.25, 1]]
    stated = DepthScale(False, lowest=0, highest=2000, missing=500)
    assert stated.apply(sixteen).tolist() == [[0, 0.5, 0]]
    holes = DepthScale(False, missing=0)
    assert holes.apply(np.array([[0, 1000, 3000, 2000]], np.uint16)).tolist() == [[0, 1, 0, 0.5]]
    for constant in (np.full((2, 2), 7, np.uint8), np.zeros((2, 2), np.uint16)):
        assert (DepthScale(True).apply(constant) == 0.5).all()
    assert (holes.apply(np.zeros((2, 2), np.uint16)) == 0.5).all()


def test_distances_with_a_point_become_depth(tmp_path):
    metres = np.array([[0.5, np.nan, 2.5], [np.inf, 1.0, -1e38]])
    expected = [[1, 0, 0], [0, 0.75, 0]]
    assert DepthScale(False).apply(metres).tolist() == expected
    assert DepthScale(False, missing=0.5).apply(metres)[0].tolist() == [0, 0, 0]
    assert (DepthScale(True).apply(np.full((2, 2), np.nan)) == 0.5).all()
    np.save(tmp_path / "a.npy", metres.astype(np.float32))
    assert DepthScale(False).apply(stored_depth(tmp_path / "a.npy")).tolist() == expected


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=20), st.booleans())
def test_depth_stays_in_its_range_and_keeps_its_order(values, near_is_bright):
    stored = np.array([values], np.uint16)
    depth = DepthScale(near_is_bright).apply(stored)[0]
    assert depth.min() >= 0
    assert depth.max() <= 1
    order = np.argsort(values, kind="stable")
    steps = np.diff(depth[order]) * (1 if near_is_bright else -1)
    assert (steps >= -1e-6).all()


@pytest.mark.parametrize(
    "text",
    [
        "near_is_bright = 1",
        "near_is_bright = 'yes'",
        "nearby = true",
        "lowest = 3",
        "lowest = 3\nhighest = 3",
        "lowest = 0\nhighest = 1" + "0" * 500,
        "lowest = nan\nhighest = 7",
        "missing = true",
        "missing = -1",
        "lowest = [",
        "a" + ".a" * 20_000 + " = 1",
    ],
)
def test_a_damaged_side_file_is_one_clear_line(tmp_path, text):
    write_set(tmp_path, count=2)
    write_text(tmp_path / "depth.toml", text)
    with pytest.raises(InputError, match=r"depth\.toml"):
        open_dataset(tmp_path)


def test_a_side_file_may_say_part_of_it(tmp_path):
    (tmp_path / "depth.toml").write_bytes("\ufefflowest = 300\nhighest = 4500.5\n".encode())
    assert read_scale(tmp_path / "depth.toml") == DepthScale(None, 300, 4500.5, None)
    (tmp_path / "depth.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="TOML"):
        read_scale(tmp_path / "depth.toml")


def test_a_clean_set_has_no_faults(tmp_path):
    assert faults(write_set(tmp_path)) == {}


def test_masks_of_0_and_1_are_masks(tmp_path):
    write_set(tmp_path)
    wanted = [read_subject(open_dataset(tmp_path), index) for index in range(2)]
    for file in sorted((tmp_path / "GT").iterdir()):
        write_grey(file, stored_mask(file).astype(np.uint8))
    dataset = open_dataset(tmp_path)
    assert faults(tmp_path) == {}
    for index, mask in enumerate(wanted):
        assert (read_subject(dataset, index) == mask).all()


DAMAGE = {
    "unreadable picture": ("unreadable", "RGB/1.png"),
    "unreadable mask": ("unreadable", "GT/1.png"),
    "unreadable depth": ("unreadable", "depth/1.png"),
    "coloured mask": ("unreadable", "GT/1.png"),
    "empty mask": ("empty-mask", "GT/1.png"),
    "full mask": ("full-mask", "GT/1.png"),
    "mask of 0 and 3": ("dark-mask", "GT/1.png"),
    "scaled mask": ("size", "GT/1.png"),
    "turned depth": ("size", "depth/1.png"),
    "constant depth": ("constant-depth", "depth/1.png"),
    "16 bits": ("depth-range", "depth"),
    "copy": ("duplicate", "RGB/1.png"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_fault_is_found_with_its_file(tmp_path, damage):
    write_set(tmp_path / "train", count=6)
    root = tmp_path / "train"
    kind, file = DAMAGE[damage]
    shape = SIZE[::-1]
    match damage:
        case "unreadable picture" | "unreadable mask" | "unreadable depth":
            data = (root / file).read_bytes()
            (root / file).write_bytes(data[: len(data) // 2])
        case "coloured mask":
            write_picture(root / file, np.full((*shape, 3), (255, 0, 0), np.uint8))
        case "empty mask":
            write_mask(root / file, np.zeros(shape, np.bool_))
        case "full mask":
            write_mask(root / file, np.ones(shape, np.bool_))
        case "mask of 0 and 3":
            write_grey(root / file, 3 * mask_of(1).astype(np.uint8))
        case "scaled mask":
            write_mask(root / file, mask_of(1, (15, 16)))
        case "turned depth":
            write_grey(
                root / file, np.arange(320, dtype=np.uint16).reshape(20, 16).astype(np.uint8)
            )
        case "constant depth":
            write_grey(root / file, np.full(shape, 9, np.uint8))
        case "16 bits":
            depth = np.where(mask_of(1), 9000, 500).astype(np.uint16)
            write_grey(root / "depth/1.png", depth)
        case "copy":
            for folder in ("RGB", "GT", "depth"):
                data = (root / folder / "1.png").read_bytes()
                (root / folder / "copy.png").write_bytes(data)
    found = faults(tmp_path)
    assert set(found) == {(kind, f"train/{file}")}
    (fault,) = found.values()
    assert fault.detail
    assert fault.fix


def test_a_picture_on_two_sides_is_found(tmp_path):
    write_set(tmp_path / "train", count=3)
    write_set(tmp_path / "test", count=1)
    (fault,) = check_dataset(open_dataset(tmp_path))
    assert fault.kind == "duplicate-across-splits"


def test_a_stated_range_mends_16_bits(tmp_path):
    write_set(tmp_path, count=3)
    write_grey(tmp_path / "depth/1.png", np.where(mask_of(1), 9000, 500).astype(np.uint16))
    write_text(tmp_path / "depth.toml", "lowest = 0\nhighest = 10000\nnear_is_bright = true\n")
    assert faults(tmp_path) == {}
    dataset = open_dataset(tmp_path)
    near = read_nearness(dataset, dataset.depths.index("depth/1.png"))
    assert set(near.ravel().tolist()) == {np.float32(0.9), np.float32(0.05)}


def test_reading_refuses_what_does_not_fit_its_picture(tmp_path):
    write_set(tmp_path, count=2)
    dataset = open_dataset(tmp_path)
    write_mask(tmp_path / "GT/0.png", mask_of(0, (16, 20)))
    with pytest.raises(InputError, match=r"20×16 and its mask .*16×20"):
        read_subject(dataset, 0)
    write_grey(tmp_path / "GT/0.png", 3 * mask_of(0).astype(np.uint8))
    with pytest.raises(InputError, match="multiply its values"):
        read_subject(dataset, 0)
    write_grey(tmp_path / "depth/0.png", np.zeros((16, 16), np.uint8))
    with pytest.raises(InputError, match="depth map"):
        read_nearness(dataset, 0)
    # A depth map of half the size is what many sensors give.
    write_grey(tmp_path / "depth/0.png", np.arange(80, dtype=np.uint8).reshape(8, 10))
    assert read_nearness(dataset, 0).shape == (8, 10)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered") / "set"
    tabletop.write_scenes(
        root,
        counts=tabletop.SplitCounts(train=12, val=2, test=4),
        options=tabletop.SceneOptions(subject=True, size=32, unreliable_depth=0.5),
        seed=3,
        processes=1,
    )
    return root


def test_a_rendered_set_says_itself_what_its_depth_is(rendered):
    dataset = open_dataset(rendered)
    assert np.bincount(dataset.splits).tolist() == [12, 2, 4]
    assert not any("near_is_bright" in note for note in dataset.notes)
    assert {scale.near_is_bright for scale in dataset.depth_scales} == {True}
    for index, path in enumerate(dataset.paths):
        state = tabletop.depth_state(seed=3, index=int(Path(path).stem[6:]), share=0.5)
        assert dataset.depth_faults[index] == ("" if state.value == "good" else state.value)
        assert bool(dataset.depths[index]) == (state is not tabletop.DepthState.MISSING)
        if state is tabletop.DepthState.GOOD:
            example = tabletop.render_scene(
                seed=3,
                index=int(Path(path).stem[6:]),
                options=tabletop.SceneOptions(subject=True, size=32, unreliable_depth=0.5),
            )
            assert np.abs(read_nearness(dataset, index) - example.depth).max() < 1e-4
            assert (read_subject(dataset, index) == (example.instances > 0)).all()
    named = {f.file for f in check_dataset(dataset) if f.kind == "unreliable-depth"}
    assert named == {
        d for d, fault in zip(dataset.depths, dataset.depth_faults, strict=True) if fault and d
    }


def test_rows_stay_together_and_the_fingerprint_sees_masks_and_depth(tmp_path):
    dataset = open_dataset(write_set(tmp_path))
    chosen = dataset.select([4, 1])
    assert chosen.masks == (dataset.masks[4], dataset.masks[1])
    assert chosen.depths == (dataset.depths[4], dataset.depths[1])
    assert len(chosen.depth_scales) == 2
    prints = {dataset.fingerprint(), chosen.fingerprint()}
    write_text(tmp_path / "depth.toml", "near_is_bright = false")
    prints.add(open_dataset(tmp_path).fingerprint())
    write_mask(tmp_path / "GT/1.png", np.eye(16, 20, dtype=np.bool_))
    prints.add(open_dataset(tmp_path).fingerprint())
    assert len(prints) == 4


def test_masks_are_no_classes(tmp_path):
    dataset = open_dataset(write_set(tmp_path))
    dataset.require_masks()
    dataset.require_depths()
    with pytest.raises(InputError, match="masks and no classes"):
        dataset.require_labels()
    assert dataset.with_classes(CLASSES) is dataset
    with pytest.raises(InputError, match="another task"):
        dataset.with_classes(("cat", "dog"))
    assert dataset.counts() == {"background": 6, "salient": 6}
    assert "6 with depth" in dataset.summary()
    for number in range(6):
        (tmp_path / f"depth/{number}.png").unlink()
    with pytest.raises(InputError, match="no depth maps"):
        open_dataset(tmp_path).require_depths()


@pytest.mark.parametrize(
    "table", ["name,split,depth,classes\n" + "x" * 200_000, "", "a\0b", "\n\n"]
)
def test_a_strange_manifest_does_no_harm(tmp_path, table):
    write_set(tmp_path, count=2)
    write_text(tmp_path / "manifest.csv", table)
    try:
        assert len(open_dataset(tmp_path)) == 2
    except InputError as error:
        assert "manifest.csv" in str(error)  # noqa: PT017


def test_files_of_another_shape_are_told_once(tmp_path):
    write_set(tmp_path / "set", count=6)
    for number in range(4):
        turned = np.arange(320, dtype=np.uint16).reshape(20, 16).astype(np.uint8)
        write_grey(tmp_path / "set" / f"depth/{number}.png", turned)
    faults = check_dataset(open_dataset(tmp_path / "set"))
    (told,) = [fault for fault in faults if fault.kind == "size"]
    assert told.file == "depth/0.png"
    assert "3 others like it: depth/1.png, depth/2.png, depth/3.png" in told.detail
