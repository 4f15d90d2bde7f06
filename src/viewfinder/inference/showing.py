"""Answers as a notebook shows them: each picture with its answer drawn on it."""

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.inference.answers import Answer
from viewfinder.inference.documents import Prediction
from viewfinder.inference.drawing import picture_of
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.video import read_video
from viewfinder.pictures.writing import picture_url
from viewfinder.wording import counted, shown

# Pictures that are shown, and the longer side of each in pixels.
_MOST, _SIDE = 12, 280


class Predictions(list[Prediction]):
    """The answers of `predict` as JSON has them, a list that a notebook shows as pictures.

    Attributes:
        answers: the same as arrays, a subject with its map.
        classes: the names that labels of these arrays count; the last may be what is unknown.
    """

    def __init__(
        self, answers: Iterable[Answer], *, classes: tuple[str, ...], bits: int = 16
    ) -> None:
        self.answers = tuple(answers)
        super().__init__(answer.as_json(classes) for answer in self.answers)
        self.classes, self._bits = classes, bits

    @overload
    def __getitem__(self, at: SupportsIndex) -> Prediction: ...

    @overload
    def __getitem__(self, at: slice) -> "Predictions": ...

    def __getitem__(self, at: SupportsIndex | slice) -> "Prediction | Predictions":
        """One answer as JSON has it, or some of them, which show their pictures too."""
        if isinstance(at, slice):
            return Predictions(self.answers[at], classes=self.classes, bits=self._bits)
        return super().__getitem__(at)

    def _repr_html_(self) -> str:
        figures = [
            f'<figure style="margin: 0 12px 12px 0">{self._image(picture, answer)}'
            f"<figcaption>{html.escape(self._below(picture, answer))}</figcaption></figure>"
            for answer, picture in self._drawn()
        ]
        more = len(self) - len(figures)
        not_shown = f", {more:,} of them not shown" if more else ""
        return (
            f'<div style="display: flex; flex-wrap: wrap">{"".join(figures)}</div>'
            f"<p>{counted(len(self), 'answer')}{not_shown}</p>"
        )

    def _below(self, picture: NDArray[np.uint8] | None, answer: Answer) -> str:
        """The words below a picture, without those that are written on it."""
        written = picture is not None and answer.value.captioned
        return named(answer) if written else said(answer, self.classes)

    def _drawn(self) -> Iterator[tuple[Answer, NDArray[np.uint8] | None]]:
        """The first answers, each drawn on its picture; None where that cannot be read any more."""
        first = self.answers[:_MOST]
        for source, group in groupby(first, key=lambda answer: answer.source):
            answers = list(group)
            pictures = self._pictures(source, answers)
            for answer in answers:
                picture = next(pictures, None)
                yield answer, None if picture is None else self._with(picture, answer)

    def _pictures(self, source: str, answers: Sequence[Answer]) -> Iterator[NDArray[np.uint8]]:
        try:
            if answers[0].frame is not None:
                frames = read_video(Path(source), tell=lambda _: None, remark=lambda _: None)
                yield from (frame.picture for frame in islice(frames, len(answers)))
            else:
                yield picture_of(Path(source), self._bits)
        except InputError:
            return

    def _with(self, picture: NDArray[np.uint8], answer: Answer) -> NDArray[np.uint8]:
        return at_side(answer.value.drawn_on(picture, self.classes), _SIDE)

    def _image(self, picture: NDArray[np.uint8] | None, answer: Answer) -> str:
        if picture is None:
            return "<p>(the picture cannot be read any more)</p>"
        words = html.escape(said(answer, self.classes))
        return f'<img src="{picture_url(picture)}" alt="{words}">'


def said(answer: Answer, classes: Sequence[str]) -> str:
    """A picture's name, and its answer in a few words."""
    return f"{named(answer)}: {answer.value.caption(classes)}"


def named(answer: Answer) -> str:
    """The name of an answer's picture, or of its video and which frame."""
    frame = "" if answer.frame is None else f", frame {answer.frame:,}"
    return f"{shown(Path(answer.source).name)}{frame}"
