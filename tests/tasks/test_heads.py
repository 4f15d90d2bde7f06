"""A last layer learnt by itself: equal to what it says it is, and chosen by left-out pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from viewfinder.tasks.classify.heads import (
    DECAYS,
    LeftOut,
    LinearHead,
    class_means,
    folds,
    ridge,
    softmax,
)
from viewfinder.tasks.classify.last_layer import Solved, VectorExamples, _judged, solve
from viewfinder.tasks.classify.solving import _told


def clusters(rng, *, classes=3, each=8, width=20, spread=0.6):
    centres = rng.normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), each)
    return centres[labels] + spread * rng.normal(size=(len(labels), width)), labels, centres


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), each=st.integers(1, 6), classes=st.integers(2, 5))
def test_class_means_answer_with_the_nearest_mean(seed, each, classes):
    rng = np.random.default_rng(seed)
    x, labels, _ = clusters(rng, classes=classes, each=each)
    asked = rng.normal(size=(9, x.shape[1]))
    means = np.stack([x[labels == c].mean(0) for c in range(classes)])
    nearest = np.linalg.norm(asked[:, None] - means[None], axis=2).argmin(1)
    layer = class_means(x, labels, classes).layer
    np.testing.assert_array_equal(layer.logits(asked).argmax(1), nearest)


def test_their_temperature_is_the_likeliest_for_pictures_left_out():
    """Against means that are truly made anew without each picture."""
    x, labels, _ = clusters(np.random.default_rng(0), each=5, spread=2.0)
    layer = class_means(x, labels, 3).layer
    means = np.stack([x[labels == c].mean(0) for c in range(3)])
    temperature = (means / layer.weight).mean()

    def surprise(t):
        total = 0.0
        for i in range(len(x)):
            kept = np.arange(len(x)) != i
            own = np.stack([x[kept & (labels == c)].mean(0) for c in range(3)])
            logits = torch.from_numpy(-((x[i] - own) ** 2).sum(1) / (2 * t))[None]
            total += float(functional.cross_entropy(logits, torch.tensor([labels[i]])))
        return total

    assert surprise(temperature) <= min(surprise(temperature * f) for f in (0.7, 1.4))


def ridge_by_hand(x, labels, weights, decay):
    """Weights and bias from the normal equations, with a column of ones that is not pulled."""
    share = weights / weights.sum()
    length = np.sqrt(share @ ((x - share @ x) ** 2).sum(1))
    ones = np.column_stack([x / length, np.ones(len(x))])
    counts = np.diag(weights / weights.mean())
    pull = decay * np.diag([1.0] * x.shape[1] + [0.0])
    found = np.linalg.solve(ones.T @ counts @ ones + pull, ones.T @ counts @ np.eye(3)[labels])
    return found[:-1].T / length, found[-1]


@pytest.mark.parametrize("each", [4, 30])
def test_ridge_regression_solves_its_normal_equations(each):
    x, labels, _ = clusters(np.random.default_rng(1), each=each)
    weights = np.random.default_rng(2).uniform(0.2, 2, len(labels))
    learnt = ridge(x, labels, 3, weights=weights, decays=(0.7,))
    weight, bias = ridge_by_hand(x, labels, weights, 0.7)
    scale = learnt.layer.weight[0, 0] / weight[0, 0]
    np.testing.assert_allclose(learnt.layer.weight, scale * weight, atol=1e-8 * scale)
    np.testing.assert_allclose(learnt.layer.bias, scale * bias, atol=1e-8 * scale)


def test_what_it_says_of_left_out_pictures_is_what_it_says_without_them():
    """Against layers that are truly learnt anew without each picture."""
    x, labels, _ = clusters(np.random.default_rng(4), each=5)
    learnt = ridge(x, labels, 3, decays=(0.7,))
    mean, (weight, _) = x.mean(0), ridge_by_hand(x, labels, np.ones(len(x)), 0.7)
    scale = learnt.layer.weight[0, 0] / weight[0, 0]
    length = np.sqrt(((x - mean) ** 2).sum(1).mean())
    for i in range(len(x)):
        kept = np.arange(len(x)) != i
        ones = np.column_stack([x / length, np.ones(len(x))])
        pull = 0.7 * np.diag([1.0] * x.shape[1] + [0.0])
        one = np.linalg.solve(
            ones[kept].T @ ones[kept] + pull, ones[kept].T @ np.eye(3)[labels[kept]]
        )
        np.testing.assert_allclose(learnt.left_out[i] / scale, ones[i] @ one, atol=1e-8)


def test_the_pull_is_the_one_whose_left_out_pictures_surprise_least():
    x, labels, _ = clusters(np.random.default_rng(6), spread=2.5)
    each = [ridge(x, labels, 3, decays=(decay,)).surprise for decay in DECAYS]
    chosen = ridge(x, labels, 3)
    assert chosen.decay == DECAYS[int(np.argmin(each))]
    judged = functional.cross_entropy(
        torch.from_numpy(chosen.left_out), torch.from_numpy(labels)
    ).item()
    assert chosen.surprise == pytest.approx(judged) == pytest.approx(min(each))


def test_each_class_counts_as_much_as_any_other_however_many_pictures_it_has():
    rng = np.random.default_rng(7)
    labels = np.repeat([0, 1], [40, 4])
    x = rng.normal(size=(44, 3)) + 0.8 * labels[:, None]
    asked = rng.normal(size=(400, 3)) + 0.8 * np.repeat([0, 1], 200)[:, None]
    by_pictures = ridge(x, labels, 2).layer.logits(asked).argmax(1)
    solved = solve(VectorExamples(x[:, None], labels, 2), ("linear",))
    by_classes = solved.layer.logits(asked).argmax(1)
    assert by_pictures.mean() < 0.25 < 0.4 < by_classes.mean() < 0.6
    assert solved.unequal
    left_out = ridge(x, labels, 2, weights=1 / np.bincount(labels)[labels]).left_out.argmax(1)
    recalls = [(left_out[labels == c] == c).mean() for c in (0, 1)]
    assert solved.right["linear"] == pytest.approx(np.mean(recalls))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_folds_spread_every_class_evenly(labels):
    labels = np.array(labels)
    found = folds(labels)
    for c in np.unique(labels):
        counts = np.bincount(found[labels == c], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_the_way_is_the_one_that_left_out_pictures_prefer():
    rng = np.random.default_rng(3)
    # Only one direction of many tells the classes apart, and the others are loud: means fail.
    labels = np.repeat(np.arange(2), 60)
    x = rng.normal(size=(120, 6)) * [1, 9, 9, 9, 9, 9]
    x[:, 0] += np.where(labels, 3, -3)
    solved = solve(VectorExamples(x[:, None], labels, 2), ("prototypes", "linear"))
    assert solved.way == "linear"
    assert solved.right["prototypes"] < 0.9 < solved.right["linear"]
    assert solve(VectorExamples(x[:, None], labels, 2), ("prototypes",)).way == "prototypes"


def test_where_the_lower_share_is_taken_it_is_said_why():
    layer = class_means(np.eye(3), np.arange(3), 3).layer
    few = Solved(layer, "linear", 0.1, {"prototypes": 0.75, "linear": 0.708}, 24)
    told = _told(few, ("a", "b", "c"))
    assert told.endswith(
        "class means 75.0%, ridge regression 70.8%, so that class means are not clearly better"
    )
    better = replace(few, right={"prototypes": 0.7, "linear": 0.75})
    assert "clearly" not in _told(better, ("a", "b", "c"))
    assert "each class counting alike: class means" in _told(
        replace(few, unequal=True), ("a", "b", "c")
    )


def test_a_picture_a_class_is_learnt_though_none_can_be_left_out():
    solved = solve(VectorExamples(np.eye(3)[:, None], np.arange(3), 3), ("prototypes", "linear"))
    assert (solved.right, solved.pictures) == ({}, 0)
    np.testing.assert_array_equal(solved.layer.logits(np.eye(3)).argmax(1), np.arange(3))


def test_a_class_of_one_picture_is_not_outvoted():
    rng = np.random.default_rng(0)
    labels = np.array([0] * 40 + [1, 2])
    x = rng.normal(size=(42, 8)) * 0.5
    x[40, 0] += 1.5
    x[41, 1] += 1.5
    assert ridge(x, labels, 3).layer.logits(x[40:]).argmax(1).tolist() == [0, 0]
    solved = solve(VectorExamples(x[:, None], labels, 3), ("linear",))
    assert solved.layer.logits(x[40:]).argmax(1).tolist() == [1, 2]
    assert solved.single == (1, 2)


@pytest.mark.parametrize("helps", [True, False])
def test_pictures_without_labels_are_used_only_where_left_out_ones_gain(helps):
    rng = np.random.default_rng(0)
    x, labels, centres = clusters(rng, each=5, spread=1.6)
    more = centres[rng.integers(0, 3, 300)] + 1.6 * rng.normal(size=(300, 20))
    other = rng.normal(size=(300, 20)) * 8
    solved = solve(VectorExamples(x[:, None], labels, 3), ("linear",), more if helps else other)
    assert (solved.believed > 0) == (solved.helps == "yes") == helps


def left_out(shares, labels):
    """As if a layer gave the true classes, of two, these shares."""
    logits = np.log(np.stack([shares, 1 - shares], 1))
    return LeftOut(np.where(labels[:, None], logits[:, ::-1], logits), labels)


def test_a_difference_of_one_picture_decides_nothing():
    labels = np.arange(100) % 2
    alone = np.random.default_rng(2).uniform(0.2, 0.9, 100)
    one_more = alone.copy()
    one_more[np.flatnonzero(alone < 0.5)[0]] = 0.55
    assert left_out(one_more, labels).right == pytest.approx(left_out(alone, labels).right + 0.01)
    assert _judged(left_out(alone, labels), left_out(one_more, labels)) == "unclear"
    assert _judged(left_out(one_more, labels), left_out(alone, labels)) == "no"
    # Of unequal classes each counts alike, as in the figures beside it.
    rare = np.array([0.9] * 9 + [0.1])
    assert left_out(rare, (np.arange(10) == 9).astype(int)).right == pytest.approx(0.5)
    likelier = np.minimum(alone + 0.08, 0.97)
    assert _judged(left_out(alone, labels), left_out(likelier, labels)) == "yes"


def test_left_out_pictures_say_how_sure_a_layer_should_be():
    labels = np.zeros(100, int)
    # Right of four in five, and says that it is sure.
    over = LeftOut(np.where(np.arange(100)[:, None] % 5 > 0, [6.0, 0.0], [0.0, 6.0]), labels)
    believed = over.shares()
    assert believed.max() == pytest.approx(0.8, abs=0.02)
    layer = LinearHead(np.array([[6.0], [0.0]]), np.zeros(2)).turned(over.turn)
    assert softmax(layer.logits(np.ones((1, 1))))[0, 0] == pytest.approx(believed.max())


@pytest.mark.parametrize(
    ("helps", "says"),
    [
        ("yes", "7 pictures without labels learnt from too, as true classes"),
        ("no", "those without labels do not help"),
        ("unclear", "those without labels are left off, as left-out pictures do not clearly say"),
    ],
)
def test_what_became_of_pictures_without_labels_is_said(helps, says):
    right = {"linear": 0.7, "labelled": 0.71, "unlabelled": 0.72}
    layer = class_means(np.eye(3), np.arange(3), 3).layer
    told = _told(Solved(layer, "linear", 0.1, right, 24, 7, helps=helps), ("a", "b", "c"))
    assert says in told
    assert told.endswith("(right in folds: 71.0% without them, 72.0% with them)")
