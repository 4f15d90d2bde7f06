"""Objects followed from frame to frame, and counted where they cross lines and enter zones."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from viewfinder.errors import InputError
from viewfinder.inference.answers import Answer
from viewfinder.inference.tables import write_rows
from viewfinder.inference.tracking.assigning import assign
from viewfinder.inference.tracking.counting import PlaceTally, read_line, read_zone
from viewfinder.inference.tracking.following import TrackedDetections, follow, looked_for, write_mot
from viewfinder.tasks.detect.detections import Detections

CLASSES = ("bottle", "mug")


def found(*boxes: tuple[float, ...], score: float = 0.9, label: int = 0) -> Detections:
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.full(count, score), np.full(count, label)
    )


def told(frames: list[Detections]) -> tuple[list[str], list[int]]:
    answers = [Answer("a.mp4", (640, 480), each, n) for n, each in enumerate(frames)]
    _, (counts,) = follow(answers, classes=CLASSES, high=0.25)
    return counts.lines(CLASSES), counts.as_json(CLASSES)["began_inside"]


def test_numbers_that_begin_where_nothing_comes_in_are_told() -> None:
    there = [(300.0, 200.0, 360.0, 260.0)]
    coming = [[(8.0 * n, 300.0, 8.0 * n + 50, 350.0)] for n in range(20)]
    lines, sprung = told([found(*there, *each) for each in coming])
    assert (lines, sprung) == (["a.mp4: followed 2 objects (bottle 2)"], [])
    # It jumps: what is there afterwards has another number, though nothing came in.
    jumped = [found(*there)] * 5 + [found((100.0, 100.0, 160.0, 160.0))] * 5
    lines, sprung = told(jumped)
    assert sprung == [2]
    assert lines[1] == (
        "  1 of these began away from the picture's edges (2): where an object was hidden, or lost "
        "its number to be counted twice"
    )


def followed(frames: list[Detections], *places) -> tuple[list[TrackedDetections], dict]:
    answers = [Answer("a.mp4", (640, 480), each, n) for n, each in enumerate(frames)]
    done, (counts,) = follow(answers, classes=CLASSES, high=0.25, places=places)
    return [each.value for each in done], counts.as_json(CLASSES)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(-9, 9))
)
def test_pairs_are_those_of_least_cost(costs: np.ndarray) -> None:
    pairs = assign(costs)
    rows, columns = costs.shape
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == min(rows, columns)
    table = costs if rows <= columns else costs.T
    least = min(
        sum(table[row, column] for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(table.shape[1]), table.shape[0])
    )
    assert sum(costs[row, column] for row, column in pairs) == least


@given(
    speed=st.tuples(st.floats(-8, 8), st.floats(-8, 8)),
    gap=st.integers(0, 20),
    side=st.floats(20, 90),
)
def test_a_box_of_constant_speed_is_followed_through_a_gap(speed, gap, side) -> None:
    frames = []
    for number in range(40 + gap):
        x, y = 600 + number * speed[0], 600 + number * speed[1]
        hidden = 20 <= number < 20 + gap
        frames.append(found() if hidden else found((x, y, x + side, y + side)))
    seen, counts = followed(frames)
    assert counts["objects"] == {"bottle": 1}
    assert all(each.tracks.tolist() in ([1], []) for each in seen)
    assert len(seen[-1]) == 1


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_numbers_are_unique_in_a_frame_and_every_box_is_one_that_was_found(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(8):
        count = random.integers(0, 8)
        low = random.uniform(0, 100, (count, 2))
        boxes = np.hstack([low, low + random.uniform(5, 60, (count, 2))])
        frames.append(Detections(boxes, random.random(count), random.integers(0, 2, count)))
    seen, _ = followed(frames)
    assert len(seen) == len(frames)
    for before, after in zip(frames, seen, strict=True):
        assert len(set(after.tracks.tolist())) == len(after)
        assert {tuple(box) for box in after.boxes} <= {tuple(box) for box in before.boxes}


def test_what_is_hardly_seen_goes_on_a_track_and_begins_none() -> None:
    box = (100, 100, 160, 160)
    scores = [0.9, 0.9, 0.15, 0.15, 0.9]
    seen, counts = followed([found(box, score=score) for score in scores])
    assert [each.tracks.tolist() for each in seen] == [[1]] * 5
    assert counts["objects"] == {"bottle": 1}
    assert followed([found(box, score=0.2)] * 5)[1]["objects"] == {}


def test_what_is_seen_once_alone_is_nothing_and_what_goes_on_is_shown_from_its_first_frame() -> (
    None
):
    old, new, once = (10, 10, 60, 60), (200, 200, 260, 260), (400, 50, 450, 90)
    seen, counts = followed([found(old), found(old, once), found(old, new), found(old, new)])
    assert [each.tracks.tolist() for each in seen] == [[1], [1], [1, 2], [1, 2]]
    assert counts["objects"] == {"bottle": 2}


def test_an_object_is_what_it_was_mostly_seen_as() -> None:
    box = (10, 10, 60, 60)
    labels = [0, 0, 1, 0]
    seen, counts = followed([found(box, label=label) for label in labels])
    assert [each.labels.tolist() for each in seen] == [[0]] * 4
    assert counts["objects"] == {"bottle": 1}


def test_counts_by_class_are_by_what_an_object_was_mostly_seen_as(tmp_path) -> None:
    """It is a mug while it crosses, and a bottle before and after."""
    way, places = walk(*((300, y) for y in range(40, 200, 10))), ("0,100,640,100", "0,150,640,400")
    frames = [replace(each, labels=np.array([int(4 < n < 9)])) for n, each in enumerate(way)]
    answers = [Answer("a.mp4", (640, 480), each, n) for n, each in enumerate(frames)]
    placed = [read_line(places[0]), read_zone(places[1])]
    done, (counts,) = follow(answers, classes=CLASSES, high=0.25, places=placed)
    told = counts.as_json(CLASSES)
    assert told["objects"] == {"bottle": 1}
    assert [each["in"] for each in told["places"]] == [{"bottle": 1}] * 2
    assert [each["class"] for each in told["crossings"]] == ["bottle"] * 2
    assert all("mug" not in line for line in counts.lines(CLASSES))
    write_rows(done, CLASSES, tmp_path / "a.csv")
    assert "mug" not in (tmp_path / "a.csv").read_text()
    assert {b["class"] for a in done for b in a.as_json(CLASSES)["boxes"]} == {"bottle"}


def walk(*middles: tuple[float, float]) -> list[Detections]:
    return [found((x - 20, y - 20, x + 20, y + 20)) for x, y in middles]


@pytest.mark.parametrize(
    ("place", "outside"),
    [
        (read_line("5000,5000,6000,6000"), True),
        (read_line("-50,-50,9e9,-40"), True),
        (read_line("-100,-100,700,500"), False),
        (read_zone("700,0,900,400"), True),
        (read_zone("600,0,900,400"), False),
    ],
)
def test_a_place_outside_the_pictures_is_refused(place, outside) -> None:
    frames = [found((10, 10, 60, 60))] * 2
    if not outside:
        assert len(followed(frames, place)[0]) == 2
        return
    with pytest.raises(InputError, match=r"--(line|zone) .* lies outside: .* has 640 × 480 pixels"):
        followed(frames, place)


def test_a_line_counts_each_crossing_once_by_its_direction() -> None:
    line = read_line("0,100,640,100")
    down = walk(*((300, y) for y in range(60, 150, 10)))
    _, counts = followed(down, line)
    (told,) = counts["places"]
    assert told == {"line": "0,100,640,100", "in": {"bottle": 1}, "out": {}}
    (crossing,) = counts["crossings"]
    # Its middle is a tenth of 40 pixels beyond in frame 5.
    assert crossing["frame"] == 5
    _, counts = followed(down + down[::-1], line)
    assert counts["places"][0]["out"] == {"bottle": 1}
    # Trembling on it is no crossing, and beside its ends there is none.
    _, counts = followed(walk((300, 90), *((300, 100 + y) for y in (1, -1, 2, -2) * 3)), line)
    assert counts["crossings"] == []
    _, counts = followed(walk(*((300, y) for y in range(60, 150, 10))), read_line("0,100,200,100"))
    assert counts["crossings"] == []


def test_a_zone_counts_who_enters_and_leaves_and_how_many_are_inside() -> None:
    zone = read_zone("100,0,200,480")
    across = walk(*((x, 240) for x in range(40, 280, 10)))
    _, counts = followed(across, zone)
    (told,) = counts["places"]
    nobody = {"appeared": {}, "lost": {}, "at_end": {}}
    zone_told = {"zone": "100,0,200,480", "in": {"bottle": 1}, "out": {"bottle": 1}, "most": 1}
    assert told == zone_told | nobody
    assert [each["direction"] for each in counts["crossings"]] == ["in", "out"]
    # Who is inside from the start has not entered.
    tally = PlaceTally(read_zone("0,0,100,0,100,100,0,100"))
    assert tally.step(0, [1, 2], np.array([[40, 40, 60, 60], [10, 10, 30, 30.0]])) == []
    assert tally.most == 2


def test_what_a_zone_has_of_unseen_comings_and_goings_adds_up() -> None:
    tally = PlaceTally(read_zone("0,0,100,100"))
    square, outside = np.array([40, 40, 60, 60.0]), np.array([140, 40, 160, 60.0])
    # 1 stands inside to the end; 2 comes in and is lost; 3 appears and leaves; 4 is never inside.
    tally.step(0, [1, 2, 4], np.array([square, outside, outside]))
    tally.step(1, [1, 2, 3], np.array([square, square, square]))
    tally.step(2, [1, 3, 4], np.array([square, outside, outside]))
    labels = {1: 0, 2: 1, 3: 0, 4: 0}
    told = tally.as_json(("bottle", "cup"), labels)
    assert (told["in"], told["out"]) == ({"cup": 1}, {"bottle": 1})
    assert told["appeared"] == {"bottle": 2}
    assert told["lost"] == {"cup": 1}
    assert told["at_end"] == {"bottle": 1}
    said = tally.line(("bottle", "cup"), labels)
    assert "1 in (cup 1), 1 out (bottle 1), 2 first seen inside (bottle 2)" in said
    assert "1 lost from sight inside (cup 1), 1 inside at the end (bottle 1)" in said


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3", "1,2,x,4", "1,2,1,2", "1,2,nan,4"])
def test_lines_and_zones_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--line"):
        read_line(text)
    with pytest.raises(InputError, match="--zone"):
        read_zone(text)


def test_a_threshold_of_each_class_stays_one() -> None:
    assert looked_for(None) == (0.25, pytest.approx(0.1))
    assert looked_for((0.5, 0.25)) == ((0.5, 0.25), pytest.approx((0.2, 0.1)))


def test_what_is_followed_is_written_and_drawn(tmp_path) -> None:
    boxes = [(10, 10, 60, 50), (12, 10, 62, 50)]
    answers = [Answer("a.mp4", (100, 80), found(box), n) for n, box in enumerate(boxes)]
    done, _ = follow(answers, classes=CLASSES, high=0.25, places=[read_line("0,70,99,70")])
    write_mot(done, tmp_path / "a.txt")
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[0] == "1,1,10.00,10.00,50.00,40.00,0.9000,-1,-1,-1"
    assert lines[1].startswith("2,1,12.00,")
    write_rows(done, CLASSES, tmp_path / "a.csv")
    heading, first, _ = (tmp_path / "a.csv").read_text().splitlines()
    assert heading.endswith(",track")
    assert first.endswith(",1")
    assert done[0].as_json(CLASSES)["boxes"][0]["track"] == 1
    drawn = done[1].value.drawn_on(np.zeros((80, 100, 3), np.uint8), CLASSES)
    assert drawn[70, 90].tolist() == [255, 255, 255]
    with pytest.raises(InputError, match="give --track"):
        write_mot(answers, tmp_path / "b.txt")
