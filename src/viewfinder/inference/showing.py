"""Answers as a notebook shows them: each picture with its answer drawn on it."""

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.inference.drawing import draw, picture_of
from viewfinder.pictures.geometry import resample, stretch
from viewfinder.pictures.video import read_video
from viewfinder.pictures.writing import picture_url
from viewfinder.wording import counted, shown

# Pictures that are shown, the longer side of each in pixels, and boxes named below one.
_MOST, _SIDE, _MOST_BOXES = 12, 280, 4


class Predictions(list[dict[str, Any]]):
    """The answers of `predict`, a list that a notebook shows as pictures."""

    def __init__(
        self, answers: Iterable[dict[str, Any]], *, classes: Sequence[str], bits: int = 16
    ) -> None:
        super().__init__(answers)
        self._classes, self._bits = tuple(classes), bits

    def _repr_html_(self) -> str:
        figures = [
            f'<figure style="margin: 0 12px 12px 0">{_image(picture, answer)}'
            f"<figcaption>{html.escape(said(answer))}</figcaption></figure>"
            for answer, picture in self._drawn()
        ]
        more = len(self) - len(figures)
        not_shown = f", {more:,} of them not shown" if more else ""
        return (
            f'<div style="display: flex; flex-wrap: wrap">{"".join(figures)}</div>'
            f"<p>{counted(len(self), 'answer')}{not_shown}</p>"
        )

    def _drawn(self) -> Iterator[tuple[dict[str, Any], NDArray[np.uint8] | None]]:
        """The first answers, each drawn on its picture; None where that cannot be read any more."""
        first = list(islice(self, _MOST))
        for source, group in groupby(first, key=lambda answer: answer["source"]):
            answers = list(group)
            pictures = self._pictures(source, answers)
            for answer in answers:
                picture = next(pictures, None)
                yield answer, None if picture is None else self._with(picture, answer)

    def _pictures(
        self, source: str, answers: Sequence[dict[str, Any]]
    ) -> Iterator[NDArray[np.uint8]]:
        try:
            if "frame" in answers[0]:
                frames = read_video(Path(source), tell=lambda _: None, remark=lambda _: None)
                yield from (frame.picture for frame in islice(frames, len(answers)))
            else:
                yield picture_of(Path(source), self._bits)
        except InputError:
            return

    def _with(self, picture: NDArray[np.uint8], answer: dict[str, Any]) -> NDArray[np.uint8]:
        drawn = draw(picture, answer, classes=self._classes)
        height, width = drawn.shape[:2]
        factor = _SIDE / max(height, width)
        size = (max(1, round(factor * width)), max(1, round(factor * height)))
        return np.asarray(resample(drawn, stretch((width, height), size), size), np.uint8)


def said(answer: dict[str, Any]) -> str:
    """A picture's name, and its answer in a few words."""
    name = shown(Path(answer["source"]).name)
    frame = f", frame {answer['frame']:,}" if "frame" in answer else ""
    return f"{name}{frame}: {_in_words(answer)}"


def _in_words(answer: dict[str, Any]) -> str:
    if "boxes" in answer:
        boxes = answer["boxes"]
        named = [f"{shown(box['class'])} {box['score']:.0%}" for box in boxes[:_MOST_BOXES]]
        more = len(boxes) - len(named)
        return ", ".join(named + [f"{more:,} more"] * bool(more)) or "nothing found"
    if "mask" in answer:
        share = answer["mask"]["share"]
        return f"the subject is {share:.0%} of the picture" if share else "no subject"
    return f"{shown(answer['label'])} {answer['scores'][answer['label']]:.0%}"


def _image(picture: NDArray[np.uint8] | None, answer: dict[str, Any]) -> str:
    if picture is None:
        return "<p>(the picture cannot be read any more)</p>"
    return f'<img src="{picture_url(picture)}" alt="{html.escape(said(answer))}">'
