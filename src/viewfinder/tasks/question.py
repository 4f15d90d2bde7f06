"""What can be asked of an answer: why this class, why this box, why this subject.

A task says what of its answers can be asked about (`Task.questions`); `attribution/` looks for the
reasons, without knowing of which task they are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from viewfinder.pictures.geometry import BoxArray, Matrix, transform_boxes
from viewfinder.tasks.answering import NetOutput, one_tensor, several_tensors

Corners = tuple[float, float, float, float]

# A box found in a changed picture is the same object where it overlaps so much.
_SAME = 0.5


@dataclass(frozen=True, eq=False)
class Question:
    """A score that an answer holds, and how it is read off any answer of the net.

    Attributes:
        name: the answer in a few words, such as `mug 81%`.
        shown: the score in it, in [0, 1]; None where there is none.
        label: the class index; None of a subject.
        box: x1, y1, x2, y2, in pixels of what the net is given; None of a whole picture.
        scores: of what the task's `portable` net gives to N pictures, N scores in [0, 1], through
            which gradients pass.
        local: whether it is about a place, or about the picture as a whole.
        encoder: whether the maps after the smallest are the answer itself already, and no reasons.
        moved: the same question of a picture that was moved; None where that is another question.
    """

    name: str
    label: int | None
    box: Corners | None
    scores: Callable[[NetOutput], Tensor]
    local: bool = False
    encoder: bool = False
    moved: "Callable[[Matrix], Question] | None" = None
    shown: float | None = None


def of_class(name: str, label: int, shown: float | None = None) -> Question:
    """Why a picture is of a class."""

    def moved(_: Matrix) -> Question:
        return asked

    asked = Question(name, label, None, lambda a: one_tensor(a)[:, label], moved=moved, shown=shown)
    return asked


def of_box(name: str, label: int, box: Corners, shown: float | None = None) -> Question:
    """Why there is an object of a class at a place: the best score of a box about there."""

    def scores(answer: NetOutput) -> Tensor:
        boxes, found = several_tensors(answer)
        there = _overlaps(boxes.detach(), box) > _SAME
        return torch.where(there, found[..., label], 0).amax(dim=1)

    def moved(way: Matrix) -> Question:
        (corners,) = transform_boxes(way, _row(box)).tolist()
        x1, y1, x2, y2 = corners
        return of_box(name, label, (x1, y1, x2, y2), shown)

    return Question(name, label, box, scores, local=True, moved=moved, shown=shown)


def of_region(name: str, region: Tensor) -> Question:
    """Why pixels are the subject's: the mean of the map over them.

    Args:
        region: H×W bool, not empty.
    """

    def scores(answer: NetOutput) -> Tensor:
        maps = one_tensor(answer)
        there = region.to(maps.device)
        return torch.where(there, maps, 0).sum((1, 2)) / there.sum()

    return Question(name, None, None, scores, local=True, encoder=True)


def _row(box: Corners) -> BoxArray:
    return torch.tensor([box]).numpy()


def _overlaps(boxes: Tensor, box: Corners) -> Tensor:
    """Intersection over union of N×P×4 boxes with one."""
    one = boxes.new_tensor(box)
    sides = torch.minimum(boxes[..., 2:], one[2:]) - torch.maximum(boxes[..., :2], one[:2])
    shared = sides.clamp(min=0).prod(dim=-1)
    areas = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)
    return shared / (areas + (one[2:] - one[:2]).prod() - shared).clamp(min=1e-9)
