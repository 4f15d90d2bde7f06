"""The heart of answering: prepared pictures through a model, and its answers as values.

Answers become the public JSON only where they leave, by `Answer.as_json`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.decoded import ahead
from viewfinder.events import track
from viewfinder.inference.documents import Prediction
from viewfinder.inference.quickening import quick_net
from viewfinder.pictures.geometry import Size
from viewfinder.tasks import find
from viewfinder.tasks.answering import Picture
from viewfinder.tasks.model import Model, Threshold
from viewfinder.tasks.parts import Described


@dataclass(frozen=True)
class Prepared:
    """A picture ready for a net.

    Attributes:
        size: width and height of the picture itself.
        frame: its number in a video, from 0.
        pixels: as the net is given it: 3×H×W uint8 or float32 in [0, 1], 1×H×W float32 of depth.
    """

    source: str
    size: Size
    pixels: Tensor
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of one picture.

    Attributes:
        size: width and height of the picture.
        value: what its task finds, in the picture's own pixels.
        frame: its number in a video, from 0.
        distance: how far the picture lies from what was learnt, in limits; None if not asked for.
    """

    source: str
    size: Size
    value: Described
    frame: int | None = None
    distance: float | None = None

    @property
    def unlike(self) -> bool:
        """Whether the picture is said to be unlike what was learnt."""
        return self.distance is not None and self.distance > 1

    def as_json(self, classes: tuple[str, ...]) -> Prediction:
        """`source, width, height`, `frame` in a video, what the task's answer is called, and
        `distance, unlike` where that was asked for."""
        frame = {} if self.frame is None else {"frame": self.frame}
        width, height = self.size
        document: dict[str, object] = {"source": self.source, "width": width, "height": height}
        document |= frame | dict(self.value.as_json(classes))
        if self.distance is not None:
            document |= {"distance": round(self.distance, 4), "unlike": self.unlike}
        return cast(Prediction, document)


class Familiar(Protocol):
    """What tells how far pictures lie from what was learnt: `learnt.unlike.Familiarity`."""

    def distances(self, predictor: "Predictor", pixels: Tensor) -> NDArray[np.float64]: ...


class Predictor:
    """A model that answers one picture after another; its weights are read for the first."""

    def __init__(
        self,
        model: Model,
        *,
        device: torch.device,
        threshold: Threshold | None = None,
        familiar: Familiar | None = None,
    ) -> None:
        """Make one.

        Args:
            threshold: the least score that is answered, of each class if several; None leaves it to
                the task.
            familiar: measures how far each picture lies from what was learnt.
        """
        self.familiar = familiar
        self.model, self.device, self.threshold = model, device, threshold
        self.task = find(model.config.task)
        self._expected: int | None = None

    @cached_property
    def net(self) -> nn.Module:
        """The net on its device, as it is written."""
        return self.model.load_on(self.device)

    @cached_property
    def _quick(self) -> nn.Module:
        """The net on its device, as it answers soonest."""
        return quick_net(self.model, self.device, pictures=self._expected)

    def files(self, folder: Path) -> list[Path]:
        """The files below a folder that the model can be asked about, in a fixed order."""
        return self.task.files(folder, self.model.config)

    def prepare(self, picture: Picture, size: Size, source: str) -> Prepared:
        """A picture as the net takes it.

        Args:
            picture: may have been decoded smaller than the picture's own `size`.
        """
        pixels = self.task.prepare(picture, self.model.config, of=size)
        # Copied, since a decoder may lend its own memory, which torch must not write to.
        return Prepared(source, size, torch.tensor(pixels).permute(2, 0, 1))

    def prepare_file(self, file: Path) -> Prepared:
        """A picture's file as the net takes it.

        Raises:
            InputError: it cannot be read.
        """
        picture, size = self.task.read(file, self.model.config)
        return self.prepare(picture, size, str(file))

    def answers(self, pictures: Iterable[Prepared], total: int | None) -> Iterator[Answer]:
        """Answers to prepared pictures, as they come: while the net computes, a thread makes more.

        Args:
            total: how many there will be, for the bar; None if that is not known.
        """
        self._expected = total
        _ = self._quick  # Its weights are read before any picture is.
        batches = ahead(_batched(pictures, self.task.together(self.model.config)))
        found = (each for batch in batches for each in self.at_once(batch))
        return iter(track(found, total=total, description="predicting"))

    def at_once(self, batch: Sequence[Prepared]) -> Iterator[Answer]:
        """Answers to pictures that the net is given together."""
        config = self.model.config
        pixels = torch.stack([each.pixels for each in batch])
        replies = self.task.reply(self._quick, pixels, config, self.device)
        far: list[float] | list[None] = [None] * len(batch)
        if self.familiar is not None:
            far = self.familiar.distances(self, pixels).tolist()
        for each, reply, distance in zip(batch, replies, far, strict=True):
            value = self.task.describe(reply, config, of=each.size, threshold=self.threshold)
            yield Answer(each.source, each.size, value, each.frame, distance)


def _batched(pictures: Iterable[Prepared], size: int) -> Iterator[list[Prepared]]:
    rest = iter(pictures)
    while batch := list(islice(rest, size)):
        yield batch
