"""Maps of 8 bits, whose pixels are counted by their value, beside the same maps as numbers."""

import subprocess
import sys

import numpy as np
import pytest

from viewfinder.scoring.measured import known_mask, measure_map


def parts(random, shape):
    """Squares, some of which touch or have boxes that lie over each other."""
    mask = np.zeros(shape, np.bool_)
    for _ in range(4):
        top, left = random.integers(0, shape[0]), random.integers(0, shape[1])
        mask[top : top + 14, left : left + 10] = True
    mask[2, :] = mask[:, 3] = True
    return mask


MASKS = {
    "parts": parts,
    "none": lambda random, shape: np.zeros(shape, np.bool_),
    "all": lambda random, shape: np.ones(shape, np.bool_),
    "noise": lambda random, shape: random.random(shape) < 0.5,
}
MAPS = {
    "noise": lambda random, mask: random.integers(0, 256, mask.shape),
    "faint": lambda random, mask: random.integers(40, 90, mask.shape),
    "right": lambda random, mask: 255 * mask,
    "even": lambda random, mask: np.full(mask.shape, 77),
    "nearly": lambda random, mask: np.where(random.random(mask.shape) < 0.9, 200 * mask, 30),
}


def numbers(found):
    counts, scores = found.of.counts, found.scores
    plain = [found.of.mae, found.of.s_measure, found.of.weighted_f, found.boundary_iou, found.iou]
    return np.concatenate(
        [plain, counts.taken, counts.hits, [scores.f_adaptive, scores.e_adaptive, found.alike.mae],
         found.alike.f_curve]
    )  # fmt: skip


@pytest.mark.parametrize("stretch", [False, True])
@pytest.mark.parametrize("of", MASKS)
@pytest.mark.parametrize("kind", MAPS)
def test_a_map_of_8_bits_is_scored_as_the_same_in_16(kind, of, stretch):
    """257 times each value is the same share of what 16 bits can hold, and is scored as numbers."""
    random = np.random.default_rng(5)
    mask = MASKS[of](random, (41, 57))
    map_ = MAPS[kind](random, mask).astype(np.uint8)
    known = known_mask(mask)
    counted = numbers(measure_map(map_, known, stretch=stretch))
    as_numbers = numbers(measure_map(map_.astype(np.uint16) * 257, known, stretch=stretch))
    np.testing.assert_allclose(counted, as_numbers, atol=1e-11)


def test_a_mask_of_many_parts_has_more_regions_than_16_bits_number():
    random = np.random.default_rng(6)
    mask = np.zeros((300, 300), np.bool_)
    for top in range(0, 300, 12):
        for left in range(0, 300, 12):
            mask[top : top + 8, left : left + 8] = True
    known = known_mask(mask)
    assert known.regions.starts.dtype == np.uint32
    map_ = random.integers(0, 256, mask.shape).astype(np.uint8)
    counted = numbers(measure_map(map_, known, stretch=False))
    as_numbers = numbers(measure_map(map_.astype(np.uint16) * 257, known, stretch=False))
    np.testing.assert_allclose(counted, as_numbers, atol=1e-11)


def test_a_process_that_measures_maps_reads_no_torch():
    """Each of them would take two seconds for it."""
    code = "import sys, viewfinder.scoring.map_jobs; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
