"""Whether a network is there: one connection, to an address of the user's choice, or none."""

import socket
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from viewfinder.doctor.machine import Network
from viewfinder.doctor.waiting import within
from viewfinder.errors import InputError

SECONDS = 2.0
"""That it may take at most, the search for the address included."""
# Where a user says by which way, or from where, packages come.
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
_INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


def network(host: str | None, environment: Mapping[str, str], seconds: float = SECONDS) -> Network:
    """Ask HOST, else the proxy or the index that the environment names, else nobody."""
    if host is not None:
        return _asked("the host that --network names", *address(host), seconds)
    for names, what in ((_PROXIES, "proxy"), (_INDEXES, "index")):
        for name in names:
            try:
                place, port = address(environment[name])
            except (KeyError, InputError):
                continue  # not set, or a folder
            return _asked(f"the {what} that {name} names", place, port, seconds)
    return Network("", None)


def address(host: str) -> tuple[str, int]:
    """Host and port of `HOST`, `HOST:PORT` or an address that begins with http.

    Raises:
        InputError: it is none of them.
    """
    try:
        parts = urlsplit(host if "://" in host else f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if not name or parts.scheme not in ("", *_PORTS) or any(sign in name for sign in " ,;'\""):
        raise InputError("--network: give a host to ask, as example.org or example.org:8443")
    return name, port or _PORTS.get(parts.scheme, 443)


def _asked(what: str, host: str, port: int, seconds: float) -> Network:
    start = time.perf_counter()

    def connect() -> str:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
        except (OSError, UnicodeError) as error:
            return _reason(error)
        return ""

    try:
        # A search for the address knows no limit of time.
        says = within(seconds, connect)
    except TimeoutError as error:
        return Network(what, answers=False, says=str(error))
    taken = f"in {1e3 * (time.perf_counter() - start):.0f} ms"
    return Network(what, answers=not says, says=says or taken)


def _reason(error: Exception) -> str:
    """Why, in words that do not name the address."""
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection"
    return getattr(error, "strerror", None) or "it cannot be reached"
