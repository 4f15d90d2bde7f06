"""The heart of answering: prepared pictures through a model, and its answers as values.

Answers become the public JSON only where they leave, by `Answer.as_json`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.events import track
from viewfinder.pictures.geometry import Size
from viewfinder.runs.run import Run
from viewfinder.tasks import find
from viewfinder.tasks.task import Described, Setting, Task, Threshold

# On a CPU the maps of more pictures than this leave the caches, and each takes longer.
_BATCH = 16


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
    """

    source: str
    size: Size
    value: Described
    frame: int | None = None

    def as_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """`source, width, height`, `frame` in a video, and what the task's answer is called."""
        about = {"source": self.source, "width": self.size[0], "height": self.size[1]}
        frame = {} if self.frame is None else {"frame": self.frame}
        return about | frame | self.value.as_json(classes)


@dataclass(frozen=True)
class Model:
    """What is needed of a run to answer, found once for all pictures."""

    run: Run
    task: Task
    setting: Setting

    @staticmethod
    def of(run: Run) -> "Model":
        """The model of a run, whose weights are read when it is first asked."""
        return Model(run, find(run.manifest.task), run.setting())

    def prepare(self, picture: NDArray[Any], size: Size, source: str) -> Prepared:
        """A picture as the net takes it.

        Args:
            picture: may have been decoded smaller than the picture's own `size`.
        """
        pixels = self.task.prepare(picture, self.setting, of=size)
        # Copied, since a decoder may lend its own memory, which torch must not write to.
        return Prepared(source, size, torch.tensor(pixels).permute(2, 0, 1))

    def prepare_file(self, file: Path) -> Prepared:
        """A picture's file as the net takes it.

        Raises:
            InputError: it cannot be read.
        """
        picture, size = self.task.read(file, self.setting)
        return self.prepare(picture, size, str(file))

    def answers(
        self,
        pictures: Iterator[Prepared],
        total: int | None,
        *,
        device: torch.device,
        threshold: Threshold | None = None,
    ) -> Iterator[Answer]:
        """Answers to prepared pictures, batch by batch, as they come.

        Args:
            total: how many there will be, for the bar; None if that is not known.
            threshold: the least score that is answered, of each class if several; None leaves it to
                the task.
        """
        net = self.run.net_on(device)
        waiting: list[Prepared] = []
        for each in track(pictures, total=total, description="predicting"):
            waiting.append(each)
            if len(waiting) == _BATCH:
                yield from self._answer(net, waiting, device, threshold)
                waiting.clear()
        if waiting:
            yield from self._answer(net, waiting, device, threshold)

    def _answer(
        self,
        net: nn.Module,
        batch: list[Prepared],
        device: torch.device,
        threshold: Threshold | None,
    ) -> Iterator[Answer]:
        pixels = torch.stack([each.pixels for each in batch])
        replies = self.task.reply(net, pixels, self.setting, device)
        for each, reply in zip(batch, replies, strict=True):
            value = self.task.describe(reply, self.setting, of=each.size, threshold=threshold)
            yield Answer(each.source, each.size, value, each.frame)
