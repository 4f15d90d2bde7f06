"""Labels that may be wrong are told from those that are right."""

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.doubting import doubts


def objects(count=240, classes=4, seed=0):
    """Crops of classes that are alike within and differ between, of sizes of their own."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = np.eye(classes, 24)[labels] + random.normal(0, 0.15, (count, 24))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    side = 20 + 10 * labels + random.uniform(0, 8, count)
    corners = np.column_stack([np.zeros((count, 2)), side, side])
    return features.astype(np.float32), corners, labels


def test_labels_that_were_swapped_are_in_front_with_what_they_were():
    features, corners, labels = objects()
    wrong = np.random.default_rng(1).choice(len(labels), 12, replace=False)
    given = labels.copy()
    given[wrong] = (given[wrong] + 1) % 4
    found = doubts(features, corners, given)
    front = np.argsort(-found.amounts)[: round(0.1 * len(labels))]
    assert set(wrong.tolist()) <= set(front.tolist())
    assert (found.others[wrong] == labels[wrong]).all()
    assert (found.amounts[wrong] > 0).all()
    assert (np.delete(found.amounts, wrong) < 0).mean() > 0.97


def test_classes_of_few_objects_are_not_doubted_for_being_few():
    features, corners, labels = objects(400)
    few = (labels != 3) | (np.arange(400) < 40)
    found = doubts(features[few], corners[few], labels[few])
    assert (found.amounts[labels[few] == 3] < 0).mean() > 0.8


@pytest.mark.parametrize(("count", "classes"), [(0, 1), (19, 4), (40, 1)])
def test_nobody_to_ask_is_said(count, classes):
    with pytest.raises(InputError, match="label more first"):
        doubts(*objects(count, classes))


def test_as_many_are_named_as_half_of_which_may_be_wrong():
    """Though a judge that knows little doubts many more."""
    features, corners, labels = objects(600, classes=6, seed=3)
    random = np.random.default_rng(2)
    features = features + random.normal(0, 0.16, features.shape).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    corners[:] = (0, 0, 30, 30)
    clean = doubts(features, corners, labels)
    wrong = random.choice(600, 40, replace=False)
    given = labels.copy()
    given[wrong] = (given[wrong] + random.integers(1, 6, 40)) % 6
    found = doubts(features, corners, given)
    front = np.argsort(-found.amounts)[: found.named]
    hits = int(np.isin(front, wrong).sum())
    assert hits >= 30
    assert hits >= 0.35 * found.named
    assert hits <= 1.3 * found.wrong
    assert found.named <= 2 * found.wrong < 2 * found.named
    assert clean.named < found.named / 3
