"""Running the server: an address of its own, a browser that opens it, and a clean end."""

import contextlib
import ipaddress
import logging
import socket
import threading
import urllib.parse
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn

from viewfinder.errors import InputError
from viewfinder.studio.learning.impressions import Impressions
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.server.adding import Adding
from viewfinder.studio.server.app import studio_app
from viewfinder.studio.server.films import Carrier
from viewfinder.studio.server.guard import Access
from viewfinder.studio.server.news import News
from viewfinder.studio.store import Store

_LOGGER = "uvicorn.error"
LOOPBACK = "127.0.0.1"
PORT = 8790
"""Tried first: the same address each time, where a browser keeps what it has not sent yet."""


@dataclass(frozen=True)
class Address:
    """Where the studio is, and the whole address that lets a browser in."""

    host: str
    port: int
    url: str


@contextlib.contextmanager
def studio_server(
    store: Store, *, person: str, host: str = LOOPBACK, port: int | None = None
) -> Iterator[tuple[uvicorn.Server, socket.socket, Address]]:
    """A server that is bound to its address, to be run by `serve`.

    Args:
        port: None for `PORT`, or any that is free where that is taken.

    Raises:
        InputError: the address cannot be had.
    """
    with contextlib.closing(_bound(host, port)) as bound:
        number = bound.getsockname()[1]
        access = Access(_names(host, number), f"viewfinder-{number}")
        shown = "127.0.0.1" if _is_any(host) else f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{number}/?token={urllib.parse.quote(access.token)}"
        news = News()
        adding, teacher, carrier = Adding(store), Teacher(store), Carrier(store)
        impressions = Impressions()
        looking = news.look(store, lambda: adding.state()["waiting"] > 0)
        local = _is_loopback(host)
        config = uvicorn.Config(
            studio_app(
                store,
                access,
                news,
                adding,
                teacher,
                carrier,
                impressions,
                person=person,
                local=local,
            ),
            access_log=False,  # it would hold the token
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            # Pages keep their connections; whoever ends the server does not wait for them.
            timeout_graceful_shutdown=3,
        )
        yield _Server(config, impressions.stop), bound, Address(host, number, url)
        impressions.close()
        carrier.close()
        teacher.close()
        adding.close()
        news.end()
        looking.join()  # before the store is closed
        logging.getLogger(_LOGGER).setLevel(logging.NOTSET)


class _Server(uvicorn.Server):
    """A server that ends what its answers wait for, and what is then cut off without a word."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger(_LOGGER).setLevel(logging.CRITICAL)
        self._ending()
        await super().shutdown(sockets)


def serve(
    server: uvicorn.Server, bound: socket.socket, address: Address, *, open_browser: bool
) -> None:
    """Answer until Ctrl-C or SIGTERM, and what was asked before that."""
    if open_browser:
        opening = threading.Thread(target=_open, args=(address.url,), daemon=True)
        opening.start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])


def _open(url: str, opened: Callable[[str], bool] = webbrowser.open) -> None:
    # The socket listens already: the browser's request waits until the server has started.
    with contextlib.suppress(Exception):
        opened(url)


def _bound(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    wanted = [port] if port is not None else [PORT, 0]
    for each in wanted:
        # Of no protocol by name, asyncio leaves its connections slow: each answer of more than one
        # packet would wait 40 ms for the browser's acknowledgement (Nagle's algorithm).
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, each))
            bound.listen(128)
        except (OSError, OverflowError) as error:
            bound.close()
            if each == wanted[-1]:
                why = getattr(error, "strerror", None) or error
                at = f"{host}, port {each}" if each else host
                raise InputError(f"cannot listen at {at}: {why}") from None
        else:
            return bound
    raise AssertionError


def _names(host: str, port: int) -> frozenset[str]:
    """What a browser may call us. Where any address will do, each of this machine's by number:
    a name could be made to lead here by whoever owns it, and a number cannot."""
    hosts = {f"[{host}]" if ":" in host else host.lower()}
    if _is_any(host) or _is_loopback(host):
        hosts |= {"127.0.0.1", "localhost", "[::1]"}
    if _is_any(host):
        hosts |= {f"[{each}]" if ":" in each else each for each in _own_addresses()}
        hosts.add(socket.gethostname().lower())
    return frozenset(f"{each}:{port}" for each in hosts)


def _own_addresses() -> set[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return set()
    return {str(each[4][0]).partition("%")[0] for each in found}


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
