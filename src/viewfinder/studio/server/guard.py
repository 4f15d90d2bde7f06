"""Who may ask: the address and the page that a request came by, its cookie, and how much it says.

Any page that a person has open can send requests to a server on their machine, and a name that a
stranger owns can be made to lead there (DNS rebinding). So each request must have been made to an
address that we were started on, by a page of ours, with the cookie that only the token gives.
"""

import hmac
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viewfinder.studio.server.address import Access

MOST_BYTES = 16 << 20
"""Of a request's body: the largest operation has fewer."""
MOST_FILE = 8 << 30
"""Of a picture or video that is added."""
FILES, TRY = "/api/files", "/api/try"
"""Where files are sent to, and a picture that is tried; everything else that is sent is JSON."""
_MOST = {FILES: MOST_FILE, TRY: 64 << 20}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NO_TOKEN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Viewfinder</title>
<p>This page opens with the whole address that <code>viewfinder label</code> printed,
with its <code>?token=…</code>. Copy it from the terminal.</p></html>"""


class Guard:
    """Around the application: answers itself whatever is not let in."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the studio speaks HTTP alone, not {scope['type']}")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {key.lower() for key, _ in message.get("headers", [])}
                pairs = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
                sent = [pair for pair in pairs if pair[0] not in known]
                if b"cache-control" not in known:
                    sent.append((b"cache-control", b"no-store"))
                message["headers"] = [*message.get("headers", []), *sent]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._access.hosts:
            return _no(421, "this server does not answer by that name")
        if scope["method"] == "GET" and scope["path"] == "/":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
            if given and _same(given[0], self._access.token):
                return self._let_in()
            if not self._has_cookie(headers):
                return HTMLResponse(_NO_TOKEN, 403)
        if not self._has_cookie(headers):
            return _no(403, "open the address that `viewfinder label` printed, with its token")
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _no(403, "another page asked for this")
        if scope["method"] not in ("GET", "HEAD"):
            return self._refused_writing(headers, hosts[0], scope["path"])
        return None

    def _refused_writing(self, headers: Headers, host: str, path: str) -> Response | None:
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return _no(403, "another page asked for this")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        # A form of another page cannot send these without asking first.
        wanted = "application/octet-stream" if path in _MOST else "application/json"
        if kind != wanted:
            return _no(415, f"send {wanted}")
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return _no(411, "say how long it is")
        most = _MOST.get(path, MOST_BYTES)
        if int(length[:20]) > most:
            return _no(413, f"at most {most >> 20:,} MB at once")
        return None

    def _has_cookie(self, headers: Headers) -> bool:
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._access.cookie and _same(value, self._access.secret):
                return True
        return False

    def _let_in(self) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self._access.cookie, self._access.secret, httponly=True, samesite="strict", path="/"
        )
        return answer


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _no(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)
