"""A client of the studio's server that sends exactly what it is told to."""

import http.client
import json
from urllib.parse import quote, urlsplit


class Client:
    """A browser that has been let in, and says what it is told to."""

    def __init__(self, served):
        self.served = served
        self.host = f"127.0.0.1:{served.address.port}"
        path = urlsplit(served.address.url)
        status, headers, _ = self.ask("GET", f"/?{path.query}", cookie="")
        assert status == 303
        self.set_cookie = headers["set-cookie"]
        self.cookie = self.set_cookie.partition(";")[0]

    def ask(self, method, path, body=None, *, cookie=None, host=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.served.address.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for each in [host or self.host] if isinstance(host, str | None) else host:
            connection.putheader("Host", each)
        cookie = self.cookie if cookie is None else cookie
        if cookie:
            connection.putheader("Cookie", cookie)
        if body is not None and "content_length" not in headers:
            headers["content_length"] = str(len(body))
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data

    def post(self, path, document, **headers):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers.setdefault("content_type", "application/json")
        return self.ask("POST", path, body, **headers)

    def send(self, name, data, **headers):
        """Add a file."""
        headers.setdefault("content_type", "application/octet-stream")
        status, _, answer = self.ask("POST", f"/api/files?name={quote(name)}", data, **headers)
        return status, json.loads(answer)
