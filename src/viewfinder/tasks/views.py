"""Test-time augmentation: a picture is asked about several times, and answers are put together.

As it is and mirrored, and both again at another size. What that gains is for `evaluate --tta` to
say; it takes about as many times as long as there are views.
"""

import torch
from torch import Tensor
from torch.nn import functional

from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.model import Model, ModelConfig, with_habit

VIEWS = "views"
"""The name of a model's habit: whether it asks several times."""

_ZOOM = 1.15


def with_views(model: Model) -> Model:
    """The same model, asking about each picture several times.

    Raises:
        InputError: its task asks once.
    """
    if not find(model.config.task).has_views:
        raise InputError(
            f"--tta asks about several views of a picture, and {model.source} is a run of "
            f"{model.config.task}, which sees it once: leave it out"
        )
    return with_habit(model, VIEWS, True)


def several(config: ModelConfig) -> bool:
    """Whether each picture is asked about several times."""
    return bool(config.habits.get(VIEWS))


def nearer(pictures: Tensor) -> Tensor:
    """The middle of N×C×H×W float pictures, as large as they were."""
    height, width = pictures.shape[2:]
    top, left = (round(side * (1 - 1 / _ZOOM) / 2) for side in (height, width))
    return sized(pictures[:, :, top : height - top, left : width - left], (width, height))


def sized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """N×C×H×W float32 pictures in [0, 1] at another width and height."""
    found: Tensor = functional.interpolate(
        as_shares(pictures), size[::-1], mode="bilinear", antialias=True, align_corners=False
    )
    return found.clamp(0, 1)


def times(size: tuple[int, int], factor: float, stride: int) -> tuple[int, int]:
    """A width and height so many times as large, in whole strides, at least one."""
    width, height = (max(1, round(side * factor / stride)) * stride for side in size)
    return width, height


def mean_of(views: list[Tensor]) -> Tensor:
    """The mean of answers of one shape."""
    return torch.stack(views).mean(dim=0)
