"""What a stranger's page, name or file tries against the running server."""

import json
import re
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
from studio_client import Client
from studio_page import ready

from viewfinder.pictures.writing import encode_picture
from viewfinder.studio.server.guard import MOST_BYTES
from viewfinder.studio.store import Operation, PutBox, PutClass


@pytest.fixture
def client(standing):
    return Client(standing)


@pytest.fixture
def own(served):
    """Of a studio of this test's own."""
    return Client(served)


def put_class(id="c", name="mug"):
    return {"id": f"op-{id}", "changes": [{"do": "PutClass", "id": id, "name": name, "base": 0}]}


def test_the_cookie_alone_opens_and_is_kept_from_scripts_and_other_pages(standing, client):
    assert "httponly" in client.set_cookie.lower()
    assert "samesite=strict" in client.set_cookie.lower()
    token = urlsplit(standing.address.url).query.removeprefix("token=")
    assert len(token) >= 43  # 256 bits
    assert token not in client.set_cookie
    for path in ("/", "/page/main.js", "/api/start", "/api/pictures/1/pixels"):
        assert client.ask("GET", path)[0] == 200
        for wrong in ("", client.cookie[:-1] + "x", client.cookie.replace("viewfinder", "other")):
            assert client.ask("GET", path, cookie=wrong or "a=b")[0] == 403
    for wrong in ("", "x", token[:-1], token + "x", "\xff"):
        assert (
            client.ask(
                "GET",
                f"/?token={wrong}".encode("latin-1").decode("latin-1").replace("\xff", "%ff"),
                cookie="a=b",
            )[0]
            == 403
        )
    # A second server's cookie has another name: cookies know no ports.
    assert str(standing.address.port) in client.cookie.partition("=")[0]


@pytest.mark.parametrize(
    "host",
    ["evil.com", "evil.com:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.com:{port}", ""],
)
def test_another_name_is_not_answered(standing, client, host):
    """A name that a stranger owns may be made to lead here (DNS rebinding)."""
    host = host.format(port=standing.address.port)
    status, _, body = client.ask("GET", "/api/start", host=[host])
    assert status == 421
    assert b"mug" not in body
    assert (
        client.ask(
            "GET",
            urlsplit(standing.address.url).path + "?" + urlsplit(standing.address.url).query,
            host=[host],
        )[0]
        == 421
    )
    assert client.ask("GET", "/api/start", host=f"localhost:{standing.address.port}")[0] == 200
    assert client.ask("GET", "/api/start", host=[client.host, "evil.com"])[0] in (400, 421)


def test_no_other_page_can_write(served, own):
    for headers in (
        {"origin": "http://evil.com"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=a"},
        {"content_type": None},
        {"cookie": "a=b"},
    ):
        assert own.post("/api/operations", put_class(), **headers)[0] in (403, 415), headers
    assert served.store.classes() == ()
    ours = {"origin": served.root, "sec_fetch_site": "same-origin"}
    assert own.post("/api/operations", put_class(), **ours)[0] == 200
    assert [each.name for each in served.store.classes()] == ["mug"]


def test_another_page_cannot_frame_read_or_add_to_it(client):
    for path in ("/", "/page/main.js", "/api/start", "/nothing", "/api/pictures/1/pixels"):
        _, headers, _ = client.ask("GET", path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert client.ask("GET", "/api/start", sec_fetch_site="cross-site")[0] == 403
    assert client.ask("OPTIONS", "/api/operations", origin="http://evil.com")[0] == 403
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.ask("GET", path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/page/__init__.py",
        "/page//etc/passwd", "/page/%2fetc%2fpasswd", "/page/..\\app.py", "/page/C:%5cboot.ini",
        "/page/main.js;x", "/page/main.js%00.css", "/../../etc/passwd", "//etc/passwd",
        "/api/pictures/../../labels.db", "/api/pictures/%2e%2e/pixels", "/api/pictures/1;x/pixels",
        "/api/pictures/99999999/pixels", "/api/pictures/-1/pixels", "/api/pictures/1e3/pixels",
        "/api/pictures/99999999999999999999999/pixels", "/page/tsconfig.json",
    ],
)  # fmt: skip
def test_paths_lead_nowhere(client, path):
    status, _, body = client.ask("GET", path)
    assert status in (400, 404, 422)
    assert b"root:" not in body


def test_a_link_out_of_the_folder_and_other_files_are_no_pictures(served, own, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("<html>secret</html>")
    folder = served.store.data
    (folder / "000.png").unlink()
    (folder / "000.png").symlink_to(secret)
    (folder / "001.png").write_text("<html><script>alert(1)</script></html>")
    (folder / "002.png").write_text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
    for picture in (1, 2, 3):
        for what in ("pixels", "thumbnail"):
            status, headers, body = own.ask("GET", f"/api/pictures/{picture}/{what}")
            assert (status, headers["content-type"]) == (400, "application/json")
            assert b"<" not in body or b"secret" not in body


def test_a_picture_is_sent_as_a_picture_whatever_it_is_called(served, own):
    """A true JPEG that is called .png, and bytes of HTML behind it."""
    jpeg = encode_picture(np.full((480, 640, 3), 90, np.uint8), ".jpg")
    (served.store.data / "003.png").write_bytes(jpeg + b"<script>alert(1)</script>")
    _, headers, _ = own.ask("GET", "/api/pictures/4/pixels")
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_small_file_that_claims_to_be_enormous_is_not_decoded(served, own):
    import struct
    import zlib

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0" * 10**6))
    )
    (served.store.data / "000.png").write_bytes(bomb + chunk(b"IEND", b""))
    for what in ("pixels", "thumbnail"):
        assert own.ask("GET", f"/api/pictures/1/{what}")[0] == 400


def putting(**box):
    fields = {"do": "PutBox", "id": "b", "picture": 1, "label": "c", "base": 0}
    return {"id": "a", "changes": [fields | box]}


def making(**fields):
    return {"id": "a", "changes": [{"do": "PutClass", "id": "c", "name": "a", "base": 0}]} | fields


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"1", b"\xff", b'{"id": NaN}', b"[" * 10**5, b'{"a":' * 10**5),
        {"id": "a", "changes": [{"do": "Exec", "code": "1"}]},
        {"id": "a", "changes": [{"do": "PutClass", "id": "<", "name": "a", "base": 0}]},
        making(id=["a"]),
        making(session={}),
        making(changes=[]),
        putting(corners=[9, 9, 5, 5]),
        putting(corners=[0, 0, "5", 5]),
        json.dumps(putting(corners=[0, 0, 7, 5])).replace("7", "1e999").encode(),
    ],
)
def test_what_is_no_operation_is_refused_in_a_sentence(standing, client, body):
    status, headers, answer = client.post("/api/operations", body)
    assert status in (400, 409)
    assert headers["content-type"] == "application/json"
    assert "Traceback" not in answer.decode()
    assert standing.store.history() == ()


def test_bodies_have_an_end(client):
    assert client.post("/api/operations", b"{}", content_length=str(MOST_BYTES + 1))[0] == 413
    assert client.post("/api/operations", b"{}", content_length="9" * 30)[0] in (400, 413)
    assert client.post("/api/operations", b"{}", content_length=None)[0] == 411
    assert client.post("/api/settings", {"keys": "x" * 60_000})[0] == 400


def test_who_edits_is_not_the_requests_to_say(served, own):
    assert own.post("/api/operations", put_class() | {"person": "root"})[0] == 200
    assert {each.person for each in served.store.history()} == {"tester"}


def test_no_web_socket_and_no_other_method(client):
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert client.ask("GET", "/api/start", **upgrade)[0] != 101
    assert client.ask("DELETE", "/api/pictures/1")[0] in (403, 405, 415)
    assert client.ask("TRACE", "/")[0] in (403, 405, 415)


def test_garbage_ends_no_server(standing, client):
    for garbage in (b"\x00" * 2000, b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/" * 200_000):
        with socket.create_connection(("127.0.0.1", standing.address.port), timeout=60) as link:
            link.sendall(garbage)
    assert client.ask("GET", "/api/start")[0] == 200


def test_names_are_text_on_the_page(served, page):
    """Of classes, which whoever wrote the labels chose, wherever the page shows them."""
    hostile = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>'
    put = (PutClass("c", hostile, 0), PutBox("b", 1, "c", (5.0, 5.0, 90.0, 90.0), 0))
    served.store.apply(Operation("a", put, hostile))
    page.reload()
    page.get_by_role("button", name=re.compile("^<img")).first.wait_for()
    assert page.locator("#classes .name").inner_text() == hostile
    ready(page)
    page.keyboard.press("c")
    assert page.locator("dialog .found").inner_text() == hostile
    assert page.evaluate("window.bad") is None
    assert page.locator("aside img, dialog img, script:not([type=module])").count() == 0
