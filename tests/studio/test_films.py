"""Videos in the store: what moves between key frames, which of it counts, and what exports say."""

import json

import brought
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.footage import Carried, Key, between, footage_of, interpolate, spans
from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.datasets.opening import open_dataset
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.geometry import iou
from viewfinder.studio.store import (
    Operation,
    PutBox,
    PutClass,
    RemoveBox,
    SetState,
    open_store,
    read_lines,
)
from viewfinder.tasks.detect.detections import Detections

COUNT = 6


@pytest.fixture
def clip(tmp_path):
    """Frames of a video, a second apart but for the last."""
    folder = tmp_path / "clip"
    names = [f"turn-{n}.jpg" for n in range(COUNT)]
    for name in names:
        brought.picture(folder / name)
    seconds = [0.0, 1.0, 2.0, 3.0, 4.0, 8.0]
    origins = {
        n: FrameOrigin("turn.mp4", i, s)
        for i, (n, s) in enumerate(zip(names, seconds, strict=True))
    }
    write_frame_list(folder, origins)
    return folder


def key(picture, corners, *, id=None, base=0, track="1", label="m"):
    return PutBox(id or f"k{picture}-{track}", picture, label, corners, base, track=track,
                  key_frame=True)  # fmt: skip


@pytest.fixture
def store(clip, url):
    with open_store(clip, url=url, wait=True) as made:
        made.apply(Operation("class", (PutClass("m", "mug", 0), PutClass("p", "pen", 0))))
        ends = key(1, (0.0, 0.0, 4.0, 4.0)), key(5, (4.0, 0.0, 8.0, 8.0))
        made.apply(Operation("keys", ends))
        yield made


def corners(store, picture):
    return [each.corners for each in store.picture(picture).moving]


boxes = st.tuples(*(st.floats(0, 50),) * 2, *(st.floats(51, 99),) * 2)
tracks = st.lists(
    st.builds(lambda t, p, c: Key(t, p, f"{t}{p}", "m", c), st.sampled_from("ab"),
              st.integers(0, 19), boxes), max_size=8)  # fmt: skip


@settings(max_examples=40)
@given(tracks, st.lists(st.floats(0.01, 9), min_size=20, max_size=20))
def test_between_keys_edges_move_straight_and_meet_them(keys, gaps):
    times = np.cumsum(gaps)
    last = {(each.track, each.place): each for each in keys}
    found = between(keys, times.tolist())
    for one in found:
        own = sorted(place for track, place in last if track == one.track)
        assert own[0] < one.place < own[-1]
        assert (one.track, one.place) not in last
        before = max(place for place in own if place < one.place)
        after = min(place for place in own if place > one.place)
        first, second = last[one.track, before], last[one.track, after]
        share = (times[one.place] - times[before]) / (times[after] - times[before])
        line = np.array(first.corners) + share * (
            np.array(second.corners) - np.array(first.corners)
        )
        assert one.corners == pytest.approx(line.tolist())
        assert one.label == first.label
        assert 0 <= one.sure <= 1
    wanted = {
        (track, place)
        for track in {key.track for key in keys}
        for own in [[q for other, q in last if other == track]]
        for place in range(min(own), max(own) + 1)
    }
    assert {(one.track, one.place) for one in found} == wanted - set(last)
    assert sum(second.place - first.place - 1 for first, second in spans(keys)) == len(found)


@settings(max_examples=30)
@given(tracks, boxes, st.booleans())
def test_what_was_followed_counts_while_its_keys_are_what_they_were(keys, corners, moved):
    times = [float(n) for n in range(20)]
    pairs = list(spans(keys))
    carried = {
        (first.track, first.place + 1): Carried(first.mark, second.mark, corners, 0.5)
        for first, second in pairs
    }
    if moved:
        keys = [Key(k.track, k.place, k.id, k.label, (-1.0, *k.corners[1:])) for k in keys]
    found = {(one.track, one.place): one for one in between(keys, times, carried)}
    for place in carried:
        assert found[place].followed is not moved
        assert (found[place].corners == corners) is not moved


def test_frames_without_times_are_taken_as_evenly_apart():
    ends = Key("1", 0, "a", "m", (0, 0, 1, 1)), Key("1", 2, "b", "m", (2, 0, 3, 1))
    (one,) = between(ends, [0.0, 0.0, 0.0])
    assert one.corners == (1, 0, 2, 1)
    with pytest.raises(ValueError, match="between key frames"):
        interpolate(np.array([1.0]), np.zeros((1, 4)), np.array([2.0]))


def test_footage_without_a_list_is_the_pictures_of_a_folder_that_was_named(photos):
    paths = sorted(each.name for each in photos.iterdir())
    assert footage_of(photos, paths) == []
    (found,) = footage_of(photos, paths, [""])
    assert found.paths == tuple(paths)


def test_what_is_between_follows_each_edit_and_its_undoing(store):
    assert corners(store, 2) == [(1, 0, 5, 5)]
    assert corners(store, 1) == corners(store, 6) == []
    store.apply(Operation("right", (key(3, (0.0, 2.0, 4.0, 8.0)),)))
    assert corners(store, 2) == [(0, 1, 4, 6)]
    assert corners(store, 4) == [(2, 1, 6, 8)]
    store.undo("u1")
    assert corners(store, 2) == [(1, 0, 5, 5)]
    store.redo("r1")
    store.apply(Operation("gone", (RemoveBox("k5-1", 1),)))
    assert corners(store, 4) == []
    store.restore("back", 2)
    assert corners(store, 4) == [(3, 0, 7, 7)]


def test_of_frames_those_count_that_are_done_or_have_a_box(store, clip, url):
    store.apply(Operation("done", (SetState(2, "done", 1), SetState(3, "skipped", 1))))
    store.apply(Operation("other", (key(4, (0.0, 0.0, 2.0, 2.0), track="2", label="p"),)))
    dataset = store.snapshot()
    assert dataset.paths == tuple(f"turn-{n}.jpg" for n in (0, 1, 3, 4))
    rows = [dataset.boxes.of(n) for n in range(4)]
    assert [row.stop - row.start for row in rows] == [1, 1, 2, 1]
    assert dataset.boxes.corners[rows[1]].tolist() == [[1, 0, 5, 5]]
    names = [(each.track, each.key) for _, each in sorted(dataset.boxes.tracks.items())]
    assert names == [("1", True), ("1", False), ("2", True), ("1", False), ("1", True)]
    if url is None:
        read = open_dataset(clip, deal=False)
        assert (read.boxes.corners == dataset.boxes.corners).all()
        assert read.boxes.tracks == dataset.boxes.tracks


def test_exports_mark_what_is_interpolated_or_say_that_they_cannot(store, tmp_path):
    store.apply(Operation("done", (SetState(2, "done", 1),)))
    done = store.export(tmp_path / "coco", to="coco")
    assert done.boxes == 3
    assert not done.lost
    (file,) = (tmp_path / "coco" / "annotations").iterdir()
    marks = [each["attributes"] for each in json.loads(file.read_text())["annotations"]]
    assert marks == [{"track_id": 1, "keyframe": key} for key in (True, False, True)]
    back = open_dataset(tmp_path / "coco", deal=False)
    assert [tuple(each) for _, each in sorted(back.boxes.tracks.items())] == [
        ("1", True), ("1", False), ("1", True),
    ]  # fmt: skip
    assert not any("attributes" in note for note in back.notes)
    for to in ("yolo", "voc"):
        lost = store.export(tmp_path / to, to=to).lost
        assert lost["tracks of boxes"] == 3
        assert lost["marks of interpolated boxes"] == 1


def test_a_film_says_where_its_keys_are_and_what_is_doubted(store):
    film = store.films.film(3)
    assert [frame.keys for frame in film.frames] == [("1",), (), (), (), ("1",), ()]
    assert [frame.moving for frame in film.frames] == [0, 1, 1, 1, 0, 0]
    (track,) = film.tracks
    assert (track.first, track.last, track.end) == (0, 4, (4, 0, 8, 8))
    expected = min((f.score, f.id) for f in film.frames if f.moving)
    assert film.next == expected[1]
    assert expected[0] < 0.7
    found = Detections(
        np.array([[1.0, 0, 5, 5], [0, 0, 4, 6]]), np.array([0.9, 0.9]), np.array([0, 0])
    )
    store.propose("run", Proposals(
        ("turn-1.jpg", "turn-3.jpg"), np.full((2, 2), 8), ("mug",), np.array([0, 1]), found,
        ("run: x",) * 2))  # fmt: skip
    film = store.films.film(3)
    like = float(iou(np.array([[3.0, 0, 7, 7]]), np.array([[0.0, 0, 4, 6]]))[0, 0])
    assert [frame.likeness for frame in film.frames] == [
        None, 1.0, None, pytest.approx(like), None, None,
    ]  # fmt: skip
    assert film.next == 4
    store.apply(Operation("seen", (SetState(4, "done", 1),)))
    assert store.films.film(3).next != 4


def test_a_track_has_the_same_keys_in_every_format_and_class(store):
    (first, second) = store.films.boxes(3, "1")
    assert (first.picture, second.picture) == (1, 5)
    assert store.films.boxes(3, "9") == ()


def test_pictures_without_a_list_are_frames_once_a_person_says_so(photos):
    with open_store(photos, wait=True) as store:
        store.apply(Operation("a", (PutClass("m", "mug", 0), key(1, (0.0, 0.0, 4.0, 4.0)),
                                    key(3, (2.0, 0.0, 6.0, 4.0)))))  # fmt: skip
        assert store.films.film(2) is None
        assert corners(store, 2) == []
        store.films.order("", on=True)
        assert len(store.films.film(2).frames) == 4
        assert corners(store, 2) == [(1, 0, 5, 4)]
        store.apply(Operation("b", (SetState(2, "done", 1),)))
        assert [1, 0, 5, 4] in open_dataset(photos, deal=False).boxes.corners.tolist()
        store.films.order("", on=False)
        assert corners(store, 2) == []


def test_what_was_followed_is_kept_until_a_key_moves(store, tmp_path, url):
    store.films.move(3, "flow")
    (span,) = store.films.to_follow(3)
    assert store.films.film(3).waiting == 1
    store.films.keep(span, [((0.0, 0.0, 3.0, float(n)), 0.9) for n in (3, 4, 5)])
    assert corners(store, 3) == [(0, 0, 3, 4)]
    assert store.picture(3).moving[0].source == "track"
    assert store.films.to_follow(3) == []
    store.write_lines(tmp_path / "all.jsonl")
    (tmp_path / "new").mkdir()
    with read_lines(tmp_path / "new", tmp_path / "all.jsonl") as other:
        other.write_lines(tmp_path / "again.jsonl")
    again = (tmp_path / "again.jsonl").read_bytes()
    assert again == (tmp_path / "all.jsonl").read_bytes()
    assert b'"carried"' in again
    store.apply(Operation("moved", (key(5, (4.0, 0.0, 8.0, 7.0), base=1),)))
    assert store.picture(3).moving[0].source == "interpolation"
    store.undo("u")
    assert corners(store, 3) == [(0, 0, 3, 4)]
    store.films.move(3, "linear")
    assert corners(store, 3) == [(2, 0, 6, 6)]


def test_a_damaged_list_of_frames_does_not_hide_its_pictures(store, clip):
    (clip / "frames.json").write_text('{"schema": "viewfinder frames 1", "frames": [1]}')
    assert store.picture(3).moving == ()
