"""Maps of pixels: they share what a score gained, and stand the deletion test."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.test_heat import WHY, Corner, asked_of
from viewfinder.attribution.heat import LAYER_CAM, HeatMap, heats_of
from viewfinder.attribution.integrated import INTEGRATED, every_map, integrated, same_kind
from viewfinder.attribution.trials import alikeness, deletion
from viewfinder.tasks.question import of_region


@pytest.fixture
def spotted():
    """Dark, with a bright spot of 8×8 in the corner that counts and another where nothing does."""
    picture = torch.full((1, 3, 32, 32), 0.1)
    picture[:, :, 2:10, 2:10] = 1
    picture[:, :, 22:30, 22:30] = 1
    return picture


def test_pixels_share_what_the_score_gains_from_the_mean_colour():
    class Mean(nn.Module):
        """A score whose gain is known: it is of the left half alone."""

        def forward(self, pictures):
            left = pictures[..., :16].mean((1, 2, 3))
            return torch.stack([1 - left**2, left**2], 1)

    bright_left = torch.full((1, 3, 32, 32), 0.2)
    bright_left[..., :16] = 0.8
    found = integrated(asked_of(Mean()), bright_left, WHY)
    net = Mean()
    gained = net(bright_left)[0, 1] - net(torch.full_like(bright_left, 0.5))[0, 1]
    # Blurring across the middle moves what pixels have, and loses none of it.
    assert found.heat.sum() == pytest.approx(gained.item(), rel=1e-4)
    assert found.heat[:, :18].sum() > 0.99 * found.heat.sum()
    assert found.method == INTEGRATED


def test_only_the_spot_that_counts_is_hot_and_the_map_passes(spotted):
    asked = asked_of(Corner())
    found = integrated(asked, spotted, WHY)
    assert found.heat[:14, :14].sum() > 0.99 * found.heat.sum()
    assert deletion(asked, spotted, WHY, found).passed


def test_it_is_one_of_the_maps_of_a_class_and_of_no_place(spotted):
    asked = asked_of(Corner())
    assert [each.method for each in every_map(asked, spotted, WHY)][-1] == INTEGRATED
    region = of_region("subject", torch.ones(32, 32, dtype=torch.bool))
    assert integrated(asked, spotted, region) is None


def test_a_net_without_maps_of_its_own_has_one_of_its_pixels(spotted):
    torch.manual_seed(0)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2), nn.Softmax(1))
    assert [each.method for each in every_map(asked_of(flat), spotted, WHY)] == [INTEGRATED]
    # Where nothing changes a score there is nothing to share.
    grey = torch.full((1, 3, 32, 32), 0.5)
    assert integrated(asked_of(flat), grey, WHY) is None


def test_a_scrambled_net_is_asked_for_the_same_kind_of_map(spotted):
    asked = asked_of(Corner())
    found = integrated(asked, spotted, WHY)
    assert alikeness(found, same_kind(asked, spotted, WHY, found)) == pytest.approx(1)
    again = same_kind(asked, spotted, WHY, found)
    assert np.array_equal(again.heat, found.heat)
    (layer,) = [each for each in heats_of(asked, spotted, WHY, "act") if each.method == LAYER_CAM]
    assert np.array_equal(same_kind(asked, spotted, WHY, layer).heat, layer.heat)
    other = HeatMap("act", "no such method", layer.heat, layer.size)
    assert same_kind(asked, spotted, WHY, other) is None
