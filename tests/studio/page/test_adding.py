"""Pictures and videos that are added: what is taken, and what is refused in a sentence."""

import json
import os

import numpy as np
import pytest
from studio_client import Client
from studio_page import Person, told, until

from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import encode_picture
from viewfinder.studio.server.guard import MOST_FILE
from viewfinder.studio.store import open_store


def png(grey=90):
    return encode_picture(np.full((48, 64, 3), grey, np.uint8), ".png")


def a_video(file, frames=24):
    random = np.random.default_rng(1)
    views = random.integers(0, 255, (3, 12, 16, 3), np.uint8).repeat(10, 1).repeat(10, 2)
    write_video(file, [views[n // 8] for n in range(frames)], rate=8)
    return file


@pytest.fixture
def own(served):
    return Client(served)


def paths(store):
    return [each.path for each in store.pictures(count=1000).pictures]


def listing(folder):
    return sorted(each.name for each in (folder / ".viewfinder").iterdir())


def test_pictures_keep_their_names_and_nothing_is_overwritten(served, own):
    store = served.store
    for name in ("neu ö 螺.png", "sub/a b.png", "e\u0301.png", "'; DROP TABLE box;--.png"):
        status, answer = own.send(name, png())
        assert (status, answer) == (200, {"picture": name})
        assert (store.data / name).read_bytes() == png()
        assert name in paths(store)
    before = (store.data / "000.png").read_bytes()
    status, answer = own.send("000.png", png())
    assert status == 400
    assert "another file: nothing was overwritten" in answer["error"]
    assert (store.data / "000.png").read_bytes() == before
    status, answer = own.send("sub/a b.png", png())
    assert (status, "already" in answer["error"]) == (400, True)
    assert len(paths(store)) == 8
    assert not [name for name in listing(store.data) if "writing" in name]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.png", "/a.png", "a//b.png", "a/../../b.png", ".hidden.png", "__x/a.png",
     "a\\b.png", "a\0.png", "a\n.png", "a/", "x" * 300 + ".png", "x/" * 700 + "a.png",
     ".viewfinder/a.png"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(standing, name):
    before = paths(standing.store)
    status, answer = Client(standing).send(name, png())
    assert status in (400, 422)
    assert "Traceback" not in json.dumps(answer)
    assert paths(standing.store) == before


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.png", b"<html><script>1</script>", "a web page, not a picture"),
        ("a.png", b"", "empty"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no picture or video"),
        ("a.exe", png(), "no picture or video"),
        ("a.html", png(), "no picture or video"),
        ("a.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 90, "no picture or video"),
        ("a.jpg", b"\xff\xd8\xff" + b"\0" * 90, "a.jpg"),
        ("a.txt", b"hello", "no picture or video"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(standing, name, data, says):
    status, answer = Client(standing).send(name, data)
    assert status == 400
    assert says in answer["error"]
    assert ".writing" not in answer["error"]
    assert not (standing.store.data / name).exists()
    assert not [each for each in listing(standing.store.data) if "writing" in each]


def test_no_other_page_can_add_and_bodies_have_an_end(standing):
    client = Client(standing)
    for headers in (
        {"origin": "http://evil.com"},
        {"sec_fetch_site": "cross-site"},
        {"content_type": "application/json"},
        {"content_type": "image/png"},
        {"content_type": "multipart/form-data; boundary=a"},
        {"cookie": "a=b"},
        {"content_length": str(MOST_FILE + 1)},
        {"content_length": None},
    ):
        assert client.send("a.png", png(), **headers)[0] in (403, 411, 413, 415), headers
    octets = {"content_type": "application/octet-stream"}
    assert client.post("/api/operations", b"{}", **octets)[0] == 415
    assert not (standing.store.data / "a.png").exists()


def test_a_link_does_not_lead_out_of_the_folder(served, own, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (served.store.data / "link").symlink_to(outside)
    status, answer = own.send("link/a.png", png())
    assert (status, "outside" in answer["error"]) == (400, True)
    assert not list(outside.iterdir())


def test_frames_of_a_video_are_taken_as_frames_does(served, own, tmp_path):
    store = served.store
    video = a_video(tmp_path / "drehung ü.mp4")
    assert own.send(video.name, video.read_bytes()) == (200, {"video": video.name})
    until(lambda: len(paths(store)) > 4)
    new = paths(store)[4:]
    assert len(new) == 3
    assert all(path.startswith("drehung ü/drehung ü-") for path in new)
    listed = json.loads((store.data / "drehung ü" / "frames.json").read_text(encoding="utf-8"))
    assert {each["video"] for each in listed["frames"]} == {video.name}
    state = json.loads(own.ask("GET", "/api/status")[2])["adding"]
    until(lambda: json.loads(own.ask("GET", "/api/status")[2])["adding"]["waiting"] == 0)
    assert "3 of 24 frames added" in json.dumps(state["said"]) or not state["said"]
    own.send(video.name, video.read_bytes())
    again = "the frames of drehung ü.mp4 are in the folder already"
    until(lambda: again in own.ask("GET", "/api/status")[2].decode("unicode_escape"))
    assert len(paths(store)) == 7
    until(lambda: not [each for each in listing(store.data) if "writing" in each])


def test_a_path_of_this_machine(served, own, tmp_path):
    more = tmp_path / "mehr"
    (more / "in").mkdir(parents=True)
    (more / "a.png").write_bytes(png(1))
    (more / "in" / "b.png").write_bytes(png(2))
    (more / "bad.png").write_text("no picture")
    a_video(more / "turn.mp4")
    assert own.post("/api/add", {"path": str(more)})[0] == 200
    until(lambda: len(paths(served.store)) == 9)
    assert {"mehr/a.png", "mehr/in/b.png"} <= set(paths(served.store))
    until(lambda: b"bad.png" in own.ask("GET", "/api/status")[2])
    assert (more / "a.png").read_bytes() == png(1)
    for path in ("", " ", "/nowhere/at/all", "\0", "~nobody-has-this/x", str(served.store.data)):
        status, _, answer = own.post("/api/add", {"path": path})
        assert (status, b"error" in answer) == (400, True)


def test_pictures_of_a_set_with_labels_go_beside_its_own(tmp_path, serve):
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "images" / "a.png").write_bytes(png())
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (folder / "classes.txt").write_text("mug\n")
    with open_store(folder, wait=True) as store:
        served = serve(store)
        assert Client(served).send("b.png", png(7)) == (200, {"picture": "images/b.png"})
        assert paths(store) == ["images/a.png", "images/b.png"]


def test_a_look_that_comes_late_lays_nothing_over_the_first_picture(tmp_path, serve, visit):
    folder = tmp_path / "empty"
    folder.mkdir()
    with open_store(folder, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        held = []
        page.get_by_text("From a few pictures to a detector of your own").wait_for()
        # The second question of how things stand is answered only once the picture is there.
        asked = iter((False, True))
        page.route(
            "**/api/status",
            lambda route: held.append(route) if next(asked, False) else route.continue_(),
        )
        page.evaluate("""() => { window.looked = 0;
            viewfinder.came().then(() => { window.looked = 1; }); }""")
        until(lambda: page.evaluate("1") and held)
        assert Client(served).send("a.png", png())[0] == 200
        page.evaluate("viewfinder.came()")
        person = Person(page, store)
        held.pop(0).continue_()
        until(lambda: page.evaluate("looked"))
        assert not page.locator("#empty").is_visible()
        person.drag((10, 10), (40, 40))
        person.named("mug")
        assert person.boxes() == [("mug", [10, 10, 40, 40])]
        served.stop()


def test_an_empty_folder_says_what_to_do_and_takes_what_is_dropped(tmp_path, serve, visit):
    folder = tmp_path / "empty"
    folder.mkdir()
    with open_store(folder, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        page.get_by_text("From a few pictures to a detector of your own").wait_for()
        page.get_by_role("button", name="Look again").click()
        told(page, "Nothing came into the folder")
        # Of the two, one is no picture.
        drop = """([good, bad]) => { const moved = new DataTransfer();
            moved.items.add(new File([Uint8Array.from(good)], "a ö.png"));
            moved.items.add(new File([bad], "<b>.png"));
            for (const kind of ["dragover", "drop"]) document.getElementById("empty").dispatchEvent(
                new DragEvent(kind, {dataTransfer: moved, bubbles: true, cancelable: true})); }"""
        page.evaluate(drop, [list(png()), "text"])
        told(page, "1 picture added")
        told(page, "<b>.png holds text")
        person = Person(page, store)
        person.drag((10, 10), (40, 40))
        person.named("mug")
        assert person.boxes() == [("mug", [10, 10, 40, 40])]
        more = tmp_path / "more"
        more.mkdir()
        a_video(more / "turn.mp4")
        (more / "c.png").write_bytes(png(5))
        person.press("o")
        page.get_by_label("A path on this machine").fill(os.fspath(more))
        person.press("Enter")
        until(lambda: len(paths(store)) == 5)
        told(page, "more: 1 picture added")
        until(lambda: page.locator(".thumb").count() == 5)
        person.press("o")
        page.get_by_label("Pictures and videos").set_input_files(
            [{"name": "d.png", "mimeType": "image/png", "buffer": png(9)}]
        )
        until(lambda: page.locator(".thumb").count() == 6)
        served.stop()
