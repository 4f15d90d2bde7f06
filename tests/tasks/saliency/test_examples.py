"""Examples are the same wherever they are kept, and change as one."""

import os
import pickle

import cv2
import numpy as np
import pytest
import torch

from viewfinder.datasets.augment import Augmentation, Changes, draw
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_depth, write_mask, write_picture
from viewfinder.tasks.saliency import augment
from viewfinder.tasks.saliency.examples import open_examples, stretched, stretched_mask
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.tasks.saliency.steps import note_what_is_learnt

KEEPS = ["memory", "disk", "none"]
SIZE = (24, 16)  # width, height


@pytest.fixture
def root(tmp_path):
    """Five triples of different sizes; the fourth has no depth."""
    random = np.random.default_rng(0)
    for number in range(5):
        height, width = 30 + 9 * number, 70 - 7 * number
        name = f"{number}号.png"
        picture = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        write_picture(tmp_path / "set/train/RGB" / name, picture)
        mask = np.zeros((height, width), np.bool_)
        mask[height // 4 : height // 2, width // 5 : width // 2] = True
        write_mask(tmp_path / "set/train/GT" / name, mask)
        if number != 3:
            depth = np.where(mask, 0.9, random.random((height, width)) * 0.5).astype(np.float32)
            write_depth(tmp_path / "set/train/depth" / name, depth)
    (tmp_path / "set/depth.toml").write_text("near_is_bright=true\nlowest=0\nhighest=65535\n")
    return tmp_path / "set"


def test_the_three_ways_of_keeping_agree(root, tmp_path):
    dataset = open_dataset(root)
    taken = []
    for keep in KEEPS:
        examples = open_examples(dataset, SIZE, cache=tmp_path / "cache", keep=keep, depth=True)
        assert len(examples) == 5
        assert examples.truth is dataset
        taken.append(examples.take(torch.tensor([4, 0, 3])))
    for parts in zip(*taken, strict=True):
        assert torch.equal(parts[0], parts[1])
        assert torch.equal(parts[0], parts[2])


@pytest.mark.parametrize("keep", KEEPS)
def test_shapes_types_and_ranges(root, tmp_path, keep):
    dataset = open_dataset(root)
    examples = open_examples(dataset, SIZE, cache=tmp_path / "cache", keep=keep, depth=True)
    pictures, masks, depths = examples.take([0, 3])
    assert (pictures.shape, pictures.dtype) == ((2, 3, 16, 24), torch.uint8)
    assert (masks.shape, masks.dtype) == ((2, 16, 24), torch.uint8)
    assert (depths.shape, depths.dtype) == ((2, 1, 16, 24), torch.float32)
    assert set(masks.unique().tolist()) == {0, 1}
    assert depths[0].min() >= 0
    assert depths[0].max() <= 1
    missing = dataset.depths.index("")
    assert (examples.take([missing]).depths - 0.5).abs().max() < 1e-4
    without = open_examples(dataset, SIZE, cache=tmp_path / "cache", keep=keep, depth=False)
    assert without.take([1]).depths is None
    assert torch.equal(without.take([1]).masks, examples.take([1]).masks)
    assert len(examples.take([]).pictures) == 0


def test_values_are_opencvs_average_over_area(root, tmp_path):
    dataset = open_dataset(root)
    examples = open_examples(dataset, SIZE, cache=tmp_path, keep="memory", depth=True)
    for index, path in enumerate(dataset.paths):
        flags = cv2.IMREAD_UNCHANGED
        data = np.frombuffer(dataset.file(index).read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
        expected = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
        pictures, masks, depths = examples.take([index])
        got = pictures[0].permute(1, 2, 0).numpy().astype(int)
        assert np.abs(got - expected).max() <= 1
        data = np.frombuffer((root / path.replace("RGB", "GT")).read_bytes(), np.uint8)
        share = cv2.resize(cv2.imdecode(data, flags) / 255, SIZE, interpolation=cv2.INTER_AREA)
        sure = np.abs(share - 0.5) > 1e-3
        assert (masks[0].numpy().astype(bool) == (share > 0.5))[sure].all()
        if dataset.depths[index]:
            data = np.frombuffer((root / dataset.depths[index]).read_bytes(), np.uint8)
            depth = cv2.imdecode(data, flags) / 65535
            expected = cv2.resize(depth, SIZE, interpolation=cv2.INTER_AREA)
            assert np.abs(depths[0, 0].numpy() - expected).max() < 1e-4


def test_a_mask_keeps_its_area_where_truncation_would_lose_it():
    """A fine comb is half of every pixel; a disc keeps its area within a few per cent."""
    rows, columns = np.mgrid[:256, :256]
    disc = (rows - 120) ** 2 + (columns - 130) ** 2 < 80**2
    small = stretched_mask(disc, (64, 64))
    assert small.dtype == np.bool_
    assert small.mean() == pytest.approx(disc.mean(), rel=0.01)
    comb = (columns // 2) % 2 == 0
    assert stretched_mask(comb, (64, 64)).all()
    assert (stretched_mask(disc, (256, 256)) == disc).all()
    assert stretched_mask(disc, (512, 300)).mean() == pytest.approx(disc.mean(), rel=0.01)


def test_stretching_gives_the_matrix_that_leads_there():
    picture = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    small, matrix = stretched(picture, (10, 10))
    assert small.shape == (10, 10, 3)
    assert np.allclose(matrix @ (40, 20, 1), (10, 10, 1))
    same, matrix = stretched(picture, (40, 20))
    assert (same == picture).all()
    assert (matrix == np.eye(3)).all()


@pytest.mark.parametrize("odd", [(5, 3), (3, 5), (1, 1)])
def test_odd_sizes_are_kept_whole(root, tmp_path, odd):
    dataset = open_dataset(root)
    kept = [
        open_examples(dataset, odd, cache=tmp_path, keep=keep, depth=True).take([2, 1])
        for keep in KEEPS
    ]
    assert kept[0].masks.shape == (2, odd[1], odd[0])
    for other in kept[1:]:
        for a, b in zip(kept[0], other, strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("keep", ["disk", "none"])
def test_another_process_opens_the_files_itself(root, tmp_path, keep):
    dataset = open_dataset(root)
    examples = open_examples(dataset, (64, 64), cache=tmp_path, keep=keep, depth=True)
    sent = pickle.dumps(examples)
    assert len(sent) < 10_000
    for a, b in zip(pickle.loads(sent).take([1]), examples.take([1]), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("changed", ["RGB", "GT", "depth"])
def test_the_cache_sees_a_change_of_any_file(root, tmp_path, changed):
    options = {"cache": tmp_path / "cache", "keep": "disk", "depth": True}
    before = open_examples(open_dataset(root), SIZE, **options).take([0])
    cached = list((tmp_path / "cache").rglob("*.u8"))
    open_examples(open_dataset(root), SIZE, **options)
    assert list((tmp_path / "cache").rglob("*.u8")) == cached
    dataset = open_dataset(root)
    file = {"RGB": dataset.paths, "GT": dataset.masks, "depth": dataset.depths}[changed][0]
    shape = cv2.imdecode(
        np.frombuffer((root / file).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED
    ).shape[:2]
    if changed == "RGB":
        write_picture(root / file, np.zeros((*shape, 3), np.uint8))
    elif changed == "GT":
        write_mask(root / file, np.ones(shape, np.bool_))
    else:
        write_depth(root / file, np.linspace(0, 1, shape[0] * shape[1]).reshape(shape))
    os.utime(root / file, ns=(1, 1))
    after = open_examples(open_dataset(root), SIZE, **options).take([0])
    place = ("RGB", "GT", "depth").index(changed)
    for number, (a, b) in enumerate(zip(before, after, strict=True)):
        assert torch.equal(a, b) == (number != place)


@pytest.mark.parametrize("keep", KEEPS)
def test_a_file_that_cannot_be_read_is_one_clear_line(root, tmp_path, keep):
    dataset = open_dataset(root)
    (root / dataset.masks[2]).write_bytes(b"no picture")
    with pytest.raises(InputError, match="2号"):
        open_examples(dataset, SIZE, cache=tmp_path, keep=keep, depth=True).take([2])
    assert not list(tmp_path.rglob("*.writing"))


def test_sets_that_lack_what_is_asked_for(root, small_set, tmp_path):
    with pytest.raises(InputError, match="no masks"):
        open_examples(open_dataset(small_set), SIZE, cache=tmp_path, depth=False)
    for file in (root / "train/depth").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="no depth maps"):
        open_examples(open_dataset(root), SIZE, cache=tmp_path, depth=True)
    assert open_examples(open_dataset(root), SIZE, cache=tmp_path, depth=False).take([0])


def batch(count=4, size=32):
    """Pictures whose red is their mask, with depth that is their mask too."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    masks = torch.stack([((rows - 12 - i) ** 2 + (columns - 18) ** 2 < 60) for i in range(count)])
    pictures = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))
    pictures[:, 0] = masks.float()
    return pictures, masks.to(torch.uint8), masks[:, None].float()


def test_the_three_move_as_one():
    pictures, masks, depths = batch()
    reach = Augmentation(shift=0.2, scale=0.3, turn=25, flip=0.5)
    changes = draw(4, reach, torch.Generator().manual_seed(0))
    moved, mask, depth = augment.apply(pictures, masks, depths, changes)
    assert mask.dtype == torch.uint8
    assert torch.equal(mask, (moved[:, 0] >= 0.5).to(torch.uint8))
    assert torch.equal(depth[:, 0], moved[:, 0])
    assert not torch.equal(mask, masks)
    again = augment.apply(pictures, masks, None, changes)
    assert again[2] is None
    assert torch.equal(again[0], moved)


def test_a_flip_is_exact_and_nothing_is_nothing():
    pictures, masks, depths = batch()
    for share, turned in ((1.0, lambda t: t.flip(-1)), (0.0, lambda t: t)):
        changes = draw(4, Augmentation(flip=share), torch.Generator())
        moved, mask, depth = augment.apply(pictures, masks, depths, changes)
        assert torch.allclose(moved, turned(pictures), atol=1e-5)
        assert torch.equal(mask, turned(masks))
        assert torch.allclose(depth, turned(depths), atol=1e-5)


def test_colour_changes_the_picture_alone():
    pictures, masks, depths = batch()
    changes = draw(4, Augmentation(colour=0.5), torch.Generator().manual_seed(0))
    moved, mask, depth = augment.apply(pictures, masks, depths, changes)
    assert (moved - pictures).abs().mean() > 0.02
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert torch.equal(mask, masks)
    assert torch.allclose(depth, depths, atol=1e-5)


def test_erasing_is_refused():
    pictures, masks, depths = batch()
    changes = draw(4, Augmentation(erase=0.5), torch.Generator())
    assert isinstance(changes, Changes)
    with pytest.raises(ValueError, match="hides"):
        augment.apply(pictures, masks, depths, changes)


@pytest.mark.parametrize(
    ("fields", "depths", "says"),
    [
        ({}, ["", ""], "no teacher: learning from the masks alone"),
        ({}, ["a.png", ""], "on this set's depth could teach (--teacher)"),
        ({"teacher": "runs/t"}, ["a.png", "b.png"], "taught by runs/t, which sees each picture's"),
        ({"teacher": "runs/t"}, ["a.png", ""], "1 of 2 pictures has no depth map: they are learnt"),
        ({"net": "a2dele-depth"}, ["a.png", ""], "they are not learnt from"),
        ({"net": "a2dele-depth"}, ["a.png", "b.png"], ""),
    ],
)
def test_what_is_learnt_from_is_said(capsys, fields, depths, says):
    class Split:
        def __init__(self):
            self.depths = depths

        def __len__(self):
            return len(self.depths)

    note_what_is_learnt(Split(), SaliencyRecipe(**fields))
    told = " ".join(capsys.readouterr().err.split())
    assert says in told
    assert bool(says) == bool(told)
