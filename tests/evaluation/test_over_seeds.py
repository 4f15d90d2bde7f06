"""Statistics of a few seeds: published quantiles, coverage and false findings by simulation."""

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from viewfinder.evaluation.over_seeds import (
    CHANCE,
    compare,
    difference,
    estimate,
    holm,
)
from viewfinder.student import critical_t, two_sided_p
from viewfinder.tasks.figures import OF_EVERY_TASK, Score, lower, shares

(ACCURACY,) = shares("accuracy")
MAE, LOSS = lower("mae", "loss")
PLAIN = Score("figure", higher_is_better=True)


@pytest.mark.parametrize(
    ("chance", "freedom", "published"),
    [
        *[(0.05, 1, 12.706), (0.05, 2, 4.303), (0.05, 3, 3.182), (0.05, 4, 2.776)],
        *[(0.05, 5, 2.571), (0.05, 9, 2.262), (0.05, 10, 2.228), (0.05, 30, 2.042)],
        *[(0.05, 60, 2.000), (0.05, 120, 1.980), (0.05, 10**7, 1.960)],
        *[(0.10, 1, 6.314), (0.10, 7, 1.895), (0.20, 4, 1.533), (0.50, 3, 0.765)],
        *[(0.01, 2, 9.925), (0.01, 4, 4.604), (0.01, 25, 2.787)],
        *[(0.002, 1, 318.309), (0.001, 2, 31.599), (0.001, 20, 3.850), (0.001, 120, 3.373)],
    ],
)
def test_quantiles_are_those_of_published_tables(chance, freedom, published):
    assert critical_t(chance, freedom) == pytest.approx(published, abs=6e-4)


@given(st.floats(-1e6, 1e6))
def test_one_and_two_degrees_of_freedom_have_closed_forms(t):
    assume(t == 0 or abs(t) > 1e-9)
    one = 1.0 if t == 0 else 2 / math.pi * math.atan(1 / abs(t))
    assert two_sided_p(t, 1) == pytest.approx(one, rel=1e-12)
    root = math.sqrt(2 + t * t)
    two = 2 / (root * (root + abs(t)))  # 1 - |t|/√(2 + t²) without its cancellation.
    assert two_sided_p(t, 2) == pytest.approx(two, rel=1e-12)


@given(st.integers(1, 2000), st.floats(1e-9, 0.999))
def test_quantile_and_probability_undo_one_another(freedom, chance):
    assert two_sided_p(critical_t(chance, freedom), freedom) == pytest.approx(chance, rel=1e-9)


@given(st.integers(1, 500), st.floats(0, 50), st.floats(0, 50))
def test_a_larger_t_is_rarer(freedom, one, other):
    small, large = sorted((one, other))
    assert two_sided_p(large, freedom) <= two_sided_p(small, freedom) * (1 + 1e-12)
    assert two_sided_p(-large, freedom) == two_sided_p(large, freedom)


def test_an_interval_worked_by_hand():
    # Mean 2.5, deviation √(5/3) = 1.290994, error 0.645497, times 3.182446 of 3 degrees: 2.054260.
    found = estimate([1.0, 2.0, 3.0, 4.0])
    assert (found.mean, found.n) == (2.5, 4)
    assert found.low == pytest.approx(0.445740, abs=1e-6)
    assert found.high == pytest.approx(4.554260, abs=1e-6)


def test_a_paired_difference_worked_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t = 2√3 = 3.464, p = 1 - t/√(2 + t²) = 0.074180.
    found = difference({0: 2.0, 1: 5.0, 2: 9.0, 7: 100.0}, {1: 3.0, 0: 1.0, 2: 6.0, 5: -100.0})
    assert (found.mean, found.n) == (2.0, 3)
    assert found.p == pytest.approx(0.074180, abs=1e-6)
    assert found.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_95_percent_of_the_intervals_hold_the_truth(n):
    generator = np.random.default_rng(n)
    factor = critical_t(CHANCE, n - 1)
    samples = generator.normal(0.7, 0.02, (40_000, n))
    means, errors = samples.mean(1), samples.std(1, ddof=1) / math.sqrt(n)
    covered = (np.abs(means - 0.7) <= factor * errors).mean()
    # The standard error of a share of 95 % among 40,000 is 0.11 %.
    assert covered == pytest.approx(0.95, abs=0.005)
    for row in samples[:20]:
        found = estimate(row.tolist())
        assert found.high - found.mean == pytest.approx(factor * row.std(ddof=1) / math.sqrt(n))


def test_pairing_finds_what_the_seeds_spread_hides():
    generator = random.Random(0)
    seeds = {seed: generator.gauss(0.8, 0.05) for seed in range(5)}
    better = {seed: value + generator.gauss(0.01, 0.002) for seed, value in seeds.items()}
    apart = compare({"base": seeds, "better": better}, "base", PLAIN)
    one, other = (apart[name].estimate for name in ("base", "better"))
    assert one.low < other.mean < one.high
    assert apart["better"].verdict == "better"
    assert apart["base"].verdict == "baseline"


def test_holm_by_hand():
    # In order 0.005·4, 0.01·3, 0.03·2, 0.04·1, none below the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.4, 0.9]) == [1.0, 1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30), st.randoms())
def test_holm_keeps_the_order_and_never_favours(chances, generator):
    adjusted = holm(chances)
    assert all(p <= q <= min(1, p * len(chances)) for p, q in zip(chances, adjusted, strict=True))
    by_chance = [q for _, q in sorted(zip(chances, adjusted, strict=True))]
    assert by_chance == sorted(by_chance)
    order = list(range(len(chances)))
    generator.shuffle(order)
    assert holm([chances[i] for i in order]) == [adjusted[i] for i in order]


def test_a_grid_in_which_nothing_matters_seldom_holds_a_finding():
    generator = np.random.default_rng(0)
    grids, cells, seeds = 400, 21, 4
    found = uncorrected = 0
    for _ in range(grids):
        values = generator.normal(0, 1, (cells, seeds)) + generator.normal(0, 3, seeds)
        named = {str(i): dict(enumerate(row.tolist())) for i, row in enumerate(values)}
        told = compare(named, "0", PLAIN)
        found += any(c.verdict in ("better", "worse") for c in told.values())
        uncorrected += any(c.difference and c.difference.p <= CHANCE for c in told.values())
    # 5 % of 400 is 20 ± 4.4; one in two grids would boast of something without the correction.
    assert found <= 33
    assert uncorrected > 0.4 * grids


def test_real_differences_are_found_among_many_that_are_none():
    generator = np.random.default_rng(1)
    cells = {f"none {i}": generator.normal(0.8, 0.004, 5).tolist() for i in range(19)}
    cells |= {"up": generator.normal(0.9, 0.004, 5).tolist()}
    cells |= {"down": generator.normal(0.7, 0.004, 5).tolist()}
    named = {name: dict(enumerate(row)) for name, row in cells.items()}
    told = compare(named, "none 0", ACCURACY)
    assert (told["up"].verdict, told["down"].verdict) == ("better", "worse")
    assert {told[f"none {i}"].verdict for i in range(1, 19)} == {"no clear difference"}
    turned = compare(named, "none 0", MAE)
    assert (turned["up"].verdict, turned["down"].verdict) == ("worse", "better")


@pytest.mark.parametrize(
    ("cell", "baseline", "p", "verdict"),
    [
        # Equal seed by seed: no difference.
        ([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], 1.0, "no clear difference"),
        # One picture of 18 more, three times over: rounding must not look like certainty.
        ([17 / 18, 16 / 18, 15 / 18], [16 / 18, 15 / 18, 14 / 18], None, "cannot be told"),
        ([0.9], [0.1], None, "cannot be told"),
        ([0.9, 0.8], [], None, "cannot be told"),
        ([], [0.9, 0.8], None, "failed"),
    ],
)
def test_what_cannot_be_judged_is_not(cell, baseline, p, verdict):
    named = {"base": dict(enumerate(baseline)), "cell": dict(enumerate(cell))}
    found = compare(named, "base", ACCURACY)["cell"]
    assert found.verdict == verdict
    if found.difference is not None:
        assert found.difference.p == p
        assert found.difference.low is None


def test_a_mean_of_shares_has_no_interval_beyond_them():
    values = {"base": {0: 0.99, 1: 0.95, 2: 1.0}, "cell": {0: 0.01, 1: 0.0, 2: 0.09}}
    told = compare(values, "base", ACCURACY)
    assert told["base"].estimate.high == 1.0
    assert told["cell"].estimate.low == 0.0
    assert told["cell"].difference.low == -1.0
    unbounded = compare(values, "base", LOSS)
    assert unbounded["base"].estimate.high > 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_an_interval_is_centred_on_its_mean(values):
    found = estimate(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    if found.low is not None:
        assert found.mean - found.low == pytest.approx(found.high - found.mean, rel=1e-6, abs=1e-6)
    else:
        assert max(values) - min(values) <= 1e-10 * max(map(abs, values), default=0)


def test_every_figure_of_a_task_has_a_direction():
    from viewfinder.tasks import NAMES, find

    for name in NAMES:
        known = {each.name: each for each in (*find(name).compared, *OF_EVERY_TASK)}
        assert {find(name).compared[0].name, find(name).headline[0][0]} <= known.keys()
        assert not known["loss"].higher_is_better
    assert not find("saliency").compared[0].higher_is_better
