"""What a step of the two streams is made of: the pictures it sees, and the loss over them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viewfinder.datasets.augment import Changes
from viewfinder.datasets.dataset import Dataset
from viewfinder.devices import send
from viewfinder.events import note
from viewfinder.tasks.answering import one_tensor, several_tensors
from viewfinder.tasks.loss import Add, Forward, Loss, alone, share_of_step
from viewfinder.tasks.saliency import augment
from viewfinder.tasks.saliency.losses import distillation_loss, teacher_loss
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe


@dataclass(frozen=True, eq=False)
class SubjectBatch:
    """One step's pictures with masks and, for nets that learn of depth, depth maps.

    Attributes:
        pictures: N×3×H×W uint8.
        masks: N×H×W uint8 of 0 and 1.
        depths: N×1×H×W float32 in [0, 1], near = bright.
        seen: N bool, whose depth says anything: it is there, and not everywhere the same.
        changes: still to be made to all of them.
    """

    pictures: Tensor
    masks: Tensor
    depths: Tensor | None
    seen: Tensor | None
    changes: Changes

    def __len__(self) -> int:
        return len(self.masks)

    def to(self, device: torch.device) -> "SubjectBatch":
        """The same on another device."""
        return SubjectBatch(
            send(self.pictures, device),
            send(self.masks, device),
            None if self.depths is None else send(self.depths, device),
            None if self.seen is None else send(self.seen, device),
            self.changes,
        )

    def changed(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """N×3×H×W pictures in [0, 1], masks and depths, with the changes made."""
        return augment.apply(self.pictures.float() / 255, self.masks, self.depths, self.changes)


def note_what_is_learnt(train: Dataset, recipe: SaliencyRecipe) -> None:
    """Say whether there is a teacher, and what becomes of pictures without a depth map."""
    if recipe.teacher is None and recipe.net != DEPTH_NET:
        could_teach = f"; a run of {DEPTH_NET} on this set's depth could teach (--teacher)"
        note(f"no teacher: learning from the masks alone{could_teach if any(train.depths) else ''}")
        return
    if recipe.teacher is not None:
        note(f"taught by {recipe.teacher}, which sees each picture's depth, and by the masks")
    if 0 < (blind := train.depths.count("")) < len(train):
        what = "are learnt from their masks alone" if recipe.teacher else "are not learnt from"
        have = "has" if blind == 1 else "have"
        note(f"{blind:,} of {len(train):,} pictures {have} no depth map: they {what}")


def depth_loss(recipe: SaliencyRecipe) -> Loss[SubjectBatch]:
    """The depth stream's own loss."""

    def of(forward: Forward, inputs: SubjectBatch, add: Add = alone) -> dict[str, Tensor]:
        _, masks, depths = inputs.changed()
        assert depths is not None, "`open` has read depth for the net that wants it"
        value = teacher_loss(one_tensor(forward(depths)), masks, temperature=recipe.temperature)
        return {"cross_entropy": value * share_of_step(len(inputs), masks.device, add)}

    return of


def student_loss(recipe: SaliencyRecipe, teacher: nn.Module | None) -> Loss[SubjectBatch]:
    """The RGB stream's loss, from the masks and, if there is one, from its teacher."""

    def of(forward: Forward, inputs: SubjectBatch, add: Add = alone) -> dict[str, Tensor]:
        pictures, masks, depths = inputs.changed()
        logits, *attentions = several_tensors(forward(pictures))
        taught = None if teacher is None or depths is None else _taught(teacher, depths, logits)
        terms = distillation_loss(
            logits,
            attentions,
            masks,
            taught,
            weight=recipe.share_of_teacher(),
            alpha=recipe.alpha,
            temperature=recipe.temperature,
            attention=recipe.taught_attention(),
            dilation=recipe.dilation,
            seen=inputs.seen,
            add=add,
        )
        return terms.named() if teacher is not None else {"cross_entropy": terms.total}

    return of


@torch.no_grad()
def _taught(teacher: nn.Module, depths: Tensor, logits: Tensor) -> Tensor:
    """The teacher's logits, in the arithmetic that the student's came out of."""
    low = logits.dtype in (torch.float16, torch.bfloat16)
    with torch.autocast(depths.device.type, dtype=logits.dtype if low else None, enabled=low):
        answer: Tensor = teacher(depths)
    return answer
