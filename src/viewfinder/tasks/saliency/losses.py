"""What A2dele's two streams minimise: the teacher its own error, the student truth and teacher.

Piao et al. 2020. S are the student's logits, D the teacher's, Y is the mask; means are over pixels:

    L_gt   = CE(S, Y)
    L_kd   = T² · KL(softmax(D / T) ‖ softmax(S / T)) / 2
    L_d    = CE(D / T, Y)
    λ      = exp(−α · L_d)
    L_att  = Σ BCE(attention map, softmax(D)[subject], dilated), over the three maps
    loss   = (1 − λ) · L_gt + λ · L_kd + L_att

So a teacher that is right about a batch is imitated, and one that is wrong is passed over; of a
picture without depth, the mask alone counts. The half in L_kd is the authors' program's, whose mean
runs over the two classes as well. λ = 0 is training on the masks alone, λ = 1 on the teacher alone.
The dilation makes the attention maps cover all of the subject: what a gate shuts off is lost for
good, while a rim of background costs little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from viewfinder.errors import InputError
from viewfinder.tasks.loss import Add, alone, share_of_step
from viewfinder.tasks.saliency.recipe import Attention, Weight


@dataclass(frozen=True, eq=False)
class Terms:
    """One step's loss and what it is made of, each a single number.

    Where several processes share the step, each number is this process's part of it, and the parts
    add up.

    Attributes:
        total: what is minimised.
        truth: L_gt.
        imitation: L_kd; 0 without a teacher.
        attention: L_att; 0 where no attention is taught.
        teacher: L_d, the teacher's own error; 0 without a teacher.
        weight: λ, its mean where each picture has its own.
    """

    total: Tensor
    truth: Tensor
    imitation: Tensor
    attention: Tensor
    teacher: Tensor
    weight: Tensor

    def named(self) -> dict[str, Tensor]:
        """What `tasks.loss.Loss` returns: what is minimised, and its parts to be shown."""
        parts = ("truth", "imitation", "attention", "teacher", "weight")
        return {"total": self.total} | {f"_{name}": getattr(self, name).detach() for name in parts}


def distillation_loss(
    student_logits: Tensor,
    attentions: Sequence[Tensor],
    mask: Tensor,
    teacher_logits: Tensor | None,
    *,
    weight: Weight,
    alpha: float = 70.0,
    temperature: float = 20.0,
    attention: Attention,
    dilation: int = 11,
    seen: Tensor | None = None,
    add: Add = alone,
) -> Terms:
    """The student's loss; the teacher's logits get no gradient.

    Args:
        student_logits: N×2×H×W.
        attentions: logits of attention maps, each N×1×H×W.
        mask: N×H×W of 0 and 1.
        teacher_logits: N×2×H×W, or None where `weight` is 0 and `attention` is "none".
        alpha: how fast λ falls with the teacher's error.
        temperature: T, which both logits are divided by in L_kd and L_d.
        dilation: side of the square that the teacher's map is dilated by, in pixels; odd.
        seen: N bool, the pictures whose depth the teacher saw; None is all of them. Of the others
            the masks alone are learnt: their λ is 0, and their attention maps are taught nothing.
        add: adds numbers up over the processes that share the step. An adaptive λ follows the
            teacher's error on the pictures of all of them.

    Raises:
        InputError: `weight`, `temperature` or `dilation` is out of range.
        ValueError: the choices need a teacher, and there is none.
    """
    _check(weight, temperature, dilation)
    student = student_logits.float()
    truth = functional.cross_entropy(student, mask.long(), reduction="none").mean((1, 2))  # N
    none = truth.new_zeros(())
    if teacher_logits is None:
        if weight != 0 or attention != "none":
            raise ValueError("only a weight of 0 without attention needs no teacher's logits")
        alone_part = truth.mean() * share_of_step(len(mask), mask.device, add)
        return Terms(alone_part, alone_part, none, none, none, none)
    teacher = teacher_logits.detach().float()
    known = torch.ones_like(mask[:, 0, 0], dtype=torch.bool) if seen is None else seen  # N
    error = _errors(teacher, mask, temperature)  # N
    imitation = _imitation(student, teacher, temperature)  # N
    pictures, seen_by_teacher, errors = add(
        torch.stack([truth.new_tensor(len(mask)), known.sum().float(), _sum_of(error, known)])
    )
    seen_by_teacher = seen_by_teacher.clamp(min=1)
    share = _share(error, errors / seen_by_teacher, weight, alpha, known)  # N
    if weight == 0:
        # Not 0 · imitation, which would be no number where imitation is infinite.
        mixed = truth
    elif weight == 1:
        mixed = torch.where(known, imitation, truth)
    else:
        mixed = torch.where(known, (1 - share) * truth + share * imitation, truth)
    total, taught = mixed.sum() / pictures, none
    if attention != "none":
        target = attention_target(teacher, dilation=dilation if attention == "dilated" else 1)
        misses = torch.stack([_binary(logits.float(), target) for logits in attentions]).sum(0)  # N
        taught = _sum_of(misses, known) / pictures
        total = total + taught
    return Terms(
        total=total,
        truth=truth.sum() / pictures,
        imitation=_sum_of(imitation, known) / seen_by_teacher,
        attention=taught,
        teacher=_sum_of(error, known) / seen_by_teacher,
        weight=share.sum() / pictures,
    )


def teacher_loss(depth_logits: Tensor, mask: Tensor, *, temperature: float = 20.0) -> Tensor:
    """The depth stream's own loss, L_d: N×2×H×W logits against N×H×W of 0 and 1."""
    return functional.cross_entropy(depth_logits.float() / temperature, mask.long())


def attention_target(teacher_logits: Tensor, *, dilation: int) -> Tensor:
    """What attention maps learn: N×1×H×W, the greatest share of subject within a square.

    Args:
        teacher_logits: N×2×H×W; their softmax is taken at temperature 1.
        dilation: side of the square in pixels, odd; 1 leaves the map as it is.
    """
    subject = teacher_logits.detach().float().softmax(dim=1)[:, 1:]
    if dilation == 1:
        return subject
    # Down the columns and then along the rows is the same, and 2·11 comparisons instead of 11².
    for window, reach in (((dilation, 1), (dilation // 2, 0)), ((1, dilation), (0, dilation // 2))):
        subject = functional.max_pool2d(subject, window, stride=1, padding=reach)
    return subject


def _check(weight: Weight, temperature: float, dilation: int) -> None:
    named = weight in ("adaptive", "adaptive-picture")
    if not named and not (isinstance(weight, int | float) and 0 <= weight <= 1):
        raise InputError(
            f"the weight of distillation must be from 0 to 1, `adaptive` or `adaptive-picture`, "
            f"not {weight!r}"
        )
    if not temperature > 0:
        raise InputError(f"the temperature must be above 0, not {temperature:g}")
    if dilation < 1 or dilation % 2 == 0:
        raise InputError(f"the dilation must be an odd number of pixels, not {dilation}")


def _errors(teacher: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """L_d of each picture: N."""
    losses = functional.cross_entropy(teacher / temperature, mask.long(), reduction="none")
    return losses.mean((1, 2))


def _imitation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """L_kd of each picture: N."""
    divergence = functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
        reduction="none",
        log_target=True,
    )
    # The mean over two classes is half of the divergence, which is their sum.
    return temperature**2 * divergence.mean((1, 2, 3))


def _share(error: Tensor, of_step: Tensor, weight: Weight, alpha: float, known: Tensor) -> Tensor:
    """λ of each picture: N.

    Args:
        error: of the teacher on each picture, N.
        of_step: its mean over the pictures that it saw in the whole step.
    """
    if weight == "adaptive":
        share = torch.exp(-alpha * of_step).expand_as(error)
    elif weight == "adaptive-picture":
        share = torch.exp(-alpha * error)
    else:
        share = torch.full_like(error, float(weight))
    return torch.where(known, share, 0)


def _sum_of(values: Tensor, known: Tensor) -> Tensor:
    """The sum over the pictures that are known; 0 where none is."""
    return torch.where(known, values, 0).sum()


def _binary(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of each picture: N."""
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return losses.mean((1, 2, 3))
