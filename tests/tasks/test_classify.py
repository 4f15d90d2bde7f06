"""The loss and the scores, against numbers worked by hand and arithmetic written another way."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viewfinder.tasks.classify.answering import decode
from viewfinder.tasks.classify.scores import score
from viewfinder.tasks.classify.steps import loss as classify_loss


def test_the_loss_of_two_pictures_worked_by_hand():
    # exp gives 1 and 3 of 4, then 1 and 1 of 2.
    logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    loss = classify_loss(logits, torch.tensor([1, 0]), label_smoothing=0.0)
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    # Smoothing by 0.2 makes the truth 0.9 and 0.1.
    smoothed = classify_loss(logits, torch.tensor([1, 0]), label_smoothing=0.2)
    first = 0.9 * math.log(4 / 3) + 0.1 * math.log(4)
    assert smoothed.item() == pytest.approx((first + math.log(2)) / 2)


def test_auxiliary_heads_count_three_tenths_each():
    random = torch.Generator().manual_seed(1)
    heads = tuple(torch.randn(5, 4, generator=random) for _ in range(3))
    labels = torch.tensor([0, 1, 2, 3, 0])
    alone = [torch.nn.CrossEntropyLoss(label_smoothing=0.1)(head, labels) for head in heads]
    together = classify_loss(heads, labels, label_smoothing=0.1)
    torch.testing.assert_close(together, alone[0] + 0.3 * alone[1] + 0.3 * alone[2])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_loss_is_taken_in_float32_whatever_the_logits(dtype):
    # Added up in 16 bits, 8 times 59,904 would be infinite or off by hundreds.
    logits = torch.tensor([[59904.0, 0.0]] * 8, dtype=dtype)
    loss = classify_loss(logits, torch.ones(8, dtype=torch.int64), label_smoothing=0.0)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(59904.0)


def test_probabilities_add_up_to_1_even_for_extreme_logits():
    logits = torch.tensor([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], dtype=torch.bfloat16)
    answers = decode(logits)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(answers[1], 1 / 3, atol=1e-6)


@st.composite
def judged(draw):
    count, classes = draw(st.integers(1, 30)), draw(st.integers(2, 6))
    raw = draw(hnp.arrays(np.float64, (count, classes), elements=st.floats(0.01, 1)))
    labels = draw(hnp.arrays(np.int64, count, elements=st.integers(0, classes - 1)))
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32), labels


@given(judged())
def test_scores_equal_counting_one_picture_at_a_time(pair):
    probabilities, labels = pair
    classes = probabilities.shape[1]
    scores = score(probabilities, labels)
    right, nats, confusion = 0, 0.0, [[0] * classes for _ in range(classes)]
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        answer = row.index(max(row))
        right += answer == label
        nats -= math.log(row[label])
        confusion[label][answer] += 1
    assert scores.accuracy == pytest.approx(right / len(labels))
    assert scores.loss == pytest.approx(nats / len(labels))
    assert scores.confusion.tolist() == confusion
    table = scores.per_class(tuple("abcdef"[:classes]))
    for index, row in enumerate(table.values()):
        there = int((labels == index).sum())
        answered = int((probabilities.argmax(axis=1) == index).sum())
        hit = confusion[index][index]
        assert row["images"] == there
        assert row["recall"] == (hit / there if there else None)
        assert row["precision"] == (hit / answered if answered else None)
        if there and answered and hit:
            recall, precision = hit / there, hit / answered
            assert row["f1"] == pytest.approx(2 * recall * precision / (recall + precision))


def test_what_cannot_be_said_of_a_class_is_none():
    # Three classes: `never` has no pictures and no answers, `missed` is never answered.
    probabilities = np.array([[1, 0, 0], [1, 0, 0]], np.float32)
    table = score(probabilities, np.array([0, 2])).per_class(("known", "never", "missed"))
    assert table["known"] == {
        "recall": 1.0,
        "precision": 0.5,
        "f1": pytest.approx(2 / 3),
        "images": 1,
    }
    assert table["never"] == {"recall": None, "precision": None, "f1": None, "images": 0}
    assert table["missed"] == {"recall": 0.0, "precision": None, "f1": 0.0, "images": 1}


def test_a_probability_of_zero_for_the_truth_is_a_large_loss_and_not_infinite():
    scores = score(np.array([[1, 0]], np.float32), np.array([1]))
    assert scores.loss == pytest.approx(-math.log(1e-12))
    assert scores.as_json(("a", "b"))["confusion"] == [[0, 0], [1, 0]]
