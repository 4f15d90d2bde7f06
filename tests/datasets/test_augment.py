"""Augmentation is the one matrix of `pictures.geometry`, and its colours do as they say."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.augment import (
    Augmentation,
    Changes,
    apply,
    draw,
    random_colours,
    random_matrices,
)
from viewfinder.pictures import geometry
from viewfinder.pictures.resampling import resample

EVERYTHING = Augmentation(shift=0.1, scale=0.3, turn=30, flip=0.5, colour=0.4, erase=0.3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth_pictures(count: int, side: int) -> torch.Tensor:
    """Pictures whose neighbouring pixels are much alike, as photographs' are."""
    coarse = torch.rand(count, 3, 5, 5, generator=seeded(7))
    return torch.nn.functional.interpolate(
        coarse, size=(side, side), mode="bicubic", align_corners=False
    ).clamp(0, 1)


def test_all_zero_changes_nothing():
    pictures = torch.rand(6, 3, 17, 17, generator=seeded())
    changed = apply(pictures, draw(6, Augmentation(), seeded()))
    torch.testing.assert_close(changed, pictures, atol=2e-5, rtol=0)


def in_pixels(matrix: torch.Tensor, side: int) -> geometry.Matrix:
    """Source to target in pixels, from target to source with corners at -1 and 1."""
    to_unit = geometry.translation(-1, -1) @ geometry.scaling(2 / side)
    back = geometry.inverse(to_unit) @ matrix.double().numpy() @ to_unit
    return geometry.inverse(back)


def test_a_batch_is_changed_as_geometry_changes_one_picture():
    side, count = 48, 12
    pictures = smooth_pictures(count, side)
    augmentation = Augmentation(shift=0.1, scale=0.2, turn=30, flip=0.5)
    changes = draw(count, augmentation, seeded(3))
    changed = apply(pictures, changes).permute(0, 2, 3, 1).numpy() * 255
    compared = 0
    for index in range(count):
        matrix = in_pixels(changes.matrices[index], side)
        # Enlarging alone is one bilinear look-up in both; shrinking averages in one of them.
        if np.hypot(*matrix[:2, 0]) < 1:
            continue
        picture = (pictures[index].permute(1, 2, 0).numpy() * 255).astype(np.float32)
        expected = resample(picture, matrix, (side, side), fill=-1e6)
        # Compare where the target's pixel, and its neighbours, come from within the picture.
        inside = resample(np.ones((side, side), np.float32), matrix, (side, side), fill=0)
        y, x = np.mgrid[0:side, 0:side] + 0.5
        back = geometry.inverse(matrix)
        source = geometry.transform_points(back, np.stack([x.ravel(), y.ravel()], axis=1))
        within = ((source > 1) & (source < side - 1)).all(axis=1).reshape(side, side)
        assert within.mean() > 0.4
        assert (inside[within] == 1).all()
        assert np.abs(changed[index] - expected)[within].max() < 2.0
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_and_mirrors_are_exact(quarters):
    pictures = torch.rand(1, 3, 16, 16, generator=seeded())
    angle = quarters * math.pi / 2
    turn = torch.tensor(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )[None]
    changed = apply(pictures, Changes(turn, None, None))
    expected = torch.rot90(pictures, quarters, (2, 3))
    torch.testing.assert_close(changed, expected, atol=1e-4, rtol=0)
    mirrored = apply(pictures, draw(1, Augmentation(flip=1.0), seeded()))
    torch.testing.assert_close(mirrored, pictures.flip(3), atol=1e-4, rtol=0)


def test_the_share_that_is_mirrored_is_the_share_asked_for():
    for share in (0.0, 0.25, 1.0):
        matrices = random_matrices(4000, Augmentation(flip=share), seeded())
        mirrored = (torch.linalg.det(matrices) < 0).float().mean().item()
        assert abs(mirrored - share) < 4 * math.sqrt(share * (1 - share) / 4000) + 1e-9


@given(st.floats(0, 0.5), st.floats(0, 1), st.floats(0, 180), st.integers(0, 1000))
@settings(max_examples=40)
def test_no_change_goes_further_than_it_may(shift, scale, turn, seed):
    matrices = random_matrices(50, Augmentation(shift, scale, turn), seeded(seed)).double()
    zoom = 1 / torch.linalg.det(matrices).sqrt()
    assert zoom.max() <= (1 + scale) * (1 + 1e-4)
    assert zoom.min() >= (1 - 1e-4) / (1 + scale)
    angles = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]).abs().rad2deg()
    assert angles.max() <= turn + 1e-3
    assert matrices[:, :2, 2].abs().max() <= 2 * shift + 1e-6


def test_colours_multiply_as_brightness_contrast_and_saturation():
    """The one matrix against the three changes made one after another, with the same factors."""
    reach, count = 0.4, 20
    colours = random_colours(count, Augmentation(colour=reach), seeded(5))
    generator = seeded(5)
    factors = [1 + (torch.rand(count, generator=generator) * 2 - 1) * reach for _ in range(3)]
    pixels = torch.rand(count, 3, generator=seeded(6))
    for matrix, pixel, brightness, contrast, saturation in zip(
        colours, pixels, *factors, strict=True
    ):
        grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]
        saturated = saturation * pixel + (1 - saturation) * grey
        contrasted = (saturated - 0.5) * contrast + 0.5
        expected = contrasted * brightness
        torch.testing.assert_close(matrix @ torch.cat([pixel, torch.ones(1)]), expected)


def test_grey_stays_grey_and_colours_stay_in_range():
    grey = torch.rand(30, 1, 9, 9, generator=seeded()).expand(-1, 3, -1, -1).contiguous()
    changed = apply(grey, draw(30, Augmentation(colour=1.0), seeded()))
    torch.testing.assert_close(changed[:, 0], changed[:, 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(changed[:, 0], changed[:, 2], atol=1e-5, rtol=0)
    assert changed.min() == 0
    assert changed.max() == 1


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_the_range_stays_from_0_to_1(seed):
    pictures = torch.rand(4, 3, 12, 12, generator=seeded(seed)).round()
    changed = apply(pictures, draw(4, EVERYTHING, seeded(seed)))
    assert changed.shape == pictures.shape
    assert changed.min() >= 0
    assert changed.max() <= 1
    moved = apply(pictures, draw(4, Augmentation(shift=0.3, turn=180, scale=0.5), seeded(seed)))
    assert moved.min() >= -1e-6
    assert moved.max() <= 1 + 1e-6


def test_a_square_is_erased_where_it_was_drawn():
    squares = torch.tensor([[0.5, 0.5, 0.25], [0.0, 1.0, 0.25], [0.3, 0.3, 0.0]])
    pictures = torch.zeros(3, 3, 8, 8)
    changed = apply(pictures, Changes(torch.eye(3).expand(3, 3, 3), None, squares))
    expected = torch.zeros(3, 3, 8, 8)
    expected[0, :, 2:6, 2:6] = 0.5
    expected[1, :, 6:, :2] = 0.5
    torch.testing.assert_close(changed, expected)


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=30)
def test_a_part_of_the_changes_changes_as_the_whole_does(count, one, other):
    rows = slice(min(one, other), max(one, other))
    pictures = torch.rand(count, 3, 8, 8, generator=seeded())
    changes = draw(count, EVERYTHING, seeded(count))
    whole = apply(pictures, changes)
    assert len(changes.part(rows).matrices) == len(pictures[rows])
    if len(pictures[rows]):
        torch.testing.assert_close(apply(pictures[rows], changes.part(rows)), whole[rows])


def test_the_generator_decides_everything():
    pictures = torch.rand(5, 3, 8, 8, generator=seeded())
    one, same, other = (apply(pictures, draw(5, EVERYTHING, seeded(s))) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
