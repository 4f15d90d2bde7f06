"""A scripted person labels videos at the studio's page by key frames.

    uv run python benchmarks/label_video.py                   both clips, both motions; ten minutes
    uv run python benchmarks/label_video.py hand-held flow    one of them

The turntable clip is one rendered object that turns once around in 120 frames. The hand-held one is
a rendered table of eight things, past which a window of 320 × 240 pixels is led for 120 frames, as
a hand sways, nearer and further and a little askew; what is not always half in view has no truth,
and there is no parallax.

The person draws all boxes in the first frame and in the last, then goes to the frame with the worst
boxes and draws what is wrong there, until each box of each frame has IoU 0.7 or more and there are
no others, and accepts all by one key. Of what is not there a click and a key say so. Each drag, key
and click is an action, and so is playing the clip once to the end to find the worst frame: a key
that is held down. Where the page says that boxes can go along with the picture, they are let do so.
Modelled seconds are those of `page_person.py`, with the clip's length at 30 frames a second for
each time that it is played. It is done for each motion between key frames.
"""

import math
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from studio_page import until

from benchmarks.page_person import DRAW, ENOUGH, Counted, Thing, at_the_page, corners_of, overlap
from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.pictures.geometry import clip_boxes, transform_boxes
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Store
from viewfinder.studio.store.film_records import Film
from viewfinder.studio.store.films import MOTIONS
from viewfinder.tabletop import CLASSES, SceneOptions, TurntableOptions, render_scene
from viewfinder.tabletop.turntable import render_turntable

FRAMES, RATE = 120, 30
CLASS = "viewfinder.labels.classOf(viewfinder.studio.selected()[0].label).name"
LISTED = "viewfinder.labels.listed().map((each) => each.name)"
Clip = dict[str, list[Thing]]


def turntable(folder: Path) -> Clip:
    """One object turning on a stand."""
    turn = render_turntable(5, seed=11, frames=FRAMES, options=TurntableOptions(size=256, shake=1))
    truth = {}
    for n, (picture, box) in enumerate(zip(turn.frames, turn.boxes, strict=True)):
        truth[f"{n:03}.png"] = [Thing(CLASSES[turn.label], corners_of(box))]
        write_picture(folder / f"{n:03}.png", picture)
    return truth


def hand_held(folder: Path) -> Clip:
    """A camera led past a table."""
    options = SceneOptions(size=640, objects=(8, 8), scale=(0.35, 0.6))
    scene = render_scene(seed=900, index=3, options=options)
    size = (320, 240)
    matrices = [_camera(n / (FRAMES - 1), size) for n in range(FRAMES)]
    boxes = [transform_boxes(matrix, scene.boxes) for matrix in matrices]
    seen = [clip_boxes(each, size) for each in boxes]
    pairs = list(zip(seen, boxes, strict=True))
    kept = [
        k
        for k in range(len(scene.boxes))
        if all(_area(shown[k]) >= 0.5 * _area(whole[k]) for shown, whole in pairs)
    ]
    truth = {}
    for n, matrix in enumerate(matrices):
        write_picture(folder / f"{n:03}.png", resample(scene.picture, matrix, size))
        names = [CLASSES[scene.box_classes[k]] for k in kept]
        truth[f"{n:03}.png"] = [
            Thing(name, corners_of(seen[n][k])) for name, k in zip(names, kept, strict=True)
        ]
    return truth


def _camera(moment: float, size: tuple[int, int]) -> np.ndarray:
    """From the scene to what the camera shows at a share of the clip."""
    x = 320 + 55 * math.sin(2 * math.pi * moment) + 4 * math.sin(23 * moment)
    y = 330 + 40 * math.sin(2 * math.pi * 1.5 * moment + 1) + 4 * math.cos(31 * moment)
    near = 0.75 + 0.12 * math.sin(2 * math.pi * 0.8 * moment)
    askew = math.radians(3 * math.sin(2 * math.pi * 1.2 * moment))
    c, s = near * math.cos(askew), near * math.sin(askew)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (-x, -y), (size[0] / 2, size[1] / 2)
    return back @ turn @ there


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def without_partner(things: list[Thing], others: list[Thing]) -> list[Thing]:
    """Those that no other one of the same class lies on; each of the others is for one alone."""
    left, alone = list(others), []
    for thing in things:
        fits = [one for one in left if one.name == thing.name
                and overlap(one.corners, thing.corners) >= ENOUGH]  # fmt: skip
        if fits:
            left.remove(fits[0])
        else:
            alone.append(thing)
    return alone


class Labeller:
    """Puts one clip right."""

    def __init__(self, person: Counted, store: Store, truth: Clip) -> None:
        self.person, self.store, self.truth = person, store, truth
        self.ids = {each.path: each.id for each in store.pictures(count=1000).pictures}
        self.names = {each.id: each.name for each in store.classes()}
        self.drawn = self.played = 0

    def frame(self, path: str) -> None:
        """A click on the timeline."""
        id = self.ids[path]
        if self.person.shown() == id:
            return
        box = self.person.page.locator("#film canvas").bounding_box()
        place = (list(self.truth).index(path) + 0.5) / len(self.truth)
        self.person.actions += 1
        self.person.page.mouse.click(box["x"] + place * box["width"], box["y"] + 4)
        until(lambda: self.person.shown() == id)
        self.settled()

    def settled(self) -> None:
        """The page knows what moves here."""
        self.person.saved()
        here = self.person.shown()
        wanted = sorted(each.track for each in self.store.picture(here).moving)
        script = "viewfinder.studio.ghosts().map((each) => each.track).sort()"
        until(lambda: self.person.page.evaluate(script) == wanted)
        until(lambda: self.person.page.evaluate(
            "viewfinder.film.video?.tracks.length") == len(self.tracks()))  # fmt: skip

    def film(self) -> Film:
        found = self.store.films.film(self.person.shown())
        assert found is not None
        return found

    def tracks(self) -> set[str]:
        film = self.film()
        return {track for frame in film.frames for track in frame.keys}

    def labels(self, path: str) -> list[Thing]:
        one = self.store.picture(self.ids[path])
        found = [(each.label, each.corners) for each in one.boxes]
        found += [(each.label, each.corners) for each in one.moving]
        return [Thing(self.names[label], corners) for label, corners in found]

    def missing(self, path: str) -> list[Thing]:
        """What is there and has no label of its own that is right."""
        return without_partner(self.truth[path], self.labels(path))

    def right(self, path: str) -> None:
        """Draw what is wrong in a frame, those of one class after another."""
        for thing in sorted(self.missing(path)):
            self.person.draw(thing.corners)
            self.drawn += 1
            until(lambda: self.person.page.evaluate("viewfinder.studio.selected().length"))
            if self.person.page.evaluate(CLASS) != thing.name:
                listed = self.person.page.evaluate(LISTED)
                self.person.key(str(listed.index(thing.name) + 1))
                until(lambda name=thing.name: self.person.page.evaluate(CLASS) == name)
            self.settled()
            self.advised()
        while extra := self.extra(path):
            # What is where nothing is: chosen, and said not to be there.
            x1, y1, x2, y2 = extra[0].corners
            self.person.actions += 1
            self.person.click((x1 + x2) / 2, (y1 + y2) / 2)
            self.person.key("Delete")
            until(lambda: len(self.extra(path)) < len(extra))
            self.settled()

    def extra(self, path: str) -> list[Thing]:
        """Labels of nothing that is there."""
        return without_partner(self.labels(path), self.truth[path])

    def go(self) -> None:
        paths = list(self.truth)
        for path in (paths[0], paths[-1]):
            self.frame(path)
            self.right(path)
        for _ in range(len(paths)):
            self.followed()
            self.person.actions += 1  # the clip is played
            self.played += 1
            wrong = {path: self.missing(path) + self.extra(path) for path in paths}
            apart = self.apart()
            worst = max(wrong, key=lambda path: (len(wrong[path]), apart[path]))
            if not wrong[worst]:
                break
            print(f"  {worst}: {len(wrong[worst])} wrong", file=sys.stderr, flush=True)
            self.frame(worst)
            self.right(worst)
        self.person.key("Control+Enter")
        until(lambda: self.store.counts().states["todo"] == 0)

    def advised(self) -> None:
        """Do what the page says of motion."""
        says = self.person.page.get_by_text("Shift+M lets the boxes go along with the picture")
        if says.count() and self.film().motion == "linear":
            self.person.key("Shift+M")
            until(lambda: self.film().motion == "flow")

    def apart(self) -> dict[str, int]:
        """How far each frame is from the nearest key frame."""
        film = self.film()
        keys = [n for n, frame in enumerate(film.frames) if frame.keys]
        return {
            path: min(abs(place - key) for key in keys) for place, path in enumerate(self.truth)
        }

    def followed(self) -> None:
        until(lambda: not self.film().waiting, seconds=300)


def label(name: str, truth: Clip, folder: Path, motion: str) -> None:
    names = sorted({thing.name for things in truth.values() for thing in things})
    count = sum(map(len, truth.values()))
    with at_the_page(folder, lambda _: None, names) as (person, store):
        page = person.page
        until(lambda: page.locator("#film .frame").count())
        made = Labeller(person, store, truth)
        if motion == "flow":
            person.key("Shift+M")
            until(lambda: made.film().motion == "flow")
        made.go()
        dataset = store.snapshot()
        keys = sum(len(store.picture(id).boxes) for id in made.ids.values())
        seconds = DRAW * made.drawn + made.played * len(truth) / RATE
        print(
            f"| {name} | {motion} | {len(truth)} | {count} | {keys} | {person.actions} | "
            f"{person.actions / count:.3f} | {seconds / count:.2f} |",
            flush=True,
        )
        assert dataset is not None
        assert dataset.boxes is not None
        assert len(dataset.boxes) == count


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| clip | between keys | frames | boxes | keys | actions | actions a box | s a box |")
    clips = {"turntable": turntable, "hand-held": hand_held}
    words = sys.argv[1:]
    for name in [each for each in clips if each in words] or clips:
        for motion in [each for each in MOTIONS if each in words] or MOTIONS:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "clip"
                truth = clips[name](folder)
                origins = {
                    path: FrameOrigin("clip.mp4", n, n / RATE) for n, path in enumerate(truth)
                }
                write_frame_list(folder, origins)
                label(name, truth, folder, motion)


if __name__ == "__main__":
    main()
