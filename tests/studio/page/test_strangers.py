"""More of what strangers try: names of files, too much at once, and other ways to the server."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import numpy as np
from studio_page import Person, told, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutClass, open_store
from viewfinder.studio.store.changes import MOST_CHANGES


def asked(address, method, path, body=None, **headers):
    """An answer of the server at an address: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def cookie_of(address):
    _, headers, _ = asked(address, "GET", f"/?{urlsplit(address.url).query}")
    return headers["set-cookie"].partition(";")[0]


def test_a_folder_that_cannot_be_read_is_told_of(tmp_path, serve, visit):
    write_picture(tmp_path / "a.png", np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "a.json").write_text(json.dumps({"gtboxes": []}))
    with open_store(tmp_path) as store:
        page = visit(serve(store).address.url)
        panel = page.get_by_role("heading", name="The labels here cannot be read yet")
        until(panel.is_visible)
        until(lambda: page.locator("#state").inner_text() == "not read")


def test_a_files_name_is_text_on_the_page_and_in_what_it_says(served, page):
    hostile = "<img src=x onerror=window.bad=1>.png"
    (served.store.data / "000.png").rename(served.store.data / hostile)
    (served.store.data / "001.png").write_text("no picture")
    served.store.look_at_disk()
    page.reload()
    person = Person(page, served.store)
    for picture in (1, 2, 1):
        person.open(picture)
    until(lambda: hostile in page.locator("#path").inner_text())
    assert hostile in page.content().replace("&lt;", "<").replace("&gt;", ">")
    assert page.evaluate("window.bad") is None
    assert page.locator("img[src='x']").count() == 0


def test_a_refusal_holds_a_strangers_name_as_text(served, page):
    hostile = "<img src=x onerror=window.bad=1>"
    served.store.apply(Operation("a", (PutClass("c", hostile, 0), PutClass("d", "mug", 0))))
    page.reload()
    Person(page, served.store)
    page.evaluate(
        """(name) => viewfinder.outbox.add({id: "x", path: "/api/operations", body: {id: "x",
          changes: [{do: "PutClass", id: "d", name, base: 1}]}})""",
        hostile,
    )
    told(page, "there is a class")
    assert page.evaluate("window.bad") is None
    assert page.locator("img[src='x']").count() == 0


def test_too_many_changes_are_refused(standing):
    cookie = cookie_of(standing.address)
    reject = {"do": "Reject", "proposal": "p", "base": 1}
    body = json.dumps({"id": "a", "changes": [reject] * (MOST_CHANGES + 1)})
    send = {"cookie": cookie, "content_type": "application/json"}
    status, _, answer = asked(standing.address, "POST", "/api/operations", body, **send)
    assert status == 400
    assert b"changes" in answer
    assert standing.store.history() == ()


def test_thousands_of_ranges_cost_nothing(standing):
    cookie = cookie_of(standing.address)
    ranges = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(4000))
    for path in ("/page/main.js", "/api/pictures/1/pixels"):
        status, headers, _ = asked(standing.address, "GET", path, cookie=cookie, range=ranges)
        assert status == 200
        assert "content-range" not in headers


def test_links_that_say_nothing_keep_nobody_waiting(standing):
    cookie = cookie_of(standing.address)
    links = [socket.create_connection(("127.0.0.1", standing.address.port)) for _ in range(200)]
    for link in links:
        link.sendall(b"GET / HTTP/1.1\r\nHost:")
    assert asked(standing.address, "GET", "/api/start", cookie=cookie)[0] == 200
    for link in links:
        link.close()


def test_listening_to_the_network_still_asks_for_the_token_and_our_own_name(standing):
    with studio_server(standing.store, person="a", host="0.0.0.0", port=0) as made:
        server, bound, address = made
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        assert asked(address, "GET", "/api/start")[0] == 403
        assert asked(address, "GET", "/api/start", cookie=cookie_of(standing.address))[0] == 403
        cookie = cookie_of(address)
        assert asked(address, "GET", "/api/start", cookie=cookie)[0] == 200
        evil = f"evil.example:{address.port}"
        assert asked(address, "GET", "/api/start", cookie=cookie, host=evil)[0] == 421
        server.should_exit = server.force_exit = True
        thread.join(60)


def test_the_token_stands_in_the_printed_address_alone(tmp_path):
    """Neither requests nor what is refused are written where others may read them."""
    write_picture(tmp_path / "photos" / "a.png", np.zeros((9, 9, 3), np.uint8))
    words = [sys.executable, "-m", "viewfinder", "label", tmp_path / "photos", "--no-browser"]
    process = subprocess.Popen(
        [*words, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        url = urlsplit(process.stdout.readline().split()[-1])
        address = type("Address", (), {"port": url.port, "url": url.geturl()})
        assert asked(address, "GET", "/api/start", cookie=cookie_of(address))[0] == 200
        asked(address, "GET", f"/api/start?{url.query}")
    finally:
        process.terminate()
    said, _ = process.communicate(timeout=60)
    token = url.query.removeprefix("token=")
    assert token not in said
    for file in (tmp_path / "photos" / ".viewfinder").iterdir():
        assert token.encode() not in file.read_bytes()
