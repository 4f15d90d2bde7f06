"""A2dele's losses, by hand and by their rules."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from viewfinder.errors import InputError
from viewfinder.tasks.saliency.losses import attention_target, distillation_loss, teacher_loss

SHAPE = (3, 2, 8, 10)


@pytest.fixture
def case():
    """Logits of student, three attention maps and teacher, and a mask."""
    student = torch.randn(SHAPE, requires_grad=True)
    attentions = [torch.randn(3, 1, 8, 10, requires_grad=True) for _ in range(3)]
    mask = (torch.rand(3, 8, 10) > 0.6).to(torch.uint8)
    teacher = (3 * torch.randn(SHAPE)).requires_grad_()
    return student, attentions, mask, teacher


def cross_entropy_by_hand(logits, mask, temperature=1.0):
    """Mean over pixels of −log softmax[truth], in float64 numpy."""
    scaled = logits.detach().double().numpy() / temperature
    exponent = np.exp(scaled - scaled.max(1, keepdims=True))
    shares = exponent / exponent.sum(1, keepdims=True)
    truth = mask.numpy().astype(int)
    return -np.log(np.take_along_axis(shares, truth[:, None], 1)[:, 0]).mean((1, 2))


def softmax(logits, temperature):
    exponent = np.exp(logits.detach().double().numpy() / temperature)
    return exponent / exponent.sum(1, keepdims=True)


def divergence_by_hand(student, teacher, temperature):
    """KL(teacher ‖ student) of each pixel, averaged over each picture."""
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return (p * np.log(p / q)).sum(1).mean((1, 2))


def test_one_pixel_by_hand():
    # Student 0.5 / 0.5, teacher's odds e^(2/2) at temperature 2.
    student = torch.zeros(1, 2, 1, 1)
    teacher = torch.tensor([0.0, 2.0]).view(1, 2, 1, 1)
    p = math.e / (1 + math.e)
    terms = distillation_loss(
        student, [], torch.ones(1, 1, 1), teacher,
        weight="adaptive", alpha=2.0, temperature=2.0, attention="none",
    )  # fmt: skip
    divergence = p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))
    share = math.exp(-2 * -math.log(p))
    assert terms.truth.item() == pytest.approx(math.log(2))
    assert terms.teacher.item() == pytest.approx(-math.log(p))
    assert terms.imitation.item() == pytest.approx(4 * divergence / 2, rel=1e-5)
    assert terms.weight.item() == pytest.approx(share)
    mixed = (1 - share) * math.log(2) + share * 2 * divergence
    assert terms.total.item() == pytest.approx(mixed, rel=1e-5)
    assert terms.attention.item() == 0


def test_every_term_equals_its_formula(case):
    student, attentions, mask, teacher = case
    terms = distillation_loss(
        student, attentions, mask, teacher, weight="adaptive", alpha=0.7, attention="plain"
    )
    truth = cross_entropy_by_hand(student, mask).mean()
    error = cross_entropy_by_hand(teacher, mask, 20).mean()
    imitation = 400 * divergence_by_hand(student, teacher, 20).mean() / 2
    target = softmax(teacher, 1)[:, 1:]
    attention = sum(
        (np.logaddexp(0, x) - x * target).mean()
        for x in (a.detach().double().numpy() for a in attentions)
    )
    share = math.exp(-0.7 * error)
    assert terms.truth.item() == pytest.approx(truth, rel=1e-5)
    assert terms.teacher.item() == pytest.approx(error, rel=1e-5)
    assert terms.imitation.item() == pytest.approx(imitation, rel=1e-4)
    assert terms.attention.item() == pytest.approx(attention, rel=1e-5)
    assert terms.weight.item() == pytest.approx(share, rel=1e-5)
    total = (1 - share) * truth + share * imitation + attention
    assert terms.total.item() == pytest.approx(total, rel=1e-4)


def test_the_names_under_which_the_terms_are_told(case):
    student, attentions, mask, teacher = case
    terms = distillation_loss(
        student, attentions, mask, teacher, weight="adaptive", attention="plain"
    )
    named = terms.named()
    assert [name for name in named if not name.startswith("_")] == ["total"]
    assert named["total"] is terms.total
    assert named["_weight"].item() == terms.weight.item()
    assert not any(value.requires_grad for name, value in named.items() if name != "total")


def test_the_half_of_the_divergence_is_torchs_mean_over_the_classes(case):
    student, _, mask, teacher = case
    terms = distillation_loss(student, [], mask, teacher, weight=1, attention="none")
    pointwise = functional.kl_div(
        functional.log_softmax(student / 20, 1), functional.softmax(teacher / 20, 1),
        reduction="sum",
    )  # fmt: skip
    published = 400 * pointwise / student.numel()
    assert terms.imitation.item() == pytest.approx(published.item(), rel=1e-3)
    assert terms.total is not terms.truth
    assert terms.total.item() == terms.imitation.item()


@pytest.mark.parametrize(
    ("error", "share"),
    [(0.001, 0.93), (0.005, 0.70), (0.01, 0.50), (0.02, 0.25), (0.03, 0.12), (0.05, 0.03)],
)
def test_the_published_table_of_weights(error, share):
    # Logits whose cross-entropy at temperature 20 is `error` on every pixel.
    odds = 20 * -math.log(math.expm1(error))
    mask = torch.ones(2, 4, 4)
    teacher = torch.stack([torch.zeros(2, 4, 4), torch.full((2, 4, 4), odds)], 1)
    terms = distillation_loss(
        torch.zeros(2, 2, 4, 4), [], mask, teacher, weight="adaptive", attention="none"
    )
    assert terms.teacher.item() == pytest.approx(error, rel=1e-3)
    assert terms.weight.item() == pytest.approx(share, abs=0.005)


def test_by_picture_each_has_its_own_weight(case):
    student, _, mask, teacher = case
    together = {"weight": "adaptive-picture", "alpha": 2.0, "attention": "none"}
    terms = distillation_loss(student, [], mask, teacher, **together)
    alone = [
        distillation_loss(student[i : i + 1], [], mask[i : i + 1], teacher[i : i + 1], **together)
        for i in range(3)
    ]
    for name in ("total", "truth", "imitation", "teacher", "weight"):
        mean = torch.stack([getattr(one, name) for one in alone]).mean()
        assert torch.allclose(getattr(terms, name), mean, rtol=1e-5)
    batch = distillation_loss(
        student[:1], [], mask[:1], teacher[:1], weight="adaptive", alpha=2.0, attention="none"
    )
    assert torch.allclose(batch.total, alone[0].total)


def test_a_weight_of_0_is_plain_cross_entropy_to_the_last_bit(case):
    student, _, mask, teacher = case
    teacher = teacher.detach() * math.inf  # even one that has gone mad
    plain = functional.cross_entropy(student, mask.long(), reduction="none").mean((1, 2)).mean()
    (expected,) = torch.autograd.grad(plain, student)
    for given_teacher in (teacher, None):
        terms = distillation_loss(student, [], mask, given_teacher, weight=0, attention="none")
        (gradient,) = torch.autograd.grad(terms.total, student)
        assert torch.equal(gradient, expected)
        assert terms.weight.item() == 0


def test_a_weight_of_1_hears_nothing_of_the_mask(case):
    student, _, mask, teacher = case
    gradients = []
    for truth in (mask, 1 - mask):
        terms = distillation_loss(student, [], truth, teacher, weight=1.0, attention="none")
        gradients += torch.autograd.grad(terms.total, student)
    assert torch.equal(*gradients)
    assert gradients[0].abs().sum() > 0


def test_a_fixed_weight_mixes_the_two(case):
    student, _, mask, teacher = case
    half, none, all_ = (
        distillation_loss(student, [], mask, teacher, weight=w, attention="none").total
        for w in (0.5, 0.0, 1.0)
    )
    assert torch.allclose(half, (none + all_) / 2)


@pytest.mark.parametrize("weight", [0, 0.5, 1, "adaptive", "adaptive-picture"])
@pytest.mark.parametrize("attention", ["none", "plain", "dilated"])
def test_no_gradient_reaches_the_teacher(case, weight, attention):
    student, attentions, mask, teacher = case
    terms = distillation_loss(
        student, attentions, mask, teacher, weight=weight, attention=attention, dilation=3
    )
    terms.total.backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert all((a.grad is None) == (attention == "none") for a in attentions)
    assert not terms.weight.requires_grad
    assert not terms.teacher.requires_grad


@pytest.mark.parametrize("truth", [0, 1])
def test_a_mask_of_one_class(case, truth):
    student, attentions, _, teacher = case
    mask = torch.full((3, 8, 10), truth)
    terms = distillation_loss(
        student, attentions, mask, teacher, weight="adaptive", attention="dilated"
    )
    terms.total.backward()
    assert torch.isfinite(terms.total)
    assert torch.isfinite(student.grad).all()


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from([1, 3, 5, 11]), st.integers(1, 9), st.integers(1, 9))
def test_the_dilated_target_is_the_greatest_of_each_square(seed, dilation, height, width):
    generator = torch.Generator().manual_seed(seed)
    teacher = 4 * torch.randn(2, 2, height, width, generator=generator)
    target = attention_target(teacher, dilation=dilation)
    shares = softmax(teacher, 1)[:, 1]
    reach = dilation // 2
    for y in range(height):
        for x in range(width):
            square = shares[:, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            expected = square.max((1, 2))
            np.testing.assert_allclose(target[:, 0, y, x].numpy(), expected, rtol=1e-5, atol=1e-7)


def test_half_precision_is_added_up_in_single(case):
    student, attentions, mask, teacher = case
    rounded = [t.detach().bfloat16() for t in (student, *attentions, teacher)]
    options = {"weight": 0.5, "attention": "dilated"}
    low = distillation_loss(rounded[0], rounded[1:4], mask, rounded[4], **options)
    full = distillation_loss(
        rounded[0].float(), [a.float() for a in rounded[1:4]], mask, rounded[4].float(), **options
    )
    assert low.total.dtype == torch.float32
    assert torch.equal(low.total, full.total)


def test_the_teachers_own_loss(case):
    _, _, mask, teacher = case
    value = teacher_loss(teacher, mask)
    expected = cross_entropy_by_hand(teacher, mask, 20).mean()
    assert value.item() == pytest.approx(expected, rel=1e-5)
    value.backward()
    assert teacher.grad.abs().sum() > 0
    cooler = cross_entropy_by_hand(teacher, mask, 5).mean()
    assert teacher_loss(teacher, mask, temperature=5).item() == pytest.approx(cooler, rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": 1.5},
        {"weight": -0.1},
        {"weight": math.nan},
        {"weight": "adaptiv"},
        {"temperature": 0},
        {"dilation": 10},
        {"dilation": 0},
    ],
)
def test_choices_out_of_range_are_refused(case, wrong):
    student, attentions, mask, teacher = case
    options = {"weight": 0.5, "attention": "dilated"} | wrong
    with pytest.raises(InputError, match=next(iter(wrong))):
        distillation_loss(student, attentions, mask, teacher, **options)


def test_choices_that_need_a_teacher_say_so(case):
    student, attentions, mask, _ = case
    for weight, attention in ((0.5, "none"), ("adaptive", "none"), (0, "plain")):
        with pytest.raises(ValueError, match="teacher"):
            distillation_loss(student, attentions, mask, None, weight=weight, attention=attention)


@pytest.mark.parametrize("weight", [0, 0.5, 1, "adaptive", "adaptive-picture"])
@pytest.mark.parametrize("attention", ["none", "dilated"])
def test_a_picture_whose_depth_the_teacher_did_not_see_is_learnt_from_its_mask(
    case, weight, attention
):
    student, attentions, mask, teacher = case
    choices = {"weight": weight, "alpha": 2.0, "attention": attention, "dilation": 3}
    seen = torch.tensor([True, False, True])
    terms = distillation_loss(student, attentions, mask, teacher, **choices, seen=seen)
    shown = distillation_loss(
        student[seen], [a[seen] for a in attentions], mask[seen], teacher[seen], **choices
    )
    alone = distillation_loss(student[1:2], [], mask[1:2], None, weight=0, attention="none")
    assert terms.total.item() == pytest.approx((2 * shown.total + alone.total).item() / 3, rel=1e-5)
    assert terms.weight.item() == pytest.approx(2 * shown.weight.item() / 3, rel=1e-5)
    for name in ("imitation", "teacher"):
        assert getattr(terms, name).item() == pytest.approx(getattr(shown, name).item(), rel=1e-5)
    everything = distillation_loss(student, attentions, mask, teacher, **choices, seen=seen | True)
    assert torch.equal(
        everything.total,
        distillation_loss(student, attentions, mask, teacher, **choices).total,
    )
    blind = distillation_loss(student, attentions, mask, teacher, **choices, seen=seen & False)
    assert blind.weight.item() == blind.attention.item() == blind.teacher.item() == 0
    assert torch.equal(blind.total, blind.truth)
