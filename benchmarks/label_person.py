"""A scripted person at the studio's page, in a real Chromium: actions and modelled seconds a box.

    uv run python benchmarks/label_person.py            30 scenes, 5 turns of 12 frames; a minute
    uv run python benchmarks/label_person.py 100 8 90   other numbers, other scenes (a seed)

Drawing begins with pictures and the list of classes, and the page guesses each new box's class by
its look; correcting, with what `propose --by plate` finds on turntables, twelve pictures at a
glance (`label_corrections.py` has proposals that are often wrong, `label_whole_job.py` those of
what learns meanwhile). How a person is modelled is said in `page_person.py` and
`page_corrector.py`. Times are of this machine, browser and all.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.label_corrections import correct
from benchmarks.page_corrector import Corrector
from benchmarks.page_person import (
    DRAW,
    Found,
    Material,
    Thing,
    at_the_page,
    corners_of,
    report,
)
from viewfinder.labelling.plate import find_on_stand
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop import CLASSES, SceneOptions, TurntableOptions
from viewfinder.tabletop.scenes import render_scene
from viewfinder.tabletop.turntable import render_turntable

CAMERA = TurntableOptions(noise=3, drift=0.05, shadow=0.6, shake=2)


def scenes(folder: Path, count: int, seed: int) -> Material:
    """Rendered tables with several things of eight classes."""
    made = Material(tuple(CLASSES), {}, {}, [])
    for number in range(count):
        scene = render_scene(seed=seed, index=number, options=SceneOptions(size=384))
        path = f"{number:04}.png"
        write_picture(folder / path, scene.picture)
        pairs = zip(scene.box_classes, scene.boxes, strict=True)
        made.truth[path] = [Thing(CLASSES[int(label)], corners_of(box)) for label, box in pairs]
        made.sizes[path] = (scene.picture.shape[1], scene.picture.shape[0])
    return made


def turns(folder: Path, count: int) -> Material:
    """Things on turntables, and what the plate finds of them."""
    made = Material(tuple(CLASSES), {}, {}, [])
    for number in range(count):
        name = CLASSES[number % len(CLASSES)]
        turn = render_turntable(number % len(CLASSES), seed=400 + number, frames=12, options=CAMERA)
        for at, (frame, box) in enumerate(zip(turn.frames, turn.boxes, strict=True)):
            path = f"{name}-{number:02}-{at:02}.png"
            write_picture(folder / path, frame)
            made.truth[path] = [Thing(name, corners_of(box))]
            made.sizes[path] = (frame.shape[1], frame.shape[0])
            made.found += [
                Found(path, name, corners_of(each.box), float(each.score))
                for each in find_on_stand(frame, turn.empty)
            ]
    return made


def draw(folder: Path, material: Material) -> None:
    """Everything by hand."""
    boxes = sum(map(len, material.truth.values()))
    with at_the_page(folder, lambda store: None, material.classes) as (person, store):
        corrector = Corrector(person, material)
        while store.counts().states["todo"]:
            corrector.picture()
        keys = corrector.did["class key"]
        kept = sum(store.counts().boxes.values())
        print(f"drawing: {boxes} boxes of {len(material.classes)} classes; {kept} kept")
        report(person.actions, boxes, DRAW * boxes)
        print(f"  {(person.actions - keys) / boxes:.2f} actions without the {keys} keys of classes")


def main() -> None:
    pictures, turned, seed = (*map(int, sys.argv[1:]), *(30, 5, 90)[len(sys.argv) - 1 :])
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "scenes"
        draw(folder, scenes(folder, pictures, seed))
        folder = Path(place) / "turns"
        correct("correcting the plate's", turns(folder, turned), folder, look_over=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
