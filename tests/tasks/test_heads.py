"""A last layer learnt by itself: equal to what it says it is, and chosen by left-out pictures."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from viewfinder.tasks.classify.heads import class_means, folds, logistic
from viewfinder.tasks.classify.last_layer import VectorExamples, solve


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
    layer = class_means(x, labels, classes)
    np.testing.assert_array_equal(layer.logits(asked).argmax(1), nearest)


def test_their_temperature_is_the_likeliest_for_pictures_left_out():
    """Against means that are truly made anew without each picture."""
    x, labels, _ = clusters(np.random.default_rng(0), each=5, spread=2.0)
    layer = class_means(x, labels, 3)
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


@pytest.mark.parametrize("each", [4, 30])
def test_logistic_regression_is_at_its_optimum(each):
    """Its gradient, by autograd in the vectors' own coordinates, is nothing."""
    x, labels, _ = clusters(np.random.default_rng(1), each=each)
    weights = np.random.default_rng(2).uniform(0.2, 2, len(labels))
    layer = logistic(x, labels, 3, decay=0.05, weights=weights)
    mean, deviation = x.mean(0), x.std()
    w = torch.tensor(layer.weight * deviation, requires_grad=True)
    b = torch.tensor(layer.bias + layer.weight @ mean, requires_grad=True)
    logits = torch.from_numpy((x - mean) / deviation) @ w.T + b
    surprise = functional.cross_entropy(logits, torch.from_numpy(labels), reduction="none")
    share = torch.from_numpy(weights / weights.sum())
    ((share * surprise).sum() + 0.025 * (w**2).sum()).backward()
    assert max(w.grad.abs().max(), b.grad.abs().max()) < 1e-4


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
    assert solved.right["class means"] < 0.9 < max(solved.right.values())
    assert solve(VectorExamples(x[:, None], labels, 2), ("prototypes",)).way == "prototypes"


def test_a_picture_a_class_is_learnt_though_none_can_be_left_out():
    solved = solve(VectorExamples(np.eye(3)[:, None], np.arange(3), 3), ("prototypes", "linear"))
    assert (solved.right, solved.pictures) == ({}, 0)
    np.testing.assert_array_equal(solved.layer.logits(np.eye(3)).argmax(1), np.arange(3))


@pytest.mark.parametrize("helps", [True, False])
def test_pictures_without_labels_are_used_only_where_left_out_ones_gain(helps):
    rng = np.random.default_rng(5)
    x, labels, centres = clusters(rng, each=5, spread=1.6)
    more = centres[rng.integers(0, 3, 300)] + 1.6 * rng.normal(size=(300, 20))
    other = rng.normal(size=(300, 20)) * 8
    solved = solve(VectorExamples(x[:, None], labels, 3), ("linear",), more if helps else other)
    chosen = max(share for name, share in solved.right.items() if name != "unlabelled")
    assert (solved.believed > 0) == (solved.right["unlabelled"] > chosen) == helps
