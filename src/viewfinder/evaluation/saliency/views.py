"""A picture, its truth, what the net answers, and what it was taught and attends to."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.formats.rgbd.reading import read_nearness, read_subject
from viewfinder.evaluation.saliency.judged import SaliencyMaterial
from viewfinder.nets.a2dele import Gated
from viewfinder.pictures.drawing import as_grey
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.resampling import at_side, resample
from viewfinder.pictures.writing import picture_url
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks.answering import outputs
from viewfinder.tasks.saliency.examples import stretched
from viewfinder.tasks.saliency.recipe import DEPTH_NET
from viewfinder.tasks.saliency.teacher import read_teacher

# Longer side in pixels of the pictures in the report.
_SIDE = 240
_STRIDES = (4, 8, 16)


@dataclass(frozen=True)
class View:
    """One of the pictures that stand side by side: what it is, and a data URL."""

    what: str
    image: str


class Viewer:
    """The views of one run's pictures."""

    def __init__(self, material: SaliencyMaterial) -> None:
        recipe, model = material.recipe, material.run.model
        net = model.load()
        self.judged, self.config = material.judged, model.config
        # This net did not give the answers that folds held out.
        gives = material.split != HELD_OUT
        self.student = net if isinstance(net, Gated) and gives else None
        self.teacher = read_teacher(recipe.teacher, self.config.size) if recipe.teacher else None
        self.shows_depth = recipe.net == DEPTH_NET or self.teacher is not None

    def views(self, index: int) -> tuple[View, ...]:
        """Picture, truth and answer; and depth, the teacher's map and attention, where known."""
        examples = self.judged.examples
        picture = examples.picture(index)
        answer = self.judged.answers[index].at((picture.shape[1], picture.shape[0]))
        views = [
            _view("picture", picture),
            _view("truth", as_grey(read_subject(examples, index))),
            _view("answer", as_grey(answer)),
        ]
        size = (picture.shape[1], picture.shape[0])
        if self.shows_depth and examples.depths and examples.depths[index]:
            views += self._of_depth(read_nearness(examples, index), size)
        if self.student is not None:
            views += self._of_attention(picture)
        return tuple(views)

    def _of_depth(self, depth: NDArray[np.float32], size: tuple[int, int]) -> list[View]:
        """Depth, and the teacher's map of it."""
        views = [_view("depth", as_grey(_brought(depth, size)))]
        if self.teacher is not None:
            seen = _brought(depth, self.config.size)
            with torch.no_grad():
                logits: Tensor = self.teacher(torch.from_numpy(seen)[None, None])
            taught = logits.softmax(dim=1)[0, 1].numpy()
            views.append(_view("teacher", as_grey(_brought(taught, size))))
        return views

    def _of_attention(self, picture: NDArray[np.uint8]) -> list[View]:
        """How far each of the student's gates is open, where."""
        assert self.student is not None, "only the student attends"
        ready = torch.from_numpy(stretched(picture, self.config.size)[0].copy())
        pictures = ready.permute(2, 0, 1)[None]
        answer = outputs(self.student, pictures, self.config.normalisation, torch.device("cpu"))
        size = (picture.shape[1], picture.shape[0])
        return [
            _view(f"attention {stride}", as_grey(_brought(gate.sigmoid()[0, 0].numpy(), size)))
            for stride, gate in zip(_STRIDES, answer[1:], strict=True)
        ]


def _brought(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """H×W in [0, 1] at another width and height."""
    grown = resample(values, stretch((values.shape[1], values.shape[0]), size), size)
    # What is bilinear may leave [0, 1] by a rounding.
    return np.asarray(np.clip(grown, 0, 1), np.float32)


def _view(what: str, picture: NDArray[np.uint8]) -> View:
    return View(what, picture_url(at_side(picture, _SIDE)))
