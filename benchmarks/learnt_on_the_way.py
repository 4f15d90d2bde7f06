"""What each training of a labelling job had learnt, scored on pictures that it left out."""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.page_person import Material
from viewfinder.datasets.boxes import gather_boxes
from viewfinder.devices import pick_device
from viewfinder.inference.answers import Predictor
from viewfinder.pictures.reading import read_picture
from viewfinder.runs.run import open_run
from viewfinder.studio.learning.choices import choices
from viewfinder.studio.learning.worker import Worker
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.scores import score

_NEEDED = ("run.json", "weights.safetensors")
_LEAST = 0.005


class Learnt(NamedTuple):
    """A copy of a run, what it learnt from, and when a modelled person would have had it."""

    run: Path
    pictures: int
    minutes: float


class OnTheWay:
    """Keeps what is needed of each run; the studio removes it when the next one ends."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.kept: list[Learnt] = []

    def keep(self, run: Path, pictures: int, minutes: float) -> None:
        # A run that was removed gives its name to a later one.
        copy = self._place / str(len(self.kept))
        copy.mkdir(parents=True)
        for name in _NEEDED:
            shutil.copy(run / name, copy / name)
        self.kept.append(Learnt(copy, pictures, minutes))

    def report(
        self, labelled: Path, pictures: int, minutes: float, others: tuple[Path, Material]
    ) -> None:
        """The AP50 of each, and of one that learns from all that is labelled, for as long."""
        for each in self.kept:
            found = ap50(each.run, *others)
            print(f"    AP50 {found:.3f} of {each.pictures} pictures, {each.minutes:.0f} modelled "
                  "minutes after the beginning", flush=True)  # fmt: skip
        run = self._place / "all"
        words = ["-m", "viewfinder", "train", "detect", str(labelled), "--out", str(run)]
        for _ in Worker().lines([*words, *choices(minutes=minutes, pictures=pictures)]):
            pass
        print(f"    AP50 {ap50(run, *others):.3f} of one training of all", flush=True)


def ap50(run: Path, folder: Path, material: Material) -> float:
    model, paths = open_run(run).model, list(material.truth)
    predictor = Predictor(model, device=pick_device("auto"), threshold=_LEAST)
    prepared = (
        predictor.prepare(read_picture(folder / path), material.sizes[path], path) for path in paths
    )
    found = {each.source: each.value for each in predictor.answers(prepared, len(paths))}
    answers = [each for path in paths if isinstance(each := found[path], Detections)]
    rows = [(n, thing) for n, path in enumerate(paths) for thing in material.truth[path]]
    classes = model.config.classes
    truth = gather_boxes(
        np.array([number for number, _ in rows]),
        len(paths),
        corners=np.array([thing.corners for _, thing in rows], np.float64),
        classes=np.array([classes.index(thing.name) for _, thing in rows]),
    )
    return score(answers, truth, classes=classes).ap50 or 0.0
