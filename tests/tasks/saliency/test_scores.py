"""Scores of saliency maps: the field's program, each definition by itself, and what must hold."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.saliency.scores import THRESHOLDS, SaliencyScores, mean, score

Array = np.ndarray[Any, np.dtype[Any]]

KEYS = [
    "mae", "s_measure", "e_adaptive", "e_mean", "e_max",
    "f_adaptive", "f_mean", "f_max", "f_max_dataset", "weighted_f",
]  # fmt: skip
CURVES = ["e_curve", "f_curve", "precision", "recall"]
REAL = ["0001.png", "19.png", "aerial.png"]


@pytest.fixture(scope="module")
def golden(shared: Path) -> Path:
    return shared / "golden" / "saliency_metrics"


def expected(golden: Path, name: str) -> dict[str, float]:
    return json.loads((golden / "expected.json").read_text(encoding="utf-8"))[name]


def real_pair(golden: Path, name: str) -> tuple[Array, Array]:
    prediction, mask = (read_picture(golden / side / name)[..., 0] for side in ("preds", "masks"))
    return prediction, mask > 128


def synthetic(number: int) -> tuple[Array, Array]:
    height, width = [(64, 64), (96, 120), (37, 53), (128, 80)][number]
    random = np.random.default_rng(number)
    y, x = np.mgrid[:height, :width]
    inside = ((y - 0.45 * height) / (0.25 * height)) ** 2
    mask = inside + ((x - 0.55 * width) / (0.3 * width)) ** 2 < 1
    noise = random.normal(40, 45, (height, width))
    return np.clip(mask * 255 * 0.7 + noise, 0, 255).astype(np.uint8), mask


def special(name: str) -> tuple[Array, Array]:
    noise = np.random.default_rng(9).integers(0, 256, (32, 32))
    return noise, np.full((32, 32), name == "full_mask")


def assert_golden(found: SaliencyScores, wanted: dict[str, float]) -> None:
    scores = found.as_json()
    assert set(wanted) == set(KEYS) - {"f_max_dataset"}
    for name, value in wanted.items():
        assert scores[name] == pytest.approx(value, rel=0, abs=1e-6), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_real_pairs_alone_and_together(golden: Path, dtype: type) -> None:
    parts = []
    for name in REAL:
        prediction, mask = real_pair(golden, name)
        parts.append(score((prediction / 255).astype(dtype), mask, stretch=True))
        assert_golden(parts[-1], expected(golden, name))
    assert_golden(mean(parts), expected(golden, "all"))
    assert_golden(mean([mean(parts[:2]), parts[2]]), expected(golden, "all"))


@pytest.mark.parametrize(
    "name", ["synthetic0", "synthetic1", "synthetic2", "synthetic3", "empty_mask", "full_mask"]
)
def test_made_pairs(golden: Path, name: str) -> None:
    prediction, mask = synthetic(int(name[-1])) if name[-1].isdigit() else special(name)
    assert_golden(score(prediction / 255, mask, stretch=True), expected(golden, name))


def test_nothing_found(golden: Path) -> None:
    y, x = np.mgrid[:32, :32]
    disc = (y - 16) ** 2 + (x - 16) ** 2 <= 64
    assert_golden(score(np.zeros((32, 32)), disc), expected(golden, "zero_prediction"))


def by_definition(prediction: Array, mask: Array) -> dict[str, Any]:
    """Every score the slow way: each threshold, each pixel, each pair of pixels."""
    masks = [prediction >= t / 255 for t in range(256)]
    masks.append(prediction >= min(1, 2 * prediction.mean()))
    precision, recall, f, e = (
        np.array(v) for v in zip(*(at_cut(m, mask) for m in masks), strict=True)
    )
    return {
        "mae": np.abs(prediction - mask).mean(),
        "precision": precision[:256], "recall": recall[:256],
        "f_curve": f[:256], "f_adaptive": f[256], "e_curve": e[:256], "e_adaptive": e[256],
        "weighted_f": weighted_by_definition(prediction, mask),
        "s_measure": structure_by_definition(prediction, mask),
    }  # fmt: skip


def at_cut(taken: Array, mask: Array) -> tuple[float, float, float, float]:
    hits = (taken & mask).sum()
    precision, recall = hits / max(taken.sum(), 1), hits / max(mask.sum(), 1)
    f = 1.3 * precision * recall / (0.3 * precision + recall) if hits else 0.0
    if mask.all() or not mask.any():
        likeness = (taken == mask).astype(float)
    else:
        a, b = taken - taken.mean(), mask - mask.mean()
        likeness = (2 * a * b / (a * a + b * b) + 1) ** 2 / 4
    return precision, recall, f, likeness.sum() / max(mask.size - 1, 1)


def weighted_by_definition(prediction: Array, mask: Array) -> float:
    if not mask.any():
        return 0.0
    error = np.abs(prediction - mask)
    subject = sorted(zip(*np.nonzero(mask), strict=True), key=lambda p: (p[1], p[0]))
    spread, weight = error.copy(), np.ones(mask.shape)
    for y, x in zip(*np.nonzero(~mask), strict=True):
        squared, nearest = min(
            (((y - p) ** 2 + (x - q) ** 2, (p, q)) for p, q in subject), key=lambda found: found[0]
        )
        spread[y, x] = error[nearest]
        weight[y, x] = 2 - math.exp(math.log(0.5) / 5 * math.sqrt(squared))
    offsets = np.arange(-3, 4)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / 50)
    around = np.pad(spread, 3)
    smooth = np.array(
        [
            [(around[y : y + 7, x : x + 7] * window).sum() for x in range(mask.shape[1])]
            for y in range(mask.shape[0])
        ]
    )
    eased = np.where(mask, np.minimum(error, smooth / window.sum()), error) * weight
    found = mask.sum() - eased[mask].sum()
    recall, precision = 1 - eased[mask].mean(), found / (found + eased[~mask].sum() + 1e-16)
    return 2 * recall * precision / (recall + precision + 1e-16)


def structure_by_definition(prediction: Array, mask: Array) -> float:
    if mask.all() or not mask.any():
        return prediction.mean() if mask.all() else 1 - prediction.mean()

    def evenness(values: Array) -> float:
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        return 2 * values.mean() / (values.mean() ** 2 + 1 + spread)

    share = mask.mean()
    by_object = share * evenness(prediction[mask]) + (1 - share) * evenness(1 - prediction[~mask])
    row, column = (round(each.mean()) + 1 for each in np.nonzero(mask))
    by_region = 0.0
    for rows in (slice(None, row), slice(row, None)):
        for columns in (slice(None, column), slice(column, None)):
            p, g = prediction[rows, columns], mask[rows, columns].astype(float)
            if p.size:
                by_region += p.size / mask.size * likeness(p, g)
    return max(0.0, (by_object + by_region) / 2)


def likeness(p: Array, g: Array) -> float:
    x, y, n = p.mean(), g.mean(), max(p.size - 1, 1)
    together = ((p - x) * (g - y)).sum() / n
    spread = (((p - x) ** 2).sum() + ((g - y) ** 2).sum()) / n
    # Rounding makes a little something where there is nothing.
    above = 4 * x * y * together if abs(together) > 1e-12 else 0.0
    below = (x * x + y * y) * (spread if spread > 1e-12 else 0.0)
    if above:
        return above / below
    return 1.0 if below == 0 else 0.0


@st.composite
def pairs(draw: st.DrawFn, largest: int = 14) -> tuple[Array, Array]:
    """A map of 8-bit levels, of few values or many, and any mask."""
    shape = draw(npst.array_shapes(min_dims=2, max_dims=2, max_side=largest))
    top = draw(st.sampled_from([1, 3, 255]))
    levels = draw(npst.arrays(np.uint8, shape, elements=st.integers(0, top)))
    mask = draw(npst.arrays(np.bool_, shape))
    prediction = levels / top
    # Whether a pixel at the adaptive threshold is above it hangs on the order of a sum.
    apart = np.abs(prediction - 2 * prediction.mean())
    assume(not prediction.any() or apart.min() > 1e-9)
    return prediction, mask


@settings(max_examples=150)
@given(pairs())
def test_equal_to_the_definitions(pair: tuple[Array, Array]) -> None:
    prediction, mask = pair
    found = score(prediction, mask)
    if not mask.any() and not prediction.any():
        assert all(value == (name != "mae") for name, value in found.as_json().items())
        return
    for name, value in by_definition(prediction, mask).items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("place", [(0, 0), (150, 200), (299, 399)])
def test_far_from_the_subject_an_error_weighs_twice(place: tuple[int, int]) -> None:
    """Where the distance is left out, in a picture larger than all that is near."""
    mask = np.zeros((300, 400), bool)
    y, x = place
    mask[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = True
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    taken = np.random.default_rng(0).random(mask.shape) * ~mask
    excess = (taken * (2 - 0.5 ** (distance.astype(float) / 5))).sum()
    precision = mask.sum() / (mask.sum() + excess)
    wanted = 2 * precision / (1 + precision)
    assert score(taken + mask, mask).weighted_f == pytest.approx(wanted, rel=1e-6)


@settings(max_examples=100)
@given(npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_a_perfect_map(mask: Array) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        scores = score(mask.astype(dtype), mask).as_json()
        assert list(scores) == KEYS
        assert scores["mae"] == 0
        assert scores["s_measure"] == pytest.approx(1)
        assert scores["weighted_f"] == pytest.approx(1)
        # The mean has threshold 0 in it, at which every map takes every pixel.
        for name in ("f_max", "f_max_dataset"):
            assert scores[name] == pytest.approx(1)
        assert scores["e_max"] >= 1
        assert scores["f_mean"] > 0.99
        # Twice the mean of a map that is mostly subject is more than any value; it is cut to 1.
        assert scores["f_adaptive"] == pytest.approx(1)
        assert scores["e_adaptive"] >= 1 - 1e-9


@settings(max_examples=150)
@given(pairs(largest=20), st.booleans())
def test_every_score_lies_within_0_and_1(pair: tuple[Array, Array], stretch: bool) -> None:
    prediction, mask = pair
    found = score(prediction, mask, stretch=stretch)
    most = mask.size / max(mask.size - 1, 1)  # E divides by one pixel fewer than there are.
    for name, value in found.as_json().items():
        assert 0 <= value <= (most if name.startswith("e_") else 1) + 1e-9, name
    for name in CURVES:
        curve = getattr(found, name)
        assert curve.shape == THRESHOLDS.shape
        assert (curve >= 0).all()
        assert (curve <= (most if name == "e_curve" else 1) + 1e-9).all(), name


FLIPS: list[Callable[[Array], Array]] = [np.fliplr, np.flipud, np.rot90, np.transpose]


@settings(max_examples=100)
@given(pairs(), st.sampled_from(FLIPS))
def test_how_a_picture_lies_is_of_no_matter(
    pair: tuple[Array, Array], flip: Callable[[Array], Array]
) -> None:
    """But to S, whose blocks meet beside the centroid, and to weighted F, which must choose among
    equally near pixels; S is the same of a picture and its transpose."""
    prediction, mask = pair
    here, there = score(prediction, mask), score(flip(prediction), flip(mask))
    for name in ["mae", "e_adaptive", "f_adaptive", *CURVES]:
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), atol=1e-9)
    if flip is np.transpose:
        assert there.s_measure == pytest.approx(here.s_measure, abs=1e-7)


@settings(max_examples=60)
@given(
    npst.arrays(np.uint8, (12, 17)), st.tuples(*[st.integers(0, 11)] * 4), st.sampled_from(FLIPS)
)
def test_weighted_f_of_a_box_may_be_turned(
    levels: Array, corners: tuple[int, ...], flip: Callable[[Array], Array]
) -> None:
    """No pixel is equally near to two of a box."""
    mask = np.zeros(levels.shape, bool)
    (top, bottom), (left, right) = sorted(corners[:2]), sorted(corners[2:])
    mask[top : bottom + 1, left : right + 1] = True
    here = score(levels / 255, mask).weighted_f
    assert score(flip(levels / 255), flip(mask)).weighted_f == pytest.approx(here, abs=1e-6)


@settings(max_examples=100)
@given(pairs(), st.floats(0, 1))
def test_a_map_brought_nearer_to_its_mask_is_no_worse(
    pair: tuple[Array, Array], share: float
) -> None:
    prediction, mask = pair
    nearer = prediction + share * (mask - prediction)
    before, after = score(prediction, mask), score(np.clip(nearer, 0, 1), mask)
    assert after.mae == pytest.approx((1 - share) * before.mae, abs=1e-9)
    assert after.weighted_f >= before.weighted_f - 1e-6


@settings(max_examples=100)
@given(pairs())
def test_a_higher_threshold_takes_no_more(pair: tuple[Array, Array]) -> None:
    prediction, mask = pair
    found = score(prediction, mask)
    assert (np.diff(found.recall) <= 0).all()
    if mask.any():
        assert found.recall[0] == 1
        assert found.precision[0] == pytest.approx(mask.mean())


@settings(max_examples=50)
@given(pairs())
def test_stretching(pair: tuple[Array, Array]) -> None:
    """A paler map is the same map once stretched, and another before."""
    prediction, mask = np.pad(pair[0], ((0, 0), (0, 2))), np.pad(pair[1], ((0, 0), (0, 2)))
    prediction[:, -1] = 1  # Both ends of the range are there.
    full, paler = score(prediction, mask), score(prediction / 2, mask, stretch=True)
    assert paler.as_json() == pytest.approx(full.as_json(), abs=1e-9)
    assert score(prediction / 2, mask).recall[-1] == 0


def test_every_8_bit_level_reaches_its_own_threshold() -> None:
    for dtype in (np.float32, np.float64):
        levels = (np.arange(256) / 255).astype(dtype).reshape(16, 16)
        found = score(levels, np.ones((16, 16), bool))
        np.testing.assert_allclose(found.recall * 256, 256 - np.arange(256))


def test_the_two_maximal_fs_differ_and_are_told_apart() -> None:
    mask = np.zeros((4, 4), bool)
    mask[0] = True
    timid, bold = np.zeros((4, 4)), np.ones((4, 4))
    timid[0, 0] = 1
    # From the first threshold on, P and R are 1 and ¼ of one map, ¼ and 1 of the other.
    scores = mean([score(timid, mask), score(bold, mask)]).as_json()
    first, second = 1.3 * 0.25 / (0.3 + 0.25), 1.3 * 0.25 / (0.3 * 0.25 + 1)
    assert scores["f_max"] == pytest.approx((first + second) / 2)
    assert scores["f_max_dataset"] == pytest.approx(0.625)


def test_parts_add_up_to_the_whole_and_come_one_by_one() -> None:
    parts = [score(*pair) for pair in ((p / 255, m) for p, m in map(synthetic, range(4)))]
    whole = mean(iter(parts))
    again = mean([mean(parts[:1]), mean(parts[1:])])
    assert again.images == whole.images == 4
    assert again.as_json() == pytest.approx(whole.as_json())
    assert whole.mae == pytest.approx(np.mean([part.mae for part in parts]))
    assert json.loads(json.dumps(whole.as_json())) == whole.as_json()


def test_one_pixel() -> None:
    for there in (True, False):
        for value in (0.0, 0.25, 1.0):
            found = score(np.array([[value]]), np.array([[there]]))
            assert found.mae == abs(there - value)
            assert all(math.isfinite(each) for each in found.as_json().values())


def test_e_of_a_subject_of_one_pixel_is_its_authors() -> None:
    """By PySODMetrics 1.6.2: what they add to the divisor counts in the eighth digit."""
    mask, map_ = np.zeros((96, 128), np.bool_), np.zeros((96, 128))
    mask[41, 61] = True
    map_[40, 60], map_[41, 61] = 1, 200 / 255
    found = score(map_, mask)
    curve = found.e_curve
    own = (found.e_adaptive, curve.mean(), curve.max(), curve.min())
    peer = (0.8100357987542396, 0.84865211058278, 0.9999592765751989, 0.2500203467079027)
    assert own == pytest.approx(peer, rel=0, abs=1e-12)


def test_views_and_the_arrays_given_are_left_alone() -> None:
    prediction, mask = synthetic(1)
    prediction = prediction / 255
    kept, plain = prediction.copy(), score(prediction, mask).as_json()
    for view in (np.asfortranarray, lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2]):
        assert score(view(prediction), view(mask)).as_json() == pytest.approx(plain)
    prediction.flags.writeable = mask.flags.writeable = False
    assert score(prediction, mask, stretch=True).images == 1
    np.testing.assert_array_equal(prediction, kept)


ANY = np.full((3, 4), 0.5)
HALF = np.eye(3, 4) > 0


@pytest.mark.parametrize(
    ("prediction", "mask", "message"),
    [
        (ANY, HALF.T, "map is 3×4 and its mask 4×3.*resize the map"),
        (ANY[None], HALF[None], "map is 1×3×4 and its mask 1×3×4: both must be height×width"),
        (ANY[:0], HALF[:0], "map is 0×4"),
        (np.float64(1), HALF, "map is one number"),
        (ANY, HALF.astype(np.uint8), "its mask uint8.*the mask booleans, such as pixels > 127"),
        (ANY, HALF * 1.0, "its mask float64"),
        (np.full((3, 4), 255, np.uint8), HALF, "map holds uint8.*such as pixels / 255"),
        (HALF, HALF, "map holds bool"),
        (ANY + 0j, HALF, "map holds complex128"),
        (np.where(HALF, np.nan, 0.5), HALF, "values from nan to nan.*numbers"),
        (np.where(HALF, np.inf, 0.5), HALF, "values from 0.5 to inf"),
        (np.where(HALF, -np.inf, 0.5), HALF, "values from -inf to 0.5"),
        (ANY * 255, HALF, "values from 127.5 to 127.5.*divide 8-bit pixels by 255"),
        (ANY - 0.6, HALF, "values from -0.1"),
    ],
)
def test_what_cannot_be_judged_is_said(prediction: Array, mask: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(prediction, mask)


def test_no_pictures() -> None:
    with pytest.raises(InputError, match="no pictures to score"):
        mean([])
