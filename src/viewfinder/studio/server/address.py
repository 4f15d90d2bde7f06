"""Where the studio is found: its address, which takes no web framework to have and to print."""

import contextlib
import ipaddress
import secrets
import socket
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

from viewfinder.errors import InputError

LOOPBACK = "127.0.0.1"
PORT = 8790
"""Tried first: the same address each time, where a browser keeps what it has not sent yet."""


@dataclass(frozen=True)
class Access:
    """What lets a browser in.

    Attributes:
        hosts: what the Host header may say, with the port.
        token: of the address that is printed.
        secret: what the cookie holds; it is not the token, which may stand in a history.
        cookie: its name. Cookies know no ports, so each server has its own.
    """

    hosts: frozenset[str]
    cookie: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))


@dataclass(frozen=True)
class Address:
    """Where the studio is.

    Attributes:
        url: the whole address, which lets a browser in.
        bound: what listens there: who asks before the server runs waits for it.
    """

    host: str
    port: int
    url: str
    bound: socket.socket
    access: Access

    @property
    def local(self) -> bool:
        """Whether it can be asked from this machine alone."""
        return _is_loopback(self.host)


@contextlib.contextmanager
def address_at(host: str = LOOPBACK, port: int | None = None) -> Iterator[Address]:
    """An address that is listened at.

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
        yield Address(host, number, url, bound, access)


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
